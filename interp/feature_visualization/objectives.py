"""What a picture may be made for: a neuron, a channel, a layer, a direction, a class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import normalize

from interp.feature_visualization.objective import PROBABILITIES, Evaluation, OfClasses, OfLayer, Term
from interp.types import Classifier

LEAST_COSINE = 0.1
"""Below it the cosine of a direction counts as this much, so that a picture at a right angle has a gradient."""


@dataclass(frozen=True)
class Channel(OfLayer):
    """The mean of a channel over all positions of its layer (of a flat layer: the unit itself)."""

    channel: int

    def check(self, classifier: Classifier) -> None:
        """Raise `ValueError` where there is no such layer or channel."""
        check_channel(classifier, self.layer, self.channel)

    @classmethod
    def together(cls, terms: Sequence[Term], rows: Int[Tensor, " m"], copies: int) -> Evaluation:
        """The means of one channel each."""
        channels = torch.tensor([cast(Channel, term).channel for term in terms], device=rows.device)
        return lambda maps: maps[rows, channels].mean(dim=(1, 2))

    def __str__(self) -> str:
        return f"channel {self.channel} of {self.layer}"


@dataclass(frozen=True)
class Neuron(OfLayer):
    """A channel at one position of its layer; a row or column left out is the middle one."""

    channel: int
    row: int | None = None
    column: int | None = None

    def check(self, classifier: Classifier) -> None:
        """Raise `ValueError` where there is no such layer or channel, or the position is below 0."""
        check_channel(classifier, self.layer, self.channel)
        for name, place in (("row", self.row), ("column", self.column)):
            if place is not None and place < 0:
                raise ValueError(f"There is no {name} {place}: positions are counted from 0.")

    @classmethod
    def together(cls, terms: Sequence[Term], rows: Int[Tensor, " m"], copies: int) -> Evaluation:
        """One number of one channel each."""
        neurons = [cast(Neuron, term) for term in terms]
        channels = torch.tensor([neuron.channel for neuron in neurons], device=rows.device)
        # Positions depend on the pictures' size, which is the same at each step: they are placed once.
        placed: dict[tuple[int, int], tuple[Tensor, Tensor]] = {}

        def evaluate(maps: Tensor) -> Tensor:
            height, width = maps.shape[2:]
            if (height, width) not in placed:
                ups = [_place(neuron.row, height, "row", neuron) for neuron in neurons]
                acrosses = [_place(neuron.column, width, "column", neuron) for neuron in neurons]
                placed[height, width] = (torch.tensor(ups).to(rows), torch.tensor(acrosses).to(rows))
            return maps[rows, channels, *placed[height, width]]

        return evaluate

    def __str__(self) -> str:
        if self.row is None and self.column is None:
            return f"neuron {self.channel} of {self.layer}, in the middle"
        row, column = ("middle" if one is None else one for one in (self.row, self.column))
        return f"neuron {self.channel} of {self.layer}, row {row}, column {column}"


@dataclass(frozen=True)
class Layer(OfLayer):
    """The mean square of all activations of a layer: whatever it sees becomes stronger (DeepDream)."""

    @classmethod
    def together(cls, terms: Sequence[Term], rows: Int[Tensor, " m"], copies: int) -> Evaluation:
        """The mean squares."""
        return lambda maps: _of(maps, rows).square().mean(dim=(1, 2, 3))

    def __str__(self) -> str:
        return f"layer {self.layer}"


@dataclass(frozen=True, eq=False)
class Direction(OfLayer):
    """How far activations go in a direction v of a layer's channels: the mean over positions of a·v · cos(a, v)^p.

    With `cosine_power` 0 it is a·v alone, linear in the activations, which a picture may make large while it looks
    elsewhere; a power of 2 to 4 holds it to the direction (Carter et al. 2019), so that an activation vector is
    inverted. Cosines below 0.1 count as 0.1. `row` and `column` hold it to one position; None takes all.
    """

    vector: Float[Tensor, " k"] = field(repr=False)
    cosine_power: float | int = 0
    row: int | None = None
    column: int | None = None

    def check(self, classifier: Classifier) -> None:
        """Raise `ValueError` where the layer is not there, or has another number of channels than the vector."""
        channels = classifier.layer(self.layer).channels
        if len(self.vector) != channels:
            raise ValueError(f"The direction has {len(self.vector)} numbers, and {self.layer} has {channels} channels.")
        if not bool(self.vector.isfinite().all()) or not bool(self.vector.any()):
            raise ValueError("The direction points nowhere: give finite numbers, not all of them 0.")
        check_power(self.cosine_power)
        if (self.row is None) != (self.column is None):
            raise ValueError("A direction at one position needs both its row and its column.")

    @classmethod
    def together(cls, terms: Sequence[Term], rows: Int[Tensor, " m"], copies: int) -> Evaluation:
        """One direction each."""
        directions = [cast(Direction, term) for term in terms]
        vectors = torch.stack([one.vector.float() for one in directions]).to(rows.device)
        units = normalize(vectors, dim=1)
        powers = torch.tensor([float(one.cosine_power) for one in directions], device=rows.device)[:, None, None]
        cosines = any(one.cosine_power for one in directions)

        def evaluate(maps: Tensor) -> Tensor:
            chosen = _of(maps, rows)
            along = torch.einsum("mkuv,mk->muv", chosen, vectors)
            if cosines:
                cosine = torch.einsum("mkuv,mk->muv", normalize(chosen, dim=1), units)
                along = along * cosine.clamp(min=LEAST_COSINE) ** powers
            return (along * _windows(directions, along)).sum(dim=(1, 2))

        return evaluate

    def __str__(self) -> str:
        return f"a direction of {self.layer}"


@dataclass(frozen=True, eq=False)
class _OfClass(OfClasses):
    """A term of a single class."""

    target: int

    def check(self, classifier: Classifier) -> None:
        """Raise `ValueError` for a class that there is not."""
        classifier.targets(self.target, 1)


@dataclass(frozen=True)
class Logit(_OfClass):
    """A class's logit, before softmax or sigmoid."""

    @classmethod
    def together(cls, terms: Sequence[Term], rows: Int[Tensor, " m"], copies: int) -> Evaluation:
        """One logit each."""
        classes = torch.tensor([cast(Logit, term).target for term in terms], device=rows.device)
        return lambda logits: logits[rows, classes]

    def __str__(self) -> str:
        return f"logit of class {self.target}"


@dataclass(frozen=True)
class Probability(_OfClass):
    """A class's probability, in [0, 1], as the classifier's link makes it of the logits.

    After softmax it grows as well when other classes' logits fall; a sigmoid of its own knows no other class.
    """

    @property
    def reads(self) -> str:
        """The probabilities."""
        return PROBABILITIES

    @classmethod
    def together(cls, terms: Sequence[Term], rows: Int[Tensor, " m"], copies: int) -> Evaluation:
        """One probability each."""
        classes = torch.tensor([cast(Probability, term).target for term in terms], device=rows.device)
        return lambda probabilities: probabilities[rows, classes]

    def __str__(self) -> str:
        return f"probability of class {self.target}"


@dataclass(frozen=True)
class Contrast(OfClasses):
    """The difference of two classes' logits: what speaks for the one and against the other."""

    positive: int
    negative: int

    def check(self, classifier: Classifier) -> None:
        """Raise `ValueError` for a class that there is not, or one against itself."""
        classifier.targets([self.positive, self.negative], 2)
        if self.positive == self.negative:
            raise ValueError(f"A contrast needs two different classes, and both are {self.positive}.")

    @classmethod
    def together(cls, terms: Sequence[Term], rows: Int[Tensor, " m"], copies: int) -> Evaluation:
        """One difference each."""
        contrasts = [cast(Contrast, term) for term in terms]
        positive = torch.tensor([one.positive for one in contrasts], device=rows.device)
        negative = torch.tensor([one.negative for one in contrasts], device=rows.device)
        return lambda logits: logits[rows, positive] - logits[rows, negative]

    def __str__(self) -> str:
        return f"logit of class {self.positive} against class {self.negative}"


def check_channel(classifier: Classifier, layer: str, channel: int) -> None:
    """Raise `ValueError` where the layer, or a channel of that number, is not there."""
    channels = classifier.layer(layer).channels
    if not 0 <= channel < channels:
        raise ValueError(f"Channel {channel} does not exist: {layer} has {channels} channels, 0 to {channels - 1}.")


def check_power(power: float | int) -> None:
    """Raise `ValueError` for a power of a cosine that would reward a right angle."""
    if power < 0:
        raise ValueError(f"A cosine's power of {power} is not possible: take 0 or more.")


def _of(maps: Tensor, rows: Tensor) -> Tensor:
    """What belongs to these rows; uncopied where each picture has one."""
    # Rows go upwards without repeating: as many as there are pictures are all of them.
    return maps if len(rows) == len(maps) else maps[rows]


def _place(place: int | None, length: int, name: str, neuron: Neuron | Direction) -> int:
    if place is None:
        return length // 2
    if place >= length:
        raise ValueError(f"{neuron.layer} has {length} {name}s for a picture of this size, and no {name} {place}.")
    return place


def _windows(directions: Sequence[Direction], along: Tensor) -> Tensor:
    """What each position counts: all alike, or one alone."""
    height, width = along.shape[1:]
    if all(one.row is None for one in directions):
        return along.new_full((1, 1, 1), 1 / (height * width))
    windows = torch.full((len(directions), height, width), 1 / (height * width))
    for number, one in enumerate(directions):
        if one.row is not None:
            windows[number] = 0
            windows[number, _place(one.row, height, "row", one), _place(one.column, width, "column", one)] = 1
    return windows.to(along)
