"""Drawing a comparison of heatmaps: the picture, its caption, the numbers behind it, and how to read it."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
import streamlit as st
from torch import Tensor

from interp import attribution
from interp.figures import saliency as figures
from interp.images import ImageSet
from interp.models import inputs
from interp.types import Classifier, Heatmaps, Images, Target
from pages.parts import drawn, export
from pages.parts.text import plain

PLOT = {"displaylogo": False, "toImageButtonOptions": {"format": "png", "scale": 2, "filename": "loupe"}}
VIEWS = {"Overlay": "overlay", "Heatmap": "heatmap", "Masked": "masked"}
SCALES = {"Each its own": "own", "Shared": "shared"}
FEW = 5
CLIPS = {"99% of the pixels": 99.0, "99.9% of the pixels": 99.9, "the largest value": 100.0}

Result = tuple[attribution.Method, Heatmaps]


@dataclass(frozen=True)
class Drawing:
    """How maps are drawn: a key of each of `VIEWS`, `SCALES` and `CLIPS`."""

    view: str
    scale: str
    clip: str


@dataclass(frozen=True)
class Comparison:
    """One photograph's maps: of what they are, the results that are ready, and how they are drawn."""

    classifier: Classifier
    photos: ImageSet
    position: int
    batch: Images
    target: Target
    results: tuple[Result, ...]
    drawing: Drawing


def prediction(classifier: Classifier, probabilities: Tensor, label: int | None) -> None:
    """One line: what the classifier says of the photograph, and whether that is its label."""
    best = int(probabilities.argmax())
    said = f"Predicted **{plain(classifier.labels[best])}** with {probabilities[best]:.1%}"
    if label is None:
        verdict = "the image has no label among this classifier's classes"
    elif label == best:
        verdict = ":blue[:material/check_circle: as labelled]"
    else:
        verdict = (
            f":orange[:material/cancel: labelled **{plain(classifier.labels[label])}**] ({probabilities[label]:.1%})"
        )
    st.markdown(f"{said} — {verdict}")


def figure(comparison: Comparison) -> go.Figure:
    """The photograph and its maps in one figure, their zoom linked."""
    maps = [(method.title, heatmaps.values[0], heatmaps.signed) for method, heatmaps in comparison.results]
    return figures.comparison(
        comparison.batch.pixels[0],
        maps,
        view=VIEWS[comparison.drawing.view],
        scale=SCALES[comparison.drawing.scale],
        clip=CLIPS[comparison.drawing.clip],
        annotation=inputs.annotation(comparison.classifier, comparison.photos, comparison.position),
        columns=3 if len(maps) <= FEW else 4,
    )


def maps(comparison: Comparison) -> None:
    """Draw the figure, and say what it explains and whether its colours can be compared between the maps."""
    st.plotly_chart(figure(comparison), config=PLOT)
    labels, target, drawing = comparison.classifier.labels, comparison.target, comparison.drawing
    about = f"the score of **{plain(labels[target.positive])}**"
    if target.negative is not None:
        about = f"what speaks for **{plain(labels[target.positive])}** over **{plain(labels[target.negative])}**"
    compared = {
        "Each its own": "Each map has its own colour scale: compare places, not strengths.",
        "Shared": "All maps share one colour scale, though methods measure in different units.",
    }
    ends = f"Colours end at {drawing.clip}: what is beyond has the end's colour. " if CLIPS[drawing.clip] < 100 else ""
    st.caption(f"Explains {about}. {compared[drawing.scale]} {ends}Zoom and pan are linked; the camera saves a PNG.")


def rows(comparison: Comparison) -> list[dict[str, Any]]:
    """The numbers behind the maps, a row a method. Attributions are in logits; cost in forward-and-backward passes."""
    return [
        {
            "method": method.title,
            "image": comparison.batch.names[0],
            "class": comparison.classifier.labels[comparison.target.positive],
            "sum": float(heatmaps.values.sum()),
            "largest": float(heatmaps.values.max()),
            "smallest": float(heatmaps.values.min()),
            "residual": None if heatmaps.residual is None else float(heatmaps.residual[0]),
            "passes": round(heatmaps.passes, 2),
            "seconds": round(heatmaps.seconds, 3),
            "parameters": _parameters(method),
        }
        for method, heatmaps in comparison.results
    ]


def _parameters(method: attribution.Method) -> str:
    given = {key: value for key, value in vars(method).items() if value is not None}
    return ", ".join(
        f"{len(value)} {key}" if isinstance(value, Images) else f"{key} {value}" for key, value in given.items()
    )


def numbers(comparison: Comparison) -> None:
    """The numbers behind the maps, and everything to take along."""
    drawn.once(_table, comparison)
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


def _table(comparison: Comparison) -> None:
    found = rows(comparison)
    st.dataframe(
        found,
        hide_index=True,
        column_order=[column for column in found[0] if column not in ("image", "class")],
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


def _npz(comparison: Comparison) -> bytes:
    arrays = {method.title: heatmaps.values[0].numpy(force=True) for method, heatmaps in comparison.results}
    return export.npz({"pixels": comparison.batch.pixels[0].numpy(force=True), **arrays})


def _page(comparison: Comparison) -> str:
    found = rows(comparison)
    remarks = [
        f"{method.title}: {method.summary} {method.pitfalls} {method.source}" for method, _ in comparison.results
    ]
    return export.page(f"{found[0]['class']} in {found[0]['image']}", figure(comparison), found, remarks)


def reading(methods: Sequence[attribution.Method]) -> str:
    """How to read the comparison: first what holds for all maps, then each method with formula, source and pitfalls."""
    head = (
        "Each map gives every pixel a number: how much it speaks for the chosen class (signed maps: red for, blue "
        "against), in the units of the class's score before softmax. A map is evidence about the **model**, not about "
        "the world: a sharp, sensible-looking map can come from a model that is right for the wrong reason.\n\n"
        "**The control.** *Random* is seeded noise that knows nothing of the model. What another map shows only "
        "as well as the noise does, it does not show.\n\n"
    )
    return head + "\n\n".join(
        f"**{method.title}.** {method.summary}\n\n$$ {method.formula} $$\n\n*Known pitfalls:* {method.pitfalls} "
        f"*Source:* {method.source}"
        for method in methods
    )
