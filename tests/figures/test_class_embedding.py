"""The figure of the classes' maps."""

from __future__ import annotations

import numpy as np
import pytest

from interp.class_summary import ClassEmbedding
from interp.figures.class_embedding import embedding, point


def test_points_of_every_frame_name_their_class_and_layer() -> None:
    labels, layers = ("ant", "bee", "cat"), ("low", "high")
    places = {layer: np.array([[0.0, 1.0], [2.0, number]], np.float32) for number, layer in enumerate(layers)}
    found = embedding(ClassEmbedding(np.array([0, 2]), np.array([1]), places, {}, {}, ()), labels, 2, "low")
    assert [frame.name for frame in found.frames] == list(layers) and found.layout.sliders[0].active == 0
    for frame in found.frames:
        others, own = frame.data
        named = [[point(int(one), labels, layers) for one in trace.customdata] for trace in (others, own)]
        assert named == [[(0, frame.name), (2, frame.name)], [(2, frame.name)]]
        # The chosen class lies on its own point.
        assert (own.x[0], own.y[0]) == (others.x[1], others.y[1])
    # From (0, 1) to (2, 0), and from (0, 1) to (2, 1): the longer side of the box goes from -1 to 1.
    assert [frame.data[0].x.tolist() for frame in found.frames] == [[-1, 1], [-1, 1]]
    assert [frame.data[0].y.tolist() for frame in found.frames] == [[0.5, -0.5], [0, 0]]
    assert found.data[0].text == ("ant", "cat") and found.data[1].text == ("cat",)
    with pytest.raises(ValueError, match="of none of 2 layers"):
        point(6, labels, layers)
