"""The maps of a wall, and how they are enlarged, held against hooks, by hand, and against dissection's own masks."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from interp import units
from interp.figures import wall
from interp.models import hooks
from interp.types import Classifier, Images
from interp.units import ChannelMaps
from interp.units.exceeding import centres


def noise(classifier: Classifier, seed: int = 0) -> Images:
    generator = torch.Generator().manual_seed(seed)
    return Images(torch.rand(2, 3, *classifier.input_size, generator=generator), ("a", "b"))


def test_maps_are_those_of_a_whole_pass(tiny: Classifier) -> None:
    images = noise(tiny)
    for layer in ("conv1", "conv2"):
        with torch.no_grad(), hooks.activations(tiny, [layer]) as taken:
            tiny.module(images.pixels)
        found = units.channel_maps(tiny, images, layer)
        np.testing.assert_allclose(found.maps, taken[layer][0].numpy(), atol=1e-6)
        assert found.signed


def test_scales_and_orders_by_hand() -> None:
    maps = ChannelMaps("one", np.array([[[0, 2]], [[0, 0]], [[1, -4]], [[3, 0]]], np.float32))
    assert maps.ends("picture").tolist() == [2, 0, 4, 3] and maps.ends("alike").tolist() == [4, 4, 4, 4]
    assert maps.ends("set", np.array([8, 1, 2, 3], np.float32)).tolist() == [8, 1, 4, 3]
    # Of two that reach their end, the one that is larger; then a quarter of its end; then none of it.
    assert maps.brightest(maps.ends("set", np.array([8, 1, 2, 3], np.float32))).tolist() == [2, 3, 0, 1]
    with pytest.raises(ValueError, match="choose another scale"):
        maps.ends("set")


def test_a_map_is_enlarged_as_dissection_does_it(tiny: Classifier) -> None:
    maps = np.random.default_rng(0).normal(size=(3, 8, 8)).astype(np.float32)
    where, size = centres(tiny, "conv2"), tiny.input_size
    large = units.between_centres(maps, where, size)
    for own, dense in zip(maps, large, strict=True):
        for threshold in (-0.3, 0.4, 1.1, 9.0):
            mask = units.over_threshold(own, threshold, where, size)
            near = np.abs(dense - threshold) < 1e-5
            assert ((dense > threshold) == mask)[~near].all()


def test_a_sprite_holds_every_map_where_it_is_said_to_be() -> None:
    maps = np.zeros((5, 2, 3), np.float32)
    maps[3, 1, 2] = 1
    drawn = wall.sprite(maps, np.ones(5, np.float32), signed=False)
    assert (drawn.columns, drawn.rows, drawn.height, drawn.width) == (3, 2, 2, 3)
    from base64 import b64decode
    from io import BytesIO

    from PIL import Image

    picture = Image.open(BytesIO(b64decode(drawn.url.partition(",")[2])))
    lit = np.argwhere(np.asarray(picture) == 255)
    # Map 3 is the first of the second row.
    assert picture.size == (9, 4) and lit.tolist() == [[3, 2]]
    large = wall.sprite(np.ones((1, 128, 64), np.float32), np.ones(1, np.float32), signed=True)
    assert (large.height, large.width) == (64, 32)
