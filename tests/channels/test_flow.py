"""A photograph as a flow: bands sum to what groups bring, and all of it to the logit."""

from __future__ import annotations

import pytest
import torch

from interp import channels, images, models
from interp.channels.flow import flow
from interp.types import Images
from tests.networks import shifted


@pytest.fixture(scope="module")
def scenes():
    classifier = models.load("scenes-honest")
    photos = images.load("scenes")
    return classifier, classifier.prepare([photos[0].image])


def _sums(found, scale: float) -> None:
    for column in found.columns:
        assert float(column.values.sum()) + column.residual == pytest.approx(found.score, abs=1e-4 * scale)
    for at, band in enumerate(found.bands):
        lower, upper = found.columns[at], found.columns[at + 1]
        torch.testing.assert_close(band.sum(dim=1) + found.past[at], lower.values, atol=1e-4 * scale, rtol=0)
        torch.testing.assert_close(band.sum(dim=0) + found.given[at], upper.values, atol=1e-4 * scale, rtol=0)
    torch.testing.assert_close(found.to_classes.sum(dim=0) + found.class_given, found.logits, atol=1e-4 * scale, rtol=0)


def test_bands_sum_to_what_groups_bring_on_the_scenes_network(scenes) -> None:
    classifier, batch = scenes
    found = flow(classifier, batch, 0, ["mixed3b", "mixed4c", "mixed5b"], 4)
    _sums(found, max(1.0, abs(found.score)))
    # All ways lead through each of these layers, so nothing goes past them.
    for past, column in zip(found.past, found.columns, strict=False):
        assert float(past.abs().max()) <= 1e-4 * max(1.0, float(column.values.abs().max()))
    # The head is linear: what is left of a logit there is its bias.
    bias = classifier.module.get_submodule("network.head").bias
    torch.testing.assert_close(found.class_given, bias[list(found.classes)], atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    ("name", "layers"),
    [("resnet50", ["layer1", "layer2", "layer3"]), ("convnext_tiny", ["features.3", "features.5"])],
)
def test_on_other_networks_too(name, layers) -> None:
    classifier = shifted(name)
    batch = Images(torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1)), ("noise",))
    found = flow(classifier, batch, 3, layers, 3, (3, 5))
    _sums(found, max(1.0, max(float(one.values.abs().max()) for one in found.columns)))
    for past, column in zip(found.past, found.columns, strict=False):
        assert float(past.abs().max()) <= 1e-3 * max(1.0, float(column.values.abs().max()))


def test_values_are_those_of_groups_and_what_is_left_of_the_attribution(scenes) -> None:
    classifier, batch = scenes
    found = flow(classifier, batch, 2, ["mixed4c", "mixed5b"], 5)
    whole = channels.attribute(classifier, batch, 2, "mixed5b")
    own = channels.groups(whole, (0,), 5)
    torch.testing.assert_close(found.columns[-1].values[:-1], own.values[0])
    assert float(found.columns[-1].values.sum()) == pytest.approx(float(whole.values.sum()), rel=1e-4)


def test_a_band_is_what_one_group_alone_changes_in_another_for_a_small_step(scenes) -> None:
    classifier, batch = scenes
    found = flow(classifier, batch, 1, ["mixed5a", "mixed5b"], 3)
    lower, upper = (column.groups for column in found.columns)
    taken = {}
    network = classifier.module.get_submodule("network")

    def run(amount: float) -> torch.Tensor:
        def change(module, inputs, output):
            part = torch.einsum("uv,k->kuv", lower.maps[0, 0], lower.directions[0])
            return output + amount * part[None]

        handles = [
            network.get_submodule("mixed5a").register_forward_hook(change),
            network.get_submodule("mixed5b").register_forward_hook(lambda m, i, o: taken.__setitem__("o", o.clone())),
        ]
        with torch.no_grad():
            classifier.module(batch.pixels)
        for handle in handles:
            handle.remove()
        return taken["o"].double()

    slopes = channels.attribute(classifier, batch, 1, "mixed5b").gradients[0].double()
    whole = run(0.0)
    for h in range(3):
        direction, maps = upper.directions[h].double(), upper.maps[0, h].double()
        along = torch.einsum("kuv,k->uv", whole[0], direction)
        weight = torch.where(along > 0, maps / along.where(along > 0, 1), 0)
        coefficient = (weight * torch.einsum("kuv,k->uv", slopes, direction)) * direction[:, None, None]
        measured = float(((run(1e-3) - run(-1e-3))[0] * coefficient).sum()) / 2e-3
        assert measured == pytest.approx(float(found.bands[0][0, h]), rel=0.02, abs=2e-3)


def test_what_cannot_be_followed_is_said(scenes) -> None:
    classifier, batch = scenes
    with pytest.raises(ValueError, match="two of them at least"):
        flow(classifier, batch, 0, ["mixed5b"])
    with pytest.raises(ValueError, match="network's order"):
        flow(classifier, batch, 0, ["mixed5b", "mixed4c"])
    with pytest.raises(ValueError, match="no map"):
        flow(classifier, batch, 0, ["mixed5b", "head"])
    both = Images(batch.pixels.repeat(2, 1, 1, 1), ("a", "b"))
    with pytest.raises(ValueError, match="one photograph"):
        flow(classifier, both, 0, ["mixed4c", "mixed5b"])
