"""Probing: a region drawn on an image, and all classes ranked by how their saliency lies to it; a second compares."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
from jaxtyping import Bool
from PIL import Image

import cache
from interp import attribution
from interp.attribution.cams import TappedCam
from interp.attribution.every_class import class_maps
from interp.images.drawings import scaled
from interp.images.editing import Stroke
from interp.images.shapes import Box, Polygon
from interp.models import inputs
from interp.shared_interest import Deviations, Rule, probing
from interp.types import Images
from pages.parts.kit import canvas, controls, pickers, waiting
from pages.parts.kit.selection import Selection
from pages.parts.shared_interest import probed
from pages.parts.shared_interest.probed import NAMES, REGIONS, Probed

READING = """

**Probing.** Draw a region: what does the classifier see *there*? The map of every class is made, each becomes an area
of salient pixels, and the classes are ranked by how that area and the region cover each other (Boggust et al. 2022).
*IoU* asks for the same extent, *ground-truth coverage* for a saliency that fills the region, *saliency coverage* for
one that does not leave it. These three compare shapes only: a class that the model gives no probability at all has a
map too, and may by chance have the best shape. *Evidence inside*, which is ours and not the paper's, adds up the
class's map in the region instead; with Grad-CAM, and a head of pooling and a linear layer, it is about what the region
adds to the class's logit. A region as large as the picture so ranks the classes much as the logits do.

*Known pitfalls:* On 18 photographs with boxes, the class that SqueezeNet predicts ranked 5th to 966th of 1,000 by the
IoU of its Grad-CAM with the box (median: between 99th and 116th), and 1st by evidence on 17 of them: at the last
layer, the areas of most classes are much alike. So rank among the likeliest classes, or by evidence, before you
conclude anything from a place. Where a map is zero everywhere, nothing in the layer speaks for the class, and it comes
last.
"""
METHODS: dict[str, type[TappedCam]] = {
    one.title: one
    for one in (attribution.GradCam, attribution.GradCamPlusPlus, attribution.XGradCam, attribution.LayerCam)
}
AMONG = {"All": None, "100 likeliest": 100, "20 likeliest": 20}
INKS = ("rgba(230, 159, 0, 0.5)", "rgba(86, 180, 233, 0.5)")
MOST = 200
# An annotation of nearly the whole picture tells nothing of a place.
WHOLE = 0.8
_KEPT = "probe-kept"
HELP = {
    "score": "IoU: shared pixels over pixels in either. Ground-truth coverage: the share of the region that is "
    "salient. Saliency coverage: the share of the saliency inside the region. Evidence inside: how much of the class's "
    "map lies in the region, in logits.",
    "among": "Which classes are ranked: all, or only those with the highest probability.",
}


@dataclass(frozen=True)
class Regions:
    """The shapes of the two regions; None for a first one that nobody has drawn yet, of which an example is shown."""

    first: tuple[canvas.CanvasShape, ...] | None = None
    second: tuple[canvas.CanvasShape, ...] = ()


def section(selection: Selection, *, rule: Rule | None = None) -> None:
    """Draw an image to mark regions on, and the classes ranked by them. `rule` None is the paper's."""
    scope, classifier, photos = selection.scope, selection.classifier, selection.photos
    one, other = st.columns(2, gap="medium")
    with one:
        position = pickers.image(photos)
    with other:
        title = controls.listed("Maps of all classes by", "probe.method", list(METHODS))
    with st.container(horizontal=True, gap="medium"):
        name = controls.one_of("Rank classes by", "probe.score", list(NAMES), help=HELP["score"])
        offered = [text for text, count in AMONG.items() if count is None or count < len(classifier.labels)]
        among = controls.one_of("Among", "probe.among", offered, help=HELP["among"]) if len(offered) > 1 else "All"
    left, right = st.columns(2, gap="medium")
    with left:
        batch = waiting.value(scope.read("probe-image", inputs.read, classifier, photos, (position,)))
        example = _example(selection, position)
        masks = _canvas(batch, example)
    maps = waiting.value(scope.gather("probe-maps", class_maps, classifier, batch, METHODS[title]()))
    rule = Deviations() if rule is None else rule
    found = []
    for index, mask in enumerate(masks):
        job = scope.draw(
            f"probe-saliency-{index}", probing.saliency, maps, rule, mask if probing.follows_region(rule) else None
        )
        found.append(waiting.value(job))
    probes = [cache.figure(probing.probe, maps, classes, mask) for classes, mask in zip(found, masks, strict=True)]
    result = Probed(classifier, batch, maps, masks, tuple(found), tuple(probes), name, AMONG[among])
    chosen = probed.rankings(result)
    st.caption(probed.passes(maps))
    with right:
        probed.closeup(result, chosen)


def _example(selection: Selection, position: int) -> Bool[np.ndarray, "h w"]:
    """The region that is probed before anybody has drawn one: what people marked, unless that is all, or the middle."""
    height, width = selection.classifier.input_size
    if position in selection.photos.annotated:
        job = selection.scope.read("probe-example", inputs.annotation, selection.classifier, selection.photos, position)
        mask = waiting.value(job)
        if mask is not None and 0 < float(mask.float().mean()) < WHOLE:
            return mask.numpy()
    return Box(width / 4, height / 4, width * 3 / 4, height * 3 / 4).draw(width, height)


def _canvas(batch: Images, example: Bool[np.ndarray, "h w"]) -> tuple[Bool[np.ndarray, "h w"], ...]:
    """Draw the image with its regions, to be drawn on; gives the masks of those that cover anything."""
    height, width = batch.pixels.shape[2:]
    regions = _kept(batch)
    drawn = [example if regions.first is None else _union(regions.first, width, height)]
    if regions.second:
        drawn.append(_union(regions.second, width, height))
    active = st.segmented_control(
        "Draw", REGIONS, key="probe-region", default=REGIONS[0], required=True, label_visibility="collapsed", wrap=True
    )
    index = REGIONS.index(active or REGIONS[0])
    paper = cache.lookup(probed.painted, batch, tuple(drawn), None, None)
    canvas.draw(
        Image.fromarray(paper),
        functools.partial(_take, batch, index),
        key="probe-canvas",
        label=f"The image {batch.names[0]}",
        tools=("rectangle", "lasso", "brush"),
        radius=round(min(paper.shape[:2]) / 16, 1),
        colour=INKS[index],
        undoable=len((regions.first, regions.second)[index] or ()),
    )
    hint = "**Region 1 is an example: draw your own.** " if regions.first is None else ""
    st.caption(
        f"{hint}A rectangle or a lasso takes the region's place, brush strokes add to it. Draw region 2 for a second "
        "ranking beside the first."
    )
    return tuple(mask for mask in drawn if mask.any()) or (example,)


def _take(batch: Images, index: int, one: canvas.CanvasEvent) -> None:
    regions = _kept(batch)
    shapes = ((regions.first or ()), regions.second)[index]
    drawn = None if one.shape is None else scaled(one.shape, 1 / probed.blocks(batch), 1 / probed.blocks(batch))
    if one.kind == "clear":
        shapes = ()
    elif one.kind == "undo":
        shapes = shapes[:-1]
    elif isinstance(drawn, Stroke):
        shapes = (*shapes, drawn)[-MOST:]
    elif isinstance(drawn, Box | Polygon):
        shapes = (drawn,)
    changed = replace(regions, second=shapes) if index else replace(regions, first=shapes or None)
    st.session_state.setdefault(_KEPT, {})[batch.fingerprint] = changed


def _kept(batch: Images) -> Regions:
    return st.session_state.get(_KEPT, {}).get(batch.fingerprint, Regions())


def _union(shapes: tuple[canvas.CanvasShape, ...], width: int, height: int) -> Bool[np.ndarray, "h w"]:
    return np.logical_or.reduce([shape.draw(width, height) for shape in shapes])
