"""Probing through Streamlit's own test driver, with a stand-in for what the browser would say."""

from __future__ import annotations

import pytest

from interp import images, models
from interp.attribution.every_class import class_maps
from interp.images.shapes import Box
from interp.shared_interest import Deviations, probing

CORNER = {"kind": "rectangle", "points": [[0, 0], [150, 150]]}
OTHER = {"kind": "rectangle", "points": [[250, 250], [440, 440]]}


@pytest.fixture
def probed(shared_interest):
    return shared_interest("probe-canvas", images="scenes:10", **{"interest.view": "Probe"})


def tables(app) -> list:
    return [one.value for one in app.dataframe if "rank" in one.value.columns]


def said(app) -> str:
    return " ".join(one.value for one in [*app.markdown, *app.caption])


def expected(app, region: Box | None = None, score="iou"):
    """The ranking computed beside the page, by default for what people marked."""
    classifier = models.load("scenes-honest", device="cpu")
    sample = images.load("scenes:10")[app.selectbox(key="image").value]
    maps = class_maps(classifier, classifier.prepare([sample.image]))
    height, width = classifier.input_size
    marked = classifier.preprocessing.annotation(sample.mask).numpy() if region is None else region.draw(width, height)
    found = probing.probe(maps, probing.saliency(maps, Deviations()), marked)
    return [classifier.labels[one] for one in found.ranked(score)], found


def test_an_example_is_probed_at_first_and_the_page_says_what_it_took(probed) -> None:
    app = probed.app
    assert "Region 1 is an example" in said(app) and "**1 forward pass**" in said(app)
    order, found = expected(app)
    [table] = tables(app)
    assert table["class"].tolist() == order and table["rank"].tolist() == list(range(1, len(order) + 1))
    assert table["IoU"].tolist() == pytest.approx(sorted(found.overlap.iou, reverse=True))
    assert table["probability"].sum() == pytest.approx(1, abs=1e-4)
    assert f"first is **{order[0]}**" in said(app) and f"The map of **{order[0]}**" in said(app)


def test_a_drawn_region_takes_the_examples_place_and_a_second_is_compared(probed) -> None:
    app = probed.app
    probed(CORNER)
    blocks = probed.given["probe-canvas"]["width"] / models.load("scenes-honest", device="cpu").input_size[1]
    assert "Region 1 is an example" not in said(app)
    side = 150 / blocks
    order, _ = expected(app, Box(0.0, 0.0, side, side))
    assert tables(app)[0]["class"].tolist() == order
    app.segmented_control(key="probe-region").set_value("Region 2").run()
    probed(OTHER)
    second, _ = expected(app, Box(250 / blocks, 250 / blocks, 440 / blocks, 440 / blocks))
    first_table, second_table = tables(app)
    assert first_table["class"].tolist() == order and second_table["class"].tolist() == second
    assert first_table["in 2"].tolist() == [second.index(one) + 1 for one in order]
    changes = next(one.value for one in app.dataframe if "rank by region 1" in one.value.columns)
    for row in changes.to_dict("records"):
        assert row["rank by region 1"] == order.index(row["class"]) + 1
        assert row["rank by region 2"] == second.index(row["class"]) + 1 != row["rank by region 1"]
    probed({"kind": "clear"})
    assert len(tables(app)) == 1
    app.segmented_control(key="probe-region").set_value("Region 1").run()
    probed({"kind": "undo"})
    assert "Region 1 is an example" in said(app)


def test_brush_strokes_add_and_a_rectangle_begins_anew(probed) -> None:
    app = probed.app
    dab = {"kind": "brush", "points": [[100, 100]], "radius": 40}
    probed(dab)
    [kept] = app.session_state["probe-kept"].values()
    assert len(kept.first) == 1
    probed({"kind": "brush", "points": [[300, 300]], "radius": 40})
    [kept] = app.session_state["probe-kept"].values()
    assert len(kept.first) == 2 and probed.given["probe-canvas"]["count"] == 2
    probed(CORNER)
    [kept] = app.session_state["probe-kept"].values()
    assert len(kept.first) == 1 and isinstance(kept.first[0], Box)


def test_classes_are_ranked_by_the_score_that_is_chosen(probed) -> None:
    app = probed.app
    for name, score in (("Evidence inside", "evidence"), ("Saliency coverage", "saliency_coverage")):
        app.segmented_control(key="probe.score").set_value(name).run()
        assert not app.exception
        assert tables(app)[0]["class"].tolist() == expected(app, score=score)[0]
    assert "Saliency coverage" in app.query_params["probe.score"]


def test_without_an_annotation_the_middle_is_the_example(app, browser) -> None:
    app.query_params.update({"model": "scenes-honest", "images": "photographs", "interest.view-unmarked": "Probe"})
    app.switch_page("pages/shared_interest.py").run()
    assert not app.exception and not app.error
    assert "Region 1 is an example" in said(app) and len(tables(app)[0]) == 10


def test_every_method_that_is_offered_gives_maps(probed) -> None:
    app = probed.app
    for title in app.selectbox(key="probe.method").options:
        app.selectbox(key="probe.method").set_value(title).run()
        assert not app.exception and not app.error and len(tables(app)[0]) == 10
