import copy
from dataclasses import dataclass, replace

import pytest
import torch
from torch import nn

from interp import attribution, evaluation
from interp.attribution.method import Maps
from interp.evaluation import forgetting
from interp.types import Classifier, Images
from tests.evaluation.conftest import classifier_of


@dataclass(frozen=True)
class Edges(attribution.Method):
    """What a picture shows, whatever the model: the slope of its brightness."""

    title, signed = "Edges", False

    def cost(self, classifier):
        return 0.0

    def maps(self, target_score):
        grey = target_score.images.pixels.mean(dim=1)
        return Maps((grey - grey.roll(1, 2)).abs())


@dataclass(frozen=True)
class Failing(attribution.Gradient):
    def read(self, tapped, classifier):
        if "randomized" in classifier.fingerprint:
            raise RuntimeError("midway")
        return super().read(tapped, classifier)


def weights(classifier: Classifier) -> dict[str, torch.Tensor]:
    return {name: weight.clone() for name, weight in classifier.module.state_dict().items()}


def unchanged(classifier: Classifier, before: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(weight, before[name]) for name, weight in classifier.module.state_dict().items())


def cascade(classifier: Classifier, images: Images, method: attribution.Method, seed: int = 0):
    return list(evaluation.cascading_randomization(classifier, images, 1, method, seed=seed))


@pytest.mark.parametrize("method", [attribution.Random(), Edges()])
def test_a_method_that_ignores_the_model_stays(
    method: attribution.Method, tiny: Classifier, noise_images: Images
) -> None:
    for stage in cascade(tiny, noise_images, method):
        for likeness in (stage.spearman, stage.spearman_signed, stage.ssim):
            assert likeness.tolist() == pytest.approx([1, 1, 1])
        assert not stage.blank.any()


def test_the_last_stage_is_the_map_of_a_model_that_forgot_everything(tiny: Classifier, noise_images: Images) -> None:
    *_, last = cascade(tiny, noise_images, attribution.Gradient())
    forgot = replace(tiny, module=copy.deepcopy(tiny.module))
    for number, (_, owners) in enumerate(forgetting.stages(tiny)):
        forgetting.reinitialize(forgot.module.get_submodule("network"), owners, number)
    expected = attribution.attribute(forgot, noise_images, list(last.heatmaps.targets), attribution.Gradient())
    assert torch.equal(last.heatmaps.values, expected.values)
    assert all(not torch.equal(now, before) for now, before in zip(
        forgot.module.state_dict().values(), tiny.module.state_dict().values(), strict=True
    ))  # fmt: skip


def test_the_same_seed_forgets_alike_and_leaves_the_global_draws_alone(tiny: Classifier, noise_images: Images) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first, again = (cascade(tiny, noise_images, attribution.Gradient()) for _ in range(2))
    assert torch.equal(torch.rand(3), expected)
    other = cascade(tiny, noise_images, attribution.Gradient(), seed=9)
    for one, same, different in zip(first, again, other, strict=True):
        assert torch.equal(one.heatmaps.values, same.heatmaps.values)
        assert not torch.equal(one.heatmaps.values, different.heatmaps.values)


def test_the_classifier_is_not_touched_even_by_an_exception(tiny: Classifier, noise_images: Images) -> None:
    before = weights(tiny)
    with pytest.raises(RuntimeError, match="midway"):
        cascade(tiny, noise_images, Failing())
    assert unchanged(tiny, before) and tiny.fingerprint == "tiny-0"
    stages = evaluation.cascading_randomization(tiny, noise_images, 1, attribution.Gradient())
    next(stages)
    stages.close()
    assert unchanged(tiny, before)
    # Another thread may take the lock: nothing holds it.
    assert tiny.lock.acquire(blocking=False)
    tiny.lock.release()


def test_a_dead_target_is_stood_in_for(noise_images: Images) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = nn.Sequential(nn.Conv2d(3, 6, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.ReLU())
    classifier = classifier_of(network, size=16, classes=6)
    answers = [
        stage
        for seed in range(4)
        for target in range(6)
        for stage in evaluation.cascading_randomization(
            classifier, noise_images, target, attribution.Gradient(), seed=seed
        )
        if stage.heatmaps.targets != classifier.targets(target, 3)
    ]
    assert answers
    assert all(stage.heatmaps.values.flatten(1).any(dim=1).all() for stage in answers)


def test_a_map_that_was_constant_before_says_nothing(tiny: Classifier, noise_images: Images) -> None:
    maps = attribution.attribute(tiny, noise_images, 1, attribution.Gradient())
    level = type(maps)(torch.zeros_like(maps.values), True, maps.targets)
    for stage in evaluation.cascading_randomization(tiny, noise_images, 1, attribution.Gradient(), heatmaps=level):
        assert stage.blank.all()


def test_bad_input_is_refused_at_the_call(tiny: Classifier, noise_images: Images) -> None:
    with pytest.raises(ValueError, match="Class 5"):
        evaluation.cascading_randomization(tiny, noise_images, 5, attribution.Gradient())
    with pytest.raises(ValueError, match="no layer"):
        evaluation.cascading_randomization(tiny, noise_images, 1, attribution.GradCam(layer="nowhere"))


def test_on_the_real_classifier_the_gradient_forgets(squeezenet: Classifier, photographs: Images) -> None:
    before, photograph = weights(squeezenet), photographs[:1]
    top = squeezenet.logits(photograph).argmax(dim=1).tolist()
    found = list(evaluation.cascading_randomization(squeezenet, photograph, top, attribution.Gradient()))
    assert [stage.layer for stage in found][:2] == ["classifier.1", "features.12"]
    assert len(found) == 10
    assert found[-1].spearman.max() < 0.5
    assert found[-1].spearman_signed.abs().max() < 0.1
    assert unchanged(squeezenet, before)
