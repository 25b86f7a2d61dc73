"""Annotations drawn by hand: regions of one picture, joined and cut, laid over an image set.

Shapes are in the coordinates of the pixels as the file stores them, as COCO's are, whichever way the picture is turned
to be looked at; `turned` goes from one to the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import overload

import numpy as np
from jaxtyping import Bool
from PIL import Image

from interp.images.annotation import Annotation, Mark
from interp.images.decoding import TRANSPOSITIONS
from interp.images.editing import LARGEST_RADIUS, Stroke, marked
from interp.images.image_set import LABEL_FORMS, ImageSet
from interp.images.shapes import Box, Polygon, RunLengths
from interp.images.subset import subset
from interp.types import Fingerprinted, digest

RegionShape = Box | Polygon | RunLengths
# Of a picture turned by one, what turns it back.
_BACK = {6: 8, 8: 6}


@dataclass(frozen=True, eq=False)
class Region:
    """One region, and the name and the WordNet id of the class that it is said to show, where they are known."""

    shape: RegionShape
    label: str | None = None
    wnid: str | None = None


@dataclass(frozen=True, eq=False)
class Drawing(Fingerprinted):
    """The regions of one picture of that size (width, height); `fingerprint` changes with any of them."""

    size: tuple[int, int]
    regions: tuple[Region, ...] = field(default=())

    @property
    def annotation(self) -> Annotation:
        """All regions as what is marked in the picture."""
        return Annotation(tuple(Mark((one.shape,), one.label, one.wnid) for one in self.regions), self.size)

    def mask(self, index: int) -> Bool[np.ndarray, "rows columns"]:
        """The pixels of one region."""
        return self.regions[index].shape.draw(*self.size)

    @cached_property
    def shares(self) -> tuple[float, ...]:
        """How much of the picture each region covers, 0 to 1."""
        pixels = self.size[0] * self.size[1]
        return tuple(np.count_nonzero(self.mask(index)) / pixels for index in range(len(self.regions)))

    def added(self, shape: RegionShape | Stroke, label: str | None = None, wnid: str | None = None) -> Drawing:
        """The drawing with one more region; as it was, where the shape covers no pixel of the picture."""
        found = self._fitted(shape)
        return self if found is None else replace(self, regions=(*self.regions, Region(found, label, wnid)))

    def joined(self, index: int, shape: RegionShape | Stroke) -> Drawing:
        """The drawing with the shape made a part of one region."""
        return self._changed(index, self.mask(index) | shape.draw(*self.size))

    def cut(self, index: int, shape: RegionShape | Stroke) -> Drawing:
        """The drawing with the shape taken away from one region, and without the region where nothing is left."""
        return self._changed(index, self.mask(index) & ~shape.draw(*self.size))

    def without(self, index: int) -> Drawing:
        """The drawing without one region."""
        return replace(self, regions=self.regions[:index] + self.regions[index + 1 :])

    def named(self, index: int, label: str | None, wnid: str | None = None) -> Drawing:
        """The drawing with another class for one region."""
        return self._with(index, replace(self.regions[index], label=label, wnid=wnid))

    @cached_property
    def largest(self) -> Region | None:
        """The region of most pixels among those with a class; None where there is none."""
        sizes = {i: self.shares[i] for i, one in enumerate(self.regions) if one.label or one.wnid}
        return self.regions[max(sizes, key=sizes.__getitem__)] if sizes else None

    def _changed(self, index: int, mask: Bool[np.ndarray, "rows columns"]) -> Drawing:
        if not mask.any():
            return self.without(index)
        if (mask == self.mask(index)).all():
            return self
        return self._with(index, replace(self.regions[index], shape=marked(mask)))

    def _with(self, index: int, region: Region) -> Drawing:
        return replace(self, regions=(*self.regions[:index], region, *self.regions[index + 1 :]))

    def _fitted(self, shape: RegionShape | Stroke) -> RegionShape | None:
        """The shape as it can be kept: inside the picture, a brush's as the pixels it covers."""
        mask = shape.draw(*self.size)
        if not mask.any():
            return None
        if isinstance(shape, Stroke):
            return marked(mask)
        if isinstance(shape, Box):
            width, height = map(float, self.size)
            return Box(max(shape.left, 0.0), max(shape.top, 0.0), min(shape.right, width), min(shape.bottom, height))
        return shape


@overload
def turned(shape: Stroke, orientation: int, size: tuple[int, int]) -> Stroke: ...


@overload
def turned(shape: RegionShape, orientation: int, size: tuple[int, int]) -> RegionShape: ...


def turned(shape: RegionShape | Stroke, orientation: int, size: tuple[int, int]) -> RegionShape | Stroke:
    """A shape of the stored picture of that size (width, height), as it lies in the upright one.

    `orientation` is EXIF's, 1 to 8.
    """
    if orientation not in TRANSPOSITIONS:
        return shape
    if isinstance(shape, RunLengths):
        mask = Image.fromarray(shape.draw(*size)).transpose(TRANSPOSITIONS[orientation])
        return marked(np.asarray(mask))
    width, height = size
    places = {
        2: lambda x, y: (width - x, y),
        3: lambda x, y: (width - x, height - y),
        4: lambda x, y: (x, height - y),
        5: lambda x, y: (y, x),
        6: lambda x, y: (height - y, x),
        7: lambda x, y: (height - y, width - x),
        8: lambda x, y: (y, width - x),
    }
    place = places[orientation]
    if isinstance(shape, Box):
        (x0, y0), (x1, y1) = place(shape.left, shape.top), place(shape.right, shape.bottom)
        return Box(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
    if isinstance(shape, Polygon):
        return Polygon(tuple(place(*corner) for corner in shape.corners))
    return Stroke(tuple(place(*point) for point in shape.points), shape.radius)


@overload
def turned_back(shape: Stroke, orientation: int, size: tuple[int, int]) -> Stroke: ...


@overload
def turned_back(shape: RegionShape, orientation: int, size: tuple[int, int]) -> RegionShape: ...


def turned_back(shape: RegionShape | Stroke, orientation: int, size: tuple[int, int]) -> RegionShape | Stroke:
    """A shape of the upright picture, as it lies in the stored one, which is of that size (width, height)."""
    upright = (size[1], size[0]) if orientation >= 5 else size
    return turned(shape, _BACK.get(orientation, orientation), upright)


def scaled(shape: RegionShape | Stroke, across: float, down: float) -> RegionShape | Stroke:
    """A shape on a picture that is stretched by these factors. Raises `ValueError` for run lengths, which cannot be."""
    if isinstance(shape, Box | Polygon):
        return shape.scaled(across, down)
    if isinstance(shape, Stroke):
        points = tuple((x * across, y * down) for x, y in shape.points)
        return Stroke(points, min(shape.radius * across, LARGEST_RADIUS))
    raise ValueError("Run lengths are pixels of one size: draw them, and scale the mask.")


def laid_over(photos: ImageSet, drawings: Mapping[int, Drawing]) -> ImageSet:
    """The set with what was drawn in the place of what its images were annotated with.

    An image without a label takes that of its largest region. Drawings without a region count as not there.
    Raises `ValueError` for a position that the set does not have.
    """
    drawn = {position: drawing for position, drawing in sorted(drawings.items()) if drawing.regions}
    for position in drawn:
        if not 0 <= position < len(photos):
            raise ValueError(f"Image {position} does not exist: {photos.name} has {len(photos)}, numbered from 0.")
    return photos.part(
        range(len(photos)),
        description=f"{photos.description.rstrip('.')}; {len(drawn):,} drawn on by hand.",
        fingerprint=f"drawn {digest(photos, drawn)}",
        annotations={position: drawing.annotation for position, drawing in drawn.items()},
        label_forms=_label_forms(photos, drawn),
    )


def drawn_part(photos: ImageSet, drawings: Mapping[int, Drawing]) -> ImageSet:
    """The images that were drawn on, in the set's order, annotated with what was drawn."""
    positions: Sequence[int] = [position for position, drawing in sorted(drawings.items()) if drawing.regions]
    return subset(laid_over(photos, drawings), positions)


def _label_forms(photos: ImageSet, drawn: Mapping[int, Drawing]) -> dict[str, tuple[str | None, ...]]:
    forms = {form: list(labels) for form, labels in photos.label_forms.items()}
    for position, drawing in drawn.items():
        region = drawing.largest
        if photos.labels[position] is None and region is not None:
            for form, label in zip(LABEL_FORMS, (region.wnid, region.label), strict=False):
                if label is not None:
                    forms.setdefault(form, [None] * len(photos))[position] = label
    return {form: tuple(labels) for form, labels in forms.items()}
