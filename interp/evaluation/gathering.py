"""Everything that a verdict rests on, measured for the maps of one method and handed out as it comes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from jaxtyping import Bool, Float
from torch import Tensor

from interp.attribution import Method
from interp.evaluation.faithfulness import Curve, CurveKind, curves, moved
from interp.evaluation.invariance import ShiftInvariance, shift_invariance
from interp.evaluation.localization import overlap, pointing
from interp.evaluation.randomization import cascading_randomization
from interp.evaluation.similarity import constant
from interp.evaluation.verdict import HALF, ORDERS, Evidence
from interp.types import Classifier, Heatmaps, Images, Target, Targets

STEPS = 20
"""Of each curve: fewer than are drawn, as twelve curves are needed and only their areas count."""

KINDS: tuple[CurveKind, ...] = ("Deletion", "Insertion")

Measured = tuple[Evidence, ...]
"""What is known of one method's maps so far, for each image."""


def evidence(
    classifier: Classifier,
    images: Images,
    targets: Targets,
    method: Method,
    heatmaps: Heatmaps,
    *,
    annotations: Bool[Tensor, "n h w"] | None = None,
    steps: int = STEPS,
    orders: int = ORDERS,
    seed: int = 0,
) -> Iterator[Measured]:
    """What can be measured of a method's maps, one `Evidence` for each image, again and again with more filled in.

    In this order: the residual and the annotation, which cost nothing; deletion and insertion with `orders` moved
    copies of each map as controls, 2 + (1 + orders) · (steps − 1) forward passes each; the shift, which costs one map;
    and randomization, which costs a map for each of its stages, up to 12.
    Raises `ValueError` as `deletion`, `pointing` and `attribute` do.
    """
    resolved = classifier.targets(targets, len(images))
    method.check(classifier)
    found = without_passes(heatmaps, annotations)
    return _measured(classifier, images, resolved, method, heatmaps, found, steps, orders, seed)


def relative_residual(heatmaps: Heatmaps) -> Float[Tensor, " n"] | None:
    """How far each map's sum is from what the method promises, as a share of what it promises; None for no promise.

    Against at least one logit, since a promise near zero would make a large share of any rounding.
    """
    if heatmaps.residual is None:
        return None
    residual = heatmaps.residual.detach().cpu()
    promised = heatmaps.values.detach().cpu().sum(dim=(1, 2)) - residual
    return residual.abs() / promised.abs().clamp(min=1)


def _measured(
    classifier: Classifier,
    images: Images,
    targets: tuple[Target, ...],
    method: Method,
    heatmaps: Heatmaps,
    found: Measured,
    steps: int,
    orders: int,
    seed: int,
) -> Iterator[Measured]:
    yield found
    for kind in KINDS:
        found = with_curves(kind, classifier, images, targets, heatmaps, found, steps=steps, orders=orders, seed=seed)
        yield found
    found = with_shift(found, shift_invariance(classifier, images, targets, method, heatmaps=heatmaps))
    yield found
    for stage in cascading_randomization(classifier, images, targets, method, heatmaps=heatmaps, seed=seed):
        found = with_stage(found, stage.spearman, constant(heatmaps.values), stage.share)
    yield found


def without_passes(heatmaps: Heatmaps, annotations: Bool[Tensor, "n h w"] | None) -> Measured:
    """What can be said of each map before anything runs: the residual, and how it lies to the annotation.

    Raises `ValueError` as `pointing` does.
    """
    found = tuple(Evidence() for _ in range(len(heatmaps)))
    residual = relative_residual(heatmaps)
    if residual is not None:
        found = _with(found, "residual", residual.tolist())
    if annotations is None:
        return found
    hits, alike = pointing(heatmaps, annotations), overlap(heatmaps, annotations)
    for field, values, counted in (
        ("pointing", hits.hit, hits.counted),
        ("overlap", alike.iou, alike.counted),
    ):
        found = _with(found, field, [value if counts else None for value, counts in _pairs(values, counted)])
    return _with(found, "overlap_chance", alike.chance.tolist())


def with_curves(
    kind: CurveKind,
    classifier: Classifier,
    images: Images,
    targets: Targets,
    heatmaps: Heatmaps,
    found: Measured,
    *,
    steps: int,
    orders: int,
    seed: int,
) -> Measured:
    """The evidence, and the area of one curve beside those of the same maps moved elsewhere."""
    controls = [moved(images, heatmaps, seed=seed + order) for order in range(orders)]
    own, *others = curves(kind, classifier, images, targets, [heatmaps, *controls], steps=steps, seed=seed)
    if kind == "Deletion":
        found = _with(found, "probability", own.values[:, 0].tolist())
    found = _with(found, kind.lower(), own.area.tolist())
    return _with(found, f"{kind.lower()}_control", _by_image(others, len(images)))


def with_shift(found: Measured, shift: ShiftInvariance) -> Measured:
    """The evidence, and how far the maps change under a constant shift."""
    return _with(_with(found, "shift", shift.difference.tolist()), "shift_control", shift.redrawn.tolist())


def with_stage(found: Measured, correlation: Float[Tensor, " n"], blank: Bool[Tensor, " n"], share: float) -> Measured:
    """The evidence, and how the maps correlate after one more stage of randomization; nothing where `blank`.

    Blank are maps that were constant before anything was forgotten. One that becomes constant has changed, and counts
    with the 0 that `spearman` gives it. Stages count when more than half of them are done (`verdict.HALF` says why).
    """
    if share <= HALF:
        return found

    def after(one: Evidence, value: float, nothing: bool) -> Evidence:
        if nothing:
            return one
        before = one.randomization_highest
        return replace(one, randomization=value, randomization_highest=value if before is None else max(before, value))

    return tuple(after(one, *pair) for one, pair in zip(found, _pairs(correlation, blank), strict=True))


def _pairs(values: Tensor, others: Tensor) -> zip[tuple[Any, Any]]:
    return zip(values.tolist(), others.tolist(), strict=True)


def _with(found: Measured, field: str, values: Sequence[object]) -> Measured:
    return tuple(replace(one, **{field: value}) for one, value in zip(found, values, strict=True))


def _by_image(curves: Sequence[Curve], count: int) -> list[tuple[float, ...]]:
    """The areas of several curves, for each image."""
    areas = [curve.area.tolist() for curve in curves]
    return [tuple(of_curve[row] for of_curve in areas) for row in range(count)]
