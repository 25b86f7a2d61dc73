"""In which precision pictures climb, and that they achieve as much in either."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

import pytest
import torch
from torch import nn

from interp import models
from interp.feature_visualization import Channel, Fourier, optimize, slopes
from interp.models.precision import Bfloat16, in_bfloat16
from interp.types import Classifier

SIZE = (24, 24)


@pytest.fixture(autouse=True)
def multiplies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every processor can run bfloat16, though few gain by it."""
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True, raising=False)


def test_slopes_that_agree_are_followed_in_bfloat16(tiny: Classifier) -> None:
    climbs = slopes.climbed(tiny, (Channel("conv2", 1), Channel("conv2", 3)), 1, SIZE)
    assert isinstance(climbs.module, Bfloat16) and climbs.lock is tiny.lock


def test_a_processor_without_it_stays_in_float32(tiny: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False, raising=False)
    assert slopes.climbed(tiny, (Channel("conv2", 1),), 1, SIZE) is tiny


def test_slopes_that_do_not_agree_are_not_followed(tiny: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    class Forgetful(Bfloat16):
        def forward(self, input: torch.Tensor) -> torch.Tensor:
            return super().forward(1 - input)

    def spoilt(classifier: Classifier) -> Classifier:
        reduced = in_bfloat16(classifier)
        return replace(reduced, module=Forgetful(OrderedDict(reduced.module.named_children())).eval())

    monkeypatch.setattr(slopes, "in_bfloat16", spoilt)
    assert slopes.climbed(tiny, (Channel("conv2", 1), Channel("conv2", 3)), 1, SIZE) is tiny


def test_own_code_that_autocast_does_not_suit_stays_in_float32(
    tiny: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    forward = tiny.module[1].forward

    def strict(pixels: torch.Tensor) -> torch.Tensor:
        if torch.is_autocast_enabled("cpu"):
            raise RuntimeError("expected scalar type Float but found BFloat16")
        return forward(pixels)

    monkeypatch.setattr(tiny.module[1], "forward", strict)
    assert slopes.climbed(tiny, (Channel("conv2", 1),), 1, SIZE) is tiny


def test_grouped_convolutions_and_reduced_classifiers_stay_as_they_are(tiny: Classifier) -> None:
    reduced = in_bfloat16(tiny)
    assert slopes.climbed(reduced, (Channel("conv2", 1),), 1, SIZE) is reduced
    next(one for one in tiny.module.modules() if isinstance(one, nn.Conv2d)).groups = 3
    assert slopes.climbed(tiny, (Channel("conv2", 1),), 1, SIZE) is tiny


def test_pictures_achieve_as_much_in_either(monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = models.load("scenes-honest")
    channels = [Channel("mixed4c", one) for one in (3, 40, 77, 110)]
    how = {"steps": 64, "parameterization": Fourier(64), "frames": (64,)}
    rounded = optimize(classifier, channels, **how)
    monkeypatch.setattr(slopes, "climbed", lambda classifier, *rest: classifier)
    whole = optimize(classifier, channels, **how)
    # Measured are both in float32, on the pictures without transforms.
    assert not torch.equal(rounded.pixels, whole.pixels)
    assert torch.allclose(rounded.values, whole.values, rtol=0.15)
