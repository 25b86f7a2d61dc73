"""One skeleton for all methods: resolve the targets, plan and share the passes, count what they cost."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import torch

from interp import progress
from interp.attribution.control import Random
from interp.attribution.method import Maps, Method
from interp.models.precision import Bfloat16, in_bfloat16
from interp.passes.target_score import TargetScore
from interp.types import Classifier, Heatmaps, Images, Targets


def attribute(classifier: Classifier, images: Images, targets: Targets, method: Method) -> Heatmaps:
    """One map for each image, raw, of how the method explains the score of the target.

    Safe from any thread: passes hold the classifier's lock. Raises `ValueError` for a target that does not exist, for
    a method that cannot run on the classifier, and for an image whose score or gradient is not finite.
    """
    target_score = _question(classifier, images, targets, [method])
    [(_, heatmaps)] = _answers(_groups(target_score, [method]))
    return heatmaps


def compare(
    classifier: Classifier,
    images: Images,
    targets: Targets,
    methods: Sequence[Method],
    *,
    rounded: Sequence[Method] = (),
) -> Iterator[tuple[Method, Heatmaps]]:
    """The maps of many methods, each as soon as it is ready, cheap ones first; the same as `attribute` gives.

    The control, `Random`, is added where it is not among the methods; a method named twice comes once. Methods that
    can be read off the same passes share them, and each of their maps then carries the cost of all of the shared
    passes. Between two results no lock is held and no hook is set, so other work may run in between.
    Methods that are `rounded` are computed in bfloat16: ask `evaluation.reduced` before which ones bear it.
    Raises `ValueError` as `attribute` does, for all methods and before the first pass, and for `rounded` methods that
    are not among the methods.
    """
    wanted = list(dict.fromkeys(methods))
    if not any(isinstance(method, Random) for method in wanted):
        wanted.append(Random())
    strange = [method.title for method in rounded if method not in wanted]
    if strange:
        raise ValueError(f"{', '.join(strange)} cannot be rounded, as it is not among the methods that are asked for.")
    target_score = _question(classifier, images, targets, wanted)
    if not rounded:
        return _answers(_groups(target_score, wanted))
    if isinstance(classifier.module, Bfloat16):
        raise ValueError(f"{classifier.name} computes in bfloat16 already: give the one in float32, or round nothing.")
    whole = [method for method in wanted if method not in rounded]
    reduced = replace(target_score, classifier=in_bfloat16(classifier))
    return _answers([*_groups(target_score, whole), *_groups(reduced, list(dict.fromkeys(rounded)))])


def _question(classifier: Classifier, images: Images, targets: Targets, methods: Sequence[Method]) -> TargetScore:
    target_score = TargetScore.of(classifier, images, targets)
    for method in methods:
        method.check(classifier)
    return target_score


def _groups(target_score: TargetScore, methods: Sequence[Method]) -> list[tuple[TargetScore, list[Method]]]:
    """The methods, those together that can be read off the same passes."""
    groups: dict[object, list[Method]] = {}
    for method in methods:
        groups.setdefault(method.sharing(), []).append(method)
    return [(target_score, group) for group in groups.values()]


def _answers(groups: Sequence[tuple[TargetScore, list[Method]]]) -> Iterator[tuple[Method, Heatmaps]]:
    def cost(asked: tuple[TargetScore, list[Method]], of: Callable[..., float] = min) -> float:
        target_score, group = asked
        return of(method.cost(target_score.classifier) for method in group)

    # Of methods that share their passes the dearest says how many, as `planned_passes` counts.
    ordered = sorted(groups, key=cost)
    count = len(groups[0][0].targets) if groups else 0
    ends = [round(count * passes) for passes in itertools.accumulate((cost(one, max) for one in ordered), initial=0.0)]
    for (target_score, group), begun, end in zip(ordered, ends, ends[1:], strict=False):
        start = time.perf_counter()
        # Not around the yield: others' work, with listeners of its own, runs in between.
        with progress.within(begun, end - begun, ends[-1], "Passes"):
            progress.report(0, 1, "Passes")
            answers = group[0].together(target_score, group)
            progress.report(1, 1, "Passes")
        if target_score.classifier.device.type == "cuda":
            torch.cuda.synchronize(target_score.classifier.device)
        seconds = time.perf_counter() - start
        for method, maps in zip(group, answers, strict=True):
            yield method, _heatmaps(target_score, method, maps, seconds)


def _heatmaps(target_score: TargetScore, method: Method, maps: Maps, seconds: float) -> Heatmaps:
    return Heatmaps(
        maps.values,
        method.signed,
        target_score.targets,
        maps.coarse,
        maps.residual,
        method.cost(target_score.classifier),
        seconds,
        "bfloat16" if isinstance(target_score.classifier.module, Bfloat16) else "float32",
    )
