"""What figures of heatmaps are made of: a grid of panels, photographs, maps, colour bars, outlines."""

from __future__ import annotations

import base64
import html
import io
import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from PIL import Image
from torch import Tensor

from interp.figures import style

View = Literal["heatmap", "overlay", "masked"]

# Pixels on the screen. The figure stretches to the page's width; its height follows from an expected width.
_EXPECTED_WIDTH = 800
_TALLEST_PANEL = 420.0
_TITLE_LINE = 18
_BAR = 40
_GAP = 14
# A share of the figure's width, so that on a narrow screen bars do not run into each other.
_BAR_LENGTH = 0.19
_TOOLBAR = 28


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

    @classmethod
    def of(cls, titles: Sequence[str], picture: tuple[int, int], columns: int, *, heads_rows: bool = False) -> Grid:
        """Panels with these titles, row by row; `picture` is rows and columns of pixels.

        Where titles head rows, each begins at the left of its panel and may run on over the next ones.
        """
        columns = min(columns, len(titles))
        width = _EXPECTED_WIDTH / columns - _GAP
        letters = max(12, int(width / 7.5)) if not heads_rows else _EXPECTED_WIDTH // 8
        wrapped = ["<br>".join(_wrapped(title, letters)) for title in titles]
        lines = max(title.count("<br>") + 1 for title in wrapped)
        height = min(width * picture[0] / picture[1], _TALLEST_PANEL)
        return cls(tuple(wrapped), picture, columns, lines * _TITLE_LINE + 4, width, height, heads_rows)

    @property
    def height(self) -> float:
        """Of the whole figure, with a strip at the bottom for bars that panels share."""
        return self._rows * self._row_height + _BAR

    @property
    def _rows(self) -> int:
        return math.ceil(len(self.titles) / self.columns)

    @property
    def _row_height(self) -> float:
        return self.title_height + self.panel_height + _BAR

    def axes(self, panel: int) -> dict[str, str]:
        """The names of a panel's axes."""
        number = str(panel + 1) if panel else ""
        return {"xaxis": f"x{number}", "yaxis": f"y{number}"}

    def layout(self) -> dict[str, Any]:
        """Axes, titles and size."""
        layout: dict[str, Any] = {
            "height": round(self.height) + _TOOLBAR + 4,
            "margin": {"l": 4, "r": 4, "t": _TOOLBAR, "b": 4},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "showlegend": False,
            "annotations": [self._title(panel) for panel in range(len(self.titles))],
        }
        for panel in range(len(self.titles)):
            layout |= self._panel_axes(panel)
        return layout

    def below(self, panel: int) -> dict[str, Any]:
        """The place of a colour bar under its own panel."""
        (left, right), (bottom, _) = self._domain(panel)
        place = {"x": (left + right) / 2, "y": bottom - 4 / self.height, "yanchor": "top"}
        return place | {"len": 0.6 * self.panel_width / _EXPECTED_WIDTH}

    def bottom(self, signed: bool, kinds: set[bool]) -> dict[str, Any]:
        """The place of a colour bar that all panels of a kind share: under the figure, two kinds side by side."""
        x = 0.5 if len(kinds) == 1 else (0.75, 0.25)[signed]
        return {"x": x, "y": _BAR / self.height, "yanchor": "top", "len": _BAR_LENGTH}

    def label(self, panel: int, text: str) -> dict[str, Any]:
        """A remark in the middle of a panel."""
        return self._within(panel, 0.5) | {
            "text": text,
            "showarrow": False,
            "font": {"color": "white", "size": 14},
            "bgcolor": "rgba(0,0,0,0.6)",
        }

    def _domain(self, panel: int) -> tuple[tuple[float, float], tuple[float, float]]:
        row, column = divmod(panel, self.columns)
        gap = _GAP / _EXPECTED_WIDTH / 2
        top = 1 - (row * self._row_height + self.title_height) / self.height
        across = (column / self.columns + gap, (column + 1) / self.columns - gap)
        return across, (top - self.panel_height / self.height, top)

    def _panel_axes(self, panel: int) -> dict[str, Any]:
        across, up = self._domain(panel)
        rows, columns = self.picture
        plain = {"showticklabels": False, "ticks": "", "showgrid": False, "zeroline": False, "constrain": "domain"}
        axes = self.axes(panel)
        x = plain | {"domain": across, "range": [-0.5, columns - 0.5], "anchor": axes["yaxis"]}
        # Toward the bottom, so that a panel that becomes smaller stays by its colour bar.
        y = plain | {"domain": up, "range": [rows - 0.5, -0.5], "anchor": axes["xaxis"]}
        y |= {"constraintoward": "bottom", "scaleanchor": axes["xaxis"]}
        if panel:
            x["matches"], y["matches"] = "x", "y"
        return {axes["xaxis"].replace("x", "xaxis"): x, axes["yaxis"].replace("y", "yaxis"): y}

    def _title(self, panel: int) -> dict[str, Any]:
        text = {"text": self.titles[panel], "showarrow": False, "yanchor": "bottom", "font": {"size": 13}}
        if self.heads_rows:
            text |= {"x": 0.0, "xanchor": "left"}
        return self._within(panel, 1.0) | text

    def _within(self, panel: int, y: float) -> dict[str, Any]:
        axes = self.axes(panel)
        return {"xref": f"{axes['xaxis']} domain", "yref": f"{axes['yaxis']} domain", "x": 0.5, "y": y}


def _wrapped(title: str, letters: int) -> list[str]:
    """A title in at most two lines. It may come from a file's name: what Plotly would read as a tag is escaped."""
    lines = textwrap.wrap(title, letters, max_lines=2, placeholder=" …") or [""]
    return [html.escape(line) for line in lines]


def magnitude_of(title: str, values: Float[Tensor, "rows columns"], pixels: Float[Tensor, "3 h w"]) -> float:
    """The largest magnitude in a map."""
    if values.shape != pixels.shape[1:]:
        given, wanted = (" × ".join(map(str, shape)) for shape in (values.shape, pixels.shape[1:]))
        raise ValueError(f"The map {title!r} has {given} pixels and the photograph {wanted}: they must be equal.")
    if not bool(values.isfinite().all()):
        raise ValueError(f"The map {title!r} contains NaN or infinity and cannot be drawn: compute it again.")
    return float(values.abs().max())


def end_of(values: Float[Tensor, "h w"], clip: float) -> float:
    """Where the colour scale of a map ends. A map that is zero at so many pixels ends at its largest magnitude."""
    magnitudes = values.detach().abs().double()
    return float(np.percentile(magnitudes.cpu().numpy(), clip)) or float(magnitudes.max())


def heatmap(values: Float[Tensor, "h w"], end: float, signed: bool) -> dict[str, Any]:
    """A map as a trace, in whole per cents of its scale's end."""
    # Towards zero rather than to the nearest: bytes of −1 are slashes in base64, each of which Plotly's JSON escapes to
    # six letters, and most pixels of a gradient lie that close to zero.
    share = (values.detach().cpu().double() / end * 100).trunc().clamp(-100, 100) if end else torch.zeros(values.shape)
    number = "%{z:+d}%" if signed else "%{z}%"
    return {
        "type": "heatmap",
        "z": share.to(torch.int8).numpy(),
        "hovertemplate": f"x %{{x}}, y %{{y}}: {number} of {_number(end)}<extra></extra>",
    }


def coloraxis(view: View, signed: bool, end: float, place: dict[str, Any], *, clipped: bool) -> dict[str, Any]:
    """A colour scale and its bar; `clipped` says that some values lie beyond the end."""
    numbers = [-100, 0, 100] if signed else [0, 100]
    texts = [_number(number / 100 * end) for number in numbers] if end else ["", "0", ""][-len(numbers) :]
    if clipped:
        texts = [f"≤ {texts[0]}" if signed else texts[0], *texts[1:-1], f"≥ {texts[-1]}"]
    bar = {"orientation": "h", "lenmode": "fraction", "thickness": 8, "outlinewidth": 0}
    ticks = {"tickvals": numbers, "ticktext": texts, "tickfont": {"size": 11}, "ticks": "", "ypad": 0, "xpad": 0}
    lowest = -100 if signed else 0
    colors = {
        "heatmap": style.signed() if signed else style.unsigned(),
        "overlay": style.signed_glaze() if signed else style.unsigned_glaze(),
        "masked": style.shade(-1.0 if signed else 0.0),
    }
    return {"cmin": lowest, "cmax": 100, "colorscale": colors[view], "colorbar": bar | ticks | place}


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")


def under(pixels: Float[Tensor, "3 h w"], view: View) -> dict[str, Any] | None:
    """What lies under a map: the photograph in grey for an overlay, in colour for a mask."""
    if view == "heatmap":
        return None
    picture = rgb(pixels)
    if view == "overlay":
        picture = np.asarray(Image.fromarray(picture).convert("L"))
    # It is dimmed or glazed over, and sent once for every map.
    return photograph(picture, quality=50)


def rgb(pixels: Float[Tensor, "3 h w"]) -> UInt8[np.ndarray, "h w 3"]:
    """Pixels in [0, 1] as bytes."""
    return (pixels.detach().cpu().clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()


def photograph(picture: np.ndarray, *, quality: int) -> dict[str, Any]:
    """A picture as a trace. Small ones go as PNG and with sharp pixels, for JPEG and smoothing would blur them."""
    small = min(picture.shape[:2]) <= 64
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG" if small else "JPEG", quality=quality)
    address = f"data:image/{'png' if small else 'jpeg'};base64,{base64.b64encode(file.getvalue()).decode()}"
    smoothing = False if small else "fast"
    return {"type": "image", "source": address, "zsmooth": smoothing, "hoverinfo": "skip"}


def outline(annotation: Bool[Tensor, "h w"], axes: dict[str, str]) -> dict[str, Any]:
    """The border between inside and outside, along pixel edges, with NaN between its straight pieces."""
    padded = np.pad(annotation.detach().cpu().numpy(), 1)
    y, left, right = _runs(padded[:-1] != padded[1:])
    x, top, bottom = _runs((padded[:, :-1] != padded[:, 1:]).T)
    gap = np.full(len(y) + len(x), np.nan)
    # In the padded mask pixel i is at i + 1, and its near edge half a pixel before it.
    pieces_x = np.stack([np.append(left - 1, x), np.append(right - 1, x), gap], axis=1) - 0.5
    pieces_y = np.stack([np.append(y, top - 1), np.append(y, bottom - 1), gap], axis=1) - 0.5
    line = {"color": style.OUTLINE_COLOR, "width": 2.5}
    trace = {"type": "scatter", "mode": "lines", "line": line, "hoverinfo": "skip"}
    points = {"x": pieces_x.ravel().astype(np.float32), "y": pieces_y.ravel().astype(np.float32)}
    return trace | points | axes


def _runs(edges: Bool[np.ndarray, "rows columns"]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The row, first column and column after the last of each unbroken run of edges."""
    steps = np.diff(np.pad(edges, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = np.nonzero(steps == 1)
    _, ends = np.nonzero(steps == -1)
    return rows, starts, ends
