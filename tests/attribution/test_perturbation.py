import pytest
import torch

from benchmarks import peer_maps as peers
from interp import attribution
from interp.attribution import Occlusion
from interp.passes import patches
from interp.passes.target_score import FORWARD
from interp.types import Classifier, Images, Target


def slow_occlusion(classifier: Classifier, pixels: torch.Tensor, target: int, window: int, stride: int) -> torch.Tensor:
    """Window by window and pixel by pixel, with a black window."""
    size = pixels.shape[-1]
    starts = list(range(0, size - window + 1, stride))
    if starts[-1] != size - window:
        starts.append(size - window)
    whole = classifier.module(pixels[None])[0, target]
    drops = [[[] for _ in range(size)] for _ in range(size)]
    for top in starts:
        for left in starts:
            covered = pixels.clone()
            covered[:, top : top + window, left : left + window] = 0
            drop = float(whole - classifier.module(covered[None])[0, target])
            for row in range(top, top + window):
                for column in range(left, left + window):
                    drops[row][column].append(drop)
    return torch.tensor([[sum(cell) / len(cell) for cell in row] for row in drops])


@pytest.mark.parametrize(("window", "stride"), [(5, 3), (4, 2), (1, 1), (16, 16)])
def test_occlusion_equals_a_slow_recomputation(tiny: Classifier, noise_images: Images, window, stride) -> None:
    values = attribution.attribute(tiny, noise_images[1:2], 1, Occlusion(window, stride, "black")).values[0]
    torch.testing.assert_close(values, slow_occlusion(tiny, noise_images.pixels[1], 1, window, stride))


def test_occlusion_by_hand() -> None:
    # A score that is the sum of the red channel's left half falls by what the window takes from that half.
    from tests.conftest import tiny_classifier

    class LeftHalf(torch.nn.Module):
        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            return pixels[:, 0, :, :8].sum(dim=(1, 2))[:, None].expand(-1, 3)

    classifier = tiny_classifier()
    classifier.module.network = LeftHalf()
    white = Images(torch.ones(1, 3, 16, 16), ("white",))
    values = attribution.attribute(classifier, white, 0, Occlusion(4, 4, "black")).values[0]
    assert (values[:, :8] == 16).all() and (values[:, 8:] == 0).all()


@pytest.mark.slow
def test_occlusion_agrees_with_captums_on_photographs(squeezenet: Classifier, photographs: Images) -> None:
    from scipy.stats import spearmanr

    batch = photographs[:2]
    targets = squeezenet.logits(batch).argmax(dim=1).tolist()
    ours = attribution.attribute(squeezenet, batch, targets, Occlusion(28, 28, "mean")).values
    for pixels, target, mine in zip(batch.pixels[:, None], targets, ours, strict=True):
        fill = pixels.mean(dim=(2, 3), keepdim=True)
        peer = peers.occlusion(peers.Asked(squeezenet.module, pixels, target), 28, 28, fill)
        assert spearmanr(mine.flatten(), peer.flatten()).statistic >= 0.99
        torch.testing.assert_close(mine, peer, rtol=1e-3, atol=1e-3)


def test_a_plain_picture_covered_by_its_own_colour_gives_a_zero_map(tiny: Classifier) -> None:
    plain = Images(torch.full((1, 3, 16, 16), 0.5), ("plain",))
    assert not attribution.attribute(tiny, plain, 0, Occlusion()).values.any()


def test_a_contrast_is_the_difference_of_two_targets(tiny: Classifier, noise_images: Images) -> None:
    contrast, positive, negative = (
        attribution.attribute(tiny, noise_images, target, Occlusion()).values for target in (Target(2, 0), 2, 0)
    )
    torch.testing.assert_close(contrast, positive - negative, rtol=1e-4, atol=1e-6)


def test_windows_that_do_not_fit_are_refused(tiny: Classifier, noise_images: Images) -> None:
    with pytest.raises(ValueError, match="window of 17 pixels does not fit into the 16 × 16"):
        attribution.attribute(tiny, noise_images, 0, Occlusion(17, 4))
    with pytest.raises(ValueError, match="stride of 9 pixels leaves gaps"):
        Occlusion(8, 9)
    with pytest.raises(ValueError, match="stride of 9 pixels leaves gaps"):
        attribution.attribute(tiny, noise_images, 0, Occlusion(stride=9))
    with pytest.raises(ValueError, match="window of Occlusion is 0"):
        Occlusion(0)


def test_each_window_runs_once_and_only_in_part(
    tiny: Classifier, noise_images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended, areas = [], []
    handle = tiny.module.network.linear.register_forward_hook(lambda module, given, output: ended.append(len(output)))
    unpadded = patches.unpadded

    def seen(module: torch.nn.Module, inputs: torch.Tensor) -> torch.Tensor:
        areas.append(inputs.shape[2] * inputs.shape[3])
        return unpadded(module, inputs)

    monkeypatch.setattr(patches, "unpadded", seen)
    method = Occlusion(4, 4)
    heatmaps = attribution.attribute(tiny, noise_images, 0, method)
    handle.remove()
    # For each of three images 16 windows, the score of the image and its maps; two windows are tried both ways.
    assert sum(ended) == 3 * (16 + 2) + 4
    assert heatmaps.passes == pytest.approx((16 + 1) * FORWARD)
    # A window of 4 pixels, those whose result it reaches, and what these see: 8 of 16 on each side.
    assert areas[0] == 8 * 8
