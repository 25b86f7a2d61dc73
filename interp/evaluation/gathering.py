"""Everything that a verdict rests on, measured for the maps of one method and handed out as it comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from jaxtyping import Bool, Float
from torch import Tensor

from interp.attribution import Method
from interp.attribution.comparison import Targets
from interp.evaluation.faithfulness import Curve, deletion, insertion, moved
from interp.evaluation.invariance import shift_invariance
from interp.evaluation.localization import pointing
from interp.evaluation.randomization import cascading_randomization
from interp.evaluation.verdict import ORDERS, Evidence
from interp.types import Classifier, Heatmaps, Images, Target

STEPS = 20
"""Of each curve: fewer than are drawn, as twelve curves are needed and only their areas count."""


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
) -> Iterator[tuple[Evidence, ...]]:
    """What can be measured of a method's maps, one `Evidence` for each image, again and again with more filled in.

    In this order: the residual and the pointing game, which cost nothing; deletion and insertion with `orders` moved
    copies of each map as controls, (1 + orders) · (steps + 1) forward passes each; the shift, which costs one map;
    and randomization, which costs a map for each of its stages, up to 12, of which the last counts whose map is not
    constant.
    Raises `ValueError` as `deletion`, `pointing` and `attribute` do.
    """
    resolved = classifier.targets(targets, len(images))
    method.check(classifier)
    found = tuple(Evidence() for _ in range(len(images)))
    residual = relative_residual(heatmaps)
    if residual is not None:
        found = _with(found, "residual", residual.tolist())
    if annotations is not None:
        hits = pointing(heatmaps, annotations)
        outcomes = zip(hits.hit.tolist(), hits.counted.tolist(), strict=True)
        found = _with(found, "pointing", [hit if counted else None for hit, counted in outcomes])
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
    found: tuple[Evidence, ...],
    steps: int,
    orders: int,
    seed: int,
) -> Iterator[tuple[Evidence, ...]]:
    yield found
    controls = [moved(images, heatmaps, seed=seed + order) for order in range(orders)]

    def curves(curve: Callable[..., Curve]) -> list[Curve]:
        # One after the other, and each reports its own progress.
        return [curve(classifier, images, targets, maps, steps=steps, seed=seed) for maps in (heatmaps, *controls)]

    removed, *control = curves(deletion)
    found = _with(found, "probability", removed.values[:, 0].tolist())
    found = _with(_with(found, "deletion", removed.area.tolist()), "deletion_control", _by_image(control, len(images)))
    yield found
    inserted, *control = curves(insertion)
    found = _with(found, "insertion", inserted.area.tolist())
    found = _with(found, "insertion_control", _by_image(control, len(images)))
    yield found
    shifted = shift_invariance(classifier, images, targets, method, heatmaps=heatmaps)
    found = _with(found, "shift", shifted.difference.tolist())
    found = _with(found, "shift_control", shifted.redrawn.tolist())
    yield found
    last: list[float | None] = [None] * len(images)
    highest = list(last)
    for stage in cascading_randomization(classifier, images, targets, method, heatmaps=heatmaps, seed=seed):
        for row, correlation in enumerate(stage.spearman.tolist()):
            if not stage.blank[row]:
                before = highest[row]
                last[row] = correlation
                highest[row] = correlation if before is None else max(before, correlation)
    yield _with(_with(found, "randomization", last), "randomization_highest", highest)


def _with(found: tuple[Evidence, ...], field: str, values: Sequence[object]) -> tuple[Evidence, ...]:
    return tuple(replace(one, **{field: value}) for one, value in zip(found, values, strict=True))


def _by_image(curves: Sequence[Curve], count: int) -> list[tuple[float, ...]]:
    """The areas of several curves, for each image."""
    areas = [curve.area.tolist() for curve in curves]
    return [tuple(of_curve[row] for of_curve in areas) for row in range(count)]
