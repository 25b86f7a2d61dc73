"""Concept relevance propagation: what of a class's relevance goes through one unit, and where that comes from."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.graph import GradientEdge, get_gradient_edge

from interp.attribution.lrp import Composite, Lrp
from interp.batches import batched
from interp.models import hooks
from interp.passes.grids import on_grid
from interp.passes.target_score import TargetScore
from interp.types import Classifier, Heatmaps, Images, Layer, Targets, scores
from interp.units.as_target import require_unit

DEFAULT: Composite = "epsilon-plus-flat"


def conditioned(
    classifier: Classifier,
    images: Images,
    targets: Targets,
    layer: str,
    unit: int | Sequence[int],
    *,
    composite: Composite = DEFAULT,
) -> Heatmaps:
    """The relevance of a class that goes through a unit of a layer, or through a set of units, at the pixels.

    Concept relevance propagation (Achtibat et al. 2023), conditioned on {layer: unit, output: class}: the score is
    handed down to the layer by the rules of `Lrp` with this `composite`, all channels but the unit's are set to zero
    there, and the rest is handed on to the pixels. Given the activations, every composite is linear in relevance: the
    maps of all units add up to the map of what goes through the layer, which is that of `Lrp` where nothing bypasses
    it. What does, as a skip connection past the layer, is in none of the maps. Of tokens the channel counts in all,
    the class token too. `unit` may be several, whose map is the sum of theirs.

    `residual` is the map's sum minus the relevance of the unit: what biases below the layer take. `passes` is the cost
    of `Lrp`. Safe from any thread: passes hold the classifier's lock.
    Raises `ValueError` for a layer or a unit that does not exist, for a layer that no relevance goes through (a
    convolution before a batch normalization is merged with it), and as `attribution.attribute` does.
    """
    start = time.perf_counter()
    question = _Question.of(classifier, images, targets, layer, composite)
    units = _units(unit, question.layer, classifier)
    shape = [-1 if axis == question.layer.channel_axis else 1 for axis in range(_dimensions(question.layer))]

    def run(part: slice) -> tuple[Tensor, Tensor]:
        with classifier.lock, torch.inference_mode(False), torch.enable_grad():
            pass_ = question.down_to_layer(torch.arange(len(images))[part])
            mask = torch.zeros(question.layer.channels, device=classifier.device)
            mask[units] = 1
            through = pass_.relevance * mask.view(shape)
            (found,) = torch.autograd.grad([pass_.edge], [pass_.leaf], [through])
        question.require_finite(found, part)
        return found.sum(dim=1), through.flatten(1).sum(dim=1)

    parts = list(batched(run, len(images), size=question.target_score.batch_size, what="Conditioned relevance"))
    values, through = (torch.cat(one) for one in zip(*parts, strict=True))
    return Heatmaps(
        values,
        signed=True,
        targets=question.target_score.targets,
        residual=values.sum(dim=(1, 2)) - through,
        passes=Lrp(composite).cost(classifier),
        seconds=time.perf_counter() - start,
    )


def relevance_of_units(
    classifier: Classifier, images: Images, targets: Targets, layer: str, *, composite: Composite = DEFAULT
) -> Float[Tensor, "n k"]:
    """The relevance of each unit of a layer for a class, summed over positions: signed, in logits.

    What relevance maximization ranks images by (Achtibat et al. 2023), in place of activation maximization: how much
    the class owes to the unit, not how strong the unit is. Of tokens all count, the class token too. Costs a pass that
    ends at the layer. Raises `ValueError` as `conditioned` does.
    """
    question = _Question.of(classifier, images, targets, layer, composite)

    def run(part: slice) -> Tensor:
        with classifier.lock, torch.inference_mode(False), torch.enable_grad():
            found = question.down_to_layer(torch.arange(len(images))[part]).relevance
        question.require_finite(found, part)
        return found.movedim(question.layer.channel_axis, 1).flatten(2).sum(dim=2) if found.ndim > 2 else found

    parts = batched(run, len(images), size=question.target_score.batch_size, what="Relevance of units")
    return torch.cat(list(parts))


def strongest_relevance(
    classifier: Classifier, images: Images, targets: Targets, layer: str, *, composite: Composite = DEFAULT
) -> tuple[Float[Tensor, "n k"], Int[Tensor, "n k 2"]]:
    """As `relevance_of_units`, and the row and column where each unit's relevance is largest in each image."""
    question = _Question.of(classifier, images, targets, layer, composite)
    axis = question.layer.channel_axis

    def run(part: slice) -> tuple[Tensor, Tensor]:
        with classifier.lock, torch.inference_mode(False), torch.enable_grad():
            found = question.down_to_layer(torch.arange(len(images))[part]).relevance
        question.require_finite(found, part)
        maps = on_grid(found, question.layer)
        at = maps.flatten(2).argmax(dim=2)
        where = torch.stack([at // maps.shape[3], at % maps.shape[3]], dim=2)
        return found.movedim(axis, 1).flatten(2).sum(dim=2) if found.ndim > 2 else found, where

    parts = list(batched(run, len(images), size=question.target_score.batch_size, what="Relevance of units"))
    sums, where = (torch.cat(one) for one in zip(*parts, strict=True))
    return sums, where


@dataclass(frozen=True, eq=False)
class _Pass:
    """A forward pass under the rules: normalized pixels, the place of the layer in the graph, and its relevance."""

    leaf: Float[Tensor, "n c h w"]
    edge: GradientEdge
    relevance: Tensor


@dataclass(frozen=True, eq=False)
class _Question:
    target_score: TargetScore
    layer: Layer
    method: Lrp

    @classmethod
    def of(
        cls, classifier: Classifier, images: Images, targets: Targets, layer: str, composite: Composite
    ) -> _Question:
        found, method = classifier.layer(layer), Lrp(composite)
        target_score = TargetScore.of(classifier, images, targets)
        method.check(classifier)
        return cls(target_score, found, method)

    def down_to_layer(self, rows: Int[Tensor, " m"]) -> _Pass:
        """The relevance that the layer's output has, in the last run of its module; the lock is held by the caller."""
        classifier, which = self.target_score.classifier, rows.tolist()
        edges: list[GradientEdge | None] = []

        def mark(output: Tensor) -> None:
            # The place in the graph, not the tensor, which what follows may write over.
            edges.append(get_gradient_edge(output) if output.requires_grad else None)

        normalize = classifier.module.get_submodule("normalize")
        leaf = normalize(self.target_score.images.pixels[rows].detach().clone()).detach().requires_grad_()
        with hooks.observed(classifier, {self.layer.name: mark}), self.method.propagation(classifier):
            # A copy, for the network may write over what it is given.
            logits = classifier.module.get_submodule("network")(leaf.clone())
        score = scores(logits, [self.target_score.targets[row] for row in which])
        self.target_score._require_finite(score.detach(), which, "score")
        (edge,) = edges[-1:] or [None]
        relevance = None
        if edge is not None and score.requires_grad:
            (slope,) = torch.autograd.grad(score.sum(), logits, retain_graph=True)
            (relevance,) = torch.autograd.grad(
                logits, [edge], slope * logits.detach(), retain_graph=True, allow_unused=True
            )
        if edge is None or relevance is None:
            raise ValueError(
                f"No relevance goes through what {self.layer.name!r} gives in {classifier.name}: a batch normalization "
                "that follows is merged into it, or the scores do not depend on it. Choose a layer behind it."
            )
        return _Pass(leaf, edge, relevance)

    def require_finite(self, values: Tensor, part: slice) -> None:
        rows = range(len(self.target_score.images))[part]
        self.target_score._require_finite(values, list(rows), "relevance")


def _dimensions(layer: Layer) -> int:
    return {"spatial": 4, "channels_last": 4, "tokens": 3, "flat": 2}[layer.kind]


def _units(unit: int | np.integer | Sequence[int], layer: Layer, classifier: Classifier) -> list[int]:
    units = list(dict.fromkeys([int(unit)] if isinstance(unit, int | np.integer) else unit))
    if not units:
        raise ValueError("No unit was given: the relevance goes through at least one.")
    for one in units:
        require_unit(one, layer.channels, f"layer {layer.name!r} of {classifier.name}")
    return units
