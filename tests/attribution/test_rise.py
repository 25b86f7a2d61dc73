import pytest
import torch

from interp import attribution
from interp.attribution import baselines
from interp.attribution.rise import Rise, enlarged
from interp.types import Classifier, Images, Target
from tests.conftest import tiny_classifier


def slow_mask(grid: torch.Tensor, shift: tuple[int, int], size: int) -> torch.Tensor:
    """Pixel by pixel: where it lies on the grid, once that is enlarged, and the four cells around that place."""
    cells = len(grid)
    step = -(-size // cells)

    def place(pixel: int) -> tuple[int, int, float]:
        at = min(max((pixel + 0.5) * cells / ((cells + 1) * step) - 0.5, 0.0), cells - 1.0)
        low = int(at)
        return low, min(low + 1, cells - 1), at - low

    mask = torch.zeros(size, size)
    for row in range(size):
        for column in range(size):
            top, bottom, down = place(row + shift[0])
            left, right, across = place(column + shift[1])
            upper = (1 - across) * grid[top, left] + across * grid[top, right]
            lower = (1 - across) * grid[bottom, left] + across * grid[bottom, right]
            mask[row, column] = (1 - down) * upper + down * lower
    return mask


def slow_rise(classifier: Classifier, pixels: torch.Tensor, target: int, method: Rise) -> torch.Tensor:
    """Mask by mask: the mean score weighted by how much of a pixel each mask shows, minus the mean score."""
    grids, shifts = method.draws((16, 16))
    fill = baselines.images(pixels[None], method.baseline, method.seed)[0]
    weighted, seen, scores = torch.zeros(16, 16), torch.zeros(16, 16), []
    for grid, (down, across) in zip(grids, shifts.tolist(), strict=True):
        mask = slow_mask(grid, (down, across), 16)
        score = classifier.module((mask * pixels + (1 - mask) * fill)[None])[0, target]
        weighted, seen = weighted + score * mask, seen + mask
        scores.append(float(score))
    return weighted / seen - sum(scores) / len(scores)


@pytest.mark.parametrize(
    "method", [Rise(12, 3, baseline="black"), Rise(7, 5, 0.3, seed=4), Rise(70, 2, 0.8, baseline="noise", seed=1)]
)
def test_rise_equals_a_slow_recomputation(tiny: Classifier, noise_images: Images, method: Rise) -> None:
    values = attribution.attribute(tiny, noise_images[1:2], 1, method).values[0]
    torch.testing.assert_close(values, slow_rise(tiny, noise_images.pixels[1], 1, method), rtol=1e-3, atol=1e-6)


def test_rise_by_hand(tiny: Classifier, noise_images: Images) -> None:
    # Masks of one cell show all or nothing: what is seen scores more than the mean by the difference, times how often
    # nothing was shown.
    method = Rise(8, 1, baseline="black")
    hidden = 1 - float(method.draws((16, 16))[0].mean())
    assert 0 < hidden < 1
    values = attribution.attribute(tiny, noise_images[:1], 2, method).values[0]
    whole, nothing = (
        float(tiny.module(pixels)[0, 2]) for pixels in (noise_images.pixels[:1], torch.zeros(1, 3, 16, 16))
    )
    torch.testing.assert_close(values, torch.full((16, 16), (whole - nothing) * hidden))


def test_of_a_linear_score_rise_finds_the_half_that_counts() -> None:
    class LeftHalf(torch.nn.Module):
        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            return pixels[:, 0, :, :8].mean(dim=(1, 2))[:, None].expand(-1, 3)

    classifier = tiny_classifier()
    classifier.module.network = LeftHalf()
    white = Images(torch.ones(1, 3, 16, 16), ("white",))
    columns = attribution.attribute(classifier, white, 0, Rise(1000, 4, baseline="black")).values[0].mean(dim=0)
    assert columns[:6].min() > 4 * columns[12:].abs().max()


def test_a_score_that_is_everywhere_higher_gives_the_same_map(noise_images: Images) -> None:
    low, high = tiny_classifier(), tiny_classifier()
    high.module.network.linear.bias += 30
    ours, raised = (attribution.attribute(one, noise_images, 1, Rise(20)).values for one in (low, high))
    torch.testing.assert_close(ours, raised, rtol=1e-3, atol=1e-5)
    # The paper's own sum has the height of the scores in it, times the noise in how often a pixel is seen.
    grids, shifts = Rise(20).draws((16, 16))
    assert (30 * (enlarged(grids, shifts, (16, 16)).mean(dim=0) / 0.5 - 1)).std() > 100 * ours.std()


def test_masks_show_a_pixel_with_the_probability_asked_for() -> None:
    method = Rise(4000, 7, 0.3)
    grids, shifts = method.draws((20, 30))
    masks = enlarged(grids, shifts, (20, 30))
    assert masks.shape == (4000, 20, 30) and masks.min() >= 0 and masks.max() <= 1
    assert (masks.mean(dim=0) - 0.3).abs().max() < 0.03
    assert shifts[:, 0].unique().tolist() == [0, 1, 2] and shifts[:, 1].unique().tolist() == [0, 1, 2, 3, 4]


def test_the_seed_is_all_that_the_masks_depend_on(tiny: Classifier, noise_images: Images) -> None:
    torch.manual_seed(0)
    first = attribution.attribute(tiny, noise_images, 0, Rise(20)).values
    torch.manual_seed(1)
    state = torch.get_rng_state()
    assert torch.equal(attribution.attribute(tiny, noise_images, 0, Rise(20)).values, first)
    assert torch.equal(torch.get_rng_state(), state)
    assert not torch.allclose(attribution.attribute(tiny, noise_images, 0, Rise(20, seed=1)).values, first)


def test_several_images_give_what_each_gives_alone(tiny: Classifier, noise_images: Images) -> None:
    together = attribution.attribute(tiny, noise_images, [0, 1, Target(2, 0)], Rise(11)).values
    for row, target in enumerate([0, 1, Target(2, 0)]):
        alone = attribution.attribute(tiny, noise_images[row : row + 1], target, Rise(11)).values[0]
        torch.testing.assert_close(together[row], alone, rtol=1e-4, atol=1e-6)


def test_a_plain_picture_that_fades_to_its_own_colour_gives_a_zero_map(tiny: Classifier) -> None:
    plain = Images(torch.full((1, 3, 16, 16), 0.5), ("plain",))
    assert not attribution.attribute(tiny, plain, 0, Rise(20)).values.any()


def test_a_pixel_that_no_mask_shows_gets_zero(tiny: Classifier, noise_images: Images) -> None:
    method = Rise(2, 3, 0.05)
    masks = enlarged(*method.draws((16, 16)), (16, 16))
    values = attribution.attribute(tiny, noise_images[:1], 0, method).values[0]
    assert values.isfinite().all() and not values[masks.sum(dim=0) == 0].any()


def test_a_contrast_is_the_difference_of_two_targets(tiny: Classifier, noise_images: Images) -> None:
    contrast, positive, negative = (
        attribution.attribute(tiny, noise_images, target, Rise(20)).values for target in (Target(2, 0), 2, 0)
    )
    torch.testing.assert_close(contrast, positive - negative, rtol=1e-3, atol=1e-6)


def test_the_cost_is_that_of_the_forwards_made(tiny: Classifier, noise_images: Images) -> None:
    seen = []
    handle = tiny.module.register_forward_hook(lambda module, given, output: seen.append(len(output)))
    heatmaps = attribution.attribute(tiny, noise_images[:1], 0, Rise(21))
    handle.remove()
    assert sum(seen) == 21 and heatmaps.passes == pytest.approx(7)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"masks": 1}, "masks=1"),
        ({"cells": 0}, "cells=0"),
        ({"probability": 0}, "probability of 0"),
        ({"probability": 1.0}, "probability of 1"),
    ],
)
def test_values_that_make_no_sense_are_refused(parameters: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Rise(**parameters)
