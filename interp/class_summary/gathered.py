"""All marks of a set together, and what is counted of them: over a class, or over images that are kept one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Int

from interp.class_summary.counted import ClassCounts, LayerPair
from interp.class_summary.influences import InfluenceCount, InputMarks, wiring
from interp.class_summary.joints import Wiring
from interp.class_summary.marks import SHARES, ChannelMarks, MarkCount
from interp.types import Classifier
from interp.units.counts import Counted

ROOM = 2**27
"""How many bytes the marks of images take that are kept one by one: 128 MB."""

MOST_KEPT = 100
"""So many images of a class are kept one by one, where there is room for them; draws are made of these."""


@dataclass(frozen=True, eq=False)
class GatheredMarks:
    """The marks of some layers and of what is between them, over a set."""

    layers: tuple[str, ...]
    marks: tuple[ChannelMarks, ...]
    inputs: tuple[InputMarks, ...]
    wirings: tuple[Wiring, ...]
    share: int = field(default=1)

    @property
    def images(self) -> Int[np.ndarray, " c"]:
        """How many images of each class were seen."""
        return self.marks[0].images

    @property
    def pairs(self) -> tuple[LayerPair, ...]:
        """The pairs of consecutive layers."""
        return tuple(zip(self.layers, self.layers[1:], strict=False))

    def of_class(self, number: int) -> ClassCounts:
        """What is counted over all images of a class."""
        counts = {one.layer: one.counts[self.share, number] for one in self.marks}
        influences = {pair: self.influences(place, number) for place, pair in enumerate(self.pairs)}
        return ClassCounts(int(self.images[number]), self.layers, counts, influences)

    def influences(self, place: int, number: int) -> Int[np.ndarray, "i j"]:
        """Those of the pair of layers at this place, over all images of a class."""
        inputs, wires = self.inputs[place], self.wirings[place]
        rows = self.rows_of(number)
        found = _tables(wires, inputs.marks[rows], np.ones(len(rows), np.int64))
        _add_keys(found, wires, inputs, number)
        return joined(wires, found)

    def rows_of(self, number: int | None) -> Int[np.ndarray, " n"]:
        """Which of the images that are kept one by one are of a class; None: all of them."""
        labels = self.marks[0].labels
        return np.arange(len(labels)) if number is None else np.flatnonzero(labels == number)

    def drawn(self, rows: Int[np.ndarray, " n"], weights: Int[np.ndarray, " n"]) -> ClassCounts:
        """What is counted over images that are kept one by one, each as often as its weight says."""
        counts = {one.layer: weights @ one.of_images(self.share)[rows] for one in self.marks}
        influences = {
            pair: joined(wires, _tables(wires, inputs.marks[rows], weights.astype(np.int64)))
            for pair, inputs, wires in zip(self.pairs, self.inputs, self.wirings, strict=True)
        }
        return ClassCounts(int(weights.sum()), self.layers, counts, influences)


def counts_of(classifier: Classifier, layers: Sequence[str]) -> tuple[MarkCount | InfluenceCount, ...]:
    """The items of a pass that gathers the marks of these layers. Raises `ValueError` for layers that cannot be."""
    pairs = list(zip(layers, layers[1:], strict=False))
    rows = sum(int(wiring(classifier, below, above).starts[-1]) for below, above in pairs)
    room = ROOM // max(1, 10 * rows * len(classifier.labels))
    kept = min(MOST_KEPT, max(2, room))
    marks = tuple(MarkCount(layer, kept=kept) for layer in layers)
    return (*marks, *(InfluenceCount(above, before=below, kept=kept) for below, above in pairs))


def gathered(classifier: Classifier, layers: Sequence[str], counted: Sequence[Counted], share: float) -> GatheredMarks:
    """The values of those items together. Raises `ValueError` for a share that was not marked."""
    if share not in SHARES:
        raise ValueError(f"Marks for a share of {share} were not made: give one of {', '.join(map(str, SHARES))}.")
    values = [one.value for one in counted]
    wires = tuple(wiring(classifier, *pair) for pair in zip(layers, layers[1:], strict=False))
    first = len(layers)
    return GatheredMarks(tuple(layers), tuple(values[:first]), tuple(values[first:]), wires, SHARES.index(share))


def joined(wires: Wiring, tables: Sequence[Int[np.ndarray, "_ _"]]) -> Int[np.ndarray, "i j"]:
    """The influence of each channel of the lower layer on each of the upper one, from counts at every joint.

    Of a path through joints in between the weakest step counts, and of several paths the strongest wins.
    """
    from interp.class_summary.influence_loops import take_paths

    width = wires.joints[0].width
    reached: list[np.ndarray] = [np.zeros((0, width), np.int64)]
    for joint, table in zip(wires.joints[1:], tables, strict=True):
        found = np.zeros((joint.width, width), np.int64)
        for number in np.unique(joint.joints):
            if number >= 0:
                take_paths(table, joint.joints, joint.channels, number, width, reached[number], found)
        reached.append(found)
    return reached[-1].T.copy()


def _tables(wires: Wiring, marks: np.ndarray, weights: Int[np.ndarray, " n"]) -> list[Int[np.ndarray, "_ _"]]:
    """For each joint but the first: of how many images each candidate is among the strongest inputs of each channel."""
    from interp.class_summary.influence_loops import count_marks

    found, starts = [], wires.starts
    for number, joint in enumerate(wires.joints[1:], start=1):
        table = np.zeros((joint.width, len(joint.joints)), np.int64)
        rows = np.arange(starts[number], starts[number + 1])
        count_marks(marks, weights, rows, table)
        found.append(table)
    return found


def _add_keys(tables: Sequence[np.ndarray], wires: Wiring, inputs: InputMarks, number: int) -> None:
    rows, starts = int(wires.starts[-1]), wires.starts
    first, last = np.searchsorted(inputs.keys, [number * rows << 16, (number + 1) * rows << 16])
    keys = inputs.keys[first:last]
    row, candidate = (keys >> 16) - number * rows, keys & 0xFFFF
    numbers = inputs.numbers[first:last]
    for joint, table in enumerate(tables, start=1):
        own = (row >= starts[joint]) & (row < starts[joint + 1])
        np.add.at(table, (row[own] - starts[joint], candidate[own]), numbers[own])
