"""The view of all classes: the map, what is clicked and held in a lasso, the list, and how well one is recognized."""

from __future__ import annotations

import re
from types import SimpleNamespace

import numpy as np
import pytest
import streamlit as st

from interp import models
from interp.class_summary import similarity
from interp.models.predictions import PredictionPass
from pages.parts.class_summary import class_list, classes, tree
from pages.parts.kit import charts
from tests.conftest import SMALL
from tests.pages.opening import opening, said

ADDRESS = {"model": "scenes-honest", "images": "scenes:20", "cs.layers": "Ends of stages", "cs.view": "Classes"}
ADDRESS |= {"cs.map": "PCA"}


@pytest.fixture
def clicked(monkeypatch: pytest.MonkeyPatch):
    """What is selected on the map, as (class, layer) pairs, by a click or a lasso; and what hears of it."""
    said: dict = {"points": [], "lasso": []}
    draw = charts.draw

    def drawn(figure, *, key: str = "", **more):
        if key != classes.KEY:
            return draw(figure, **more)
        layers = [frame.name for frame in figure.frames]
        points = [{"customdata": 10 * layers.index(layer) + number} for number, layer in said["points"]]
        st.session_state[key] = SimpleNamespace(selection=SimpleNamespace(points=points, lasso=said["lasso"], box=[]))
        said["figure"] = figure
        st.button("heard", key="heard", on_click=more["on_select"])
        return None

    monkeypatch.setattr(charts, "draw", drawn)
    return said


def table(app):
    return next(one.value for one in app.dataframe if "alike" in one.value)


def test_a_click_chooses_the_class_and_the_layer(app, clicked: dict) -> None:
    open_page, run_again = opening(app, "class_summary", ADDRESS)
    open_page()
    layers = [frame.name for frame in clicked["figure"].frames]
    assert clicked["figure"].layout.sliders[0].active == len(layers) - 1
    clicked["points"] = [(3, layers[0])]
    run_again()
    app.button(key="heard").click()
    run_again()
    assert app.selectbox(key="cs.class").value == "3" and app.selectbox(key="cs.layer").value == layers[0]
    name = app.selectbox(key="cs.class").options[3]
    assert f"Nearest to **{name}** at {layers[0]}" in said(app)
    # The map begins where it was clicked.
    assert clicked["figure"].layout.sliders[0].active == 0
    others, own = clicked["figure"].data
    assert others.customdata.tolist() == list(range(10)) and own.customdata.tolist() == [3] and own.text == (name,)


def test_a_lasso_limits_the_list_to_what_it_holds(app, clicked: dict) -> None:
    open_page, run_again = opening(app, "class_summary", ADDRESS)
    open_page()
    names = app.selectbox(key="cs.class").options
    assert len(table(app)) == 10
    clicked.update(points=[(7, "mixed5b"), (2, "mixed5b")], lasso=[{}])
    run_again()
    assert table(app)["class"].tolist() == sorted([names[2], names[7]]) and "2 classes in the lasso" in said(app)
    assert app.selectbox(key="cs.class").value == "0"
    clicked.update(points=[])
    run_again()
    assert "0 classes in the lasso" in said(app) and not [one for one in app.dataframe if "alike" in one.value]


def test_the_list_is_searched_and_ordered(app) -> None:
    open_page, run_again = opening(app, "class_summary", ADDRESS)
    open_page(cs_order="Alike", cs_class="4")
    found = table(app)
    assert found["class"].iloc[0] == app.selectbox(key="cs.class").options[4] and found["alike"].iloc[
        0
    ] == pytest.approx(1)
    assert found["alike"].is_monotonic_decreasing and (found["images"] == 2).all()
    app.segmented_control(key="cs.order").set_value("Accuracy")
    run_again()
    assert table(app)["accuracy"].is_monotonic_increasing
    app.text_input(key="cs.search").set_value("FISH")
    run_again()
    assert table(app)["class"].tolist() == ["fish"]
    app.text_input(key="cs.search").set_value("no such class")
    run_again()
    assert "No class is called so" in said(app)


def test_accuracy_is_that_of_the_overview_and_computed_once(app, monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[int] = []
    original = PredictionPass.run

    def counted(work, classifier, items, context, seen):
        runs.append(len(seen))
        return original(work, classifier, items, context, seen)

    monkeypatch.setattr(PredictionPass, "run", counted)
    address = ADDRESS | {"model": "scenes-a", "images": "scenes"}
    open_page, run_again = opening(app, "class_summary", address)
    open_page()
    assert sum(runs) == SMALL
    classifier = models.load("scenes-a")
    app.switch_page("app.py")
    run_again()
    assert sum(runs) == SMALL
    overview = next(one.value for one in app.dataframe if "mistake" in one.value).set_index("name")["accuracy"]
    app.switch_page("pages/class_summary.py")
    run_again()
    own = table(app).set_index("class")["accuracy"]
    assert own.to_dict() == overview[own.index].to_dict() and own.nunique() > 1
    number = classifier.labels.index(own.idxmin())
    app.selectbox(key="cs.class").set_value(str(number))
    run_again()
    recognized = re.search(r"is recognized in (\d+) of (\d+) images", said(app))
    assert recognized and int(recognized[1]) / int(recognized[2]) == pytest.approx(own.min())
    assert len(app.get("plotly_chart")) == 3 and sum(runs) == SMALL


def test_the_tree_of_the_layer_is_drawn_and_a_click_on_a_class_chooses_it(app, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: dict = {}
    draw = charts.draw

    def kept(figure, *, key: str = "", **more):
        if key == tree.KEY:
            drawn.update(figure=figure, **more)
            st.session_state[key] = SimpleNamespace(selection=SimpleNamespace(points=drawn.get("points", [])))
            st.button("heard", key="heard", on_click=more["on_select"])
        else:
            draw(figure, **more | ({} if key != classes.KEY else {"key": key}))

    monkeypatch.setattr(charts, "draw", kept)
    open_page, run_again = opening(app, "class_summary", ADDRESS)
    open_page(cs_class="4", cs_layer="mixed4c")
    names = app.selectbox(key="cs.class").options
    points = drawn["figure"].data[-1]
    assert "at mixed4c: what is alike" in said(app) and sorted(points.customdata) == list(range(10))
    assert dict(zip(points.customdata, points.text, strict=True)) == dict(enumerate(names))
    assert f"<b>{names[4]}</b>" in drawn["figure"].layout.yaxis.ticktext
    # Where lines meet there is no class.
    for customdata, chosen in ((None, "4"), ([7], "7"), (2, "2")):
        drawn["points"] = [{} if customdata is None else {"customdata": customdata}]
        run_again()
        app.button(key="heard").click()
        run_again()
        assert app.selectbox(key="cs.class").value == chosen
    assert f"<b>{names[2]}</b>" in drawn["figure"].layout.yaxis.ticktext


def test_of_many_classes_the_chosen_one_and_its_nearest_are_in_the_tree() -> None:
    counts = {"first": np.random.default_rng(0).poisson(1.0, (60, 30))}
    counts["first"][50:], images = 0, np.full(60, 2)

    def shown(number: int, count: int) -> tuple[int, ...]:
        summary = SimpleNamespace(seen=np.arange(count), images=images)
        return tree.drawn_of(summary, alike, number, "first")

    alike = similarity(counts)
    assert shown(7, 40) == tuple(range(40))
    some = shown(7, 60)
    assert len(some) == 31 and set(some) == {7, *alike.nearest("first", 7, 30).tolist()}
    # One that shares nothing with others stands alone.
    assert shown(55, 60) == (55,)


def test_classes_without_images_are_not_in_the_list() -> None:
    images = np.array([3, 0, 1])
    summary = class_list.ClassSummary(
        "net", ("b", "x", "A"), ("first",), 0.03, images, {"first": np.eye(3, dtype=int)}, {}, {}
    )
    rows = class_list.ClassRows(summary, 0, "first", np.array([1.0, 0.5, 0.25]), np.array([0.5, np.nan, np.nan]))
    assert rows.shown("Name", "", None).tolist() == [2, 0] and rows.shown("Alike", "", None).tolist() == [0, 2]
    # A class whose accuracy is not known comes last.
    assert rows.shown("Accuracy", "", None).tolist() == [0, 2] and rows.shown("Name", "a", None).tolist() == [2]
    assert rows.shown("Images", "", (2, 1)).tolist() == [2]
