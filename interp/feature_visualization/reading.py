"""The passes of an optimization: the network up to the deepest layer that is read, and what is read there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from interp.batches import out_of_memory
from interp.feature_visualization.objective import LOGITS, PROBABILITIES, Evaluation, Objective, Term
from interp.models import hooks
from interp.passes.grids import on_grid
from interp.types import Classifier


class _Enough(Exception):
    """Every layer that was asked for has run: what follows is not needed."""


def prefix(classifier: Classifier, pixels: Tensor, runs: Mapping[str, int | None]) -> dict[str, Tensor]:
    """What the named layers give for these pixels, as the layers give it; `LOGITS` names the logits.

    `runs` says how often each layer runs in a pass, of which the last counts: the pass ends there. None lets it run
    to its end, and so do the logits. Raises `ValueError` for a layer that the classifier does not have.
    """
    names = [name for name in runs if name != LOGITS]
    left = {name: runs[name] for name in names}
    whole = LOGITS in runs or None in left.values()

    def ran(name: str, output: Tensor) -> None:
        left[name] = (left[name] or 0) - 1
        if not whole and not any(left.values()):
            raise _Enough

    # The takers come first, so that the last of them has taken when the pass ends.
    with (
        hooks.activations(classifier, names) as taken,
        hooks.observed(classifier, {name: partial(ran, name) for name in names}),
    ):
        try:
            logits = classifier.module(pixels)
        except _Enough:
            return taken
    return {**taken, LOGITS: logits} if LOGITS in runs else taken


def counted_runs(
    classifier: Classifier, names: Sequence[str], pixels: Float[Tensor, "1 c h w"]
) -> dict[str, int | None]:
    """How often each layer runs in a pass, found by one pass of a picture of the size in question.

    Raises `ValueError` where the network does not take pictures of this size.
    """
    counts = dict.fromkeys((name for name in names if name != LOGITS), 0)

    def ran(name: str, output: Tensor) -> None:
        counts[name] += 1

    try:
        with hooks.observed(classifier, {name: partial(ran, name) for name in counts}), torch.no_grad():
            classifier.module(pixels)
    except (RuntimeError, AssertionError, ValueError) as error:
        if isinstance(error, RuntimeError) and out_of_memory(error):
            raise
        # Small pictures may fail in later layers only, which are then not needed.
        if LOGITS in names or not all(counts.values()):
            height, width = classifier.input_size
            size = f"{pixels.shape[2]} × {pixels.shape[3]}"
            raise ValueError(
                f"{classifier.name} cannot be run on pictures of {size}: make them {height} × {width}, as it was "
                f"trained. ({str(error).splitlines()[0] if str(error) else type(error).__name__})"
            ) from None
    return {name: counts[name] if name != LOGITS else None for name in names}


class Reading:
    """Objectives of a batch of pictures, one for each, as one pass gives their values.

    Terms of one kind at one layer are evaluated in one operation, however many pictures have them. With `images`,
    every objective is read of each of so many pictures. Raises `ValueError` for objectives that the classifier does
    not have.
    """

    def __init__(
        self, classifier: Classifier, objectives: Sequence[Objective], copies: int = 1, *, images: int | None = None
    ) -> None:
        self.classifier = classifier
        self.count = len(objectives) * (images or 1)
        self._runs: dict[tuple[int, ...], dict[str, int | None]] = {}
        self._groups = [
            _Group.of(members, copies, images, classifier.device) for members in _alike(classifier, objectives)
        ]
        read = (LOGITS if group.name == PROBABILITIES else group.name for group in self._groups)
        self.names = tuple(dict.fromkeys(read))

    def values(self, pixels: Float[Tensor, "n c h w"]) -> Float[Tensor, " m"]:
        """The value of each picture's objective: a forward pass, which ends at the deepest layer needed.

        With `images` the values of one objective are side by side. Raises `ValueError` where the network does not take
        pictures of this size.
        """
        size = tuple(pixels.shape[2:])
        if size not in self._runs:
            self._runs[size] = counted_runs(self.classifier, self.names, pixels[:1].detach())
        given = prefix(self.classifier, pixels, self._runs[size])
        maps = {
            name: one.float() if name == LOGITS else on_grid(one, self.classifier.layer(name)).float()
            for name, one in given.items()
        }
        if LOGITS in maps:
            maps[PROBABILITIES] = self.classifier.linked(maps[LOGITS])
        total = pixels.new_zeros(self.count)
        for group in self._groups:
            total = total.index_add(0, group.places, group.weights * group.evaluate(maps[group.name]))
        return total


@dataclass(frozen=True, eq=False)
class _Group:
    """Terms that are evaluated together; `places` says which value each is a part of."""

    name: str
    places: Tensor
    weights: Tensor
    evaluate: Evaluation

    @classmethod
    def of(
        cls, members: Sequence[tuple[int, float, Term]], copies: int, images: int | None, device: torch.device
    ) -> _Group:
        places = torch.tensor([row for row, _, _ in members], device=device)
        rows, weights = places, torch.tensor([float(weight) for _, weight, _ in members], device=device)
        terms = [term for _, _, term in members]
        if images is not None:
            rows = torch.arange(images, device=device).repeat(len(terms))
            places = places.repeat_interleave(images) * images + rows
            weights = weights.repeat_interleave(images)
            terms = [term for term in terms for _ in range(images)]
        return cls(terms[0].reads, places, weights, type(terms[0]).together(terms, rows, copies))


def _alike(classifier: Classifier, objectives: Sequence[Objective]) -> list[list[tuple[int, float, Term]]]:
    """The terms of all objectives, with their rows and weights, those of one kind at one layer together."""
    groups: dict[tuple[type[Term], str, int], list[tuple[int, float, Term]]] = {}
    for row, objective in enumerate(objectives):
        seen: Counter[tuple[type[Term], str]] = Counter()
        for weight, term in objective.parts:
            term.check(classifier)
            kind = (type(term), term.reads)
            # The second term of a kind in one sum starts another group, in which each picture appears once.
            seen[kind] += 1
            groups.setdefault((*kind, seen[kind]), []).append((row, weight, term))
    return list(groups.values())
