from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import pytest
import torch

from interp import attribution, evaluation, progress
from interp.passes.target_score import FORWARD
from interp.types import Classifier, Images

METHODS = (
    attribution.GradCam(layer="conv2"),
    attribution.IntegratedGradients(steps=4),
    attribution.Gradient(),
    attribution.GuidedBackprop(),
    attribution.SmoothGrad(samples=3),
    attribution.VarGrad(samples=3),
    attribution.Random(),
)


def results(classifier: Classifier, images: Images, methods=METHODS):
    found = dict(attribution.compare(classifier, images, 1, methods))
    return [(method, found[method]) for method in methods]


def flat(evidence: evaluation.Evidence) -> list[float]:
    values = []
    for value in asdict(evidence).values():
        values += list(value) if isinstance(value, tuple) else [float("nan") if value is None else float(value)]
    return values


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many images go through the network, of this classifier and of all copies of it."""
    from tests.conftest import TinyNetwork

    images, forward = [], TinyNetwork.forward

    def counting(self, pixels):
        images.append(len(pixels))
        return forward(self, pixels)

    with monkeypatch.context() as patch:
        patch.setattr(TinyNetwork, "forward", counting)
        yield images


def test_all_at_once_is_the_same_as_one_by_one_and_takes_fewer_passes(
    tiny: Classifier, noise_images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    annotations = torch.zeros(3, 16, 16, dtype=torch.bool)
    annotations[:2, 4:9, 4:9] = True
    given = results(tiny, noise_images)
    with counted(monkeypatch) as together:
        *_, last = evaluation.judgements(tiny, noise_images, 1, given, annotations=annotations, steps=4)
    assert [one.title for one in last] == [method.title for method in METHODS]
    with counted(monkeypatch) as alone:
        for (method, heatmaps), judged in zip(given, last, strict=True):
            *_, expected = evaluation.evidence(
                tiny, noise_images, 1, method, heatmaps, annotations=annotations, steps=4
            )
            for one, other in zip(judged.evidence, expected, strict=True):
                assert flat(one) == pytest.approx(flat(other), abs=1e-5, nan_ok=True)
            assert judged.verdicts == tuple(evaluation.verdict(one) for one in judged.evidence)
    assert sum(together) < sum(alone)
    # 7 methods · 2 curves · (2 + 6 · 3) points of 3 images are forward passes that nothing can spare.
    assert sum(together) > 7 * 2 * 20 * 3


def test_cheap_methods_come_first_and_what_is_returned_is_the_last(tiny: Classifier, noise_images: Images) -> None:
    steps = evaluation.judgements(tiny, noise_images, 1, results(tiny, noise_images), steps=2)
    order: list[str] = []
    shown = []
    while True:
        try:
            shown.append(next(steps))
        except StopIteration as stop:
            assert stop.value == shown[-1]
            break
        order += [one.title for one in shown[-1] if one.verdicts and one.title not in order]
    assert order[0] == "Random"
    assert set(order[1:4]) == {"Gradient", "Grad-CAM", "Guided Backprop"}
    assert len(order) == 7
    # The residual costs nothing, so it is there before anything has run.
    assert shown[0][1].evidence[0].residual is not None and not shown[0][1].verdicts


def test_the_control_is_never_supported(tiny: Classifier, noise_images: Images) -> None:
    given = results(tiny, noise_images, (attribution.Random(),))
    *_, (judged,) = evaluation.judgements(tiny, noise_images, 1, given)
    assert {one.level for one in judged.verdicts} == {"not supported"}
    assert all(one.randomization == pytest.approx(1) for one in judged.evidence)


@dataclass(frozen=True)
class Refusing(attribution.Gradient):
    title = "Refusing"

    def read(self, tapped, classifier):
        if "randomized" in classifier.fingerprint:
            raise ValueError("nothing to read here")
        return super().read(tapped, classifier)

    def sharing(self):
        return Refusing


class Heard:
    def __init__(self) -> None:
        self.remarks: list[str] = []

    def step(self, done: int, total: int, what: str) -> None:
        pass

    def remark(self, text: str) -> None:
        self.remarks.append(text)


def test_one_method_that_cannot_be_measured_leaves_the_others_alone(tiny: Classifier, noise_images: Images) -> None:
    given = results(tiny, noise_images, (attribution.Gradient(), Refusing()))
    heard = Heard()
    with progress.listening(heard):
        *_, (fine, refused) = evaluation.judgements(tiny, noise_images, 1, given, steps=2)
    assert all(one.randomization is not None for one in fine.evidence)
    assert all(one.randomization is None and one.deletion is not None for one in refused.evidence)
    assert {one.level for one in refused.verdicts} <= {"unknown", "not supported"}
    assert any("nothing to read here" in remark for remark in heard.remarks)


def test_the_passes_that_are_foretold_are_those_that_run(
    tiny: Classifier, noise_images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Gradients alone: the tiny classifier has 3 stages of the 12 that are foretold.
    methods = (attribution.Gradient(), attribution.Random())
    given = results(tiny, noise_images[:1], methods)
    with counted(monkeypatch) as ran:
        list(evaluation.judgements(tiny, noise_images[:1], 1, given))
    curves = 2 * 2 * (2 + 6 * 19)
    # One pass finds the stages; each stage has 2 for its targets and 1 for the map; shifted are 1 map and 2 logits.
    assert sum(ran) == curves + 1 + 3 * (2 + 1) + (1 + 2)
    foretold = evaluation.judging_passes(tiny, methods)
    assert foretold == pytest.approx((curves + 2) * FORWARD + 13 + 12 * (1 + FORWARD))


def test_bad_input_is_refused_at_the_call(tiny: Classifier, noise_images: Images) -> None:
    given = results(tiny, noise_images, (attribution.Gradient(),))
    with pytest.raises(ValueError, match="Class 9"):
        evaluation.judgements(tiny, noise_images, 9, given)
    with pytest.raises(ValueError, match="annotations"):
        evaluation.judgements(tiny, noise_images, 1, given, annotations=torch.ones(3, 4, 4, dtype=torch.bool))
