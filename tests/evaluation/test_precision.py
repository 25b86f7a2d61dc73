from itertools import count

import pytest
import torch

from interp import evaluation
from interp.attribution import AblationCam, EigenCam, GradCam, Gradient, KernelShap, Lrp, Random, ScoreCam
from interp.evaluation import ReducedPrecision, reduced
from interp.models.precision import in_bfloat16
from interp.types import Classifier, Images, Target


def test_every_method_is_measured_image_by_image(tiny: Classifier, noise_images: Images) -> None:
    methods = [Gradient(), EigenCam("conv1"), ScoreCam("conv1"), AblationCam("conv1"), KernelShap(20, 4), Lrp()]
    found = list(reduced(tiny, noise_images, [0, 1, Target(2, 0)], methods))
    assert [one.method for one in found] == methods
    for one in found:
        assert one.correlation.shape == (3,) and (one.correlation > 0.9).all() and one.ratio > 0, one
    # LRP's passes go around the module's own forward method, so nothing of them is rounded; a gradient's all are.
    assert (found[-1].correlation == 1).all() and (found[0].correlation < 1).all()


def test_a_map_that_asks_nothing_of_the_classifier_stays_as_it_is(tiny: Classifier, noise_images: Images) -> None:
    [found] = reduced(tiny, noise_images, 0, [Random()])
    assert (found.correlation == 1).all()


def test_the_ratio_is_the_median_of_the_images_own(tiny: Classifier, noise_images: Images) -> None:
    # Three images: 10 s, 8 s and 20 s in float32, then 4 s, 8 s and 2 s in bfloat16.
    times = iter([0, 10, 14, 20, 28, 36, 40, 60, 62])
    [found] = reduced(tiny, noise_images, 0, [Gradient()], clock=lambda: next(times))
    assert found.ratio == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("correlations", "ratio", "offered"),
    [([0.99, 1.0], 0.7, True), ([0.98, 1.0], 0.5, False), ([1.0, 1.0], 0.71, False)],
)
def test_it_is_offered_where_every_image_agrees_and_time_is_saved(correlations, ratio: float, offered: bool) -> None:
    found = ReducedPrecision(GradCam(), torch.tensor(correlations, dtype=torch.float64), ratio)
    assert found.offered is offered
    assert f"at least {min(correlations):.3f} on 2 images, in {ratio:.2f} of the time" in str(found)


def test_what_cannot_be_measured_is_refused_before_the_first_pass(tiny: Classifier, noise_images: Images) -> None:
    with pytest.raises(ValueError, match="tiny-0 computes in bfloat16 already"):
        reduced(in_bfloat16(tiny), noise_images, 0, [Gradient()])
    with pytest.raises(ValueError, match="no layer 'conv9'"):
        reduced(tiny, noise_images, 0, [Gradient(), GradCam("conv9")])
    with pytest.raises(ValueError, match="3"):
        reduced(tiny, noise_images, 3, [Gradient()])


def test_a_measurement_can_be_stopped_in_between(tiny: Classifier, noise_images: Images) -> None:
    ticks = count()
    found = evaluation.reduced(tiny, noise_images[:1], 0, [Gradient(), GradCam()], clock=lambda: next(ticks))
    next(found)
    assert next(ticks) == 3
