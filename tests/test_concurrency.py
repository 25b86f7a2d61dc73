"""Two visitors with different methods on one classifier get exactly the results of one after the other."""

from __future__ import annotations

import itertools
import random
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

import cache
from interp import attribution
from interp.attribution import METHODS, GradCam, Gradient, IntegratedGradients
from interp.types import Classifier, Images
from tests.conftest import tiny_classifier


@pytest.fixture
def batch(tiny: Classifier) -> Images:
    pixels = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    return Images(pixels, ("one", "two"))


def variants() -> list[attribution.Method]:
    """Every method that runs passes or sets hooks, more than once with other parameters."""
    small: dict[str, dict[str, int]] = {
        "SmoothGrad": {"samples": 3},
        "SmoothGrad²": {"samples": 3},
        "VarGrad": {"samples": 4},
        "Gradient SHAP": {"samples": 3},
        "Integrated Gradients": {"steps": 7},
        "Occlusion": {"window": 6, "stride": 3},
        "RISE": {"masks": 8},
        "LIME": {"samples": 12, "segments": 4},
        "Kernel SHAP": {"samples": 12, "segments": 4},
    }
    others = [IntegratedGradients(steps=5, baseline="white"), GradCam(layer="conv1")]
    return [kind(**small.get(title, {})) for title, kind in METHODS.items() if title != "Random"] + others


def test_every_method_is_among_the_variants() -> None:
    assert {type(one) for one in variants()} | {attribution.Random} == set(METHODS.values())


def test_200_questions_from_8_threads_through_the_cache(
    tiny: Classifier, batch: Images, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOUPE_CACHE", str(tmp_path))
    methods = variants()
    expected = {
        (method, target): attribution.attribute(tiny, batch, target, method).values
        for method in methods
        for target in range(3)
    }
    alike = [(method, method) for method in methods]
    pairs = list(itertools.product(methods, methods))
    rounds = random.Random(0).choices(pairs, k=100 - len(alike)) + alike
    questions = [(method, index % 3, index) for index, pair in enumerate(rounds) for method in pair]
    assert len(questions) == 200

    def ask(question: tuple[attribution.Method, int, int]) -> str | None:
        method, target, index = question
        # Another name makes another key, so that each of the 200 is computed.
        named = Images(batch.pixels, (f"one {index} {id(method)}", "two"))
        answer = cache.get(cache.call(attribution.attribute, tiny, named, target, method))
        off = float((answer.values - expected[method, target]).abs().max() / expected[method, target].abs().max())
        # Hooks or gradients of another thread's question change everything, another thread's rounding a last digit.
        return None if off < 1e-5 else f"{method}: {off}"

    with ThreadPoolExecutor(8) as pool:
        assert not [one for one in pool.map(ask, questions) if one]
    assert not any(module._forward_hooks or module._backward_hooks for module in tiny.module.modules())


def test_the_same_question_from_8_threads_is_computed_once(
    batch: Images, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOUPE_CACHE", str(tmp_path))
    classifier = tiny_classifier(seed=7)
    passes = []
    classifier.module.register_forward_pre_hook(lambda module, inputs: passes.append(1))
    call = cache.call(attribution.attribute, classifier, batch, 0, Gradient())
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: cache.get(call), range(40)))
    assert len(passes) == 1
    assert all(torch.equal(answer.values, answers[0].values) for answer in answers)
