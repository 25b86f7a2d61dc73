"""What drives a unit, in one call: each map as alone, passes shared, and what is left out or empty is said."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
import torch

from interp import attribution, progress
from interp.attribution import GradCam, Gradient, Lrp, Random
from interp.types import Classifier, Images, Layer
from interp.units.as_target import units_of
from interp.units.driving import USUAL, what_drives
from tests.attribution.test_lrp import Remarks


def test_each_map_is_what_the_method_gives_alone(tiny: Classifier, noise_images: Images) -> None:
    found = dict(what_drives(tiny, noise_images, [0, 4, 2], "conv2"))
    assert set(found) == {*USUAL, Random()}
    for method, maps in found.items():
        alone = attribution.attribute(units_of(tiny, "conv2"), noise_images, [0, 4, 2], method)
        torch.testing.assert_close(maps.values, alone.values, rtol=1e-5, atol=1e-7)
    at = dict(what_drives(tiny, noise_images, 1, "conv2", methods=[GradCam()], at=(2, 2)))
    expected = attribution.attribute(units_of(tiny, "conv2", at=(2, 2)), noise_images, 1, GradCam())
    torch.testing.assert_close(at[GradCam()].values, expected.values)


def test_all_but_lrp_share_a_forward_pass(tiny: Classifier, noise_images: Images) -> None:
    ran: Counter[str] = Counter()
    for methods, expected in ((list(USUAL), 2), ([one for one in USUAL if not isinstance(one, Lrp)], 1)):
        # What the methods ask of the network itself is known by now.
        list(what_drives(tiny, noise_images, 1, "conv2", methods=methods))
        ran.clear()
        handle = tiny.module.network.conv1.register_forward_hook(lambda *given: ran.update(["conv1"]))
        list(what_drives(tiny, noise_images, 1, "conv2", methods=methods))
        handle.remove()
        assert ran["conv1"] == expected


def test_what_is_left_out_and_what_is_empty_is_said(tiny: Classifier, noise_images: Images) -> None:
    heard = Remarks()
    with progress.listening(heard):
        found = dict(what_drives(tiny, noise_images, 1, "conv1"))
    assert set(found) == {Gradient(), Lrp(), Random()}
    assert any(text.startswith("Guided Backprop is left out. tiny-0 up to conv1 has no rectif") for text in heard.texts)
    rectified = replace(tiny, layers=(*tiny.layers[:1], Layer("relu1", 4, "spatial", 16, 16)))
    tiny.module.network.conv1.bias[3] = -100
    heard = Remarks()
    with progress.listening(heard):
        list(what_drives(rectified, noise_images, 3, "relu1", methods=[Gradient()]))
    [text] = heard.texts
    assert "the map is zero everywhere for 'first.png', 'second.png', 'third.png'. The unit is nowhere active" in text


def test_bad_questions_are_answered_before_the_first_pass(tiny: Classifier, noise_images: Images) -> None:
    with pytest.raises(ValueError, match="Unit 6 does not exist: tiny-0 up to conv2"):
        what_drives(tiny, noise_images, 6, "conv2")
    with pytest.raises(ValueError, match="no layer 'conv9'"):
        what_drives(tiny, noise_images, 0, "conv9")
