"""Figures about maps: what stands in them is what was given."""

import numpy as np
import pytest

from interp.embedding import ClassAgreement, MapFrame
from interp.figures import embedding


def test_explained_variance_sums_up_and_marks_what_is_drawn() -> None:
    bars, line = embedding.explained_variance(np.array([0.5, 0.25, 0.125]), 2).data
    assert list(line.y) == [0.5, 0.75, 0.875]
    assert bars.marker.color[0] == bars.marker.color[1] != bars.marker.color[2]


def test_explained_variance_of_what_does_not_vary_is_refused() -> None:
    with pytest.raises(ValueError, match="do not vary"):
        embedding.explained_variance(np.zeros(0), 2)


def test_divergence_leaves_out_frames_without_one() -> None:
    frames = [MapFrame(np.zeros((2, 2)), step, 20, value) for step, value in ((0, 2.0), (10, None), (20, 0.5))]
    [line] = embedding.divergence({"<b>t-SNE": frames}).data
    assert list(line.x) == [0, 20] and list(line.y) == [2.0, 0.5]
    assert line.name == "&lt;b&gt;t-SNE"


def test_agreements_stand_beside_chance() -> None:
    found = {"group": [ClassAgreement(0.2, 0.1, 10, 50), ClassAgreement(0.6, 0.1, 10, 50)]}
    share, chance = embedding.agreements(found, ["pixels", "logits"]).data
    assert list(share.x) == ["pixels", "logits"] and list(share.y) == [0.2, 0.6]
    assert list(chance.y) == [0.1, 0.1] and "chance" in chance.name


def test_classes_are_counted_the_largest_on_top_and_the_smallest_left_out() -> None:
    names = [f"<b>{one}" for one in range(14)]
    classes = np.repeat(np.arange(14), np.arange(1, 15))
    figure = embedding.class_counts(classes, "label", names, [str(one) for one in range(14)])
    [bars] = figure.data
    assert list(bars.x) == list(range(3, 15)) and bars.customdata[-1] == "&lt;b&gt;13"
    assert figure.layout.yaxis.ticktext[-1] == "13"
    assert figure.layout.title.text == "By label, the 12 largest of 14"
    with pytest.raises(ValueError, match="no class to count"):
        embedding.class_counts(classes[:0], "label", names, names)
