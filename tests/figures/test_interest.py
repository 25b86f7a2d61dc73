"""Figures of Shared Interest: what is drawn is what was counted."""

from __future__ import annotations

import numpy as np
import pytest

from interp.attribution import GradCam, SmoothGrad
from interp.figures import interest
from interp.shared_interest import (
    CASES,
    SCORES,
    Percentile,
    by_class,
    compared,
    confusion,
    counts_by_threshold,
    ladder,
    sweep,
)
from tests.shared_interest.sets import CLASSES, scored

SAME, APART = (100, 100, 90), (100, 100, 0)


@pytest.mark.parametrize("name", list(SCORES))
def test_a_histogram_counts_every_image_once(name) -> None:
    rows = scored([SAME, APART, (100, 100, 100), (100, 50, 25)], labels=[0, 1, 2, -1], predicted=[0, 0, 2, 1])
    bars = {bar.name.split(",")[0]: bar for bar in interest.histogram(rows, name).data}
    assert list(bars) == ["2 right", "1 wrong", "1 without label"]
    assert [int(np.sum(bar.y)) for bar in bars.values()] == [2, 1, 1]
    assert not interest.histogram(scored([]), name).data


def test_the_confusion_map_shows_mean_scores_of_the_classes_that_matter() -> None:
    rows = scored([SAME, APART, SAME], labels=[0, 0, 2], predicted=[0, 2, 2])
    [cells] = interest.confusion_map(confusion(rows), CLASSES).data
    assert np.array_equal(cells.customdata, [[1, 1], [0, 1]])
    assert cells.z[0] == pytest.approx([90 / 110, 0]) and np.isnan(cells.z[1][0])
    rng = np.random.default_rng(0)
    labels = [*range(40), 35]
    many = scored([SAME] * 41, labels=labels, predicted=[*range(40), 3])
    [cells] = interest.confusion_map(confusion(many), [f"<b>{n}</b>" for n in rng.permutation(40)]).data
    assert len(cells.z) == 20 and cells.text is None
    assert sum(sum(row) for row in cells.customdata) >= 20
    assert interest.confusion_map(confusion(scored([])), CLASSES).data


def test_a_sweep_shows_scores_case_and_changes() -> None:
    heatmap = np.arange(100, 0, -1, dtype=np.float32).reshape(10, 10)
    annotation = np.zeros((10, 10), bool)
    annotation[:2] = True
    found = sweep(heatmap, annotation, True, ladder(Percentile()))
    figure = interest.sweep_chart(found, chosen=80)
    lines = {trace.name: trace for trace in figure.data}
    assert np.array_equal(lines["IoU"].y, found.overlap.iou) and np.array_equal(lines["IoU"].x, found.settings)
    assert list(lines["case"].text) == [CASES[one] for one in found.cases]
    bands = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    assert len(bands) == len(found.changes) + 1
    assert bands[0].x0 == found.settings[0] and bands[-1].x1 == found.settings[-1]
    assert any(shape.x0 == 80 for shape in figure.layout.shapes if shape.type == "line")


def test_counts_are_stacked_to_the_number_of_images() -> None:
    counts = counts_by_threshold(scored([SAME, APART, (100, 100, 60)]), "high")
    figure = interest.count_chart(counts, chosen=0.65)
    assert (np.sum([trace.y for trace in figure.data], axis=0) == 3).all()
    assert "confuser" not in [trace.name for trace in figure.data]


def test_flows_join_what_was_with_what_is() -> None:
    first, second = scored([SAME, SAME, APART]), scored([SAME, APART, APART], method=GradCam())
    third = scored([APART, APART, APART], method=SmoothGrad())
    [flows] = interest.sankey(compared((first, second, third))).data
    ends = {
        (flows.node.label[source], flows.node.label[target]): value
        for source, target, value in zip(flows.link.source, flows.link.target, flows.link.value, strict=True)
    }
    assert ends[("human aligned (2)", "sufficient context (2)")] == 1
    assert ends[("human aligned (1)", "sufficient context (3)")] == 1
    assert sum(flows.link.value) == 6
    assert len(flows.node.label) == len(flows.node.x) == len(flows.node.y) == 5
    assert len(interest.sankey(compared((scored([]), scored([])))).data) == 1


def test_every_case_has_a_colour_of_its_own() -> None:
    assert list(interest.COLOURS) == list(CASES) and len(set(interest.COLOURS.values())) == len(CASES)


def test_classes_stand_by_overlap_and_accuracy_the_extremes_named() -> None:
    rows = scored([SAME, APART, (100, 100, 50), (100, 100, 60)], labels=[0, 1, 2, 2], predicted=[0, 1, 2, 0])
    [marks] = interest.class_spread(by_class(rows), ["<b>a", "b", "c"]).data
    assert list(marks.y) == [1, 1, 0.5] and marks.x[1] == 0
    assert list(marks.text) == ["&lt;b&gt;a", "b", "c"] and marks.textposition[2] == "bottom center"


def test_a_bar_is_made_of_the_shares_of_its_cases() -> None:
    none = dict.fromkeys(CASES, 0.0)
    listed = [
        {"pictures": "car, with a tag", "classifier": "Scenes, honest"}
        | none
        | {"human aligned": 0.75, "distractor": 0.25},
        {"pictures": "car, with a tag", "classifier": "Scenes A"} | none | {"distractor": 1.0},
    ]
    aligned, distractor = interest.case_bars(listed).data
    assert (aligned.name, list(aligned.x)) == ("human aligned", [0.75, 0]) and list(distractor.x) == [0.25, 1]
    assert list(aligned.y) == ["car: Scenes honest", "car: Scenes A"]
