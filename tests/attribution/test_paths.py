import pytest
import torch

from benchmarks import peer_maps as peers
from interp import attribution
from interp.attribution import Gradient, GradientShap, IntegratedGradients, baselines
from interp.types import Classifier, Images, Target


@pytest.mark.parametrize("baseline", ["black", "mean"])
def test_integrated_gradients_equal_captums(squeezenet: Classifier, photographs: Images, baseline) -> None:
    batch = photographs[:2]
    targets = squeezenet.logits(batch).argmax(dim=1).tolist()
    ours = attribution.attribute(squeezenet, batch, targets, IntegratedGradients(8, baseline)).values
    starts = baselines.images(batch.pixels, baseline, 0)
    for i, target in enumerate(targets):
        asked = peers.Asked(squeezenet.module, batch.pixels[i : i + 1], target)
        theirs = peers.integrated_gradients(asked, starts[i : i + 1], 8)
        # Where a rectifier's input is next to zero, rounding decides the slope.
        assert (ours[i] - theirs).norm() < 1e-3 * theirs.norm()


@pytest.mark.parametrize("baseline", ["black", "white", "mean", "blur", "noise"])
def test_integrated_gradients_are_complete(tiny: Classifier, noise_images: Images, baseline) -> None:
    heatmaps = attribution.attribute(tiny, noise_images, [0, 1, 2], IntegratedGradients(300, baseline))
    empty = Images(baselines.images(noise_images.pixels, baseline, 0), noise_images.names)
    drop = (tiny.logits(noise_images) - tiny.logits(empty)).diagonal()
    torch.testing.assert_close(heatmaps.values.sum(dim=(1, 2)), drop, rtol=1e-2, atol=1e-3)
    assert heatmaps.residual is not None
    torch.testing.assert_close(heatmaps.residual, heatmaps.values.sum(dim=(1, 2)) - drop, rtol=0, atol=1e-5)


def test_the_residual_on_the_real_classifier_is_a_small_part_of_the_drop(squeezenet, photographs) -> None:
    batch = photographs[:1]
    targets = squeezenet.logits(batch).argmax(dim=1).tolist()
    heatmaps = attribution.attribute(squeezenet, batch, targets, IntegratedGradients(50, "blur"))
    assert heatmaps.residual is not None
    total = heatmaps.values.sum(dim=(1, 2))
    assert (heatmaps.residual.abs() < 0.05 * total.abs()).all()


def test_integrated_gradients_of_the_baseline_itself_are_zero(tiny: Classifier) -> None:
    black = Images(torch.zeros(1, 3, 16, 16), ("black",))
    heatmaps = attribution.attribute(tiny, black, 0, IntegratedGradients(5))
    assert not heatmaps.values.any()


def test_a_contrast_is_the_difference_of_two_targets(tiny: Classifier, noise_images: Images) -> None:
    for method in (Gradient(), IntegratedGradients(9)):
        contrast, positive, negative = (
            attribution.attribute(tiny, noise_images, target, method).values for target in (Target(2, 0), 2, 0)
        )
        torch.testing.assert_close(contrast, positive - negative, rtol=1e-4, atol=1e-7)


def test_the_noise_depends_on_seed_and_picture_only(noise_images: Images) -> None:
    pixels = noise_images.pixels
    noise = baselines.images(pixels, "noise", 3)
    assert torch.equal(noise[1:2], baselines.images(pixels[1:2], "noise", 3))
    assert not torch.equal(noise, baselines.images(pixels, "noise", 4))
    assert not torch.equal(noise[0], noise[1])


def test_the_blur_keeps_a_plain_picture_and_takes_detail_away() -> None:
    plain = torch.full((1, 3, 16, 24), 0.3)
    torch.testing.assert_close(baselines.images(plain, "blur", 0), plain)
    detailed = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    assert baselines.images(detailed, "blur", 0).std() < 0.2 * detailed.std()


def test_bad_parameters_are_named() -> None:
    with pytest.raises(ValueError, match="0 steps"):
        IntegratedGradients(0)
    with pytest.raises(ValueError, match="baseline 'grey'"):
        baselines.check("grey")


def test_expected_gradients_approach_the_mean_of_integrated_ones(tiny: Classifier, noise_images: Images) -> None:
    references = Images(torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(9)), tuple("abcd"))
    found = attribution.attribute(tiny, noise_images, 1, GradientShap(1000, references)).values
    expected = torch.zeros_like(found)
    for reference in references.pixels:
        for alpha in (torch.arange(200) + 0.5) / 200:
            between = reference + alpha * (noise_images.pixels - reference)
            leaf = between.clone().requires_grad_()
            (slope,) = torch.autograd.grad(tiny.module(leaf)[:, 1].sum(), leaf)
            expected += ((noise_images.pixels - reference) * slope).sum(dim=1) / 800
    assert (found - expected).norm() < 0.03 * expected.norm()


def test_expected_gradients_equal_captums_from_the_same_draws(tiny: Classifier, noise_images: Images) -> None:
    method = GradientShap(12, noise_images[:2])
    draw = method._draw(noise_images.pixels[2])
    ours = attribution.attribute(tiny, noise_images[2:], 1, method).values[0]
    asked = peers.Asked(tiny.module, noise_images.pixels[2:], 1)
    torch.testing.assert_close(ours, peers.gradient_shap(asked, draw.baselines[draw.which], draw.alphas))


def test_expected_gradients_are_nearly_complete_and_say_how_nearly(tiny: Classifier, noise_images: Images) -> None:
    plain = torch.stack([torch.zeros(3, 16, 16), torch.ones(3, 16, 16)])
    references = Images(plain, ("black", "white"))
    found = attribution.attribute(tiny, noise_images, [0, 1, 2], GradientShap(200, references))
    scores = tiny.logits(noise_images)
    mean = tiny.logits(references).mean(dim=0)
    drop = scores.diagonal() - mean
    assert found.residual is not None
    torch.testing.assert_close(found.residual, found.values.sum(dim=(1, 2)) - drop, rtol=0, atol=1e-5)
    assert (found.residual.abs() < 0.05 * (scores - mean).abs().max()).all()


def test_expected_gradients_of_a_linear_score_are_exact(tiny: Classifier, noise_images: Images) -> None:
    network = tiny.module.network
    network.forward = lambda pixels: network.linear(network.conv2(network.conv1(pixels)).mean(dim=(2, 3)))
    for references in (None, noise_images[:2]):
        found = attribution.attribute(tiny, noise_images, 1, GradientShap(6, references))
        assert found.residual is not None
        torch.testing.assert_close(found.residual, torch.zeros(3), rtol=0, atol=1e-5)


def test_expected_gradients_depend_on_picture_and_seed_only(tiny: Classifier, noise_images: Images) -> None:
    together = attribution.attribute(tiny, noise_images, 1, GradientShap(5)).values
    alone = attribution.attribute(tiny, noise_images[2:], 1, GradientShap(5)).values
    torch.testing.assert_close(together[2:], alone)
    assert not torch.allclose(together, attribution.attribute(tiny, noise_images, 1, GradientShap(5, seed=1)).values)


def test_references_of_another_size_are_named(tiny: Classifier, noise_images: Images) -> None:
    with pytest.raises(ValueError, match="references have 8 × 8 pixels, and tiny-0 sees 16 × 16"):
        attribution.attribute(tiny, noise_images, 0, GradientShap(5, Images(torch.rand(1, 3, 8, 8), ("small",))))
    with pytest.raises(ValueError, match="at least 1"):
        GradientShap(0)
