"""A figure to take along, with the numbers behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from markupsafe import Markup

from pages.parts.cards import markup


def page(title: str, figure: go.Figure, rows: Sequence[Mapping[str, Any]], remarks: Sequence[str]) -> str:
    """A figure with the numbers behind it as one HTML file: it needs no network, and keeps hover and zoom."""
    drawn = Markup(figure.to_html(full_html=False, include_plotlyjs=True))
    return markup.html("report.html", title=title, figure=drawn, rows=rows, remarks=remarks)
