"""What people marked in a picture, mark by mark, and how it is laid over the picture as it is read."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Shaped
from PIL import Image

from interp.images.decoding import TRANSPOSITIONS
from interp.images.masks import MaskFile
from interp.images.problems import same_name
from interp.images.shapes import Box, Polygon, RunLengths, stretched
from interp.types import Fingerprinted

Shape = Box | Polygon | RunLengths | MaskFile


@dataclass(frozen=True, eq=False)
class Mark:
    """One thing that was marked: its shapes, and the name and the WordNet id of what it is, where they are known."""

    shapes: tuple[Shape, ...]
    label: str | None = None
    wnid: str | None = None

    @cached_property
    def names(self) -> frozenset[str]:
        """What the thing is called, as names are compared (`problems.same_name`); empty where nobody said."""
        return frozenset(same_name(one) for one in (self.label, self.wnid) if one is not None)


@dataclass(frozen=True, eq=False)
class Annotation(Fingerprinted):
    """All that is marked in one picture, and the size (width, height) that the annotation says the picture has.

    Where `shares` is true the coordinates are not pixels, but shares of the upright picture's sides, 0 to 1. Where
    `upright` is true the tool is known to show pictures upright, so that its pixels are those of the upright picture.
    """

    marks: tuple[Mark, ...]
    size: tuple[int, int] | None = None
    shares: bool = False
    upright: bool = False

    @cached_property
    def names(self) -> frozenset[str]:
        """What the marked things are called, as names are compared."""
        return frozenset().union(*(mark.names for mark in self.marks))

    @property
    def stamped(self) -> bool:
        """Whether the fingerprint tells all that it says: every mask's file had a stamp when the set was opened."""
        return all(one.stamp is not None for mark in self.marks for one in mark.shapes if isinstance(one, MaskFile))

    @property
    def labels(self) -> tuple[str, ...]:
        """What the marked things are called, as it is written, each once."""
        return tuple(dict.fromkeys(one for mark in self.marks if (one := mark.label or mark.wnid) is not None))


@dataclass(frozen=True, eq=False)
class Marking:
    """An annotation laid over one picture, whose file stores it in a size (width, height) and an EXIF orientation.

    Shapes are read in the coordinates of the pixels as stored, and turned along with the picture, where the
    annotation's size is that of the stored picture, or is not said. Where it is the size of the upright picture only,
    the annotator saw it upright, and the shapes are drawn as they are; so they are where the tool is known to show
    pictures upright, unless the size is that of the stored picture alone. A size of the same proportions is that of a
    copy at another scale, and the shapes are scaled.
    """

    annotation: Annotation
    stored: tuple[int, int]
    orientation: int = 1

    @property
    def upright(self) -> tuple[int, int]:
        """Width and height of the picture as it is looked at."""
        return (self.stored[1], self.stored[0]) if self.orientation >= 5 else self.stored

    @property
    def scaled(self) -> str | None:
        """A sentence, where the annotation is for the picture at another scale."""
        size = self.annotation.size
        if size is None or self.annotation.shares or size in (self.stored, self.upright) or self._fit(size) is None:
            return None
        return f"It is annotated at {_by(size)} pixels, and has {_by(self.stored)}: what is marked was scaled."

    @property
    def misfit(self) -> str | None:
        """Why the annotation cannot be laid over the picture; None where it can."""
        size = self.annotation.size
        return None if size is None or self.annotation.shares else self.misfit_of(size, "Its annotation is")

    def misfit_of(self, size: tuple[int, int], what: str) -> str | None:
        """Why something of that size (width, height) cannot be laid over the picture; None where it can."""
        if self._fit(size) is not None:
            return None
        return (
            f"{what} for {_by(size)} pixels, and the picture has {_by(self.upright)}: what is marked is not used. "
            "Supply the picture that was annotated, or correct the annotation."
        )

    def mask(self, names: Collection[str] | None = None) -> Bool[np.ndarray, "rows columns"] | None:
        """The union of the marks, in the coordinates of the upright picture.

        `names` (as names are compared) leaves out marks that have another name; None where then nothing is left.
        Raises `ValueError` where the size fits the picture in no way, or a mask cannot be read.
        """
        marks = [one for one in self.annotation.marks if names is None or not one.names or one.names & set(names)]
        if not marks:
            return None
        width, height = self.upright
        mask = np.zeros((height, width), dtype=bool)
        for mark in marks:
            for shape in mark.shapes:
                mask |= self._drawn(shape)
        return mask

    def laid(self, drawn: Shaped[np.ndarray, "rows columns"]) -> Shaped[np.ndarray, "new_rows new_columns"]:
        """A mask, or the numbers of one, in the coordinates of the upright picture.

        Raises `ValueError` where its size fits the picture in no way.
        """
        return self._laid(drawn, (drawn.shape[1], drawn.shape[0]), "The mask is")

    def _drawn(self, shape: Shape) -> Bool[np.ndarray, "rows columns"]:
        if isinstance(shape, MaskFile):
            return self.laid(shape.read())
        if self.annotation.shares and not isinstance(shape, RunLengths):
            return shape.scaled(*map(float, self.upright)).draw(*self.upright)
        size = self.annotation.size or self._candidates[0]
        target = self._fit(size)
        if isinstance(shape, RunLengths) or target is None:
            return self._laid(shape.draw(*size), size, "Its annotation is")
        drawn = shape.scaled(target[0] / size[0], target[1] / size[1]).draw(*target)
        return self._laid(drawn, target, "Its annotation is")

    def _laid(self, drawn: np.ndarray, size: tuple[int, int], what: str) -> Shaped[np.ndarray, "rows columns"]:
        target = self._fit(size)
        if target is None:
            raise ValueError(self.misfit_of(size, what))
        mask = drawn if size == target else stretched(drawn, *target)
        # Of two sizes that agree the first of the candidates is meant.
        as_stored = target == self.stored and (target != self.upright or not self.annotation.upright)
        if as_stored and self.orientation in TRANSPOSITIONS:
            return np.asarray(Image.fromarray(mask).transpose(TRANSPOSITIONS[self.orientation]))
        return mask

    def _fit(self, size: tuple[int, int]) -> tuple[int, int] | None:
        """The size of the picture, stored or upright, that an annotation of that size is for; None where of neither."""
        sizes = self._candidates
        return next(
            (one for one in sizes if one == size), next((one for one in sizes if _same_proportions(one, size)), None)
        )

    @property
    def _candidates(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """The sizes that an annotation may be for, the likelier first."""
        return (self.upright, self.stored) if self.annotation.upright else (self.stored, self.upright)


def _same_proportions(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether one is the other at another scale, each side rounded to whole pixels, up or down."""
    return abs(one[0] * other[1] - one[1] * other[0]) <= max(*one, *other)


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]} × {size[1]}"
