"""What is computed of each image of a set: the part of a pass that is its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar, runtime_checkable

import numpy as np
from jaxtyping import Int

from interp.batches import as_many
from interp.images import ImageSet, Problem
from interp.set_pass.rows import Collected, Growing
from interp.types import Classifier, digest

Item = TypeVar("Item")
Value = TypeVar("Value")

Positions = Sequence[int] | np.ndarray | None
"""Those of images in their set, in the order wanted; None for all that a pass is meant for."""

# Photographs of 224 × 224, and of smaller images as many more: on a processor larger batches leave its caches, and on a
# graphics card smaller ones leave it idle. Parts are to come soon all the same.
PROCESSOR_BATCH, DEVICE_BATCH, LARGEST_BATCH = 8, 64, 64
GOLDEN = (5**0.5 - 1) / 2


@runtime_checkable
class Collecting(Protocol):
    """What values come together in."""

    def add(self, parts: Sequence[Any]) -> None:
        """Take in further values, one for each item."""

    @property
    def so_far(self) -> Any:
        """All that came in."""


@dataclass(frozen=True, eq=False)
class Chunk:
    """Some images of a set. `context` is what `SetPass.context` gave for the set.

    `fingerprint` tells all that a result of them may rest on: the places, names and files of these images, and what
    `SetPass.rests_on` says. What else is in the set may change.
    """

    photos: ImageSet
    positions: Int[np.ndarray, " n"]
    context: Any
    fingerprint: str

    def __len__(self) -> int:
        return len(self.positions)


@dataclass(frozen=True)
class SetPass(ABC, Generic[Item, Value]):
    """Something that is computed of each image of a set, for one item or several: layers, methods, targets.

    A value is a dataclass of arrays with a row, or several, for each image, and with the problems of images that are
    left out (`rows.Growing`). Rows rest on the image itself and on what `rests_on` tells, never on other images.
    Passes, items, contexts and values must bear to be pickled. `chunk` images are kept together; of the first chunk
    there are `first`, so that something is there soon, and each further one has twice as many as the one before.
    """

    chunk: int = 256
    first: int = 256

    what: ClassVar[str]
    """What is reported while it runs, whatever the items."""

    def checked(self, classifier: Classifier, items: Sequence[Item]) -> tuple[Item, ...]:
        """The items, each in the one of all forms that mean the same. Raises `ValueError` for one that cannot be."""
        return tuple(items)

    def told(self, items: Sequence[Item]) -> str:
        """What is reported while these items are computed."""
        return self.what

    def every_position(self, photos: ImageSet) -> Int[np.ndarray, " n"]:
        """The images that are meant where no positions are given."""
        return np.arange(len(photos))

    def context(self, classifier: Classifier, photos: ImageSet) -> Any:
        """What only the whole set tells, such as the classes of its labels; made once for all chunks."""
        return None

    def rests_on(self, photos: ImageSet, context: Any, positions: Int[np.ndarray, " n"]) -> str:
        """A digest of all that the results of these images rest on beside their files: their labels and marks."""
        return ""

    def batch_size(self, classifier: Classifier, items: Sequence[Item]) -> int:
        """How many images are run together at most."""
        photographs = PROCESSOR_BATCH if classifier.device.type == "cpu" else DEVICE_BATCH
        return as_many(photographs, classifier.input_size, LARGEST_BATCH)

    @abstractmethod
    def read(self, classifier: Classifier, photos: ImageSet, position: int) -> Any:
        """One image, in a thread of its own; what cannot be read is said in what is returned."""

    @abstractmethod
    def run(self, classifier: Classifier, items: Sequence[Item], context: Any, seen: Sequence[Any]) -> Sequence[Value]:
        """The value of each item for some images that were read. Raises `ValueError` where the whole must stop."""

    @abstractmethod
    def blank(self, classifier: Classifier, item: Item, problems: tuple[Problem, ...] = ()) -> Value:
        """The value for no image."""

    def collecting(self, classifier: Classifier, items: Sequence[Item], count: int) -> Collecting:
        """What the values of so many images come together in. Raises `ValueError` where they would be too many."""
        return Collected([Growing(self.blank(classifier, item), count) for item in items])

    def part(self, photos: ImageSet, context: Any, positions: Int[np.ndarray, " n"]) -> Chunk:
        """Images of the set as a chunk of the pass."""
        known = f"{photos.fingerprint_of(positions)} {self.rests_on(photos, context, positions)}"
        return Chunk(photos, positions, context, digest(positions, known))


def spread(positions: Int[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """The positions in an order in which the first ones, however many, are spread over all of them.

    So what has been computed so far speaks for the whole. The order is that of multiples of the golden ratio, modulo 1.
    """
    places = np.arange(len(positions)) * GOLDEN % 1
    return positions[places.argsort(kind="stable").argsort(kind="stable")]


def evenly(count: int, most: int) -> Int[np.ndarray, " m"]:
    """Places spread evenly from the first of `count` to the last, at most so many; all where there are no more."""
    return np.linspace(0, count - 1, min(count, most)).round().astype(np.int64)


def chosen_positions(photos: ImageSet, positions: Positions) -> Int[np.ndarray, " n"]:
    """The positions as an array, None being all of them. Raises `ValueError` for one that the set does not have."""
    if positions is None:
        return np.arange(len(photos))
    given = np.asarray(positions).reshape(-1) if len(positions) else np.zeros(0, np.int64)
    if not np.issubdtype(given.dtype, np.integer):
        raise ValueError(f"Positions of type {given.dtype} name no images: give whole numbers from 0.")
    outside = given[(given < 0) | (given >= len(photos))]
    if len(outside):
        raise ValueError(f"Image {outside[0]} does not exist: {photos.name} has {len(photos)}, numbered from 0.")
    return given.astype(np.int64)
