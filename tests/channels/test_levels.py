"""What each place of a walk through the layers is made of."""

import pytest
import torch

from interp import channels
from interp.channels.between import level_of_class
from interp.types import Classifier, Images


def test_the_class_is_made_of_its_layers_channels(tiny: Classifier, noise_images: Images) -> None:
    found = channels.attribute(tiny, noise_images, 1, layer="conv2")
    level = level_of_class(found)
    assert level.layer.name == "conv2" and torch.equal(level.values, found.values)
    assert level.whole == pytest.approx(abs(float(found.scores.mean())))
    most, least = level.ends(3, 2)
    order = level.mean.argsort()[::-1].tolist()
    assert most == [k for k in order[:3] if level.mean[k] > 0]
    assert least == [k for k in order[::-1][:2] if level.mean[k] < 0]


def test_a_groups_positions_weigh_so_that_they_sum_to_its_attribution(tiny: Classifier, noise_images: Images) -> None:
    found = channels.attribute(tiny, noise_images, 1, layer="conv2")
    rows = tuple(range(len(noise_images)))
    groups = channels.groups(found, rows, 2)
    for group in range(2):
        along = torch.einsum("nkuv,k->nuv", found.activations, groups.directions[group])
        weighed = groups.weights(group, found.activations, found.gradients)
        torch.testing.assert_close((weighed * along).sum(dim=(1, 2)), groups.values[:, group], rtol=1e-3, atol=1e-5)
        alone = groups.weights(group, found.activations, None)
        torch.testing.assert_close(
            (alone * along).sum(dim=(1, 2)), groups.maps[:, group].mean(dim=(1, 2)), rtol=1e-3, atol=1e-5
        )
    weights = groups.weights(0, found.activations, None)
    between = channels.between(tiny, noise_images, "conv2", groups.directions[0], layers=("conv1",), weights=weights)
    below = between.level("conv1")
    assert below.layer.name == "conv1" and torch.equal(below.score, between.scores)
