"""Where things are in a figure of heatmaps: a grid of panels with titles, remarks, and places for colour bars."""

from __future__ import annotations

import html
import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from interp.evaluation.verdict import VerdictLevel
from interp.figures import style

# Pixels on the screen. The figure stretches to the page's width; its height follows from an expected width.
WIDTH, TALLEST = 800, 420.0
_TITLE_LINE = 18
_REMARK_LINE = 15
BAR = 40
_GAP = 14
# A share of the figure's width, so that on a narrow screen bars do not run into each other.
_BAR_LENGTH = 0.19
_TOOLBAR = 28
_PLAIN = {"showticklabels": False, "ticks": "", "showgrid": False, "zeroline": False, "constrain": "domain"}


@dataclass(frozen=True)
class Remark:
    """A few words under a map's title, in the colour and with the sign of their level."""

    level: VerdictLevel
    text: str


@dataclass(frozen=True)
class Grid:
    """Where the panels of a figure are, in shares of its size; the first is the photograph."""

    titles: tuple[str, ...]
    picture: tuple[int, int]
    columns: int
    title_height: int
    panel_width: float
    panel_height: float
    heads_rows: bool
    remarks: Mapping[int, Remark]
    below_height: int
    strip_height: int
    width: int

    @classmethod
    def of(
        cls,
        titles: Sequence[str],
        picture: tuple[int, int],
        columns: int,
        *,
        heads_rows: bool = False,
        remarks: Mapping[int, Remark] = MappingProxyType({}),
        below_height: int = BAR,
        strip_height: int = BAR,
        width: int = WIDTH,
        tallest: float = TALLEST,
    ) -> Grid:
        """Panels with these titles, row by row; `picture` is rows and columns of pixels, `remarks` are by panel.

        Where titles head rows, each begins at the left of its panel and may run on over the next ones; those of the
        first row stand over columns, on one line. Under each panel is room for a colour bar, or as many pixels as
        `below_height` says, and under the figure for bars that panels share, or `strip_height`. `width` is that of the
        figure that the page will probably have room for, `tallest` a panel's.
        """
        columns = min(columns, len(titles))
        panel_width = width / columns - _GAP
        letters = max(12, int(panel_width / 7.5))
        wrapped = [
            "<br>".join(
                _wrapped(title, width // 8 if heads_rows and panel >= columns else letters, 1 if heads_rows else 2)
            )
            for panel, title in enumerate(titles)
        ]
        lines = max(title.count("<br>") + 1 for title in wrapped)
        height = min(panel_width * picture[0] / picture[1], tallest)
        head = lines * _TITLE_LINE + (_REMARK_LINE if remarks else 0) + 4
        shape = (head, panel_width, height, heads_rows, remarks, below_height, strip_height, width)
        return cls(tuple(wrapped), picture, columns, *shape)

    @property
    def height(self) -> float:
        """Of the whole figure, with a strip at the bottom for bars that panels share."""
        return self._rows * self._row_height + self.strip_height

    @property
    def _rows(self) -> int:
        return math.ceil(len(self.titles) / self.columns)

    @property
    def _row_height(self) -> float:
        return self.title_height + self.panel_height + self.below_height

    def axes(self, panel: int) -> dict[str, str]:
        """The names of a panel's axes: one for each column and one for each row.

        Axes of its own for each panel take the browser twice as long (9.4 s against 4.2 s for 208 panels).
        """
        row, column = divmod(panel, self.columns)
        return {"xaxis": _numbered("x", column), "yaxis": _numbered("y", row)}

    def layout(self) -> dict[str, Any]:
        """Axes, titles and size."""
        layout: dict[str, Any] = {
            "height": round(self.height) + _TOOLBAR + 4,
            "margin": {"l": 4, "r": 4, "t": _TOOLBAR, "b": 4},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "showlegend": False,
            "annotations": [
                *(self._title(panel) for panel, title in enumerate(self.titles) if title),
                *(self._remark(panel, remark) for panel, remark in self.remarks.items()),
            ],
        }
        for column in range(self.columns):
            layout |= self._across(column)
        for row in range(self._rows):
            layout |= self._up(row)
        return layout

    def below(self, panel: int) -> dict[str, Any]:
        """The place of a colour bar under its own panel."""
        (left, right), (bottom, _) = self._domain(panel)
        place = {"x": (left + right) / 2, "y": bottom - 4 / self.height, "yanchor": "top"}
        return place | {"len": 0.6 * self.panel_width / self.width}

    def bottom(self, signed: bool, kinds: set[bool]) -> dict[str, Any]:
        """The place of a colour bar that all panels of a kind share: under the figure, two kinds side by side."""
        x = 0.5 if len(kinds) == 1 else (0.75, 0.25)[signed]
        return {"x": x, "y": self.strip_height / self.height, "yanchor": "top", "len": _BAR_LENGTH}

    def label(self, panel: int, text: str) -> dict[str, Any]:
        """A remark in the middle of a panel."""
        return self._within(panel, 0.5) | {
            "text": text,
            "showarrow": False,
            "font": {"color": "white", "size": 14},
            "bgcolor": "rgba(0,0,0,0.6)",
        }

    def foot(self, panel: int, text: str) -> dict[str, Any]:
        """A remark under a panel, in the place of its colour bar."""
        under = {"text": html.escape(text), "showarrow": False, "yanchor": "top", "font": {"size": 11}}
        return self._within(panel, 0.0) | under

    def _domain(self, panel: int) -> tuple[tuple[float, float], tuple[float, float]]:
        row, column = divmod(panel, self.columns)
        gap = _GAP / self.width / 2
        top = 1 - (row * self._row_height + self.title_height) / self.height
        across = (column / self.columns + gap, (column + 1) / self.columns - gap)
        return across, (top - self.panel_height / self.height, top)

    def _across(self, column: int) -> dict[str, Any]:
        domain, _ = self._domain(column)
        axis = _PLAIN | {"domain": domain, "range": [-0.5, self.picture[1] - 0.5], "anchor": "y"}
        return {_numbered("xaxis", column): axis | ({"matches": "x"} if column else {})}

    def _up(self, row: int) -> dict[str, Any]:
        _, domain = self._domain(row * self.columns)
        # Toward the bottom, so that a panel that becomes smaller stays by its colour bar.
        axis = _PLAIN | {"domain": domain, "range": [self.picture[0] - 0.5, -0.5], "anchor": "x"}
        axis |= {"constraintoward": "bottom"}
        return {_numbered("yaxis", row): axis | ({"matches": "y"} if row else {"scaleanchor": "x"})}

    def _title(self, panel: int) -> dict[str, Any]:
        text = {"text": self.titles[panel], "showarrow": False, "yanchor": "bottom", "font": {"size": 13}}
        if self.heads_rows:
            text |= {"x": 0.0, "xanchor": "left"}
        if self.remarks:
            text["yshift"] = _REMARK_LINE
        return self._within(panel, 1.0) | text

    def _remark(self, panel: int, remark: Remark) -> dict[str, Any]:
        mark = style.LEVELS[remark.level]
        letters = max(6, int(self.panel_width / 6) - 2)
        short = remark.text if len(remark.text) <= letters else f"{remark.text[: letters - 1]}…"
        return self._within(panel, 1.0) | {
            "text": f"<b>{mark.symbol}</b> {html.escape(short)}",
            "hovertext": html.escape(remark.text),
            "showarrow": False,
            "yanchor": "bottom",
            "font": {"size": 11, "color": "white"},
            "bgcolor": mark.colour,
            "borderpad": 1,
        }

    def _within(self, panel: int, y: float) -> dict[str, Any]:
        axes = self.axes(panel)
        return {"xref": f"{axes['xaxis']} domain", "yref": f"{axes['yaxis']} domain", "x": 0.5, "y": y}


def _numbered(axis: str, position: int) -> str:
    return f"{axis}{position + 1}" if position else axis


def _wrapped(title: str, letters: int, lines: int) -> list[str]:
    """A title in at most so many lines. It may come from a file's name: what Plotly would read as a tag is escaped."""
    wrapped = textwrap.wrap(title, letters, max_lines=lines, placeholder=" …") or [""]
    return [html.escape(line) for line in wrapped]
