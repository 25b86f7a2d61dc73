"""Which channels of a layer argue for a class over many images, batch by batch: an image's row costs one pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from interp.channels.attribution import summed
from interp.images import ImageSet, Problem
from interp.models import hooks, known_shares
from interp.models.ground_truth import OwnLabels
from interp.models.inputs import Input, PicturePass, positions_of
from interp.set_pass import Collected, Growing
from interp.types import Classifier, Fingerprinted, Images, Layer, Target, scores

LARGEST = 2_000_000_000


@dataclass(frozen=True)
class SetTarget:
    """For which class the channels of a layer are judged in each image of a set, and against which.

    `positive` is each image's prediction, its label, or one class for all; `negative` is nothing, the likeliest class
    but the one that is explained, or one class for all.
    """

    layer: str
    positive: Literal["predicted", "label"] | int = "predicted"
    negative: Literal["nothing", "next"] | int = "nothing"

    def check(self, classifier: Classifier) -> Layer:
        """The layer. Raises `ValueError` for a layer, a class or a word that there is not."""
        for given, words in ((self.positive, ("predicted", "label")), (self.negative, ("nothing", "next"))):
            if isinstance(given, str) and given not in words:
                raise ValueError(f"The class {given!r} is none: give {words[0]!r}, {words[1]!r} or a class's number.")
            if not isinstance(given, str):
                classifier.targets(given, 1)
        if self.positive == self.negative:
            raise ValueError(f"A contrast needs two different classes, and both are {self.positive}.")
        return classifier.layer(self.layer)


@dataclass(frozen=True, eq=False)
class SetAttribution(Fingerprinted):
    """What each channel of a layer adds to the score of each of n images, to first order, in logits.

    `values` are those of `ChannelAttribution`, summed over positions. `positions` are the images' in their set;
    `positive` and `negative` (-1: none) the classes explained; `predicted` with its `probability`, and `scores`, are
    what the classifier says. `problems` says which images are left out, and why.
    """

    target: SetTarget
    positions: Int[np.ndarray, " n"]
    positive: Int[np.ndarray, " n"]
    negative: Int[np.ndarray, " n"]
    predicted: Int[np.ndarray, " n"]
    probability: Float[np.ndarray, " n"]
    scores: Float[np.ndarray, " n"]
    values: Float[np.ndarray, "n k"]
    problems: tuple[Problem, ...] = ()

    def __len__(self) -> int:
        return len(self.positions)


_ROWS = ("positions", "positive", "negative", "predicted", "probability", "scores", "values")


@dataclass(frozen=True)
class AttributionPass(PicturePass[SetTarget, SetAttribution]):
    """The attribution of each channel of a layer in each image, for each target.

    One forward pass for a batch, and for each target a backward pass that ends at its layer. An image that cannot be
    read, has no such class or gives numbers that are not finite becomes a problem, and the rest goes on.
    """

    first: int = 32
    what = "Attributing channels"

    def checked(self, classifier: Classifier, items: Sequence[SetTarget]) -> tuple[SetTarget, ...]:
        """The targets, if the classifier has them."""
        for one in items:
            one.check(classifier)
        return tuple(items)

    def context(self, classifier: Classifier, photos: ImageSet) -> OwnLabels:
        """The classes of the images' labels."""
        return OwnLabels.of(classifier, photos)

    def rests_on(self, photos: ImageSet, context: OwnLabels, positions: Int[np.ndarray, " n"]) -> str:
        """A digest of the images' classes."""
        return context.fingerprint_of(positions)

    def values(
        self,
        classifier: Classifier,
        items: Sequence[SetTarget],
        context: OwnLabels,
        images: Images,
        read: Sequence[Input],
    ) -> Sequence[SetAttribution]:
        """The attributions in some images for each target."""
        parts, positions = [], positions_of(read)
        layers = [one.check(classifier) for one in items]
        names = list(dict.fromkeys(layer.name for layer in layers))
        # A copy of the pixels is not needed: the graph begins at the first of the layers.
        with torch.inference_mode(False), torch.enable_grad(), hooks.activations(classifier, names) as taken:
            logits = classifier.module(images.pixels)
            shares = classifier.linked(logits.detach().float())
            known_shares.note(classifier, read, shares.cpu().numpy())
            probability, predicted = shares.max(dim=1)
            own = context.at(positions, logits.detach().float().cpu().numpy())
            for place, (target, layer) in enumerate(zip(items, layers, strict=True)):
                positive, negative = _classes(target, logits.detach(), own)
                # Rows without a target are computed with any class, and left out below.
                given = zip(positive.clip(min=0).tolist(), negative.tolist(), strict=True)
                targets = [Target(one, None if other in (-1, one) else other) for one, other in given]
                score = scores(logits, targets)
                more = place + 1 < len(items)
                (slope,) = torch.autograd.grad(
                    score.sum(), taken[layer.name], retain_graph=more, allow_unused=True, materialize_grads=True
                )
                found = {
                    "positions": positions,
                    "positive": positive,
                    "negative": negative,
                    "predicted": predicted.cpu().numpy().astype(np.int32),
                    "probability": probability.cpu().numpy(),
                    "scores": score.detach().float().cpu().numpy(),
                    "values": summed(taken[layer.name].detach() * slope, layer).float().cpu().numpy(),
                }
                parts.append(_kept(classifier, target, images.names, found))
        return parts

    def blank(self, classifier: Classifier, item: SetTarget, problems: tuple[Problem, ...] = ()) -> SetAttribution:
        """The attributions in no image."""
        whole, real = np.zeros(0, np.int32), np.zeros(0, np.float32)
        values = np.zeros((0, item.check(classifier).channels), np.float32)
        return SetAttribution(item, whole, whole, whole, whole, real, real, values, problems)

    def collecting(self, classifier: Classifier, items: Sequence[SetTarget], count: int) -> Collected[SetAttribution]:
        """The attributions as they come in. Raises `ValueError` where they would take more than 2 GB."""
        needed = 4 * count * sum(one.check(classifier).channels for one in items)
        if needed > LARGEST:
            raise ValueError(
                f"The channels of {count:,} images take {needed / 1e9:,.1f} GB; the limit is {LARGEST / 1e9:.0f} GB. "
                f"Choose at most {count * LARGEST // needed:,} images, or a layer of fewer channels."
            )
        return Collected([Growing(self.blank(classifier, one), count) for one in items])


def _classes(
    target: SetTarget, logits: Float[Tensor, "n classes"], labels: Int[np.ndarray, " n"]
) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"]]:
    """The class that is explained in each image (-1: it has none), and the one that it is set against (-1: none)."""
    if target.positive == "label":
        positive = labels
    elif target.positive == "predicted":
        positive = logits.argmax(dim=1).cpu().numpy().astype(np.int32)
    else:
        positive = np.full(len(labels), target.positive, np.int32)
    if target.negative == "next":
        others = logits.float().cpu().numpy().copy()
        others[np.arange(len(others)), positive.clip(min=0)] = -np.inf
        return positive, others.argmax(axis=1).astype(np.int32)
    return positive, np.full(len(labels), -1 if target.negative == "nothing" else target.negative, np.int32)


def _kept(
    classifier: Classifier,
    target: SetTarget,
    names: Sequence[str],
    found: dict[str, np.ndarray],
) -> SetAttribution:
    """The rows of the target; the others as problems."""
    finite = np.isfinite(found["values"]).all(axis=1) & np.isfinite(found["scores"])
    reasons = [
        (found["positive"] < 0, "It has no label among the classifier's classes, so there is no class to explain."),
        (found["positive"] == found["negative"], "The class explained in it is the one that it would be set against."),
        (~finite, f"{classifier.name} gave numbers that are not finite for it."),
    ]
    problems: tuple[Problem, ...] = ()
    keep = np.ones(len(names), bool)
    for left, reason in reasons:
        problems += tuple(Problem(names[int(row)], reason) for row in np.flatnonzero(left & keep))
        keep &= ~left
    return SetAttribution(target, **{name: found[name][keep] for name in _ROWS}, problems=problems)


@dataclass(frozen=True, eq=False)
class Summary(Fingerprinted):
    """Each channel's attribution over n images: mean, standard deviation, quartiles, and in how many it is decisive.

    `quartiles` are the values that 25, 50 and 75% of the images do not exceed. `supporting` and `opposing` are the
    shares of the images in which the channel is among the `top` that support, or oppose, the class most.
    """

    images: int
    top: int
    mean: Float[np.ndarray, " k"]
    deviation: Float[np.ndarray, " k"]
    quartiles: Float[np.ndarray, "3 k"]
    supporting: Float[np.ndarray, " k"]
    opposing: Float[np.ndarray, " k"]


def summary(found: SetAttribution, *, top: int = 5) -> Summary:
    """What the images have in common. Raises `ValueError` where there is none, or for a `top` below 1."""
    if not len(found):
        raise ValueError("There are no images to sum up: give at least one.")
    values = found.values
    return Summary(
        len(values),
        top,
        values.mean(axis=0),
        values.std(axis=0),
        np.quantile(values, (0.25, 0.5, 0.75), axis=0).astype(np.float32),
        among(values, top).mean(axis=0, dtype=np.float32),
        among(-values, top).mean(axis=0, dtype=np.float32),
    )


def among(values: Float[np.ndarray, "n k"], top: int) -> Bool[np.ndarray, "n k"]:
    """Which channels are among each image's `top` largest values, as far as these are positive.

    Of equal values the lower channels count first. Raises `ValueError` for a `top` below 1.
    """
    if top < 1:
        raise ValueError(f"The top {top} channels do not exist: give a number of at least 1.")
    first = np.argsort(-values, axis=1, kind="stable")[:, :top]
    found = np.zeros(values.shape, bool)
    np.put_along_axis(found, first, True, axis=1)
    return found & (values > 0)
