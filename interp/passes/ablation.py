"""How far the score falls without some of a layer's channels: measured, with no more passes than that takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from interp.batches import batched
from interp.models import hooks
from interp.passes import heads, resuming, splitting
from interp.passes.rest import equal, tried, without_gradients
from interp.passes.resuming import Resumed
from interp.passes.target_score import FORWARD, TargetScore
from interp.types import Classifier, Layer, scores

NUMBERS = 2**22
"""How many numbers the variants of one batch hold behind a linear layer: 16 MB."""

_PLACES: WeakKeyDictionary[Classifier, dict[str, str]] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Removed:
    """What a layer gives, the score of each image's target, and how far it drops when a channel is zeroed."""

    activations: Float[Tensor, "n ..."]
    scores: Float[Tensor, " n"]
    drops: Float[Tensor, "n k"]


def cost(classifier: Classifier, layer: Layer) -> float:
    """What `one_by_one` costs at most: to start, for the image as it is, and for every channel."""
    place = zeroed_at(classifier, layer)
    variant = resuming.variant_cost(classifier, place)
    start = resuming.start_cost(classifier, place) + FORWARD * (place != layer.name)
    return start + (1 + layer.channels) * variant


def zeroed_at(classifier: Classifier, layer: Layer) -> str:
    """Where channels are zeroed: at the layer, or behind the pooling that follows it, which is the same for less."""
    if layer.kind != "spatial":
        return layer.name
    if layer.name not in _PLACES.setdefault(classifier, {}):
        _PLACES[classifier][layer.name] = splitting.past_pooling(classifier, layer.name)
    return _PLACES[classifier][layer.name]


def one_by_one(target_score: TargetScore, layer: Layer, what: str) -> Removed:
    """Zero each channel of each image in turn: everywhere, of tokens in all of them, the class token too.

    As `OneByOne`, read for each image's target. Raises `ValueError` for scores that are not finite.
    """
    place = zeroed_at(target_score.classifier, layer)
    resumed = Resumed(target_score, place)
    own = resumed.activations if place == layer.name else activations(target_score, layer.name)
    rows = torch.arange(len(own))
    whole = torch.cat([resumed.scores(resumed.activations[part], part) for part in rows.split(resumed.batch_size)])
    removed = OneByOne.of(resumed, layer.channel_axis)

    def of_logits(logits: Tensor, rows: Tensor) -> Tensor:
        return scores(logits, [target_score.targets[row] for row in rows.tolist()])

    drops = whole.new_zeros(len(own), resumed.activations.shape[layer.channel_axis])
    for part, left in removed.read(resumed.scores, of_logits, what):
        rows = removed.rows[part]
        drops[rows, removed.channels[part]] = whole[rows] - left
    return Removed(own, whole, drops)


@dataclass(frozen=True, eq=False)
class OneByOne:
    """Every image of a resumed network without each of its channels in turn; what is not active there costs nothing.

    The pairs are `rows`, which count the images, and `channels`, image by image. A channel is active where it is not
    zero everywhere, or, with something to put `instead` of it, where it is not equal to that everywhere. The network
    runs from the layer on for each pair (`resuming.Resumed`); where one linear layer is all that mixes channels from
    there on, not even that layer runs again (`heads.LinearMix`, tried against `Resumed` first).
    """

    resumed: Resumed
    axis: int
    rows: Int[Tensor, " m"]
    channels: Int[Tensor, " m"]
    instead: Tensor | None
    mixtures: list[heads.LinearMix | None] | None

    @classmethod
    def of(cls, resumed: Resumed, axis: int, instead: Tensor | None = None) -> OneByOne:
        """All pairs of an image and an active channel. `instead` has the shape of one image's activation."""
        rows, channels = active(resumed.activations, axis, instead).nonzero(as_tuple=True)
        return cls(resumed, axis, rows, channels, instead, _mixtures(resumed, rows, channels, instead))

    def read(
        self,
        of_variants: Callable[[Tensor, Tensor], Tensor],
        of_logits: Callable[[Tensor, Tensor], Tensor],
        what: str,
    ) -> Iterator[tuple[slice, Tensor]]:
        """What is read of the pairs, slice by slice: of the variants themselves, or of all logits where these come.

        Both take the number of each variant's image beside it.
        """
        if self.mixtures is not None:
            yield from self._mixed(of_logits, what)
            return
        count = self.resumed.activations.shape[self.axis]
        shape = [-1, *(count if i == self.axis else 1 for i in range(1, self.resumed.activations.ndim))]

        def run(part: slice) -> tuple[slice, Tensor]:
            keep = self.channels[part, None] != torch.arange(count, device=self.channels.device)
            rows = self.rows[part]
            return part, of_variants(_variants(self.resumed, rows, keep.view(shape), self.instead), rows)

        yield from batched(run, len(self.rows), size=self.resumed.batch_size, what=what)

    def logits(self, what: str) -> Iterator[tuple[slice, Float[Tensor, "m k"]]]:
        """The logits of all classes for each pair, slice by slice."""
        return self.read(self.resumed.logits, lambda logits, rows: logits, what)

    def _mixed(self, of_logits: Callable[[Tensor, Tensor], Tensor], what: str) -> Iterator[tuple[slice, Tensor]]:
        assert self.mixtures is not None
        start = 0
        for row, count in zip(*(one.tolist() for one in self.rows.unique_consecutive(return_counts=True)), strict=True):
            mixture = self.mixtures[row]
            assert mixture is not None

            def run(part: slice, mixture=mixture, start=start) -> tuple[slice, Tensor]:
                there = slice(start + part.start, start + part.stop)
                with self.resumed.target_score.classifier.lock, without_gradients():
                    logits = mixture.without(self.channels[there])
                return there, of_logits(logits, self.rows[there])

            yield from batched(run, count, size=max(1, NUMBERS // mixture.left[0].numel()), what=what)
            start += count


def active(activations: Float[Tensor, "n ..."], axis: int, instead: Tensor | None = None) -> Bool[Tensor, "n k"]:
    """Which channels, along the axis, are anywhere not what they would be set to: zero, or `instead` for one image."""
    differs = activations != (0 if instead is None else instead)
    return differs.transpose(1, axis).reshape(len(activations), activations.shape[axis], -1).any(dim=2)


def without(resumed: Resumed, rows: Int[Tensor, " m"], keep: Bool[Tensor, "m ..."]) -> Float[Tensor, " m"]:
    """The scores of the rows' images where only what is to be kept of the layer's activations is there."""
    return resumed.scores(_variants(resumed, rows, keep), rows)


def logits_without(
    resumed: Resumed,
    rows: Int[Tensor, " m"],
    keep: Bool[Tensor, "m ..."],
    instead: Tensor | None = None,
) -> Float[Tensor, "m k"]:
    """As `without`, all logits; `instead` of what is not kept, zero or this stands there."""
    return resumed.logits(_variants(resumed, rows, keep, instead), rows)


def _variants(resumed: Resumed, rows: Tensor, keep: Tensor, instead: Tensor | None = None) -> Tensor:
    # Variants of one image need no copies of it.
    of = resumed.activations[rows[:1]] if bool((rows == rows[0]).all()) else resumed.activations[rows]
    return of * keep if instead is None else torch.where(keep, of, instead)


def _mixtures(
    resumed: Resumed, rows: Int[Tensor, " m"], zeroed: Int[Tensor, " m"], instead: Tensor | None
) -> list[heads.LinearMix | None] | None:
    """For each image its channels at the linear layer that follows; None where none does, or the trial fails."""
    classifier = resumed.target_score.classifier
    if resumed.whole or resumed.activations.ndim != 4 or not len(rows):
        return None
    split = splitting.split(classifier, resumed.layer)
    if split is None:
        return None

    def of(row: int) -> heads.LinearMix | None:
        with classifier.lock, without_gradients():
            return heads.mixture(split.after, resumed.activations[row : row + 1], instead)

    first = int(rows[0])
    found = tried(lambda: of(first))
    if found is None:
        return None
    some = zeroed[rows == first][:2]
    keep = some[:, None] != torch.arange(resumed.activations.shape[1], device=some.device)
    here = torch.full((len(some),), first)
    expected = logits_without(resumed, here, keep[:, :, None, None], instead)
    with classifier.lock, without_gradients():
        without_some = tried(lambda: found.without(some))
    if without_some is None or without_some.shape != expected.shape or not equal(without_some, expected):
        return None
    return [found if row == first else of(row) for row in range(len(resumed.activations))]


def activations(target_score: TargetScore, layer: str) -> Tensor:
    """What the layer gives for each image."""

    def run(part: slice) -> Tensor:
        with torch.no_grad(), hooks.activations(target_score.classifier, [layer]) as taken:
            target_score.classifier.module(target_score.images.pixels[part])
        return taken[layer]

    return torch.cat(list(batched(run, len(target_score.images), size=target_score.batch_size, what=f"up to {layer}")))
