from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from interp.passes import patches
from interp.passes.target_score import TargetScore
from interp.passes.windowed import Windowed
from interp.types import Classifier, Images, Target
from tests.networks import NAMES, calibrated, pictures
from tests.passes.test_resuming import HiddenWriting, Untraceable, Writing, classifier_of, transformer

PLACES = [(0, 0), (0, 37), (5, 80), (80, 80), (41, 22), (80, 3)]


def full_scores(target_score: TargetScore, row: int, windows: torch.Tensor, tops, lefts) -> torch.Tensor:
    """Whole pictures with the windows written into them, through the module itself."""
    found = []
    for window, top, left in zip(windows, tops, lefts, strict=True):
        pixels = target_score.images.pixels[row : row + 1].clone()
        pixels[0, :, top : top + window.shape[1], left : left + window.shape[2]] = window
        with torch.no_grad():
            found.append(target_score.classifier.module(pixels)[0, target_score.targets[row].positive])
    return torch.stack(found)


def check(classifier: Classifier, images: Images, places=PLACES, size: tuple[int, int] = (16, 14)) -> Windowed:
    target_score = TargetScore(classifier, images, tuple(Target(i + 1) for i in range(len(images))))
    found = Windowed(target_score)
    windows = torch.rand(len(places), 3, *size, generator=torch.Generator().manual_seed(6))
    tops, lefts = zip(*places, strict=True)
    for row in [*range(len(images)), 0]:
        expected = full_scores(target_score, row, windows, tops, lefts)
        scale = float(expected.abs().max())
        assert float(expected.std()) > 1e-3 * scale
        torch.testing.assert_close(found.scores(row, windows, tops, lefts), expected, rtol=1e-5, atol=2e-5 * scale)
        whole = classifier.logits(images)[row, row + 1]
        torch.testing.assert_close(found.unchanged(row), whole, rtol=1e-5, atol=2e-5 * scale)
    assert not any(part._forward_hooks for part in classifier.module.modules())
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_scores_are_those_of_full_passes(name: str) -> None:
    classifier = calibrated(name)
    assert not check(classifier, pictures(classifier)).whole


@pytest.mark.parametrize("seed", range(12))
def test_any_convolutions_and_poolings(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels, strides, paddings and dilations drawn at random, different down and across."""
    torch.manual_seed(seed)

    def drawn(low: int, high: int) -> tuple[int, int]:
        down, across = torch.randint(low, high + 1, (2,)).tolist()
        return down, across

    pools = [
        nn.MaxPool2d(3, 2, 1), nn.MaxPool2d(3, 2, ceil_mode=True), nn.MaxPool2d((2, 3), 2, (1, 0)), nn.AvgPool2d(2),
        nn.AvgPool2d(3, 2), nn.MaxPool2d(2, 2, dilation=2),
    ]  # fmt: skip
    network = nn.Sequential(
        nn.Conv2d(3, 6, drawn(1, 5), drawn(1, 2), drawn(0, 3), drawn(1, 2)),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        pools[seed % len(pools)],
        nn.Conv2d(6, 4, drawn(1, 3), drawn(1, 2), drawn(0, 2), groups=2),
        nn.SiLU(),
        nn.Flatten(),
        nn.LazyLinear(5),
    )
    with torch.no_grad():
        network(torch.zeros(1, 3, 64, 64))
    sizes = []
    unpadded = patches.unpadded

    def counted(module: nn.Module, inputs: torch.Tensor) -> torch.Tensor:
        sizes.append(inputs.shape[2] * inputs.shape[3])
        return unpadded(module, inputs)

    monkeypatch.setattr(patches, "unpadded", counted)
    images = Images(torch.rand(2, 3, 64, 64), ("one", "two"))
    places = [(0, 0), (1, 53), (55, 53), (54, 0), (30, 21), (17, 38)]
    assert not check(classifier_of(network), images, places, (9, 11)).whole
    assert sizes and min(sizes) < 64 * 64 / 4


class Branches(nn.Module):
    """A sum written in place, one with another size of box, a concatenation, and a function that rectifies in place."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.wide, self.narrow = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 5, padding=2), nn.Identity()
        self.last = nn.Linear(16, 5)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        hidden = self.first(pixels)
        total = self.wide(hidden)
        total += self.narrow(hidden)
        joined = torch.cat([functional.relu(total, inplace=True), hidden, total * 2, hidden + 1], dim=1)
        return self.last(joined.mean(dim=(2, 3)))


def test_branches_and_what_is_written_in_place() -> None:
    torch.manual_seed(3)
    images = Images(torch.rand(2, 3, 64, 64), ("one", "two"))
    places = [(0, 0), (48, 50), (20, 13)]
    found = Windowed(TargetScore(classifier_of(Branches()), images, (Target(0),) * 2))
    # `total` is rectified in place and read again, which out of place is another network: found by the comparison.
    windows = torch.rand(3, 3, 16, 14)
    tops, lefts = zip(*places, strict=True)
    expected = full_scores(found.target_score, 1, windows, tops, lefts)
    torch.testing.assert_close(found.scores(1, windows, tops, lefts), expected)
    assert found.whole


@pytest.mark.parametrize("network", [Untraceable, HiddenWriting])
def test_networks_that_cannot_be_followed_run_whole(network) -> None:
    torch.manual_seed(1)
    images = Images(torch.rand(2, 3, 64, 64), ("one", "two"))
    assert check(classifier_of(network()), images, [(0, 0), (48, 50), (20, 13)]).whole


@pytest.mark.parametrize("network", [Writing, transformer])
def test_networks_of_other_operations_are_followed(network) -> None:
    torch.manual_seed(1)
    images = Images(torch.rand(2, 3, 64, 64), ("one", "two"))
    assert not check(classifier_of(network()), images, [(0, 0), (48, 50), (20, 13)]).whole


def test_numbers_that_are_not_finite_are_named(tiny: Classifier, noise_images: Images) -> None:
    target_score = TargetScore(tiny, noise_images, (Target(0),) * 3)
    windows = torch.full((1, 3, 4, 4), float("nan"))
    with pytest.raises(ValueError, match="NaN as the score of image 'second.png'"):
        Windowed(target_score).scores(1, windows, [3], [5])
    assert not any(part._forward_hooks for part in tiny.module.modules())


def test_a_change_of_weights_is_seen(tiny: Classifier, noise_images: Images) -> None:
    """Nothing outlives the target score: another one sees the weights as they are then."""
    before = check(tiny, noise_images[:2], [(0, 0), (10, 12), (5, 4)], (4, 4))
    with torch.no_grad():
        tiny.module.get_parameter("network.conv1.weight").mul_(-1)
    after = check(tiny, noise_images[:2], [(0, 0), (10, 12), (5, 4)], (4, 4))
    assert not torch.equal(before.unchanged(0), after.unchanged(0))
