"""A pass that is watched numbers its results as one that was recorded does, whatever hooks compute meanwhile."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor

from interp.models import hooks, probes
from interp.passes.recorded import record, watched
from interp.types import Images
from tests import networks


@pytest.mark.parametrize("name", ["squeezenet1_1", "resnet50", "densenet121", "mobilenet_v3_large", "convnext_tiny"])
def test_what_is_watched_has_the_numbers_of_what_was_recorded(name: str) -> None:
    classifier = networks.shifted(name)
    one = Images(probes.noise(classifier.preprocessing, 1), ("one",))
    results = record(classifier, one).of_layer
    numbers = {result.number for result in results.values()} | set(range(0, 40, 7))
    pixels = torch.rand(3, 3, *classifier.input_size, generator=torch.Generator().manual_seed(2))
    expected = record(classifier, Images(pixels, ("a", "b", "c")), numbers).values
    seen: dict[int, Tensor] = {}

    def keep(number: int, values: Tensor) -> None:
        # What an observer computes is no call of the network's.
        assert bool((values + 1).isfinite().all())
        seen[number] = values.clone()

    def compute(values: Tensor) -> None:
        assert bool((values * 2 - values).relu().sum().isfinite())

    observers = {number: partial(keep, number) for number in numbers}
    layers = dict.fromkeys([layer.name for layer in classifier.layers], compute)
    with torch.no_grad(), hooks.observed(classifier, layers), watched(classifier, observers):
        for _ in range(2):
            seen.clear()
            classifier.module(pixels)
            assert seen.keys() == expected.keys() == numbers
            for number in numbers:
                np.testing.assert_array_equal(seen[number].numpy(), expected[number].numpy())
