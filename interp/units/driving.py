"""What in a picture drives a unit: the maps of several methods, in one call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from interp import progress
from interp.attribution import Deconvolution, Gradient, GuidedBackprop, Lrp, Method, compare
from interp.images import ImageSet
from interp.models.inputs import read
from interp.types import Classifier, Heatmaps, Images, Targets
from interp.units.as_target import UnitClassifier, units_of
from interp.units.conditioned import conditioned

USUAL: tuple[Method, ...] = (Gradient(), GuidedBackprop(), Deconvolution(), Lrp())
"""What is shown of a unit where nothing else is asked for: all but LRP are read off one forward pass."""


def what_drives(
    classifier: Classifier,
    images: Images,
    units: Targets,
    layer: str,
    *,
    methods: Sequence[Method] | None = None,
    at: tuple[int, int] | None = None,
) -> Iterator[tuple[Method, Heatmaps]]:
    """The maps of why a unit is as active as it is, at its strongest position in each image or `at` one position.

    `units` is one unit for all images or one for each, or the contrast of two. The maps come as `attribution.compare`
    gives them of `units_of`: cheap ones first, methods that can share their passes sharing them, with its control.
    `methods` None are the `USUAL` ones that the network allows; what is left out is remarked, and so are maps that are
    zero everywhere, as those of a unit that is nowhere active.
    Raises `ValueError` as `units_of` and `attribution.compare` do, before the first pass.
    """
    asked = units_of(classifier, layer, at=at)
    answers = compare(asked, images, units, _allowed(asked) if methods is None else methods)
    return _watched(answers, images, asked)


def in_images(
    classifier: Classifier, photos: ImageSet, positions: Sequence[int], unit: int, layer: str
) -> tuple[Images, tuple[tuple[str, Heatmaps, bool], ...]]:
    """As `what_drives` with the usual methods, for images of a set: the images, and each method's title, maps and sign.

    Raises `UnreadableImage` for a file that cannot be read.
    """
    images = read(classifier, photos, positions)
    found = what_drives(classifier, images, unit, layer)
    return images, tuple((method.title, heatmaps, method.signed) for method, heatmaps in found)


def for_class(
    classifier: Classifier, photos: ImageSet, positions: Sequence[int], unit: int, layer: str, target: int
) -> Heatmaps:
    """What of a class's relevance goes through a unit, at the pixels of images of a set (`conditioned`).

    Raises `UnreadableImage` for a file that cannot be read, and `ValueError` as `conditioned` does.
    """
    return conditioned(classifier, read(classifier, photos, positions), target, layer, unit)


def _allowed(asked: UnitClassifier) -> list[Method]:
    allowed = []
    for method in USUAL:
        try:
            method.check(asked)
        except ValueError as error:
            progress.remark(f"{method.title} is left out. {error}")
        else:
            allowed.append(method)
    return allowed


def _watched(
    answers: Iterator[tuple[Method, Heatmaps]], images: Images, asked: UnitClassifier
) -> Iterator[tuple[Method, Heatmaps]]:
    for method, heatmaps in answers:
        empty = ~(heatmaps.values != 0).flatten(1).any(dim=1)
        if bool(empty.any()):
            names = [images.names[row] for row in torch.nonzero(empty)[:, 0].tolist()]
            shown = ", ".join(repr(name) for name in names[:3]) + (", ..." if len(names) > 3 else "")
            progress.remark(
                f"{method.title} of {asked.name}: the map is zero everywhere for {shown}. The unit is nowhere active "
                "there, or nothing that the method follows reaches the pixels."
            )
        yield method, heatmaps
