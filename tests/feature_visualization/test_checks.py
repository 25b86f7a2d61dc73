"""The histogram check, and pictures against the best image of a set."""

import numpy as np
import pytest
import torch

from interp import images
from interp.feature_visualization import (
    LITTLE,
    Channel,
    Jitter,
    Reading,
    finest,
    moved,
    pixels_of,
    robustness,
    tones,
)
from interp.types import Classifier


def drained(steps):
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value


def test_grey_and_saturated_pictures_are_seen() -> None:
    generator = torch.Generator().manual_seed(0)
    grey = 0.5 + 0.01 * torch.randn(3, 32, 32, generator=generator)
    saturated = (torch.rand(3, 32, 32, generator=generator) > 0.5).float()
    fine = torch.rand(3, 32, 32, generator=generator)
    found = tones(torch.stack([grey, saturated, fine]))
    assert found.grey.tolist() == [True, False, False]
    assert found.saturated.tolist() == [False, True, False]
    assert float(found.contrast[2]) == pytest.approx(12**-0.5, abs=0.01)
    assert float(found.clipped[2]) == pytest.approx(8 / 255, abs=0.01)


def test_the_finest_octave_is_that_of_waves_shorter_than_four_pixels() -> None:
    across = torch.arange(32).float()
    slow, fast = (torch.cos(2 * torch.pi * cycles * across / 32).expand(3, 32, 32) for cycles in (4, 12))
    found = finest(0.5 + torch.stack([0.2 * slow, 0.2 * fast, 0.1 * slow + 0.2 * fast, 0 * slow]))
    # Variance goes with the square of the amplitude.
    assert found.tolist() == pytest.approx([0, 1, 0.8, 0], abs=1e-4)


def test_moved_is_the_mean_over_windows(tiny: Classifier) -> None:
    pixels = torch.rand(2, 3, *tiny.input_size, generator=torch.Generator().manual_seed(0))
    objectives = [Channel("conv1", 0), Channel("conv2", 1)]
    reading = Reading(tiny, objectives)
    still = moved(tiny, objectives, pixels, (), times=3)
    assert torch.allclose(still, reading.values(pixels).detach(), atol=1e-5)
    # A jitter of 1 has four windows, each a pixel smaller.
    windows = [pixels[:, :, y : y - 1 or None, x : x - 1 or None] for y in (0, 1) for x in (0, 1)]
    each = torch.stack([reading.values(one).detach() for one in windows])
    found = moved(tiny, objectives, pixels, (Jitter(1),), times=400)
    assert torch.allclose(found, each.mean(dim=0), atol=float(3 * each.std(dim=0).max() / 20 + 1e-6))
    assert moved(tiny, objectives, pixels, LITTLE).equal(moved(tiny, objectives, pixels, LITTLE))
    with pytest.raises(ValueError, match="2 pictures for 1"):
        moved(tiny, objectives[:1], pixels)


def test_what_a_picture_reaches_is_that_of_its_bytes_still_and_moved(tiny: Classifier) -> None:
    pictures = [images.load("scenes")[position].image.resize((16, 16)) for position in (0, 1)]
    given = [np.array(one) for one in pictures]
    pixels, objectives = torch.stack([pixels_of(one) for one in given]), [Channel("conv2", 1)] * 2
    found = robustness(tiny, objectives[0], given)
    still = Reading(tiny, objectives).values(pixels)
    assert [one.still for one in found] == pytest.approx(still.tolist(), rel=1e-5)
    assert [one.moved for one in found] == pytest.approx(moved(tiny, objectives, pixels).tolist())
    assert [one.finest for one in found] == pytest.approx(finest(pixels).tolist())
