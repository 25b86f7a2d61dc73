"""Matches, caricatures and diversity, computed again by hand."""

import pytest
import torch
from torch.nn.functional import cosine_similarity

from interp.feature_visualization import Channel, Diversity, Layer, Match, Reading, caricature
from interp.models import hooks
from interp.types import Classifier, Images


def maps(classifier: Classifier, pixels: torch.Tensor) -> torch.Tensor:
    with hooks.activations(classifier, ["conv2"]) as taken:
        classifier.module(pixels)
    return taken["conv2"].detach()


@torch.no_grad()
def test_a_match_is_dot_product_times_cosine_of_the_whole_maps(tiny: Classifier, noise_images: Images) -> None:
    seen = maps(tiny, noise_images.pixels)
    found = Reading(tiny, [Match("conv2", seen[1], 2)]).values(noise_images.pixels[:1])
    cosine = cosine_similarity(seen[0].flatten(), seen[1].flatten(), dim=0)
    assert float(found) == pytest.approx(float((seen[0] * seen[1]).sum() / 64 * cosine**2), rel=1e-5)


@torch.no_grad()
def test_no_image_matches_a_caricature_better_than_its_own_at_equal_length(
    tiny: Classifier, noise_images: Images
) -> None:
    objectives = caricature(tiny, noise_images, "conv2")
    seen = maps(tiny, noise_images.pixels)
    own = Reading(tiny, objectives).values(noise_images.pixels)
    assert torch.allclose(own, seen.square().sum(dim=(1, 2, 3)) / 64, rtol=1e-5)


@torch.no_grad()
def test_a_map_of_another_size_is_fitted(tiny: Classifier, noise_images: Images) -> None:
    constant = torch.arange(1.0, 7.0)[:, None, None].expand(6, 8, 8)
    small = constant[:, :3, :3].clone()
    pixels = noise_images.pixels[:1]
    whole = Reading(tiny, [Match("conv2", constant)]).values(pixels)
    assert torch.allclose(whole, Reading(tiny, [Match("conv2", small)]).values(pixels))


@torch.no_grad()
def test_diversity_is_minus_the_mean_cosine_of_gram_matrices(tiny: Classifier, noise_images: Images) -> None:
    seen = maps(tiny, noise_images.pixels).flatten(2)
    grams = (seen @ seen.transpose(1, 2)).flatten(1)
    pairs = cosine_similarity(grams[:, None], grams[None], dim=2)
    expected = -(pairs.sum(dim=1) - 1) / 2
    objective = Diversity("conv2")
    found = Reading(tiny, [objective] * 3, copies=3).values(noise_images.pixels)
    assert torch.allclose(found, expected, atol=1e-6)


@torch.no_grad()
def test_copies_of_different_objectives_are_not_compared(tiny: Classifier, noise_images: Images) -> None:
    first, second = Channel("conv2", 0) + Diversity("conv2"), Layer("conv2") + Diversity("conv2")
    pixels = noise_images.pixels[[0, 1, 2, 0]]
    together = Reading(tiny, [first, first, second, second], copies=2).values(pixels)
    alone = Reading(tiny, [second, second], copies=2).values(pixels[2:])
    assert torch.allclose(together[2:], alone)


def test_what_cannot_be_matched_is_said(tiny: Classifier) -> None:
    with pytest.raises(ValueError, match="6"):
        Reading(tiny, [Match("conv2", torch.ones(5, 8, 8))])
    with pytest.raises(ValueError, match="nothing to match"):
        Reading(tiny, [Match("conv2", torch.zeros(6, 8, 8))])
    with pytest.raises(ValueError, match="copies"):
        Reading(tiny, [Diversity("conv2")])
