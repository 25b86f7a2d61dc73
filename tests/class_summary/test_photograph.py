"""What one photograph uses of a class's graph, against a set of it alone, and channels' attribution."""

from __future__ import annotations

import numpy as np
import pytest

from interp import channels
from interp.class_summary import ClassGraph, InfluenceEdge, extract, marks_of_photograph, summarize
from interp.class_summary.graph import ChannelVertex
from interp.images import UnreadableImage
from interp.models import inputs
from interp.types import Classifier
from tests.class_summary.sets import pictures

LAYERS = ("conv1", "conv2")


def test_it_is_counted_as_a_class_s_image_whatever_its_own_label(tiny: Classifier) -> None:
    labels = [tiny.labels[0], None, tiny.labels[2]]
    photos = pictures(tiny, labels)
    for position in range(3):
        found = marks_of_photograph(tiny, photos, position, 1, LAYERS, 0.03)
        # The same picture, as the only one with the label.
        alone: list[str | None] = [None, None, None]
        alone[position] = tiny.labels[1]
        summary = summarize(tiny, pictures(tiny, alone), LAYERS).of_class(1)
        assert found.counts.images == summary.images == 1
        for layer in LAYERS:
            assert np.array_equal(found.counts.counts[layer], summary.counts[layer])
        assert np.array_equal(found.counts.influences[LAYERS], summary.influences[LAYERS])


def test_values_are_the_attribution_of_each_layer_s_channels_and_the_score_is_the_logit(tiny: Classifier) -> None:
    photos = pictures(tiny, [None, None])
    found = marks_of_photograph(tiny, photos, 1, 2, LAYERS, 0.01)
    image = inputs.read(tiny, photos, (1,))
    for layer in LAYERS:
        expected = channels.attribute(tiny, image, 2, layer=layer)
        np.testing.assert_allclose(found.values[layer], expected.values[0].numpy(), rtol=1e-5, atol=1e-7)
        assert found.score == pytest.approx(float(expected.logits[0, 2]), rel=1e-6)


def test_an_edge_is_used_where_both_ends_stand_out_and_the_influence_is_there(tiny: Classifier) -> None:
    photos = pictures(tiny, [tiny.labels[1]])
    found = marks_of_photograph(tiny, photos, 0, 1, LAYERS, 0.03)
    counts, influences = found.counts.counts, found.counts.influences[LAYERS]
    for lower in range(len(counts["conv1"])):
        for upper in range(len(counts["conv2"])):
            edge = InfluenceEdge(("conv1", lower), ("conv2", upper), 1)
            expected = counts["conv1"][lower] and counts["conv2"][upper] and influences[lower, upper]
            assert found.uses(edge) == bool(expected)
    # Of the graph of the image itself all is used, and nothing stands out beside the graph of all channels.
    graph = extract(found.counts)
    assert any(found.uses(edge) for edge in graph.edges)
    every = [ChannelVertex(layer, one, 1, 0.0) for layer in LAYERS for one in range(tiny.layer(layer).channels)]
    assert found.beside(ClassGraph(1, LAYERS, tuple(every), (), None)) == ()
    none = found.beside(ClassGraph(1, LAYERS, (), (), None))
    assert set(none) == {(layer, int(one)) for layer in LAYERS for one in np.flatnonzero(counts[layer])}
    assert [found.value(key) for key in none] == sorted((found.value(key) for key in none), reverse=True)


def test_what_cannot_be_is_said(tiny: Classifier) -> None:
    photos = pictures(tiny, [None, None], broken={1})
    with pytest.raises(UnreadableImage, match=r"1\.png: the file is damaged"):
        marks_of_photograph(tiny, photos, 1, 0, LAYERS, 0.03)
    with pytest.raises(ValueError, match="Class 99 does not exist"):
        marks_of_photograph(tiny, photos, 0, 99, LAYERS, 0.03)
    with pytest.raises(ValueError, match="a share of 0.01 or 0.03, and not of 0.5"):
        marks_of_photograph(tiny, photos, 0, 0, LAYERS, 0.5)
