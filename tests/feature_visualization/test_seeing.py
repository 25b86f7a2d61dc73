"""Which images of a set a picture is most like."""

import numpy as np
import pytest

from interp import images
from interp.embedding import features
from interp.feature_visualization import bytes_of, nearest
from interp.models import inputs
from interp.types import Classifier


def test_an_image_is_nearest_to_itself(tiny: Classifier) -> None:
    scenes = images.load("scenes")
    positions = [3, 100, 230, 400]
    means = features(tiny, scenes, layer="conv2", positions=positions)
    seen = inputs.read(tiny, scenes, tuple(positions[1:3])).pixels
    found = nearest(tiny, [bytes_of(one) for one in seen], "conv2", means)
    assert [one.row for one in found] == [1, 2]
    # Bytes are as near as 1/512 to what was read.
    assert all(one.cosine == pytest.approx(1, abs=1e-3) for one in found)


def test_features_of_another_layer_are_refused(tiny: Classifier) -> None:
    with pytest.raises(ValueError, match="2 rows of 5 features"):
        nearest(tiny, [np.zeros((32, 32, 3), np.uint8)], "conv2", np.ones((2, 5), np.float32))
    with pytest.raises(ValueError, match="0 rows"):
        nearest(tiny, [], "conv2", np.zeros((0, 6), np.float32))
