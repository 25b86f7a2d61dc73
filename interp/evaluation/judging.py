"""Verdicts on the maps of many methods at once, which share what they can of the measuring."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from jaxtyping import Bool
from torch import Tensor

from interp import progress
from interp.attribution import Method, compare, planned_passes
from interp.evaluation.forgetting import MOST
from interp.evaluation.gathering import (
    KINDS,
    STEPS,
    Measured,
    with_curves,
    with_shift,
    with_stage,
    without_passes,
)
from interp.evaluation.invariance import Shifted, another_draw, shift_invariances, shifted
from interp.evaluation.randomization import Forgetful, forgetful
from interp.evaluation.similarity import constant, spearman
from interp.evaluation.verdict import ORDERS, Evidence, Verdict, verdict
from interp.passes.target_score import FORWARD
from interp.types import Classifier, Heatmaps, Images, Target, Targets

T = TypeVar("T")


@dataclass(frozen=True)
class JudgedMethod:
    """What was measured of a method's maps and what it comes to, for each image; no verdicts before all is measured."""

    title: str
    evidence: tuple[Evidence, ...]
    verdicts: tuple[Verdict, ...] = ()


Judgements = tuple[JudgedMethod, ...]


def judgements(
    classifier: Classifier,
    images: Images,
    targets: Targets,
    results: Sequence[tuple[Method, Heatmaps]],
    *,
    annotations: Bool[Tensor, "n h w"] | None = None,
    steps: int = STEPS,
    orders: int = ORDERS,
    seed: int = 0,
) -> Generator[Judgements, None, Judgements]:
    """What `evidence` finds of each method's maps, and the verdicts: all methods again and again, with more filled in.

    They come in the order given, and are measured cheap ones first. The shifted and the re-initialized classifiers are
    made once, methods that can be read off the same passes share them there, too, and curves begin and end once for
    each map's controls: `judging_passes` says what it costs. `annotations` that are empty say nothing of their image.
    What a method's maps cannot be measured by (a gradient that is not finite once layers are re-initialized) is
    remarked, and left out; the verdict is then unknown. A method named twice comes once. Between two results no lock
    is held and no hook is set.
    Raises `ValueError` as `evidence` does, for all methods and before the first pass.
    """
    resolved = classifier.targets(targets, len(images))
    maps = dict(results)
    for method in maps:
        method.check(classifier)
    found = {method: without_passes(heatmaps, annotations) for method, heatmaps in maps.items()}
    return _judged(classifier, images, resolved, maps, found, steps, orders, seed)


def judging_passes(
    classifier: Classifier, methods: Sequence[Method], *, steps: int = STEPS, orders: int = ORDERS
) -> float:
    """The most forward and backward passes that `judgements` takes for one image, a forward pass alone counted 1/3.

    Fewer where the classifier has less than 12 stages to forget.
    """
    distinct = list(dict.fromkeys(methods))
    redraws = [again for method in distinct if (again := another_draw(method)) is not None]
    of_curves = len(distinct) * len(KINDS) * (2 + (1 + orders) * (steps - 1)) * FORWARD
    of_maps = (1 + MOST) * planned_passes(classifier, distinct) + planned_passes(classifier, redraws)
    # Two forward passes compare the logits of the shifted classifier.
    return of_curves + of_maps + MOST * (1 + FORWARD) + 2 * FORWARD


def _judged(
    classifier: Classifier,
    images: Images,
    targets: tuple[Target, ...],
    maps: Mapping[Method, Heatmaps],
    found: dict[Method, Measured],
    steps: int,
    orders: int,
    seed: int,
) -> Generator[Judgements, None, Judgements]:
    verdicts: dict[Method, tuple[Verdict, ...]] = {}

    def state() -> Judgements:
        return tuple(JudgedMethod(method.title, found[method], verdicts.get(method, ())) for method in maps)

    yield state()
    forgotten = _noted(lambda: list(forgetful(classifier, images, targets, what="Re-initialized layers", seed=seed)))
    moved = _noted(lambda: shifted(classifier, images))
    yield state()
    for group in _groups(classifier, list(maps)):
        own = {method: maps[method] for method in group}
        for _ in _shifted_and_forgotten(classifier, images, targets, own, found, moved, forgotten or []):
            yield state()
        for method in group:
            for kind in KINDS:
                found[method] = with_curves(
                    kind,
                    classifier,
                    images,
                    targets,
                    maps[method],
                    found[method],
                    steps=steps,
                    orders=orders,
                    seed=seed,
                )
                if kind == KINDS[-1]:
                    verdicts[method] = tuple(verdict(one) for one in found[method])
                yield state()
    return state()


def _shifted_and_forgotten(
    classifier: Classifier,
    images: Images,
    targets: tuple[Target, ...],
    maps: Mapping[Method, Heatmaps],
    found: dict[Method, Measured],
    moved: Shifted | None,
    forgotten: Sequence[Forgetful],
) -> Generator[None, None, None]:
    """Fill in what is found of methods that share their passes; ends early where they cannot be measured."""
    if moved is not None:
        shifts = _noted(lambda: shift_invariances(classifier, images, targets, maps, moved))
        for method, shift in (shifts or {}).items():
            found[method] = with_shift(found[method], shift)
        yield
    # Only a cascade that has come to its end counts: the last of its stages is what the verdict asks for.
    unfinished = {method: found[method] for method in maps}
    for stage in forgotten:
        again = _noted(lambda stage=stage: dict(compare(stage.classifier, images, stage.targets, list(maps))))
        if again is None:
            return
        for method, heatmaps in maps.items():
            values, other = heatmaps.values.abs(), again[method].values.abs()
            blank = constant(heatmaps.values)
            unfinished[method] = with_stage(unfinished[method], spearman(values, other), blank, stage.share)
        yield
    found.update(unfinished)


def _groups(classifier: Classifier, methods: Sequence[Method]) -> list[list[Method]]:
    """Methods that share passes together, the cheapest first."""
    groups: dict[Any, list[Method]] = {}
    for method in sorted(methods, key=lambda method: method.cost(classifier)):
        groups.setdefault(method.sharing(), []).append(method)
    return list(groups.values())


def _noted(measure: Callable[[], T]) -> T | None:
    """What is measured; None, with a remark, where the classifier or the method does not allow it."""
    try:
        return measure()
    except ValueError as error:
        progress.remark(f"Not measured: {error}")
        return None
