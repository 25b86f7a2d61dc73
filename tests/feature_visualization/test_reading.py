"""Passes end where nothing more is read, and many objectives are what each is alone."""

import pytest
import torch

from interp.feature_visualization import Channel, Layer, Logit, Neuron, Reading
from interp.feature_visualization.reading import counted_runs, prefix
from interp.models import hooks
from interp.types import Classifier, Images


def test_the_pass_ends_at_the_deepest_layer_needed(tiny: Classifier, noise_images: Images) -> None:
    ran: list[str] = []
    watched = {name: (lambda output, name=name: ran.append(name)) for name in ("conv1", "conv2", "linear")}
    reading = Reading(tiny, [Channel("conv1", 0)] * 3)
    reading.values(noise_images.pixels)
    with hooks.observed(tiny, watched):
        reading.values(noise_images.pixels)
        assert ran == ["conv1"]
        ran.clear()
        Reading(tiny, [Logit(0)] * 3).values(noise_images.pixels)
        assert ran.count("linear") == 2
    assert not any(module._forward_hooks for module in tiny.module.modules())


def test_of_a_layer_that_runs_twice_the_last_run_counts(tiny: Classifier, noise_images: Images) -> None:
    network = tiny.module.get_submodule("network")
    plain = type(network).forward
    try:
        type(network).forward = lambda self, pixels: plain(self, plain(self, pixels)[:, :, None, None] + pixels)
        assert counted_runs(tiny, ["conv2"], noise_images.pixels[:1]) == {"conv2": 2}
        with hooks.activations(tiny, ["conv2"]) as taken:
            tiny.module(noise_images.pixels)
        assert torch.equal(prefix(tiny, noise_images.pixels, {"conv2": 2})["conv2"], taken["conv2"])
    finally:
        type(network).forward = plain


@torch.no_grad()
def test_many_objectives_together_are_what_each_is_alone(tiny: Classifier, noise_images: Images) -> None:
    objectives = [Channel("conv2", 1) - 2 * Channel("conv2", 4), Layer("conv1") + Logit(1), Neuron("conv1", 2)]
    together = Reading(tiny, objectives).values(noise_images.pixels)
    for row, objective in enumerate(objectives):
        (alone,) = Reading(tiny, [objective]).values(noise_images.pixels[row : row + 1])
        assert together[row] == pytest.approx(float(alone), rel=1e-5)


@torch.no_grad()
def test_every_objective_of_every_image(tiny: Classifier, noise_images: Images) -> None:
    objectives = [Channel("conv2", 1), Logit(1) + Layer("conv1")]
    found = Reading(tiny, objectives, images=3).values(noise_images.pixels).view(2, 3)
    for row, objective in enumerate(objectives):
        assert torch.allclose(found[row], Reading(tiny, [objective] * 3).values(noise_images.pixels))


def test_a_size_at_which_the_network_cannot_be_run_is_said(tiny: Classifier) -> None:
    network = tiny.module.get_submodule("network")
    network.linear = torch.nn.Sequential(torch.nn.Linear(7, 3))
    small = torch.rand(1, 3, 16, 16)
    with pytest.raises(ValueError, match="16 × 16"):
        Reading(tiny, [Logit(0)]).values(small)
    # What comes after the layer is not needed.
    assert Reading(tiny, [Channel("conv2", 0)]).values(small).isfinite().all()
