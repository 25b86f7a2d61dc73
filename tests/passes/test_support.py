"""Networks that a method refuses: with its rules they would be others, or they are another each time."""

from __future__ import annotations

import random

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from interp import attribution
from interp.attribution import Deconvolution, DeepLift, Gradient, GuidedBackprop, GuidedGradCam, Lrp, obstacles
from interp.passes import operations, support
from interp.types import Classifier, Images

WITH_RULES = [Deconvolution(), GuidedBackprop(), GuidedGradCam("conv2"), DeepLift(), Lrp()]


def behind(classifier: Classifier, after) -> Classifier:
    """The classifier with a function of its logits."""
    network = classifier.module.network
    forward = network.forward
    network.forward = lambda pixels: after(forward(pixels))
    return classifier


@pytest.mark.parametrize("method", WITH_RULES, ids=str)
def test_rules_that_change_the_function_are_refused(
    tiny: Classifier, noise_images: Images, monkeypatch, method
) -> None:
    """A residual would not show it: it is taken from the same pass."""
    bound = operations.bound

    def doubled(*given):
        function = bound(*given)
        return lambda tensor: 2 * function(tensor)

    monkeypatch.setattr(operations, "bound", doubled)
    with pytest.raises(ValueError, match=rf"{method.title} cannot explain tiny-0: with the method's rules the logits"):
        attribution.attribute(tiny, noise_images, 0, method)
    assert attribution.attribute(tiny, noise_images, 0, Gradient()).values.isfinite().all()


def test_each_set_of_rules_is_compared_once(tiny: Classifier, noise_images: Images) -> None:
    passes = []
    tiny.module.network.register_forward_pre_hook(lambda module, inputs: passes.append(len(inputs[0])))
    assert set(obstacles(tiny)) == set()
    first = len(passes)
    # The operations; another plain one, a reference and secants of DeepLIFT; rectifiers; relevance.
    assert first == 6 and set(passes) == {1}
    assert obstacles(tiny) == {} and len(passes) == first


def test_dropout_that_is_always_on_stops_what_compares_two_passes_and_nothing_else(
    tiny: Classifier, noise_images: Images
) -> None:
    behind(tiny, lambda logits: functional.dropout(logits, 0.5, training=True))
    state = torch.get_rng_state()
    assert set(obstacles(tiny)) == {"DeepLIFT"}
    assert torch.equal(torch.get_rng_state(), state)
    with pytest.raises(ValueError, match="DeepLIFT compares passes, .* other logits each time that it runs"):
        attribution.attribute(tiny, noise_images, 0, DeepLift())
    for method in (GuidedBackprop(), Lrp()):
        assert attribution.attribute(tiny, noise_images, 0, method).values.isfinite().all()


def test_a_network_that_draws_elsewhere_is_named_as_random(tiny: Classifier) -> None:
    behind(tiny, lambda logits: logits + random.random())
    for method in WITH_RULES:
        with pytest.raises(ValueError, match="other logits each time that it runs"):
            method.check(tiny)


def test_a_network_that_has_changed_since_is_not_random(tiny: Classifier) -> None:
    assert support.operations_of(tiny)
    tiny.module.network.linear.weight.mul_(2)
    for method in WITH_RULES:
        method.check(tiny)


def test_what_is_written_at_places_that_depend_on_the_picture_has_no_rule(tiny: Classifier) -> None:
    def after(logits: Tensor) -> Tensor:
        logits[logits < 0] = 0
        return logits

    behind(tiny, after)
    for method in (DeepLift(), Lrp()):
        with pytest.raises(ValueError, match="no rule for what tiny-0 does in torch.Tensor.index_put_"):
            method.check(tiny)
    GuidedBackprop().check(tiny)
