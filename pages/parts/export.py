"""Taking results along: numbers as NPZ and CSV, the whole comparison as one HTML file that opens offline."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go


def npz(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Named arrays as a compressed NPZ file, readable with `numpy.load`."""
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as CSV, with the first one's keys as header.

    A cell that a spreadsheet would run as a formula begins with an apostrophe, since names come from outside.
    """
    file = io.StringIO()
    writer = csv.writer(file)
    if rows:
        writer.writerow(rows[0])
        writer.writerows([_cell(value) for value in row.values()] for row in rows)
    return file.getvalue()


def page(title: str, figure: go.Figure, rows: Sequence[Mapping[str, Any]], remarks: Sequence[str]) -> str:
    """A figure with the numbers behind it as one HTML file: it needs no network, and keeps hover and zoom."""
    head = "".join(f"<th>{html.escape(str(name))}</th>" for name in (rows[0] if rows else ()))
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(str(value))}</td>" for value in row.values()) + "</tr>" for row in rows
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>'
        "<style>body{font-family:sans-serif;margin:2em;max-width:1200px}"
        "td,th{padding:.2em .8em;text-align:left}</style>"
        f"<h1>{html.escape(title)}</h1>{figure.to_html(full_html=False, include_plotlyjs=True)}"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        + "".join(f"<p>{html.escape(remark)}</p>" for remark in remarks)
        + "</html>"
    )


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
