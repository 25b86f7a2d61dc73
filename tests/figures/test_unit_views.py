"""Figures and frames of the views of units: same ends, classes that are affected, boxes in the right place."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from interp.figures import cell_frames, unit_comparison, unit_curves, units
from interp.images import ImageSet
from interp.passes.receptive_fields import receptive_fields
from interp.set_pass import returned
from interp.types import Classifier
from interp.units import LikeCells, curves_of_class, dissect, greedy
from tests.units.conftest import BROKEN, known  # noqa: F401
from tests.units.test_ablation import by_hand, coloured


def test_classes_are_those_whose_counts_change_most() -> None:
    before = np.diag([5, 5, 5, 5, 0])
    after = before.copy()
    after[2] = [0, 4, 1, 0, 0]
    assert units.affected(before, after).tolist() == [0, 1, 2, 3]
    # Of many classes only those that change; none, where none does.
    assert units.affected(before, after, most=2).tolist() == [1, 2]
    assert units.affected(before, before, most=2).tolist() == []
    wide = np.kron(np.eye(200, dtype=np.int64), before)
    moved = wide.copy()
    moved[7, 7], moved[7, 900] = 0, 5
    shown = units.affected(wide, moved)
    assert shown.tolist() == [7, 900]
    figure = units.confusions(moved, [f"class {one}" for one in range(1000)], shown)
    assert figure.layout.yaxis.ticktext == ("class 7", "class 900", "other")
    assert sum(np.nansum(trace.z) for trace in figure.data) == moved.sum()


def test_two_classifiers_have_one_upper_end_and_each_its_line(tiny: Classifier, known: ImageSet) -> None:  # noqa: F811
    found = dissect(tiny, known, ["conv1", "conv2"])
    other = dataclasses.replace(tiny, fingerprint="other")
    second = dissect(other, known, ["conv2"])
    one, two = unit_comparison.detectors_of_both(found.layers, second.layers, 0.0)
    assert one.layout.yaxis.range == two.layout.yaxis.range and one.layout.yaxis.range[1] >= 6
    concept = found.concepts[0]
    figure = unit_comparison.appearance((found.layers, second.layers), ("first", "second"), concept, 0.04)
    lines = {trace.name: trace for trace in figure.data}
    assert list(lines) == ["first", "first, by chance", "second", "second, by chance"]
    place = found.concepts.index(concept)
    np.testing.assert_allclose(lines["first"].y, [layer.iou()[:, place].max() for layer in found.layers])
    for layer, chance in zip(found.layers, lines["first, by chance"].y, strict=True):
        unit, _, _ = unit_comparison.best_unit(layer, concept)
        assert chance == pytest.approx(layer.chance()[unit, place])


def test_frames_stand_around_the_cell_and_its_field(tiny: Classifier, known: ImageSet) -> None:  # noqa: F811
    fields = receptive_fields(tiny, "conv2")
    for block in (1, 3):
        for row in range(-(-8 // block)):
            boxes = np.array(
                [
                    fields.box(down, across)
                    for down in range(row * block, min(8, (row + 1) * block))
                    for across in range(0, block)
                ]
            )
            least, most = boxes.min(axis=0), boxes.max(axis=0)
            assert cell_frames.field_of(fields, row, 0, block) == (least[0], least[1], most[2], most[3])
    pictures = returned(cell_frames.framed_cells(tiny, known, fields, 1, [(2, 3, 3), (BROKEN, 0, 0)]))
    assert pictures[0].shape == (160, 160, 3) and (pictures[1] == 200).all()
    # The cell is 2 of 16 pixels, tenfold; a white line is three pixels off it.
    assert (pictures[0][57, 62:78] == 255).all() and (pictures[0][62:78, 57] == 255).all()


def test_curves_and_steps_have_a_line_for_each_order() -> None:
    found = returned(curves_of_class(by_hand(), coloured("rrggbb"), "see", 0, sizes=(1, 2)))
    figure = unit_curves.drop_curves(found)
    assert [trace.name for trace in figure.data] == ["effect", "attribution", "selectivity", "random"]
    spread = figure.data[-1]
    values = np.array([one.balanced for name, one in found.items() if name.startswith("random")])
    np.testing.assert_allclose(spread.y, values.mean(axis=0))
    np.testing.assert_allclose(spread.y + spread.error_y.array, values.max(axis=0))
    few = greedy(by_hand(), coloured("rrggbb"), "see", 1, most=2)
    assert unit_curves.greedy_steps(few).data[1].x[1] == f"+ {few.units[0]}"


def test_likenesses_are_counted_from_the_first_that_there_is() -> None:
    spread = np.zeros(40, np.int64)
    spread[[25, 39]] = 3, 4
    none = np.zeros((2, 2), np.int64)
    found = LikeCells(7, np.array([0.99, 0.98]), np.array([1, 2]), none, np.zeros((2, 0)), 0, spread)
    bars = units.likenesses(found).data[0]
    assert sum(bars.y) == 7 and bars.x[0] == pytest.approx(0.275)
