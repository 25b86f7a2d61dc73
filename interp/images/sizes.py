"""Whether annotations fit the pictures that they are laid over, from the heads of the files alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from interp.images.annotation import Annotation, Marking
from interp.images.decoding import stored_size
from interp.images.files import PictureFile
from interp.images.masks import MaskFile

# Beyond so many annotated pictures each is looked at when it is read.
MOST = 2000


def misfits(pictures: Mapping[int, tuple[PictureFile, Annotation]]) -> Iterator[tuple[int, str]]:
    """The positions of the pictures whose annotation fits them in no way, with the reason.

    None is looked at where more than 2,000 have an annotation that could be off, nor where none has a size.
    """
    sized = [
        (place, file, annotation, masks)
        for place, (file, annotation) in pictures.items()
        if (masks := _masks(annotation)) or (annotation.size and not annotation.shares)
    ]
    if len(sized) > MOST:
        return
    for place, file, annotation, masks in sized:
        head = stored_size(file.path)
        if head is None:
            # The picture says so itself when it is read.
            continue
        marking = Marking(annotation, *head)
        found = [stored_size(mask.path) for mask in masks]
        reasons = [marking.misfit, *(marking.misfit_of(one[0], "Its mask is") for one in found if one is not None)]
        reason = next((one for one in reasons if one is not None), None)
        if reason is not None:
            yield place, reason


def _masks(annotation: Annotation) -> list[MaskFile]:
    return [shape for mark in annotation.marks for shape in mark.shapes if isinstance(shape, MaskFile)]
