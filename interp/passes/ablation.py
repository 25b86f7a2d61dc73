"""How far the score falls without some of a layer's channels: measured, with no more passes than that takes."""

from __future__ import annotations

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

    The network runs up to the layer once, and from there on for each channel (`resuming.Resumed`); where one linear
    layer is all that mixes channels from there on, not even that layer runs again (`heads.LinearMix`, tried against
    `Resumed` first). Channels that are zero everywhere cost nothing. Raises `ValueError` for scores that are not
    finite.
    """
    place = zeroed_at(target_score.classifier, layer)
    resumed = Resumed(target_score, place)
    own = resumed.activations if place == layer.name else activations(target_score, layer.name)
    axis = layer.channel_axis
    images, channels = len(own), resumed.activations.shape[axis]
    rows = torch.arange(images)
    whole = torch.cat([resumed.scores(resumed.activations[part], part) for part in rows.split(resumed.batch_size)])
    active = (resumed.activations != 0).transpose(1, axis).reshape(images, channels, -1).any(dim=2)
    rows, zeroed = active.nonzero(as_tuple=True)
    mixtures = _mixtures(resumed, rows, zeroed)
    if mixtures is not None:
        left = _without_mixed(target_score, mixtures, rows, zeroed, what)
    else:
        shape = [-1, *(channels if i == axis else 1 for i in range(1, resumed.activations.ndim))]

        def run(part: slice) -> Tensor:
            keep = zeroed[part, None] != torch.arange(channels, device=zeroed.device)
            return without(resumed, rows[part], keep.view(shape))

        left = torch.cat(list(batched(run, len(rows), size=resumed.batch_size, what=what)) or [whole[:0]])
    drops = whole.new_zeros(images, channels)
    drops[rows, zeroed] = whole[rows] - left
    return Removed(own, whole, drops)


def without(resumed: Resumed, rows: Int[Tensor, " m"], keep: Bool[Tensor, "m ..."]) -> Float[Tensor, " m"]:
    """The scores of the rows' images where only what is to be kept of the layer's activations is there."""
    # Variants of one image need no copies of it.
    of = resumed.activations[rows[:1]] if bool((rows == rows[0]).all()) else resumed.activations[rows]
    return resumed.scores(of * keep, rows)


def _mixtures(
    resumed: Resumed, rows: Int[Tensor, " m"], zeroed: Int[Tensor, " m"]
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
            return heads.mixture(split.after, resumed.activations[row : row + 1])

    first = int(rows[0])
    found = tried(lambda: of(first))
    if found is None:
        return None
    some = zeroed[rows == first][:2]
    keep = some[:, None] != torch.arange(resumed.activations.shape[1], device=some.device)
    here = torch.full((len(some),), first)
    expected = resumed.logits(resumed.activations[first : first + 1] * keep[:, :, None, None], here)
    with classifier.lock, without_gradients():
        without_some = tried(lambda: found.without(some))
    if without_some is None or without_some.shape != expected.shape or not equal(without_some, expected):
        return None
    return [found if row == first else of(row) for row in range(len(resumed.activations))]


def _without_mixed(
    target_score: TargetScore,
    mixtures: list[heads.LinearMix | None],
    rows: Int[Tensor, " m"],
    zeroed: Int[Tensor, " m"],
    what: str,
) -> Float[Tensor, " m"]:
    parts = []
    for row in rows.unique().tolist():
        mixture, channels = mixtures[row], zeroed[rows == row]
        assert mixture is not None
        target = target_score.targets[row]

        def run(part: slice, mixture=mixture, channels=channels, target=target) -> Tensor:
            with target_score.classifier.lock, without_gradients():
                logits = mixture.without(channels[part])
            return scores(logits, [target] * len(logits))

        size = max(1, NUMBERS // mixture.left[0].numel())
        parts.extend(batched(run, len(channels), size=size, what=what))
    return torch.cat(parts)


def activations(target_score: TargetScore, layer: str) -> Tensor:
    """What the layer gives for each image."""

    def run(part: slice) -> Tensor:
        with torch.no_grad(), hooks.activations(target_score.classifier, [layer]) as taken:
            target_score.classifier.module(target_score.images.pixels[part])
        return taken[layer]

    return torch.cat(list(batched(run, len(target_score.images), size=target_score.batch_size, what=f"up to {layer}")))
