"""Running the network from a layer on, so that a variant of an activation costs no more than what follows the layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp.batches import batched
from interp.models import hooks
from interp.passes import heads, splitting
from interp.passes.rest import Rest, equal, tried, without_gradients
from interp.passes.target_score import FORWARD, TargetScore
from interp.types import Classifier, Target, scores

T = TypeVar("T")

NUMBERS = 2**21
"""How many numbers the variants of one batch hold, where as many variants as images in a batch hold fewer: 8 MB."""

FEW = 8
"""The last linear layer is cut down to the classes asked for where there are so many times more."""

_SHARES: WeakKeyDictionary[Classifier, dict[str, float]] = WeakKeyDictionary()


def variant_cost(classifier: Classifier, layer: str) -> float:
    """What a variant costs, in units of one forward and one backward pass: the rest of a forward pass.

    The rest is the share of the multiplications that depend on the layer: each weight counts as often as its operation
    has positions, as far as `classifier.layers` lists them. Attention's products of activations are not counted. A
    network that torch.fx cannot follow runs whole, and so does one whose rest has failed its trial. Costs no pass.
    """
    shares = _SHARES.setdefault(classifier, {})
    if layer not in shares:
        shares[layer] = splitting.share_after(classifier, layer)
    return FORWARD * shares[layer]


def start_cost(classifier: Classifier, layer: str) -> float:
    """What `Resumed` costs before the first variant: the images up to the layer, and the trial of the rest."""
    variant = variant_cost(classifier, layer)
    return FORWARD if variant == FORWARD else FORWARD - variant + 2 * (FORWARD + variant)


class Resumed:
    """The images of a target score, run up to a layer once; from there on the network can be run on variants.

        resumed = Resumed(target_score, "layer3")
        without = resumed.activations[:1].clone()
        without[:, 7] = 0
        score = resumed.scores(without, torch.tensor([0]))

    `activations` is what the layer gave for each image: (n, k, u, v), of a token layer (n, t, k), of a flat one (n, k).
    A variant has that shape without the n, and may hold anything. What later operations need besides it (the other
    ends of skip connections, parallel branches) is kept from the first run, so that only operations that depend on the
    layer run again. Where a module runs several times, its last run counts.

    `whole` says that this is impossible, since torch.fx cannot follow the network, or since the rest of it, tried on
    two variants, did not give the logits of a full pass with the layer's output replaced. Each variant then costs such
    a full pass: slower, with the same result.

    Safe from any thread: passes hold the classifier's lock, and only for their own duration. Raises `ValueError` for a
    layer that the classifier does not have. `start_cost` and `variant_cost` say what it all costs.
    """

    def __init__(self, target_score: TargetScore, layer: str) -> None:
        hooks.submodule(target_score.classifier, layer)
        self.target_score = target_score
        self.layer = layer
        self._rest: Rest | None = None
        self._narrow: dict[tuple[int, ...], Rest | None] = {}
        split = splitting.split(target_score.classifier, layer)
        if split is not None:
            self._resume(split)
        if self._rest is None:
            _SHARES.setdefault(target_score.classifier, {})[layer] = 1.0
            self._run_whole()

    @property
    def whole(self) -> bool:
        """Whether each variant runs through the whole network, since that could not be resumed at the layer."""
        return self._rest is None

    @property
    def batch_size(self) -> int:
        """How many variants to run at once: as many as images, and more where they are small."""
        if self.whole:
            return self.target_score.forward_batch_size
        return min(256, max(self.target_score.forward_batch_size, NUMBERS // max(1, self.activations[0].numel())))

    def logits(self, variants: Float[Tensor, "m ..."], rows: Int[Tensor, " m"]) -> Float[Tensor, "m k"]:
        """The logits where the variants stand in the place of what the layer gave for the images of these rows.

        `variants` are not changed. Raises `ValueError` where their shape is not the layer's.
        """
        self._require_shape(variants)
        with self.target_score.classifier.lock, without_gradients():
            if self._rest is None:
                return self._replaced(variants, rows)
            return self._rest.logits(variants, rows)

    def scores(self, variants: Float[Tensor, "m ..."], rows: Int[Tensor, " m"]) -> Float[Tensor, " m"]:
        """The scores of the rows' targets with the variants in place: logits, or differences of two.

        Of the last linear layer only the targets' classes are computed, where that is known to give the same.
        Raises `ValueError` with the image's name for a score that is not finite.
        """
        self._require_shape(variants)
        which = rows.tolist()
        targets = [self.target_score.targets[row] for row in which]
        asked = {one for target in targets for one in (target.positive, target.negative) if one is not None}
        classes = tuple(sorted(asked))
        rest = self._of_some_classes(classes, variants, rows)
        if rest is None:
            logits = self.logits(variants, rows)
        else:
            with self.target_score.classifier.lock, without_gradients():
                logits = rest.logits(variants, rows)
            place = {None: None} | {one: number for number, one in enumerate(classes)}
            targets = [Target(classes.index(one.positive), place[one.negative]) for one in targets]
        score = scores(logits, targets)
        self.target_score._require_finite(score, which, "score")
        return score

    def _of_some_classes(self, classes: tuple[int, ...], variants: Tensor, rows: Tensor) -> Rest | None:
        """The rest of the network for a few of the classes, where it gives the first variant the logits that all do."""
        rest = self._rest
        if rest is None or not len(variants) or FEW * len(classes) > len(self.target_score.classifier.labels):
            return None
        if classes not in self._narrow:
            after = tried(lambda: heads.for_classes(rest.after, classes))
            narrow = None if after is None else replace(rest, after=after)
            with self.target_score.classifier.lock, without_gradients():
                expected = rest.logits(variants[:1], rows[:1])[:, list(classes)]
                found = None if narrow is None else tried(lambda: narrow.logits(variants[:1], rows[:1]))
            agrees = found is not None and found.shape == expected.shape and equal(found, expected)
            self._narrow[classes] = narrow if agrees else None
        return self._narrow[classes]

    def _require_shape(self, variants: Tensor) -> None:
        if variants.shape[1:] != self.activations.shape[1:]:
            given, right = (" × ".join(map(str, one.shape[1:])) for one in (variants, self.activations))
            raise ValueError(f"The variants have the shape {given}, and layer {self.layer!r} gives {right}.")

    def _resume(self, split: splitting.Split) -> None:
        """Run the images up to the layer, and keep the rest of the network where that gives what a full pass gives."""
        normalize = self.target_score.classifier.module.get_submodule("normalize")
        parts = list(self._passes(lambda pixels: tried(lambda: split.before.forward(normalize(pixels)))))
        by_image = (True, *split.by_image)
        values = tried(lambda: [_joined(*one) for one in zip(by_image, zip(*parts, strict=True), strict=True)])
        if values is None or not isinstance(values[0], Tensor):
            return
        self.activations, self._runs = values[0], split.runs
        self._rest = Rest.tried(split, values[1:], len(self.activations), self._agrees)

    def _agrees(self, run: Callable[[Tensor, Tensor], Tensor]) -> bool:
        """Whether running the rest gives a full pass's logits for the first image's activation, and for half of it.

        Their number differs from that of the images run before, so that a rest that has taken up the latter fails.
        """
        images = min(len(self.activations), self.target_score.batch_size)
        shares = torch.tensor([1.0, 0.5] if images != 2 else [1.0, 0.5, 0.0]).to(self.activations)
        variants = self.activations[:1] * shares.view(-1, *[1] * (self.activations.ndim - 1))
        rows = torch.zeros(len(variants), dtype=torch.long)
        with self.target_score.classifier.lock, without_gradients():
            expected, found = self._replaced(variants, rows), tried(lambda: run(variants, rows))
        return found is not None and found.shape == expected.shape and equal(found, expected)

    def _run_whole(self) -> None:
        """Run the images through the whole network, and take what the layer gives."""
        outputs: list[Tensor] = []

        def take(output: Tensor) -> Tensor:
            outputs.append(output.clone())
            return output

        def run(pixels: Tensor) -> Tensor:
            outputs.clear()
            with hooks.replaced(self.target_score.classifier, self.layer, take):
                self.target_score.classifier.module(pixels)
            return outputs[-1]

        self.activations = torch.cat(list(self._passes(run)))
        self._runs = len(outputs)

    def _passes(self, run: Callable[[Tensor], T]) -> Iterator[T]:
        pixels = self.target_score.images.pixels

        def locked(part: slice) -> T:
            with self.target_score.classifier.lock, without_gradients():
                return run(pixels[part])

        return batched(locked, len(pixels), size=self.target_score.batch_size, what=f"up to {self.layer}")

    def _replaced(self, variants: Tensor, rows: Tensor) -> Tensor:
        """A full pass of the rows' images, with the variants in the place of the layer's last output."""
        numbers = count(1)

        def place(output: Tensor) -> Tensor:
            # What follows may work in place, and the variants are the caller's.
            return variants.clone() if next(numbers) == self._runs else output

        with hooks.replaced(self.target_score.classifier, self.layer, place):
            return self.target_score.classifier.module(self.target_score.images.pixels[rows])


def _joined(by_image: bool, values: tuple[Any, ...]) -> Any:
    """One kept value of all images, from those of the batches. Raises `ValueError` where it cannot be joined."""
    if not by_image or len(values) == 1:
        return values[0]
    if all(isinstance(value, Tensor) for value in values):
        return torch.cat(values)
    if any(value != values[0] for value in values):
        raise ValueError("The batches keep different values.")
    return values[0]
