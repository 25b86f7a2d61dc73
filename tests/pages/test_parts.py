from __future__ import annotations

import csv
import io
import re

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from pages.parts.kit import export
from pages.parts.kit.text import plain, shortened


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


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_no_cell_of_a_table_begins_a_formula(sign: str) -> None:
    name = f"{sign}cmd|' /C calc'!A0"
    rows = [{name: name, "number": -1.5}, {name: "-", "number": None}]
    header, *lines = csv.reader(io.StringIO(export.table(rows), newline=""))
    assert header == [f"'{name}", "number"] and lines == [[f"'{name}", "-1.5"], ["'-", ""]]
    # Streamlit's own button writes what a table shows.
    assert export.shown(rows)[0] == {name: f"'{name}", "number": -1.5}
    columns = {"name": [name], "number": np.array([-1.5])}
    assert export.shown(columns)["name"] == [f"'{name}"] and export.shown(columns)["number"] is columns["number"]
    frame = pd.DataFrame({"name": [name, "bee", None], "number": [-1.5, 2, 3]})
    assert export.shown(frame)["name"].tolist()[:2] == [f"'{name}", "bee"] and frame["name"][0] == name
    assert export.shown(frame)["number"].tolist() == [-1.5, 2, 3]


def test_cells_are_not_parted_into_formulas() -> None:
    # A spreadsheet may part cells at semicolons, whatever a file's delimiter is.
    assert export.defused("a;=1+1") == "a;'=1+1" and export.defused("a\n@x") == "a\n'@x"
    for harmless in ("bee", "a-b", "a; b", "1 + 1", "a=b", "x\ty", "", -5, None, 2.5):
        assert export.defused(harmless) == harmless


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
