"""Taking results along: numbers as NPZ and CSV, the whole comparison as one HTML file that opens offline."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from markupsafe import Markup

from pages.parts.kit import markup

# Before a sign that begins a formula, the broad ones of Asian keyboards among them, or what is skipped before one; a
# minus within a text begins nothing that could be run.
_FORMULA = re.compile(r"^(?=[=+\-@\t\r\n＝＋－＠])|(?<=[;\t\r\n])(?=[=+@＝＋＠])")

PLOT = {"displaylogo": False, "toImageButtonOptions": {"format": "png", "scale": 2, "filename": "loupe"}}


def npz(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Named arrays as a compressed NPZ file, readable with `numpy.load`."""
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # pyright: ignore[reportArgumentType]
    return file.getvalue()


def download(
    label: str,
    name: str,
    content: Callable[[], Sequence[Mapping[str, Any]] | Mapping[str, np.ndarray]],
    help: str | None = None,
) -> None:
    """Draw a button for a file that is made when it is clicked: rows as CSV, named arrays as NPZ."""

    def made() -> str | bytes:
        found = content()
        return npz(found) if isinstance(found, Mapping) else table(found)

    st.download_button(label, made, name, icon=":material/download:", on_click="ignore", help=help)


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as CSV, with the first one's keys as header; formulas are `defused`, since names come from outside."""
    file = io.StringIO()
    writer = csv.writer(file)
    if rows:
        writer.writerow([defused(name) for name in rows[0]])
        writer.writerows([defused(value) for value in row.values()] for row in rows)
    return file.getvalue()


def shown(table: Any) -> Any:
    """What `st.dataframe` is to show, its texts `defused`: a list of rows, columns by their names, or a data frame.

    Whoever looks at a table can save it with Streamlit's own button, which writes what stands in its cells into a CSV
    as it is.
    """
    if isinstance(table, pd.DataFrame):
        texts = [name for name in table.columns if not pd.api.types.is_numeric_dtype(table[name])]
        return table.assign(**{name: table[name].map(defused) for name in texts})
    if isinstance(table, Mapping):
        return {
            name: column if isinstance(column, np.ndarray) else [defused(value) for value in column]
            for name, column in table.items()
        }
    return [{name: defused(value) for name, value in row.items()} for row in table]


def defused(value: Any) -> Any:
    """A text with an apostrophe before what a spreadsheet would run as a formula; all else as it is.

    Also where a spreadsheet that parts cells at semicolons would begin one within the text, as OWASP's page on CSV
    injection says.
    """
    return _FORMULA.sub("'", value) if isinstance(value, str) else value


def page(title: str, figure: go.Figure, rows: Sequence[Mapping[str, Any]], remarks: Sequence[str]) -> str:
    """A figure with the numbers behind it as one HTML file: it needs no network, and keeps hover and zoom."""
    drawn = Markup(figure.to_html(full_html=False, include_plotlyjs=True))
    return markup.html("report.html", title=title, figure=drawn, rows=rows, remarks=remarks)
