"""Which methods find a planted reason: measured on scenes, where the truth is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jaxtyping import Bool, Float
from PIL import Image
from torch import Tensor

from interp.attribution import Method, compare
from interp.images.scenes import CLASSES, REASONS, Reason, draw, planted
from interp.images.scenes.concepts import concepts
from interp.types import Classifier

SEED = 31
COUNT = 10


@dataclass(frozen=True)
class CueFirst:
    """How often a method's map is denser on the planted cue than on the object.

    `share` is that of the pictures; `ratio` the median over them of the density on the cue over that on the object.
    """

    name: str
    share: float
    ratio: float


def cue_first(
    classifier: Classifier, reason: Reason, methods: Sequence[Method], *, count: int = COUNT, seed: int = SEED
) -> Iterator[CueFirst]:
    """For each method, and the control, on how many pictures of the cue's class its map puts the cue first.

    The density is the mean of what speaks for the class (the map's positive part) over the pixels of the cue, and over
    those of the object that are not the cue's. A classifier that goes by the cue should have it denser there; one that
    goes by the shape, on the object. Raises `ValueError` for the texture, whose cue is the object's own paint, so that
    no map can tell the two apart, and for a count under 1.
    """
    if reason == "texture":
        raise ValueError("The planted paint lies on the object itself: no map can tell the two apart by their places.")
    if count < 1:
        raise ValueError(f"{count} pictures show nothing: take at least 1.")
    label = REASONS[reason].label
    target = CLASSES.index(label)
    drawings = [draw(planted(reason, seed, target + len(CLASSES) * index)) for index in range(count)]
    masks = [
        {one.category: one.mask for one in concepts(drawing.segments, drawing.legend, label, reason)}
        for drawing in drawings
    ]
    batch = classifier.prepare([Image.fromarray(drawing.pixels) for drawing in drawings])
    cues = classifier.prepare_annotations([found["cue"] for found in masks])
    objects = classifier.prepare_annotations([found["shape"] & ~found["cue"] for found in masks])

    def measured() -> Iterator[CueFirst]:
        for method, heatmaps in compare(classifier, batch, target, methods):
            positive = heatmaps.values.cpu().clamp(min=0)
            on_cue, on_object = density(positive, cues), density(positive, objects)
            ratio = (on_cue / on_object.clamp(min=1e-12)).median()
            yield CueFirst(method.title, float((on_cue > on_object).float().mean()), float(ratio))

    return measured()


def density(values: Float[Tensor, "n h w"], masks: Bool[Tensor, "n h w"]) -> Float[Tensor, " n"]:
    """The mean value over each mask's pixels; 0 for an empty mask."""
    return (values * masks).sum(dim=(1, 2)) / masks.sum(dim=(1, 2)).clamp(min=1)
