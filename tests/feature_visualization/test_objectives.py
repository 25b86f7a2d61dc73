"""Objectives against what they say they are, and their algebra against plain numbers."""

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import cosine_similarity

from interp.feature_visualization import (
    Channel,
    Contrast,
    Direction,
    Layer,
    Logit,
    Neuron,
    Objective,
    Probability,
    Reading,
    interpolation,
)
from interp.models import hooks
from interp.types import Classifier, Images

VECTOR = torch.tensor([1.0, -2.0, 0.5, 0.0, 3.0, -1.0])


def values(classifier: Classifier, images: Images, *objectives: Objective) -> torch.Tensor:
    with torch.no_grad():
        return Reading(classifier, objectives).values(images.pixels[: len(objectives)])


def maps(classifier: Classifier, images: Images, layer: str = "conv2") -> torch.Tensor:
    with hooks.activations(classifier, [layer]) as taken:
        classifier.module(images.pixels)
    return taken[layer].detach()


def test_channels_neurons_and_layers_are_read_off_the_maps(tiny: Classifier, noise_images: Images) -> None:
    seen = maps(tiny, noise_images)
    found = values(tiny, noise_images, Channel("conv2", 3), Neuron("conv2", 3), Layer("conv2"))
    assert torch.allclose(found, torch.stack([seen[0, 3].mean(), seen[1, 3, 4, 4], seen[2].square().mean()]))
    (corner,) = values(tiny, noise_images, Neuron("conv2", 5, row=0, column=7))
    assert corner == pytest.approx(float(seen[0, 5, 0, 7]))


def test_classes_are_read_off_the_logits(tiny: Classifier, noise_images: Images) -> None:
    logits = tiny.logits(noise_images)
    found = values(tiny, noise_images, Logit(2), Probability(1), Contrast(0, 1))
    expected = torch.stack([logits[0, 2], logits[1].softmax(0)[1], logits[2, 0] - logits[2, 1]])
    assert torch.allclose(found, expected)


def test_the_probability_is_the_sigmoid_where_the_network_has_one(tiny: Classifier, noise_images: Images) -> None:
    classifier = replace(tiny, link="sigmoid", multi_label=True)
    logits = tiny.logits(noise_images)
    found = values(classifier, noise_images, Probability(1), Logit(1), Probability(2) - Probability(0))
    own = 1 / (1 + torch.exp(-logits))
    assert torch.allclose(found, torch.stack([own[0, 1], logits[1, 1], own[2, 2] - own[2, 0]]), atol=1e-6)


@pytest.mark.parametrize("power", [0, 2.5])
def test_a_direction_is_a_dot_product_times_a_cosine(tiny: Classifier, noise_images: Images, power: float) -> None:
    seen = maps(tiny, noise_images)[0]
    vectors = VECTOR[:, None, None].expand_as(seen)
    cosine = cosine_similarity(seen, vectors, dim=0).clamp(min=0.1)
    expected = (seen * vectors).sum(dim=0) * cosine**power
    (mean,) = values(tiny, noise_images, Direction("conv2", VECTOR, power))
    (there,) = values(tiny, noise_images, Direction("conv2", VECTOR, power, row=2, column=6))
    assert mean == pytest.approx(float(expected.mean()), rel=1e-5)
    assert there == pytest.approx(float(expected[2, 6]), rel=1e-5)


def test_the_direction_along_one_axis_is_the_channel(tiny: Classifier, noise_images: Images) -> None:
    axis = torch.eye(6)[4]
    found = values(tiny, noise_images, Direction("conv2", axis))
    assert torch.allclose(found, values(tiny, noise_images, Channel("conv2", 4)))


def test_objectives_add_and_scale_like_numbers(tiny: Classifier, noise_images: Images) -> None:
    first, second = Channel("conv1", 0), Logit(2)
    a, b = values(tiny, noise_images, first)[0], values(tiny, noise_images, second)[0]
    for combined, expected in (
        (0.2 * first + second * 3, 0.2 * a + 3 * b),
        (-first - second / 2, -a - b / 2),
        (sum([first, second, first]), 2 * a + b),
        (2 * (first - second) + second, 2 * a - b),
    ):
        (found,) = values(tiny, noise_images, combined)
        assert found == pytest.approx(float(expected), rel=1e-5)


def test_nothing_but_objectives_is_added_to_one() -> None:
    with pytest.raises(TypeError):
        Logit(1) + 3
    with pytest.raises(TypeError):
        Logit(1) * Logit(2)
    with pytest.raises(ValueError, match="nan"):
        Logit(1) * float("nan")


def test_an_interpolation_goes_from_one_to_the_other(tiny: Classifier, noise_images: Images) -> None:
    way = interpolation(Channel("conv1", 0), Channel("conv2", 1), 3)
    start, middle, end = (values(tiny, noise_images, one)[0] for one in way)
    assert (way[0], way[-1]) == (Channel("conv1", 0), Channel("conv2", 1))
    assert middle == pytest.approx(float(start + end) / 2, rel=1e-5)
    with pytest.raises(ValueError, match="2 or more"):
        interpolation(Logit(0), Logit(1), 1)


def test_a_sum_says_what_it_is() -> None:
    assert str(0.5 * Channel("conv2", 3) - Logit(5)) == "0.5 × channel 3 of conv2 − logit of class 5"
    assert str(-Neuron("conv2", 1)) == "−neuron 1 of conv2, in the middle"


@pytest.mark.parametrize(
    ("objective", "message"),
    [
        (Channel("conv9", 0), "no layer 'conv9'"),
        (Channel("conv2", 6), "0 to 5"),
        (Neuron("conv2", -1), "Channel -1 does not exist"),
        (Neuron("conv2", 1, row=-2), "no row -2"),
        (Logit(3), "0 to 2"),
        (Contrast(1, 1), "different"),
        (Direction("conv1", VECTOR), "4 channels"),
        (Direction("conv2", 0 * VECTOR), "nowhere"),
        (Direction("conv2", VECTOR, row=1), "both"),
        (Direction("conv2", VECTOR, -1), "power of -1"),
        (0.1 * Logit(0) + Layer("conv9"), "no layer 'conv9'"),
    ],
)
def test_what_the_classifier_lacks_is_said(tiny: Classifier, objective: Objective, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Reading(tiny, [objective])


def test_a_position_beyond_the_map_is_said(tiny: Classifier, noise_images: Images) -> None:
    with pytest.raises(ValueError, match="8 rows"):
        values(tiny, noise_images, Neuron("conv2", 1, row=8, column=0))
