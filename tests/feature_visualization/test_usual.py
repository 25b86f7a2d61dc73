"""How pictures are made where nothing else is asked for."""

from dataclasses import replace

import torch
from torch import nn

from interp.feature_visualization import IMAGENET, usual
from interp.types import Classifier, Preprocessing


class OneSize(nn.Module):
    """Takes pictures of 160 × 160 only, as a vision transformer does its own size."""

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        torch._assert(pixels.shape[2] == 160, "Wrong image height!")
        return pixels.mean(dim=(2, 3))


class AnySize(nn.Module):
    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return pixels.mean(dim=(2, 3))


def test_pictures_are_no_larger_than_what_the_network_was_trained_on(tiny: Classifier) -> None:
    made = usual(tiny, 5)
    assert made.parameterization.resolution(tiny) == tiny.input_size == (16, 16)
    assert made.steps == 5 and made.parameterization.colours == IMAGENET


def test_a_network_of_one_size_gets_pictures_of_that_size(tiny: Classifier) -> None:
    for network, size in ((AnySize(), (128, 128)), (OneSize(), (160, 160))):
        one = replace(tiny, module=network, preprocessing=Preprocessing(crop=(160, 160), resize=160))
        assert usual(one, 5).parameterization.resolution(one) == size
    any_size = replace(tiny, module=AnySize(), preprocessing=Preprocessing(crop=(160, 160), resize=160))
    assert usual(any_size, 5, side=64).parameterization.resolution(any_size) == (64, 64)
