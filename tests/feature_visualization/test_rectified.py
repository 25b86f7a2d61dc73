"""Where rectified channels come from."""

import pytest
import torch

from interp import models
from interp.feature_visualization import Channel, before_rectifier


def test_channels_of_a_mixed_layer_come_from_its_convolutions() -> None:
    scenes = models.load("scenes-honest", device="cpu")
    found = before_rectifier(scenes, "mixed4b")
    known = [one for one in found if one is not None]
    assert len(found) == 176 and len(known) > 150
    # The branches' widths are 56, 72, 24 and 24, in this order.
    for number, source in enumerate(found):
        starts = {"branch1x1": 0, "branch3x3": 56, "branch5x5": 128, "pool_reduce": 152}
        if source is not None:
            branch = source.layer.split(".")[1]
            assert source.layer == f"mixed4b.{branch}.conv" and source.channel == number - starts[branch]


def test_a_channel_that_goes_below_zero_is_its_own(tiny) -> None:
    tiny.module.get_submodule("network").conv2.bias[:] = torch.tensor([-0.1, 9, -0.1, -0.1, -0.1, -0.1])
    own = [Channel("conv2", number) for number in range(6)]
    assert before_rectifier(tiny, "conv2") == (own[0], None, *own[2:])
    with pytest.raises(ValueError, match="conv9"):
        before_rectifier(tiny, "conv9")
