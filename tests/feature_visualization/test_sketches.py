"""Small pictures of few steps, made where they are a small part of the work."""

from __future__ import annotations

from interp.feature_visualization import Channel, Fourier, Pixels, Settings, sketches, usual
from interp.feature_visualization.sketches import SKETCH_SIDE
from interp.types import Classifier
from tests.steps import finished


def test_a_sketch_is_small_and_nothing_of_the_picture_yet(squeezenet: Classifier) -> None:
    layer = squeezenet.last_spatial_layer.name
    settings = usual(squeezenet, 512)
    parts, made = finished(sketches(squeezenet, settings, (Channel(layer, 0), Channel(layer, 1))))
    assert parts and set(parts[-1]) == {0, 1}
    for one in made:
        assert one.pixels.shape == (SKETCH_SIDE, SKETCH_SIDE, 3) and (one.step, one.steps) == (0, 512)


def test_where_it_would_be_no_small_part_of_the_work_none_is_made(squeezenet: Classifier, tiny: Classifier) -> None:
    one = (Channel(squeezenet.last_spatial_layer.name, 0),)
    assert finished(sketches(squeezenet, usual(squeezenet, 64), one)) == ([], ())
    assert finished(sketches(squeezenet, Settings(512, Pixels(128)), one)) == ([], ())
    assert finished(sketches(squeezenet, Settings(512, Fourier(128), copies=2), one)) == ([], ())
    # What sees less than that has no smaller pictures.
    assert finished(sketches(tiny, usual(tiny, 2048), (Channel("conv2", 0),))) == ([], ())
