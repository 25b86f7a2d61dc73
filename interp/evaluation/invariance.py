"""Constant vector shift: whether a network that computes the same function of shifted pictures gets the same map."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from interp.attribution import Method, attribute, compare
from interp.evaluation.similarity import spearman
from interp.types import Classifier, Heatmaps, Images, Targets

# Kindermans et al. 2017 let the first network see pictures in [0, 1] and the second one the same in [−1, 0].
SHIFT = -1.0
TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class ShiftInvariance:
    """How a method's map changes when pictures and network are shifted against each other, and the function stays.

    `spearman` is the rank correlation of the two maps' values, 1 for an invariant method. `difference` is
    Σ|S − S′| / (Σ|S| + Σ|S′|), from 0 (the same) to 1 (nothing in common, or the opposite); two zero maps give 0.
    `redrawn` is the same difference between the method's maps with two seeds, without any shift: as much of
    `difference` is due to random numbers, which are drawn anew for shifted pixels; 0 for methods that draw none.
    `logits` is the largest difference between the two networks' logits, which rounding alone makes.
    """

    heatmaps: Heatmaps
    shifted: Heatmaps
    spearman: Float[Tensor, " n"]
    difference: Float[Tensor, " n"]
    redrawn: Float[Tensor, " n"]
    logits: float


@dataclass(frozen=True, eq=False)
class Shifted:
    """A classifier that computes the same of the shifted pictures, the pictures, and how far its logits differ."""

    classifier: Classifier
    images: Images
    logits: float


def shift_invariance(
    classifier: Classifier,
    images: Images,
    targets: Targets,
    method: Method,
    *,
    heatmaps: Heatmaps | None = None,
    shift: float | int = SHIFT,
) -> ShiftInvariance:
    """The method's maps of the classifier, and of one that sees x + s and computes the same function.

    Kindermans et al. 2017, The (un)reliability of saliency methods: a map that differs between the two shows the
    encoding of the picture too, and not only the function. Methods with a fixed baseline, such as black, differ by
    construction: which colour is black depends on the encoding. `shift` is s, in units of brightness, the same for
    all colours. `heatmaps` are the classifier's own, if known. Costs one map, two for methods that draw random numbers.
    Raises `ValueError` as `attribute` does, and where the two networks' logits differ by more than 1e-3.
    """
    moved = shifted(classifier, images, shift)
    first = attribute(classifier, images, targets, method) if heatmaps is None else heatmaps
    return shift_invariances(classifier, images, targets, {method: first}, moved)[method]


def shifted(classifier: Classifier, images: Images, shift: float | int = SHIFT) -> Shifted:
    """The pictures x + s, and the classifier that computes of them what the given one computes of x.

    Raises `ValueError` where the two networks' logits differ by more than 1e-3.
    """
    second = shifted_classifier(classifier, shift)
    moved = Images(images.pixels + shift, images.names)
    gap = float((classifier.logits(images) - second.logits(moved)).abs().max())
    # Written so that a gap that is not a number is refused too.
    if not gap <= TOLERANCE:
        raise ValueError(
            f"Shifted by {shift}, {classifier.name} gives logits that differ by {gap:.2g}: more than the {TOLERANCE} "
            "that rounding explains. Take a smaller shift."
        )
    return Shifted(second, moved, gap)


def shifts(
    classifier: Classifier, images: Images, targets: Targets, results: Sequence[tuple[Method, Heatmaps]]
) -> tuple[ShiftInvariance, ...]:
    """`shift_invariance` of the maps of many methods, in their order; methods share passes where they can.

    Raises `ValueError` as `shift_invariance` does.
    """
    found = shift_invariances(classifier, images, targets, dict(results), shifted(classifier, images))
    return tuple(found[method] for method, _ in results)


def shift_invariances(
    classifier: Classifier, images: Images, targets: Targets, maps: Mapping[Method, Heatmaps], moved: Shifted
) -> dict[Method, ShiftInvariance]:
    """The same by method, with the shifted classifier given."""
    others = dict(compare(moved.classifier, moved.images, targets, list(maps)))
    redraws = {method: again for method in maps if (again := another_draw(method)) is not None}
    redrawn = dict(compare(classifier, images, targets, list(redraws.values()))) if redraws else {}

    def found(method: Method, first: Heatmaps) -> ShiftInvariance:
        again = redrawn[redraws[method]] if method in redraws else first
        alike = spearman(first.values, others[method].values)
        differences = _difference(first, others[method]), _difference(first, again)
        return ShiftInvariance(first, others[method], alike, *differences, moved.logits)

    return {method: found(method, first) for method, first in maps.items()}


def _difference(first: Heatmaps, second: Heatmaps) -> Float[Tensor, " n"]:
    ours, theirs = first.values.detach().cpu(), second.values.detach().cpu()
    total = (ours.abs() + theirs.abs()).sum(dim=(1, 2))
    return (ours - theirs).abs().sum(dim=(1, 2)) / torch.where(total > 0, total, 1.0)


def another_draw(method: Any) -> Any:
    """The method with another seed; None where it draws no random numbers."""
    # Methods with a baseline draw numbers for that of noise only.
    if not hasattr(method, "seed") or getattr(method, "baseline", "noise") != "noise":
        return None
    return replace(method, seed=method.seed + 1)


def shifted_classifier(classifier: Classifier, shift: float | int) -> Classifier:
    """A classifier that gives for x + s the logits that the given one gives for x, with its weights and its lock.

    Kindermans et al. put the shift into the bias of the first layer, b′ = b − W·s. Where that layer pads with zeros,
    the padding would have to be shifted too, and at the border the two functions would differ; so here s is
    subtracted before the normalization, which is exact everywhere and has the same gradient.
    """
    parts = OrderedDict(classifier.module.named_children())
    parts["normalize"] = nn.Sequential(Unshift(shift), parts["normalize"])
    # The class is kept, since a classifier in reduced precision has one of its own.
    module = type(classifier.module)(parts).eval()
    return replace(classifier, module=module, fingerprint=f"{classifier.fingerprint}-shifted-{float(shift)!r}")


class Unshift(nn.Module):
    """x − s, for every colour of every pixel."""

    def __init__(self, shift: float | int) -> None:
        super().__init__()
        self.shift = shift

    def forward(self, pixels: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """The pixels as the original network knows them."""
        return pixels - self.shift
