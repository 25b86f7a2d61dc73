from __future__ import annotations

import csv
import io
import re

import numpy as np
import plotly.graph_objects as go
import pytest

from pages.parts import export
from pages.parts.text import plain, shortened


@pytest.mark.parametrize(
    "text",
    ["![x](http://evil/a.png)", "**bold**", "`code`", ":material/bug_report:", "$x^2$", "<img src=x>", "# title"],
)
def test_markdown_from_outside_is_escaped(text: str) -> None:
    shown = plain(text)
    assert shown.replace("\\", "") == text
    for position, character in enumerate(shown):
        if character in "![]()*`:$<#>_":
            assert shown[position - 1] == "\\"


def test_long_texts_keep_both_ends_and_line_breaks_go() -> None:
    assert shortened("abcdefghij", 5) == "ab…ij"
    assert shortened("short", 5) == "short"
    assert len(shortened("x" * 100, 48)) == 48
    assert plain("two\nlines") == "two lines"


def test_a_cell_that_a_spreadsheet_would_run_is_defused() -> None:
    text = export.table([{"image": "=cmd|'/c calc'!A0", "sum": -1.5, "class": 'a "quoted", name'}])
    header, row = csv.reader(io.StringIO(text))
    assert header == ["image", "sum", "class"]
    assert row == ["'=cmd|'/c calc'!A0", "-1.5", 'a "quoted", name']
    assert export.table([]) == ""


def test_arrays_come_back_from_npz() -> None:
    arrays = {"Grad-CAM": np.arange(6.0).reshape(2, 3), "pixels": np.zeros((3, 2, 2), np.float32)}
    back = np.load(io.BytesIO(export.npz(arrays)))
    assert set(back.files) == set(arrays)
    assert all((back[name] == array).all() for name, array in arrays.items())


def test_the_page_to_take_along_needs_no_network_and_runs_nothing_from_a_name() -> None:
    figure = go.Figure(go.Scatter(x=[1, 2], y=[3, 4]))
    page = export.page("<script>alert(1)</script>", figure, [{"image": "<b>x</b>", "sum": 1}], ["a & b"])
    assert "<script>alert(1)</script>" not in page and "&lt;b&gt;x&lt;/b&gt;" in page and "a &amp; b" in page
    assert not re.search(r"""<(script|link|img)[^>]*(src|href)=""", page) and "Plotly.newPlot" in page
