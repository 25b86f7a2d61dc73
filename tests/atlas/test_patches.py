"""Patches are what lies around a sample's position in its image, as the classifier sees it."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from interp.atlas import PatchWindows, level_patches, patches, sampled
from interp.passes.receptive_fields import receptive_fields
from interp.set_pass import returned
from interp.types import Classifier
from tests.atlas.made_up import tokens
from tests.class_summary.sets import pictures, pixels_of
from tests.networks import calibrated

COUNT = 25
NETWORKS = MappingProxyType({"squeezenet1_1": "features.9", "resnet50": "layer4", "vit": None, "swin": "features.1"})


@pytest.mark.parametrize("name", NETWORKS)
def test_windows_stay_inside_and_hold_their_position_s_centre(name: str) -> None:
    classifier = tokens(name) if name in ("vit", "swin") else calibrated(name)
    layer = classifier.layer(NETWORKS[name])
    windows, fields = PatchWindows.of(classifier, layer.name), receptive_fields(classifier, layer.name)
    height, width = classifier.input_size
    assert 1 <= windows.side <= min(height, width)
    for place in range(layer.height * layer.width):
        top, left, bottom, right = windows.box(place)
        assert 0 <= top < bottom <= height and 0 <= left < right <= width
        assert bottom - top == right - left == windows.side
        row, column = divmod(place, layer.width)
        # As far as the centre itself is in the picture, whose border padding moves it over.
        y, x = np.clip(fields.centres_y[row], 0, height), np.clip(fields.centres_x[column], 0, width)
        assert top <= y <= bottom and left <= x <= right
        if 0 < top and bottom < height:
            assert abs((top + bottom) / 2 - y) <= 0.5 + 1e-9


def test_a_window_is_three_positions_wide_by_hand(tiny: Classifier) -> None:
    # Of 8 × 8 positions over 16 × 16 pixels each has 2; fields of conv2 are 5 wide, half of which is less than 6.
    windows = PatchWindows.of(tiny, "conv2")
    assert windows.side == 6
    assert windows.box(0) == (0, 0, 6, 6) and windows.box(63) == (10, 10, 16, 16)
    top, left, *_ = windows.box(8 * 4 + 3)
    assert (top, left) == (round(8.5 - 3), round(6.5 - 3))


def test_patches_are_the_crops_of_the_images_that_are_read(tiny: Classifier) -> None:
    photos = pictures(tiny, (None,) * COUNT)
    samples, pixels = sampled(tiny, photos, "conv2", 3), pixels_of(tiny, photos)
    windows, rows = PatchWindows.of(tiny, "conv2"), [0, 40, -1, 7, 40]
    found = returned(patches(tiny, photos, samples, rows, windows.side))
    assert found.shape == (5, 6, 6, 3) and (found[2] == 128).all() and (found[1] == found[4]).all()
    for patch, row in zip(found, rows, strict=True):
        if row >= 0:
            top, left, bottom, right = windows.box(int(samples.places[row]))
            expected = pixels[samples.images[row], :, top:bottom, left:right].permute(1, 2, 0) * 255
            assert np.abs(patch - expected.numpy()).max() <= 0.5 + 1e-4
    larger = returned(patches(tiny, photos, samples, [7], 24))
    top, left, bottom, right = windows.box(int(samples.places[7]))
    part = pixels[samples.images[7], :, top:bottom, left:right]
    expected = interpolate(part[None], size=(24, 24), mode="bilinear", antialias=True, align_corners=False)[0]
    assert np.abs(larger[0] - 255 * expected.permute(1, 2, 0).numpy()).max() <= 0.5 + 1e-3


def test_patches_fill_in_and_each_image_is_read_once(tiny: Classifier) -> None:
    photos = pictures(tiny, (None,) * COUNT)
    samples = sampled(tiny, photos, "conv2", 3)
    read: list[int] = []
    reading = photos._read
    photos._read = lambda position: read.append(position) or reading(position)
    steps = [one.copy() for one in patches(tiny, photos, samples, range(len(samples)))]
    assert sorted(read) == list(range(COUNT))
    filled = [int((one != 128).any(axis=(1, 2, 3)).sum()) for one in steps]
    assert filled == [16 * 3, COUNT * 3] and (steps[0][:48] == steps[1][:48]).all()


def test_files_that_are_gone_leave_grey(tiny: Classifier) -> None:
    samples = sampled(tiny, pictures(tiny, (None,) * 5), "conv2", 1)
    found = returned(patches(tiny, pictures(tiny, (None,) * 5, broken=(3,)), samples, range(5)))
    assert (found[3] == 128).all() and all((found[one] != 128).any() for one in (0, 1, 2, 4))


def test_levels_are_cut_in_one_reading(tiny: Classifier) -> None:
    photos = pictures(tiny, (None,) * 5)
    samples = sampled(tiny, photos, "conv2", 2)
    coarse, fine = np.array([3]), np.array([0, -1, 9])
    found = returned(level_patches(tiny, photos, samples, [coarse, fine]))
    assert [len(one) for one in found] == [1, 3] and (found[1][1] == 128).all()
    assert (found[0][0] == returned(patches(tiny, photos, samples, [3]))[0]).all()
    assert (found[1] == returned(patches(tiny, photos, samples, fine.tolist()))).all()


def test_patches_of_a_network_that_sees_grey_are_grey(lenet: Classifier) -> None:
    photos = pictures(lenet, (None,) * 2)
    found = returned(patches(lenet, photos, sampled(lenet, photos, "conv2", 2), [0, 3]))
    assert (found == found[..., :1]).all() and torch.from_numpy(found).float().std() > 5
