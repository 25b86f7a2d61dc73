"""Which channels drive each channel of the next layer, image by image: what a convolution gives for each input."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Int, UInt16
from torch import Tensor

from interp.class_summary.joints import Carried, Kernels, Wiring
from interp.class_summary.keeping import kept_images
from interp.class_summary.readings import how_read, reading, strongest_inputs
from interp.class_summary.wiring import wirings
from interp.types import Classifier
from interp.units.counts import Batch, PassCount

STRONGEST = 5
"""So many inputs of each channel count in each image (Hohman et al. 2019)."""

AT_ONCE = 2**18
"""So many marks of images that are not kept one by one are counted at a time."""

_Sums = tuple[Int[np.ndarray, " _"], Int[np.ndarray, " _"]]
NONE = np.iinfo(np.uint16).max
_WIRINGS: WeakKeyDictionary[Classifier, dict[tuple[str, str], Wiring]] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class InputMarks:
    """Which candidates of each of r rows, the channels of all joints of a wiring, were strongest in the images.

    `positions`, `labels` and `marks` (candidates of the joint, strongest first; `NONE` where fewer drive it) are of the
    images that are kept one by one, in the order of the set. Of others only counts are: `numbers` of images by `keys`,
    ((class · r + row) · 2^16 + candidate), in ascending order.
    """

    positions: Int[np.ndarray, " n"]
    labels: Int[np.ndarray, " n"]
    marks: UInt16[np.ndarray, "n r s"]
    keys: Int[np.ndarray, " m"]
    numbers: Int[np.ndarray, " m"]


@dataclass(frozen=True, eq=False)
class InfluenceCount(PassCount[InputMarks]):
    """The influences from the layer `before` on `layer`. Of each class those of `kept` images are kept one by one.

    Of each channel j of each joint on the way the five inputs i with the largest L_ij above 0 are marked: L_ij is the
    largest value over positions of X_i ∗ K_i^(j), without bias, in the convolution's own stride and padding, X being
    what it reads. Batch normalizations and other constants are multiplied into K. What a sum adds as it is, as a skip
    connection does, is an input of the kernel 1.

    Summit's published code convolves with stride 3, leaves out the pooling of its pool branch, and takes five channels
    out by hand; and it counts inputs that bring nothing, or less. Here those that do not drive a channel do not count.
    """

    before: str = ""
    kept: int = 100

    def check(self, classifier: Classifier) -> Wiring:
        """The wiring. Raises `ValueError` for layers that there are not, or that are too wide."""
        found = wiring(classifier, self.before, self.layer)
        widest = max(len(joint.joints) for joint in found.joints)
        if widest > NONE:
            raise ValueError(
                f"A channel between {self.before} and {self.layer} has {widest:,} inputs, more than the {NONE:,} that "
                "are told apart: choose layers before it."
            )
        return found

    def observers(self, classifier: Classifier, seen: dict[Any, Any]) -> dict[int, Callable[[Tensor], None]]:
        """Read what the kernels read."""
        terms: dict[int, dict[tuple[object, ...], Kernels | Carried]] = {}
        for joint in self.check(classifier).joints:
            for term in joint.terms:
                terms.setdefault(term.reads, {}).setdefault(how_read(term), term)

        def read(number: int, values: Tensor) -> None:
            for key, term in terms[number].items():
                seen[key] = reading(values, term)

        return {number: partial(read, number) for number in terms}

    def of(self, classifier: Classifier, seen: dict[Any, Any], batch: Batch) -> InputMarks:
        """The marks of some images."""
        found, known = wiring(classifier, self.before, self.layer), np.flatnonzero(batch.labels >= 0)
        starts, images = found.starts, len(batch.labels)
        values = np.zeros((images, int(starts[-1]), STRONGEST), np.float32)
        marks = np.full(values.shape, NONE, np.uint16)
        for number, joint in enumerate(found.joints):
            own = slice(int(starts[number]), int(starts[number + 1]))
            for term in joint.terms:
                strongest_inputs(term, seen[how_read(term)], values[:, own], marks[:, own])
        labels, positions = batch.labels[known].astype(np.int32), batch.positions[known].astype(np.int64)
        nothing = np.zeros(0, np.int64)
        return InputMarks(positions, labels, marks[known], nothing, nothing)

    def blank(self, classifier: Classifier) -> InputMarks:
        """The marks of no image."""
        rows = int(wiring(classifier, self.before, self.layer).starts[-1])
        nothing = np.zeros(0, np.int64)
        marks = np.zeros((0, rows, STRONGEST), np.uint16)
        return InputMarks(nothing, nothing.astype(np.int32), marks, nothing, nothing)

    def merged(self, values: Sequence[InputMarks]) -> InputMarks:
        """The marks of the images of all."""
        positions, labels, marks = (
            np.concatenate([getattr(one, name) for one in values]) for name in ("positions", "labels", "marks")
        )
        kept = kept_images(positions, labels, self.kept)
        summed, ahead = _summed([(one.keys, one.numbers) for one in values]), list[_Sums]()
        further = np.flatnonzero(~kept)
        # A few at a time: their keys take several times the memory of their marks.
        each = max(1, AT_ONCE // max(1, marks.shape[1] * marks.shape[2]))
        for start in range(0, len(further), each):
            some = further[start : start + each]
            ahead.append(_counted(_keys(labels[some], marks[some])))
            if sum(len(keys) for keys, _ in ahead) >= max(AT_ONCE, len(summed[0])):
                summed, ahead = _summed([summed, *ahead]), []
        rows = np.flatnonzero(kept)
        rows = rows[np.argsort(positions[rows], kind="stable")]
        return InputMarks(positions[rows], labels[rows], marks[rows], *_summed([summed, *ahead]))


def wiring(classifier: Classifier, before: str, after: str) -> Wiring:
    """How one layer reaches another, traced once for each classifier."""
    known = _WIRINGS.setdefault(classifier, {})
    if (before, after) not in known:
        [known[before, after]] = wirings(classifier, (before, after))
    return known[before, after]


def _keys(labels: Int[np.ndarray, " n"], marks: UInt16[np.ndarray, "n r s"]) -> Int[np.ndarray, " m"]:
    rows = labels.astype(np.int64)[:, None] * marks.shape[1] + np.arange(marks.shape[1])
    return ((rows << 16)[:, :, None] + marks)[marks != NONE]


def _counted(keys: Int[np.ndarray, " m"]) -> _Sums:
    """How often each key is there, in ascending order; the keys are sorted where they are."""
    keys.sort()
    starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]][: len(keys)])
    return keys[starts], np.diff(np.r_[starts, len(keys)])


def _summed(each: Sequence[_Sums]) -> _Sums:
    """The numbers of equal keys added up, the keys in ascending order."""
    filled = [one for one in each if len(one[0])] or each[:1]
    if len(filled) == 1:
        return filled[0]
    keys, numbers = (np.concatenate(one) for one in zip(*filled, strict=True))
    order = np.argsort(keys, kind="stable")
    keys, numbers = keys[order], numbers[order]
    starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
    return keys[starts], np.add.reduceat(numbers, starts)
