"""One skeleton for all methods: resolve the targets, plan and share the passes, count what they cost."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import torch

from interp.attribution.control import Random
from interp.attribution.method import Maps, Method
from interp.attribution.question import Question
from interp.types import Classifier, Heatmaps, Images, Target

Targets = int | Target | Sequence[int | Target]


def attribute(classifier: Classifier, images: Images, targets: Targets, method: Method) -> Heatmaps:
    """One map for each image, raw, of how the method explains the score of the target.

    Safe from any thread: passes hold the classifier's lock. Raises `ValueError` for a target that does not exist, for
    a method that cannot run on the classifier, and for an image whose score or gradient is not finite.
    """
    question = _question(classifier, images, targets, [method])
    [(_, heatmaps)] = _answers(question, [method])
    return heatmaps


def compare(
    classifier: Classifier, images: Images, targets: Targets, methods: Sequence[Method]
) -> Iterator[tuple[Method, Heatmaps]]:
    """The maps of many methods, each as soon as it is ready, cheap ones first; the same as `attribute` gives.

    The control, `Random`, is added where it is not among the methods; a method named twice comes once. Methods that
    can be read off the same passes share them, and each of their maps then carries the cost of all of the shared
    passes. Between two results no lock is held and no hook is set, so other work may run in between.
    Raises `ValueError` as `attribute` does, for all methods and before the first pass.
    """
    wanted = list(dict.fromkeys(methods))
    if not any(isinstance(method, Random) for method in wanted):
        wanted.append(Random())
    return _answers(_question(classifier, images, targets, wanted), wanted)


def _question(classifier: Classifier, images: Images, targets: Targets, methods: Sequence[Method]) -> Question:
    if len(images) == 0:
        raise ValueError("No images were given: there is nothing to explain.")
    height, width = classifier.input_size
    if tuple(images.pixels.shape[2:]) != (height, width):
        given = " × ".join(str(side) for side in images.pixels.shape[2:])
        raise ValueError(
            f"The images have {given} pixels, and {classifier.name} sees {height} × {width}: make the batch with "
            "classifier.prepare."
        )
    resolved = classifier.targets(targets, len(images))
    for method in methods:
        method.check(classifier)
    return Question(classifier, Images(images.pixels.to(classifier.device), images.names), resolved)


def _answers(question: Question, methods: Sequence[Method]) -> Iterator[tuple[Method, Heatmaps]]:
    groups: dict[object, list[Method]] = {}
    for method in sorted(methods, key=lambda method: method.cost(question.classifier)):
        groups.setdefault(method.sharing(), []).append(method)
    for group in groups.values():
        start = time.perf_counter()
        answers = group[0].together(question, group)
        if question.classifier.device.type == "cuda":
            torch.cuda.synchronize(question.classifier.device)
        seconds = time.perf_counter() - start
        for method, maps in zip(group, answers, strict=True):
            yield method, _heatmaps(question, method, maps, seconds)


def _heatmaps(question: Question, method: Method, maps: Maps, seconds: float) -> Heatmaps:
    return Heatmaps(
        maps.values,
        method.signed,
        question.targets,
        maps.coarse,
        maps.residual,
        method.cost(question.classifier),
        seconds,
    )
