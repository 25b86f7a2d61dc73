"""Drawing a comparison of heatmaps: the picture, its caption, the numbers behind it, and how to read it."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
import streamlit as st
from jaxtyping import Bool
from torch import Tensor

from interp import attribution
from interp.evaluation.verdict import VerdictLevel
from interp.figures import saliency as figures
from interp.figures import sentences, traces
from interp.figures.panels import WIDTH, Remark
from interp.types import Classifier, Heatmaps, Images, Target
from pages.parts.kit import export, replay
from pages.parts.kit.export import PLOT
from pages.parts.kit.text import plain
from pages.parts.saliency.drawing import CLIPS, PARTS, SCALES, VIEWS, MapStyle

FEW = 5
# Pixels: the least for a panel of one photograph, what panels of many methods need to be more than four, and the least
# for each of several photographs.
ROOM, WIDE, LEAST = 150, 260, 90
CONTOURS = (
    "Lines enclose the strongest 5, 10 and 25% of a map's pixels, by magnitude: red for, dotted blue against, amber in "
    "maps without signs; below one photograph's maps stand the magnitudes at the lines. Where the strongest pixels lie "
    "scattered, the strongest 5% are marked themselves. Colour scales have no part in it."
)

Result = tuple[attribution.Method, Heatmaps]


@dataclass(frozen=True)
class MapComparison:
    """Maps of one photograph or several: of what they are, the results that are ready, and how they are drawn.

    `annotations` are what people marked in each, empty masks where nobody did. Nothing here is of the set that they are
    from, so that its other files may change. `remarks` stand under the maps' titles, each with its method's title, its
    photograph's row in `batch`, and a level. `width` is that of the figure, in pixels, as far as it is known.
    """

    classifier: Classifier
    annotations: Bool[Tensor, "n h w"]
    batch: Images
    targets: tuple[Target, ...]
    results: tuple[Result, ...]
    drawing: MapStyle
    remarks: tuple[tuple[str, int, VerdictLevel, str], ...] = ()
    width: int = WIDTH


def figure(comparison: MapComparison) -> go.Figure:
    """The photographs and their maps in one figure, their zoom linked."""
    drawing, classifier = comparison.drawing, comparison.classifier
    part = PARTS[drawing.part]
    drawn_maps = [
        (method.title, figures.part_of(heatmaps.values, part), heatmaps.signed and part == "signed")
        for method, heatmaps in comparison.results
    ]
    remarks = figure_remarks(comparison)
    annotations = [annotation(comparison, row) for row in range(len(comparison.batch))]
    if len(comparison.batch) > 1:
        return figures.grid(
            comparison.batch.pixels,
            [target.title(classifier.labels) for target in comparison.targets],
            drawn_maps,
            view=VIEWS[drawing.view],
            scale=SCALES[drawing.scale],
            clip=CLIPS[drawing.clip],
            annotations=annotations,
            remarks=remarks,
            width=max(comparison.width, LEAST * len(comparison.batch)),
        )
    return figures.comparison(
        comparison.batch.pixels[0],
        [(title, values[0], signed) for title, values, signed in drawn_maps],
        view=VIEWS[drawing.view],
        scale="shared" if SCALES[drawing.scale] == "shared" else "own",
        clip=CLIPS[drawing.clip],
        annotation=annotations[0],
        remarks={title: remark for (title, _), remark in remarks.items()},
        columns=columns(comparison),
        width=comparison.width,
    )


def annotation(comparison: MapComparison, row: int) -> Bool[Tensor, "h w"] | None:
    """What people marked in the photograph in a row of the batch; None where nobody did."""
    mask = comparison.annotations[row]
    return mask if bool(mask.any()) else None


def columns(comparison: MapComparison) -> int:
    """How many panels stand side by side: for several photographs one each, else as many as there is room for."""
    count, panels = len(comparison.batch), 1 + len(comparison.results)
    if count > 1:
        return count
    most = 3 if panels <= FEW + 1 else max(4, comparison.width // WIDE)
    return min(panels, columns_for(comparison.width, most))


def columns_for(width: int, most: int) -> int:
    """How many panels there is room for in so many pixels, at most so many."""
    return min(most, max(2, width // ROOM))


def figure_remarks(comparison: MapComparison) -> dict[tuple[str, int], Remark]:
    """The remarks, by method and photograph, as figures take them."""
    return {(title, row): Remark(level, text) for title, row, level, text in comparison.remarks}


def maps(comparison: MapComparison) -> None:
    """Draw the figure, and say what it explains and whether its colours can be compared between the maps."""
    least = LEAST * len(comparison.batch)
    # Where more photographs stand side by side than there is room for, the figure is scrolled.
    st.plotly_chart(
        figure(comparison),
        config=PLOT,
        width=least if least > comparison.width else "stretch",
        alt=_told(comparison),
    )
    st.caption(
        f"Explains {_about(comparison)}. {_drawn_as(comparison)} Nothing is smoothed; layer maps are enlarged "
        f"bilinearly.{_rounded(comparison)} Zoom and pan are linked; the camera saves a PNG."
    )


def _told(comparison: MapComparison) -> str:
    """The figure in a sentence, for who cannot see it: what it explains, and where each map is strongest."""
    labels = comparison.classifier.labels
    shown = " and ".join(
        f"{name} for {target.title(labels)}"
        for name, target in zip(comparison.batch.names, comparison.targets, strict=True)
    )
    maps = [
        (method.title if len(comparison.batch) == 1 else f"{method.title} of {name}", one)
        for method, heatmaps in comparison.results
        for name, one in zip(comparison.batch.names, heatmaps.values, strict=True)
    ]
    return f"Heatmaps of {shown}. {sentences.of_maps(maps)}"


def _rounded(comparison: MapComparison) -> str:
    """Which of the maps were computed in bfloat16."""
    some = [method.title for method, heatmaps in comparison.results if heatmaps.precision == "bfloat16"]
    return f" **Computed in bfloat16: {', '.join(some)}.**" if some else ""


def _drawn_as(comparison: MapComparison) -> str:
    """Which part of the maps is seen, and how to read its colours or lines."""
    drawing = comparison.drawing
    shown = {
        "Signed": "",
        "Absolute": "Signs are left out. ",
        "For": "Only what speaks for it is drawn. ",
        "Against": "Only what speaks against it is drawn. ",
    }[drawing.part]
    if VIEWS[drawing.view] == "contour":
        return shown + CONTOURS
    compared = {
        "Each its own": "Each map has its own colour scale: compare places, not strengths.",
        "By method": "Maps of one method share a colour scale.",
        "Shared": "All maps share one colour scale, though methods measure in different units.",
    }[drawing.scale]
    ends = f"Colours end at {drawing.clip}: what is beyond has the end's colour." if CLIPS[drawing.clip] < 100 else ""
    steps = traces.steps_of(len(comparison.results) * len(comparison.batch))
    few = f" So many maps are drawn in {steps} steps of colour; open one large for its numbers." if steps else ""
    return f"{shown}{compared} {ends}{few}"


def _about(comparison: MapComparison) -> str:
    labels, (target, *others) = comparison.classifier.labels, comparison.targets
    if any(other != target for other in others):
        return "for each photograph the score of the class that it is headed with"
    if target.negative is None:
        return f"the score of **{plain(labels[target.positive])}**"
    return f"what speaks for **{plain(labels[target.positive])}** over **{plain(labels[target.negative])}**"


def rows(comparison: MapComparison) -> list[dict[str, Any]]:
    """The numbers behind the maps, a row for each method and photograph.

    Attributions are in logits, the cost in forward-and-backward passes.
    """
    return [
        {
            "method": method.title,
            "image": name,
            "class": target.title(comparison.classifier.labels),
            "sum": float(heatmaps.values[i].sum()),
            "largest": float(heatmaps.values[i].max()),
            "smallest": float(heatmaps.values[i].min()),
            "residual": None if heatmaps.residual is None else float(heatmaps.residual[i]),
            "passes": round(heatmaps.passes, 2),
            "seconds": round(heatmaps.seconds, 3),
            "precision": heatmaps.precision,
            "parameters": _parameters(method),
        }
        for method, heatmaps in comparison.results
        for i, (name, target) in enumerate(zip(comparison.batch.names, comparison.targets, strict=True))
    ]


def _parameters(method: attribution.Method) -> str:
    given = {key: value for key, value in vars(method).items() if value is not None}
    return ", ".join(
        f"{len(value)} {key}" if isinstance(value, Images) else f"{key} {value}" for key, value in given.items()
    )


def numbers(comparison: MapComparison) -> None:
    """The numbers behind the maps, and everything to take along."""
    replay.once(_table, comparison)
    with st.popover("Download", icon=":material/download:", key="downloads", on_change="rerun") as place:
        if not place.open:
            return
        for label, name, content in (
            ("Maps as NPZ", "loupe-maps.npz", _npz),
            ("Numbers as CSV", "loupe-numbers.csv", lambda one: export.table(rows(one))),
            ("Everything as one HTML file", "loupe-comparison.html", _page),
        ):
            # The content is made when it is asked for.
            made = functools.partial(content, comparison)
            st.download_button(label, made, name, on_click="ignore", width="stretch")


def _table(comparison: MapComparison) -> None:
    found = rows(comparison)
    st.dataframe(
        export.shown(found),
        hide_index=True,
        placeholder="–",
        column_order=[column for column in found[0] if len(comparison.batch) > 1 or column not in ("image", "class")],
        column_config={
            "sum": st.column_config.NumberColumn(format="%.3g"),
            "largest": st.column_config.NumberColumn(format="%.3g"),
            "smallest": st.column_config.NumberColumn(format="%.3g"),
            "residual": st.column_config.NumberColumn(
                format="%.2g", help="Completeness: the map's sum minus f(x) − f(baseline), in logits; 0 is exact."
            ),
            "passes": st.column_config.NumberColumn(
                help="Cost for this photograph, in forward-and-backward passes; a forward pass alone counts a third."
            ),
        },
    )


def _npz(comparison: MapComparison) -> bytes:
    one = len(comparison.batch) == 1
    arrays = {"pixels": comparison.batch.pixels, **{method.title: found.values for method, found in comparison.results}}
    return export.npz({name: (some[0] if one else some).numpy(force=True) for name, some in arrays.items()})


def _page(comparison: MapComparison) -> str:
    found = rows(comparison)
    remarks = [
        f"{method.title}: {method.summary} {method.pitfalls} {method.source}" for method, _ in comparison.results
    ]
    images = ", ".join(dict.fromkeys(row["image"] for row in found))
    classes = ", ".join(dict.fromkeys(row["class"] for row in found))
    drawn = figure(dataclasses.replace(comparison, width=WIDTH))
    return export.page(f"{classes} in {images}", drawn, found, remarks)


def reading(methods: Sequence[attribution.Method]) -> str:
    """How to read the comparison: first what holds for all maps, then each method with formula, source and pitfalls."""
    head = (
        "Each map gives every pixel a number: how much it speaks for the chosen class (signed maps: red for, blue "
        "against), in the units of the class's score before softmax or sigmoid. A map is evidence about the **model**, "
        "not about the world: a sharp, sensible-looking map can come from a model that is right for the wrong "
        "reason.\n\n"
        "**The control.** *Random* is seeded noise that knows nothing of the model. What another map shows only "
        "as well as the noise does, it does not show.\n\n"
    )
    return head + "\n\n".join(
        f"**{method.title}.** {method.summary}\n\n$$ {method.formula} $$\n\n*Known pitfalls:* {method.pitfalls} "
        f"*Source:* {method.source}"
        for method in methods
    )
