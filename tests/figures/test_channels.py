"""Figures of channel attribution: what is drawn where, and what is named."""

import numpy as np
import pytest

from interp.channels import Compared
from interp.channels.cues import CueChannels
from interp.figures import channels as figures
from interp.types import Layer


def compared() -> Compared:
    attribution, effect = np.array([0, 1, 2, -1, 0.5]), np.array([0, 1, 5, -1, 0.25])
    return Compared(attribution, effect, 4, 0.9, 0.9, (2, 4))


def test_active_channels_are_drawn_and_the_outliers_named() -> None:
    figure = figures.effects(compared(), "a<b")
    line, others, outliers = figure.data
    assert tuple(line.x) == tuple(line.y), "on the line both are equal"
    assert list(others.customdata) == [1, 3], "channel 0 is silent"
    assert list(outliers.customdata) == [2, 4] and list(outliers.y) == [5, 0.25]
    assert [one.text for one in figure.layout.annotations] == ["2", "4"]
    assert figure.layout.xaxis.range == figure.layout.yaxis.range and "a&lt;b" in figure.layout.xaxis.title.text


def test_the_chosen_channel_has_a_ring_and_its_number_once() -> None:
    figure = figures.effects(compared(), "layer", 2)
    assert figure.data[-1].marker.symbol == "circle-open" and list(figure.data[-1].x) == [2]
    assert sorted(one.text for one in figure.layout.annotations) == ["2", "4"]


def test_nothing_active_is_no_error() -> None:
    nothing = np.zeros(3)
    figure = figures.effects(Compared(nothing, nothing, 0, float("nan"), float("nan"), ()), "layer")
    low, high = figure.layout.xaxis.range
    assert low < 0 < high and len(figure.data) == 1


def test_a_grid_has_zero_in_the_middle_and_rows_from_above() -> None:
    values = np.array([[1.0, -2.0], [0.0, 0.5], [0.1, 0.2]])
    figure = figures.grid(values, [7, 30], ["a", "<b>", "c"], ["one", "two", "three"])
    [cells] = figure.data
    assert cells.zmin == -cells.zmax and 0 < cells.zmax <= 2
    assert list(cells.x) == ["7", "30"] and figure.layout.xaxis.type == "category"
    assert figure.layout.yaxis.autorange == "reversed" and figure.layout.yaxis.ticktext[1] == "&lt;b&gt;"
    np.testing.assert_allclose(cells.z, values, atol=1e-4)


def test_a_grid_of_zeros_and_one_that_does_not_fit() -> None:
    assert figures.grid(np.zeros((1, 1)), [0], ["a"], [""]).data[0].zmax == 1
    with pytest.raises(ValueError, match="2 names and 1 channels"):
        figures.grid(np.zeros((1, 1)), [0], ["a", "b"], [""])


def seen(name: str) -> CueChannels:
    return CueChannels(
        name,
        "tag",
        Layer("layer", 4, "flat"),
        2,
        rise=np.array([0.1, 2.0, 1.0, -0.5]),
        auc=np.array([0.5, 1.0, 1.0, 0.2]),
        seeing=(1, 2),
        among_top=(1.0, 0.5),
        any_among_top=1.0,
        top_tells=0.4,
        attribution=np.array([0.0, 0.5, 0.2, -0.1]),
        effects=np.array([0.3, 0.2, 0.1, 0.0]),
        drop=0.3,
        others_drop=0.3,
        score=1.0,
        pixels=np.zeros((1, 2, 2, 3), np.uint8),
        fires=np.zeros((1, 2, 1, 1)),
    )


def test_a_cue_has_a_panel_for_each_classifier_on_the_same_axes() -> None:
    found = seen("biased")
    assert found.ranks == (2, 3)
    figure = figures.cue((found, seen("honest")), ("Biased", "<Honest>"))
    assert len(figure.data) == 4 and [list(one.customdata) for one in figure.data[:2]] == [[0, 3], [1, 2]]
    assert list(figure.data[1].text) == ["1", "2"] and list(figure.data[1].x) == [2.0, 1.0]
    assert [one.text for one in figure.layout.annotations] == ["Biased", "&lt;Honest&gt;"]
    assert figure.layout.yaxis2.matches == "y"
    with pytest.raises(ValueError, match="1 titles for 2"):
        figures.cue((found, found), ("Biased",))
