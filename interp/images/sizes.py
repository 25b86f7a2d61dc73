"""Whether annotations fit the pictures that they are laid over, from the heads of the files alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from interp.images.annotation import Annotation, Mark, Marking
from interp.images.decoding import stored_size
from interp.images.files import PictureFile
from interp.images.masks import MaskFile

# Beyond so many annotated pictures each is looked at when it is read.
MOST = 2000


class Misfit(NamedTuple):
    """At which position something does not fit its picture, why, and what is left of its annotation."""

    position: int
    reason: str
    left: Annotation | None


def misfits(pictures: Mapping[int, tuple[PictureFile, Annotation]]) -> Iterator[Misfit]:
    """The pictures whose annotation, or some of whose masks, fit them in no way.

    None is looked at where more than 2,000 have an annotation that could be off, nor where none has a size.
    """
    sized = [
        (place, file, annotation)
        for place, (file, annotation) in pictures.items()
        if any(map(_masks, annotation.marks)) or (annotation.size and not annotation.shares)
    ]
    if len(sized) > MOST:
        return
    for place, file, annotation in sized:
        head = stored_size(file.path)
        if head is None:
            # The picture says so itself when it is read.
            continue
        marking = Marking(annotation, *head)
        if marking.misfit is not None:
            yield Misfit(place, marking.misfit, None)
            continue
        reasons = {mark: reason for mark in annotation.marks if (reason := _of_mask(mark, marking)) is not None}
        if reasons:
            left = tuple(mark for mark in annotation.marks if mark not in reasons)
            reason = next(iter(reasons.values()))
            yield Misfit(place, reason, replace(annotation, marks=left) if left else None)


def _of_mask(mark: Mark, marking: Marking) -> str | None:
    """Why one of a mark's masks does not fit; None where all do, or cannot be read."""
    found = [stored_size(mask.path) for mask in _masks(mark)]
    reasons = (marking.misfit_of(one[0], "Its mask is") for one in found if one is not None)
    return next((one for one in reasons if one is not None), None)


def _masks(mark: Mark) -> list[MaskFile]:
    return [shape for shape in mark.shapes if isinstance(shape, MaskFile)]
