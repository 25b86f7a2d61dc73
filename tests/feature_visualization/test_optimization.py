"""The loop: known optima, alone and in a batch, seeds, frames, dead objectives, and what is left behind."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

from interp import progress
from interp.feature_visualization import (
    L2,
    Channel,
    Code,
    Diversity,
    Fourier,
    FromPictures,
    Logit,
    Neuron,
    Noise,
    Pixels,
    Probability,
    Settings,
    optimization,
    optimize,
    optimizing,
    slopes,
)
from interp.models import scenes_prior
from interp.types import Classifier
from tests.steps import finished


def test_a_linear_objective_reaches_its_optimum(tiny: Classifier) -> None:
    # A neuron of the first convolution sees 3 × 3 pixels, each of which is best at 0 or 1, as its weight's sign says.
    weight = tiny.module.get_submodule("network").conv1.weight[2]
    found = optimize(
        tiny, Neuron("conv1", 2, 5, 7), steps=200, parameterization=Pixels(), transforms=(), learning_rate=0.5
    )
    seen = found.pixels[0, :, 4:7, 6:9]
    assert torch.equal(seen > 0.5, weight > 0) and ((seen - 0.5).abs() > 0.45).all()
    bias = float(tiny.module.get_submodule("network").conv1.bias[2])
    assert float(found.values[0]) == pytest.approx(float(weight.clamp(min=0).sum()) + bias, rel=0.05)
    # The rest of the picture has no gradient, and stays as it began.
    assert (found.pixels[0, :, 8:] - 0.5).abs().max() < 0.02


def test_the_first_step_follows_the_sign_of_the_gradient(tiny: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    # In bfloat16 the sign of what is next to nothing may turn.
    monkeypatch.setattr(slopes, "climbed", lambda classifier, *rest: classifier)
    found = optimize(tiny, Logit(1), steps=1, parameterization=Pixels(), transforms=(), frames=(0,), learning_rate=0.1)
    begun, ended = found.frames[0].pixels, found.frames[1].pixels
    leaf = begun.clone().requires_grad_()
    (slope,) = torch.autograd.grad(tiny.module(leaf)[0, 1], leaf)
    moved = ended.logit() - begun.logit()
    assert torch.allclose(moved, 0.1 * slope.sign(), atol=1e-3)


def test_a_picture_is_the_same_alone_and_in_a_batch(tiny: Classifier) -> None:
    objectives = [Channel("conv2", channel) for channel in range(6)] + [Logit(0) - Logit(1), Probability(2)]
    settings = {"steps": 24, "parameterization": Fourier(24), "regularizers": (L2(0.1),), "copies": 2}
    together = optimize(tiny, objectives, **settings)
    by_three = optimize(tiny, objectives, **settings, batch_size=6)
    assert torch.allclose(together.pixels, by_three.pixels, atol=1e-3)
    for row, objective in enumerate(objectives):
        alone = optimize(tiny, objective, **settings)
        assert torch.allclose(together.values[2 * row : 2 * row + 2], alone.values, rtol=0.02, atol=1e-4)
        assert torch.allclose(together.pixels[2 * row : 2 * row + 2], alone.pixels, atol=1e-3)
    assert not torch.allclose(together.pixels[0], together.pixels[1], atol=0.02)


def test_the_seed_decides(tiny: Classifier) -> None:
    first, again, other = (
        optimize(tiny, Channel("conv2", 1), steps=8, seed=seed, parameterization=Fourier(24)) for seed in (0, 0, 1)
    )
    assert torch.equal(first.pixels, again.pixels) and torch.equal(first.curve, again.curve)
    assert not torch.allclose(first.pixels, other.pixels, atol=0.01)


def test_frames_come_at_the_steps_asked_for(tiny: Classifier) -> None:
    steps = optimizing(tiny, Probability(1), Settings(steps=12, frames=(0, 4, 48)))
    frames, found = finished(steps)
    assert [frame.step for frame in frames] == [0, 4, 12] == [frame.step for frame in found.frames]
    assert found.curve.shape == (12, 1) and frames[1].curve.shape == (4, 1)
    assert torch.equal(found.pixels, frames[-1].pixels) and torch.equal(found.values, frames[-1].values)
    assert found.values[0] > frames[0].values[0]
    assert found.passes == pytest.approx(12 + 3 / 3)


def test_pauses_for_other_work_add_no_frames(tiny: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optimization, "PAUSE", 0.0)
    frames, found = finished(optimizing(tiny, Probability(1), Settings(steps=6, frames=(4,))))
    assert [frame.step for frame in frames] == [0, 0, 0, 0, 4, 4, 6]
    assert [frame.step for frame in found.frames] == [4, 6]


def test_a_frame_says_what_its_pictures_achieve(tiny: Classifier) -> None:
    found = optimize(tiny, Logit(2), steps=6, frames=(3,))
    for frame in found.frames:
        assert torch.allclose(frame.values, tiny.module(frame.pixels)[:, 2])


def dead_channel(classifier: Classifier) -> Classifier:
    """The same, its last convolution rectified, and channel 3 of it never above 0."""
    network = classifier.module.get_submodule("network")
    network.conv2.weight[3] = 0
    network.conv2.bias[3] = -1
    network.conv2 = nn.Sequential(network.conv2, nn.ReLU())
    return classifier


def test_a_dead_channel_is_said_and_not_drawn(tiny: Classifier) -> None:
    found = optimize(dead_channel(tiny), [Channel("conv2", 3), Channel("conv2", 4)], steps=20)
    assert found.dead.tolist() == [True, False]
    assert torch.equal(found.pixels[0], torch.full((3, 16, 16), 0.5)) and found.values[0] == 0
    assert found.pixels[1].std() > 0.02


def silent_channel(classifier: Classifier) -> Classifier:
    """The same, with channel 3 just below 0 wherever it looks at grey."""
    convolution = dead_channel(classifier).module.get_submodule("network").conv2[0]
    convolution.weight[3] = convolution.weight[4].abs()
    with torch.no_grad():
        grey = classifier.module.get_submodule("network").conv1(torch.full((1, 3, 16, 16), 0.5)).relu()
        reach = torch.nn.functional.conv2d(grey, convolution.weight[3:4], stride=2, padding=1).max()
    convolution.bias[3] = -1.05 * reach
    return classifier


def test_a_channel_that_is_silent_at_first_is_woken(tiny: Classifier) -> None:
    found = optimize(silent_channel(tiny), Channel("conv2", 3), steps=60, frames=(0,))
    assert found.frames[0].values[0] == 0 and found.values[0] > 0 and not found.dead[0]


def test_it_is_woken_in_a_sum_as_well(tiny: Classifier) -> None:
    objective = Channel("conv2", 3) + 1e-6 * Logit(0)
    found = optimize(silent_channel(tiny), objective, steps=60)
    assert found.values[0] > 1e-3


def test_diversity_tells_copies_apart(tiny: Classifier) -> None:
    plain, diverse = (
        optimize(tiny, objective, steps=40, copies=3, start=Noise(0.3), transforms=())
        for objective in (Channel("conv2", 1), Channel("conv2", 1) + 5 * Diversity("conv1"))
    )

    def likeness(pixels: torch.Tensor) -> float:
        with torch.no_grad():
            maps = tiny.module.get_submodule("network").conv1(pixels).flatten(2)
        grams = nn.functional.normalize((maps @ maps.transpose(1, 2)).flatten(1), dim=1)
        return float((grams @ grams.T).sum())

    assert likeness(diverse.pixels) < likeness(plain.pixels)


def test_a_given_start_is_the_first_frame(tiny: Classifier) -> None:
    pixels = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0)).clamp(0.02, 0.98)
    found = optimize(tiny, [Logit(0), Logit(1)], steps=2, start=FromPictures(pixels), frames=(0,))
    assert torch.allclose(found.frames[0].pixels, pixels.expand(2, -1, -1, -1), atol=1e-3)


def test_a_penalty_holds_the_picture_back(tiny: Classifier) -> None:
    free, held = (optimize(tiny, Logit(1), steps=60, transforms=(), regularizers=some) for some in ((), (L2(50.0),)))
    assert held.pixels.std() < 0.5 * free.pixels.std()
    # Values are the objective's own.
    assert torch.allclose(held.values, tiny.module(held.pixels)[:, 1])


def test_a_code_moves_the_generators_picture() -> None:
    from interp import models

    scenes = models.load("scenes-honest", device="cpu")
    prior = scenes_prior.load()
    found = optimize(scenes, Logit(0), steps=6, parameterization=Code(prior, 0.001), frames=(0,))
    assert found.pixels.shape == (1, 3, 112, 112)
    assert found.values[0] > found.frames[0].values[0]


def test_nothing_is_held_between_frames(tiny: Classifier) -> None:
    steps = optimizing(tiny, [Logit(0), Channel("conv2", 0)], Settings(steps=20))
    for _ in steps:
        assert not any(module._forward_hooks for module in tiny.module.modules())
        with ThreadPoolExecutor(1) as other:
            assert other.submit(lambda: tiny.lock.acquire(blocking=False) and tiny.lock.release() is None).result()


def test_an_interruption_leaves_no_hook(tiny: Classifier) -> None:
    class Stop(BaseException):
        pass

    class Impatient:
        def step(self, done: int, total: int, what: str) -> None:
            if done == 5:
                raise Stop

        def remark(self, text: str) -> None:
            raise AssertionError(text)

    with pytest.raises(Stop), progress.listening(Impatient()):
        optimize(tiny, Logit(0), steps=20)
    assert not any(module._forward_hooks for module in tiny.module.modules())


def test_it_runs_under_inference_mode(tiny: Classifier) -> None:
    objective = Channel("conv2", 1) + Neuron("conv1", 2) + Logit(1)
    with torch.inference_mode():
        found = optimize(tiny, objective, steps=3, regularizers=(L2(1),))
    assert torch.equal(found.pixels, optimize(tiny, objective, steps=3, regularizers=(L2(1),)).pixels)


def test_values_that_are_no_numbers_are_said(tiny: Classifier) -> None:
    tiny.module.get_submodule("network").linear.bias[1] = torch.nan
    with pytest.raises(ValueError, match="nan for the logit of class 1"):
        optimize(tiny, Logit(1), steps=3)


def test_what_is_not_possible_is_said(tiny: Classifier) -> None:
    with pytest.raises(ValueError, match="0 steps"):
        optimize(tiny, Logit(0), steps=0)
    with pytest.raises(ValueError, match="0 copies"):
        optimize(tiny, Logit(0), copies=0)
    with pytest.raises(ValueError, match="learning rate of -1"):
        optimize(tiny, Logit(0), learning_rate=-1.0)
    with pytest.raises(ValueError, match="No objectives"):
        optimize(tiny, [])
