"""What is kept of a set's maps: which explanations they are, and the maps of some images beside their annotations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from interp.attribution import Method
from interp.images import Problem
from interp.passes.grids import enlarged
from interp.types import Classifier, Heatmaps

TARGETS = ("predicted", "label")
MARKS = ("label", "explained", "all")


@dataclass(frozen=True)
class Explanation:
    """Which maps are held against which annotations: by which method, and for the predicted class or the label's.

    `marks` are the marks that count: those of the image's own label, as in the paper; those of the class that is
    explained; or all that are in the image.
    """

    method: Method
    target: Literal["predicted", "label"] = "predicted"
    marks: Literal["label", "explained", "all"] = "label"

    def __post_init__(self) -> None:
        if self.target not in TARGETS:
            raise ValueError(f"The target {self.target!r} does not exist: choose {' or '.join(TARGETS)}.")
        if self.marks not in MARKS:
            raise ValueError(f"The marks {self.marks!r} do not exist: choose {', '.join(MARKS[:-1])} or {MARKS[-1]}.")


@dataclass(frozen=True, eq=False)
class Explained:
    """The maps of n images, with the annotations that they are held against and what the classifier says.

    `labels` is the class of the image's own label, -1 where it has none among the classifier's; `probability` that of
    the `predicted` class. `problems` says which images are left out, and why. `stored` holds the maps as the layer gave
    them where the method only enlarges those, else in half precision, each divided by its `peaks`: scores then differ
    from those of unrounded maps in the fourth decimal. `marked` holds the annotations, eight pixels a byte.
    """

    explanation: Explanation
    size: tuple[int, int]
    positions: Int[np.ndarray, " n"]
    predicted: Int[np.ndarray, " n"]
    probability: Float[np.ndarray, " n"]
    labels: Int[np.ndarray, " n"]
    stored: Float[np.ndarray, "n u v"]
    peaks: Float[np.ndarray, " n"]
    marked: UInt8[np.ndarray, "n bytes"]
    problems: tuple[Problem, ...] = ()

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def maps(self) -> Float[np.ndarray, "n h w"]:
        """The maps at the size of what the model sees, raw, signed where the method is."""
        values = self.stored.astype(np.float32)
        values *= self.peaks[:, None, None]
        if values.shape[1:] == self.size:
            return values
        if not len(self):
            return np.zeros((0, *self.size), np.float32)
        return enlarged(torch.from_numpy(values), self.size).numpy()

    @property
    def annotations(self) -> Bool[np.ndarray, "n h w"]:
        """What people marked, carried into what the model sees."""
        height, width = self.size
        bits = np.unpackbits(self.marked, axis=1, count=height * width)
        return bits.reshape(len(self), height, width).view(bool)

    def at(self, positions: Sequence[int]) -> Explained:
        """Those of the images at these positions of the set that are here, in the order asked for; without problems."""
        places = {position: row for row, position in enumerate(self.positions.tolist())}
        rows = np.array([places[one] for one in positions if one in places], np.int64)
        return replace(self, problems=(), **{name: getattr(self, name)[rows] for name in _ROWS})


_ROWS = ("positions", "predicted", "probability", "labels", "stored", "peaks", "marked")


def nothing(classifier: Classifier, explanation: Explanation, problems: tuple[Problem, ...] = ()) -> Explained:
    """The answer for no image."""
    none, blank = np.zeros(0, np.int32), np.zeros(0, np.float32)
    height, width = classifier.input_size
    stored, marked = np.zeros((0, height, width), np.float16), np.zeros((0, (height * width + 7) // 8), np.uint8)
    return Explained(explanation, (height, width), none, none, blank, none, stored, blank, marked, problems)


def smallest(method: Method, heatmaps: Heatmaps) -> Float[Tensor, "n u v"]:
    """The maps as the layer gave them where the method only enlarges those, which the signed ones do not; else all."""
    coarse = None if method.signed else heatmaps.coarse
    return (heatmaps.values if coarse is None else coarse).detach().float().cpu()


def stored(maps: Float[Tensor, "n u v"], size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Maps in the form in which they are kept, and by what each was divided."""
    values = maps.numpy()
    if values.shape[1:] != size:
        return values, np.ones(len(values), np.float32)
    peaks = np.abs(values).max(axis=(1, 2), initial=0)
    peaks[peaks == 0] = 1
    return (values / peaks[:, None, None]).astype(np.float16), peaks
