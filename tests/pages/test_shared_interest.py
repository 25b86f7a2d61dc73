"""Shared Interest through Streamlit's own test driver, and its parts by themselves."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import streamlit as st
from PIL import Image

import cache
from interp import attribution, images, models, shared_interest
from interp.figures import style
from interp.images import ImageSet
from interp.shared_interest import CASES, Counts, Deviations, Explanation, Percentile, Scored, Scoring, Thresholds
from pages.parts.embedding import maps
from pages.parts.kit import clicks, export, markup
from pages.parts.shared_interest import (
    asking,
    choosing,
    closeup,
    gallery,
    lesson,
    pictures,
    probing,
    tables,
    tiles,
    views,
)
from pages.parts.shared_interest.scored_set import NAMES, NO_LABEL, ScoredSet

SET = "scenes:24"


@pytest.fixture
def page(app):
    """Opens the page with choices in the address."""

    def open_page(**choices: str):
        for key, value in {"images": SET, **choices}.items():
            app.query_params[key.replace("__", ".")] = value
        # Not by way of the Overview, which has the whole set predicted.
        return run(app.switch_page("pages/shared_interest.py"))

    return SimpleNamespace(app=app, open=open_page)


def run(app):
    app.run()
    assert not app.exception, [one.value for one in app.exception]
    return app


def said(app) -> str:
    return " ".join(one.value for one in [*app.markdown, *app.caption, *app.info, *app.error, *app.warning])


def drawings(app) -> str:
    return " ".join(one.proto.body for one in app.main.get("html"))


def tile_counts(app) -> dict[str, int]:
    found = re.findall(r'data-click="case:(\d+)".*?class="count">([\d,]+)<', drawings(app), re.DOTALL)
    chips = re.findall(r'data-click="case:(\d+)"[^>]*><b>([\d,]+)</b>', drawings(app))
    return {NAMES[int(place)]: int(count.replace(",", "")) for place, count in [*found[:8], *chips]}


def shown_positions(app) -> list[int]:
    return [int(one) for one in re.findall(r'data-click="image:(\d+)"', drawings(app))]


def click(app, message: str):
    """What a click in the browser does: its message is heard before the page is drawn again."""
    kind, _, value = message.partition(":")
    if kind == "case":
        place = NAMES[int(value)]
        app.session_state[choosing.CASES_KEY] = [place]
        app.session_state["interest.view"] = "Gallery"
    else:
        app.session_state[closeup.KEY] = int(value)
    return run(app)


def some(overlaps: list[tuple[int, int, int]], labels: list[int], predicted: list[int]) -> Scored:
    """Scored images with these numbers of annotated, salient and shared pixels."""
    count = len(labels)
    columns = np.array(overlaps, np.int64).reshape(count, 3).T
    return Scored(
        Explanation(attribution.GradCam()),
        Scoring(),
        "tiny",
        np.arange(count, dtype=np.int32),
        np.array(predicted, np.int32),
        np.linspace(0.9, 0.5, count),
        np.array(labels, np.int32),
        Counts(*columns),
        np.linspace(0, 1, count),
        count,
    )


def known(tiny, scored: Scored, names: list[str] | None = None) -> ScoredSet:
    names = names or [f"image {i}" for i in range(len(scored))]
    photos = ImageSet(name="made", description="", fingerprint="made", names=names, read=lambda i: None)
    return ScoredSet(tiny, photos, scored, Thresholds())


def test_opens_with_all_images_scored_counted_and_drawn(page) -> None:
    app = page.open()
    classifier, photos = models.load("scenes-honest"), images.load(SET)
    scored = shared_interest.score(classifier, photos, Explanation(attribution.GradCamPlusPlus(layer="mixed4c")))
    expected = shared_interest.counts(scored.cases(Thresholds(0.3, 0.4)))
    assert {name: count for name, count in tile_counts(app).items() if count} == {
        name: count for name, count in expected.items() if count
    }
    assert f"{scored.overlap.iou.max():.2f}" in drawings(app)
    assert drawings(app).count("data:image/webp;base64,") == 24 and "24 images scored" in said(app)
    # The clearest image of each case comes first, before the second of any.
    cases = scored.cases(Thresholds(0.3, 0.4))[np.argsort(scored.positions)]
    shown = [int(cases[position]) for position in shown_positions(app)]
    present = sorted(set(cases.tolist()))
    assert shown[: len(present)] == present and len(present) > 1
    aligned = scored.positions[scored.overlap.iou.argmax()]
    assert shown_positions(app)[0] == aligned


def test_the_authors_thresholds_are_a_click_away_and_stay_in_the_address(page) -> None:
    app = page.open()
    assert app.query_params["interest.thresholds"] == "0.3-0.4"
    app.button(key="interest-nearer").click()
    run(app)
    assert "IoU ≥ 0.65" in drawings(app) and app.query_params["interest.thresholds"] == "0.2-0.65"
    assert app.selectbox(key="interest.method").value == "Grad-CAM++"
    app.button(key="interest-nearer").click()
    run(app)
    assert "IoU ≥ 0.40" in drawings(app) and app.query_params["interest.thresholds"] == "0.3-0.4"


@pytest.mark.parametrize("link", [{"grad-cam.layer": "mixed4c"}, {"interest.target": "Label"}])
def test_a_link_from_before_keeps_the_method_and_thresholds_that_it_left_out(page, link: dict[str, str]) -> None:
    app = page.open(**link)
    assert app.selectbox(key="interest.method").value == "Grad-CAM"
    assert app.slider(key="interest.thresholds").value == (0.2, 0.65)
    assert app.selectbox(key="interest.order").value == "iou"


def test_where_all_are_right_a_classifier_that_errs_is_a_click_away(page) -> None:
    app = page.open()
    assert "24 of 24 are right" in app.button(key="interest-elsewhere").label
    app.button(key="interest-elsewhere").click()
    run(app)
    assert app.selectbox(key="model").value == "scenes-a" and sum(tile_counts(app)[name] for name in CASES[1:8:2]) > 0


def test_a_rerun_computes_nothing_again(page, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page.open()
    computed = []
    for module, name in ((gallery, "_picture"), (shared_interest.scoring, "overlap")):
        monkeypatch.setattr(module, name, lambda *a, **k: computed.append(1))
    run(app)
    assert computed == []


def test_the_settings_are_in_the_address(page) -> None:
    app = page.open(
        interest__method="Layer-CAM",
        interest__target="Label",
        interest__rule="Percentile",
        interest__percent="80",
        interest__thresholds="0.3-0.5",
        interest__order="saliency_coverage",
        interest__direction="Lowest first",
    )
    assert "Layer\\-CAM for the image's label, salient from the 80th percentile on" in said(app)
    assert "SC ≥ 0.50, GTC ≤ 0.30" in drawings(app)
    classifier, photos = models.load("scenes-honest"), images.load(SET)
    explanation = Explanation(attribution.LayerCam(layer=classifier.last_spatial_layer.name), "label")
    scored = shared_interest.score(classifier, photos, explanation, scoring=Scoring(Percentile(80)))
    order = np.argsort(scored.overlap.saliency_coverage, kind="stable")
    assert shown_positions(app) == scored.positions[order].tolist()
    app.slider(key="interest.percent").set_value(90)
    run(app)
    assert "interest.percent" not in app.query_params, "the default leaves the address short"


def test_nonsense_in_the_address_is_passed_over(page) -> None:
    app = page.open(
        interest__method="Tea leaves",
        interest__thresholds="0.9-0.1",
        interest__case="none such",
        interest__class="999",
        interest__range="a-b",
        interest__open="no such image",
        interest__view="Elsewhere",
    )
    assert app.selectbox(key="interest.method").value == "Grad-CAM"
    assert app.slider(key="interest.thresholds").value == (0.2, 0.65) and len(shown_positions(app)) == 24


def test_two_handles_on_one_place_are_still_thresholds(page) -> None:
    app = page.open(interest__thresholds="1-1")
    assert "IoU ≥ 1.00" in drawings(app) and "IoU ≤ 0.99" in drawings(app)


def test_a_case_that_is_clicked_filters_the_gallery(page) -> None:
    app = page.open(interest__thresholds="0.3-0.5", interest__view="Scores")
    counts = tile_counts(app)
    place = max(range(8), key=lambda one: counts[NAMES[one]])
    click(app, f"case:{place}")
    assert app.segmented_control(key="interest.view").value == "Gallery"
    assert len(shown_positions(app)) == counts[NAMES[place]] < 24
    assert app.query_params["interest.case"] == NAMES[place]
    assert 'aria-pressed="true"' in drawings(app)
    app.multiselect(key="interest.case").set_value(["confuser", "distractor"])
    app.segmented_control(key="interest.outcome").set_value("Right")
    run(app)
    assert "No scored image passes" in said(app)


def test_order_and_filters_one_by_one(page) -> None:
    app = page.open()
    app.selectbox(key="interest.order").set_value("name")
    app.segmented_control(key="interest.direction").set_value("Lowest first")
    run(app)
    photos = images.load(SET)
    assert [photos.names[one] for one in shown_positions(app)] == sorted(photos.names)
    app.multiselect(key="interest.class").set_value([models.load("scenes-honest").labels.index("fish")])
    run(app)
    assert 0 < len(shown_positions(app)) < 24 and all("fish" in photos.names[one] for one in shown_positions(app))
    app.multiselect(key="interest.class").set_value([])
    app.slider(key="interest.range").set_value((0.5, 1.0))
    app.segmented_control(key="interest.view-as").set_value("Map")
    run(app)
    assert 0 < len(shown_positions(app)) < 24 and "of 24 scored images" in said(app)
    assert app.query_params["interest.range"] == "0.5-1"


def test_scores_and_classes(page) -> None:
    app = page.open(interest__view="Scores")
    table = app.dataframe[0].value
    assert table["score"].tolist() == list(shared_interest.SCORES.values()) and table["mean"].between(0, 1).all()
    assert len(app.get("plotly_chart")) == 4
    app.segmented_control(key="interest.view").set_value("Classes")
    run(app)
    table = app.dataframe[0].value
    assert table["images"].sum() == 24 and (table["right"] <= table["images"]).all()
    app.segmented_control(key="interest.matrix").set_value("Saliency coverage")
    run(app)
    assert "Saliency coverage" in app.get("plotly_chart")[0].proto.spec


def test_how_cases_hang_on_the_thresholds(page) -> None:
    app = page.open(interest__view="Threshold")
    assert len(app.get("plotly_chart")) == 3 and "On the edge" in said(app) and "at every one of these" in said(app)
    app.segmented_control(key="interest.sweep").set_value("One image")
    run(app)
    assert len(app.get("plotly_chart")) == 1 and len(shown_positions(app)) == 1
    assert re.search(r"Along the standard deviations|at every setting", said(app))
    app.selectbox(key="image").set_value(3)
    run(app)
    assert shown_positions(app) == [3]


def test_methods_side_by_side_with_disagreements_first(page) -> None:
    app = page.open(interest__view="Methods")
    table = app.dataframe[0].value
    assert table[""].tolist() == ["Grad-CAM++", "Gradient", "Random"]
    assert (table.drop(columns=["", "mean IoU"]).sum(axis=1) == 24).all()
    assert table["mean IoU"][0] > table["mean IoU"][2], "the control shares less with the objects than Grad-CAM++"
    assert len(shown_positions(app)) == 3 * 8 and "Disagreements first" in said(app)
    app.segmented_control(key="interest.evidence").set_value("Counts at all")
    run(app)
    other = app.dataframe[0].value
    assert other["mean IoU"][0] == table["mean IoU"][0] and other["mean IoU"][1] != table["mean IoU"][1]
    app.multiselect(key="interest.methods").set_value([])
    run(app)
    assert "Choose a second method" in said(app)


def test_each_view_lets_go_of_what_the_others_have_asked_for(page, monkeypatch: pytest.MonkeyPatch) -> None:
    released, release = [], cache.Visitor.release
    monkeypatch.setattr(
        cache.Visitor, "release", lambda self, slot: (released.append(getattr(slot, "name", "")), release(self, slot))
    )
    app = page.open(interest__view="Methods")
    assert "methods" not in released
    app.segmented_control(key="interest.view").set_value("Draw")
    run(app)
    assert {"methods", "disputed-0"} <= set(released), "they would go on for hours"
    app.segmented_control(key="interest.view").set_value("Gallery")
    run(app)
    assert {"draw-image", "draw-batch"} <= set(released) and "scores" not in released


@pytest.mark.usefixtures("whole_sets")
@pytest.mark.slow
def test_a_second_classifier_and_the_lesson(page, unchecked: None, monkeypatch: pytest.MonkeyPatch) -> None:
    original = lesson.st.expander
    monkeypatch.setattr(lesson.st, "expander", lambda *given, **named: original(*given, **{**named, "expanded": True}))
    app = page.open(interest__view="Classifiers")
    lessons, table = app.dataframe[0].value, app.dataframe[1].value
    assert app.selectbox(key="interest.rival").value == "scenes-a"
    assert table[""].tolist() == ["scenes-honest", "scenes-a"] and "have the same case in both" in said(app)
    assert len(lessons) == 8 and (lessons["images"] == 30).all()
    honest, biased = (lessons["mean IoU"][lessons["classifier"].str.contains("honest") == one] for one in (True, False))
    assert (honest.to_numpy() > biased.to_numpy()).all()
    assert honest.iloc[0] > 0.5 and biased.iloc[0] < 0.2, "A looks at the tag, and not at the car"
    app.selectbox(key="interest.rival").set_value("digits")
    run(app)
    assert not app.error and app.query_params["interest.rival"] == "digits"
    app.selectbox(key="interest.rival").set_value(None)
    run(app)
    assert "Choose a second classifier" in said(app)


def test_a_second_classifier_that_cannot_be_had_is_said(page, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "lost.toml").write_text('architecture = "resnet18"\nweights = "lost.safetensors"\n')
    monkeypatch.setenv("LOUPE_MODELS", str(tmp_path))
    st.cache_resource.clear()
    app = page.open(interest__view="Classifiers", interest__rival="lost")
    assert "there is no file of weights" in app.error[0].value and tile_counts(app)["human aligned"] >= 0


def test_a_close_up_with_its_sweep(page) -> None:
    app = page.open()
    order = shown_positions(app)
    click(app, f"image:{order[1]}")
    name = images.load(SET).names[order[1]]
    assert app.query_params[closeup.KEY] == name
    assert "Predicted **" in said(app) and "| IoU |" in said(app) and len(app.get("plotly_chart")) == 1
    app.button(key="interest-Next").click()
    run(app)
    assert app.session_state[closeup.KEY] == app.session_state["image"] == order[2]


@pytest.mark.usefixtures("whole_sets")
def test_a_set_without_annotations_says_so_and_offers_to_draw(page) -> None:
    app = page.open(model="digits", images="digits")
    assert "Nobody has marked anything in the 1,797 images" in said(app)
    assert app.segmented_control(key="interest.view-unmarked").options == ["Draw", "Probe"]
    assert "Drawing an annotation" in said(app)


def test_real_photographs_of_which_some_are_annotated(page, imagenet: Path, tmp_path: Path, monkeypatch) -> None:
    weights = imagenet / "squeezenet1_1-imagenet.safetensors"
    (tmp_path / "squeezenet.toml").write_text(f'architecture = "squeezenet1_1"\nweights = "{weights}"\n')
    monkeypatch.setenv("LOUPE_MODELS", str(tmp_path))
    monkeypatch.setenv("LOUPE_IMAGES", str(imagenet))
    st.cache_resource.clear()
    app = page.open(model="squeezenet", images=".")
    counts = tile_counts(app)
    assert counts["no annotation"] == 182 and sum(counts.values()) == 200 and len(shown_positions(app)) == 18
    assert "18 images scored" in said(app) and "12 of 18 right" in said(app)


def test_what_nobody_has_annotated_can_be_drawn_on(monkeypatch: pytest.MonkeyPatch) -> None:
    state: dict = {choosing.CASES_KEY: []}
    monkeypatch.setattr(choosing.st, "session_state", state)
    views.case(str(NAMES.index("no annotation")))
    assert state == {choosing.CASES_KEY: [], views.KEY: "Draw"}
    views.case("0")
    assert state == {choosing.CASES_KEY: ["human aligned"], views.KEY: "Gallery"}


def test_probing_takes_the_rule_of_the_page(page, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = []
    monkeypatch.setattr(probing, "section", lambda selection, *, rule: rules.append(rule))
    page.open(interest__view="Probe", interest__deviations="1.5")
    assert rules == [Deviations(1.5)]


def test_what_cannot_be_scored_is_named_and_the_rest_goes_on(page, tmp_path: Path, monkeypatch) -> None:
    folder = tmp_path / "photographs" / "mine"
    folder.mkdir(parents=True)
    scenes = images.load(SET)
    for i in range(3):
        scenes[i].image.save(folder / f"{i}.png")
    width, height = scenes[0].image.size
    annotation = {
        "images": [{"id": i, "file_name": f"{i}.png", "width": width, "height": height} for i in range(3)],
        "annotations": [
            {"id": 1, "image_id": 0, "category_id": 1, "bbox": [10, 10, 40, 40]},
            {"id": 2, "image_id": 1, "category_id": 1, "bbox": [width + 10, 5, 20, 20]},
        ],
        "categories": [{"id": 1, "name": "no class of the classifier"}],
    }
    (folder / "annotations.json").write_text(json.dumps(annotation))
    monkeypatch.setenv("LOUPE_IMAGES", str(tmp_path / "photographs"))
    st.cache_resource.clear()
    app = page.open(images="mine", annotations="mine/annotations.json")
    counts = tile_counts(app)
    assert shown_positions(app) == [0] and counts["no label"] == 1
    assert "no label; " in drawings(app)
    assert [one.value["what"].tolist() for one in app.table] == [[r"1\.png, annotation 2"]]
    app.segmented_control(key="interest.target").set_value("Label")
    run(app)
    assert "None of the annotated images could be scored" in said(app) and shown_positions(app) == []
    assert any("no class of its own to explain" in why for one in app.table for why in one.value["why"])


def test_a_parameter_that_cannot_be_is_said_and_ends_the_page(page) -> None:
    app = page.open(interest__method="Integrated Gradients", **{"integrated-gradients.steps": "0"})
    assert app.warning and "steps" in app.warning[0].value and not tile_counts(app)
    app.selectbox(key="interest.method").set_value("Gradient")
    app.segmented_control(key="interest.rule").set_value("Area")
    run(app)
    first = tile_counts(app)
    assert not app.warning and len(shown_positions(app)) == 24
    app.segmented_control(key="interest.evidence").set_value("Counts at all")
    app.slider(key="interest.area").set_value(30)
    run(app)
    assert tile_counts(app) != first and "salient on 30% of the picture" in said(app)
    app.segmented_control(key="interest.rule").set_value("Annotation's area")
    run(app)
    assert "as many pixels as are annotated" in said(app)


def test_what_has_come_so_far_is_read_while_the_rest_comes(tiny) -> None:
    explanations, scoring = (Explanation(attribution.GradCam()),), Scoring()
    second = some([(4, 4, 4)] * 2, [0, 0], [0, 1])
    running, waiting = SimpleNamespace(latest=lambda: (second,)), SimpleNamespace(latest=lambda: None)
    assert asking.latest(running, tiny, explanations, scoring) == (second,)
    [nothing] = asking.latest(waiting, tiny, explanations, scoring)
    assert len(nothing) == 0
    board = tiles.html(known(tiny, nothing).counts, 0, Thresholds())
    assert board.count('class="count">0<') == 8, "the cases are explained before the first image is scored"


def test_the_first_images_scored_are_spread_over_the_set() -> None:
    photos = images.load("scenes:500")
    order = asking.positions(photos)
    assert np.array_equal(np.sort(order), np.arange(500))
    for count in (5, 20, 77, 250):
        gaps = np.diff(np.sort(np.concatenate([[-1], order[:count], [500]])))
        assert gaps.max() < 2.7 * 500 / count
    assert len(asking.positions(images.load("digits"))) == 0


def test_cases_are_counted_with_what_has_no_label(tiny) -> None:
    overlaps = [(10, 10, 10), (10, 10, 10), (100, 10, 10), (10, 100, 1), (10, 10, 10), (10, 0, 0)]
    scored = some(overlaps, [0, 1, 2, 2, -1, 2], [0, 0, 2, 1, 0, 2])
    found = known(tiny, scored)
    assert [NAMES[one] for one in found.cases] == [
        "human aligned", "confuser", "sufficient subset", "distractor", "no label", "no saliency",
    ]  # fmt: skip
    assert found.counts["no annotation"] == 6, "the set's own images have no annotation"
    assert found.cases[4] == NO_LABEL and sum(found.counts.values()) == 12


def test_the_gallery_filters_and_orders_by_hand(tiny) -> None:
    scored = some([(10, 10, 5), (10, 10, 10), (100, 10, 10), (10, 10, 0)], [0, 1, -1, 2], [0, 2, 1, 2])
    found = known(tiny, scored, ["b", "a", "d", "c"])
    choice = choosing.Choice
    assert choosing.rows(found, choice()).tolist() == [1, 0, 2, 3]
    assert choosing.rows(found, choice(falling=False)).tolist() == [3, 2, 0, 1]
    assert choosing.rows(found, choice(order="name", falling=False)).tolist() == [1, 0, 3, 2]
    assert choosing.rows(found, choice(order="probability")).tolist() == [0, 1, 2, 3]
    assert choosing.rows(found, choice(outcome="Right")).tolist() == [0, 3]
    assert choosing.rows(found, choice(outcome="Wrong")).tolist() == [1]
    assert choosing.rows(found, choice(classes=frozenset({1}))).tolist() == [1, 2]
    assert choosing.rows(found, choice(between=(0.1, 0.5))).tolist() == [0, 2]
    assert choosing.rows(found, choice(cases=frozenset({NO_LABEL}))).tolist() == [2]
    assert choosing.rows(found, choice(score="saliency_coverage", between=(1, 1))).tolist() == [1, 2]


def test_clicks_are_taken_for_what_they_are_and_nonsense_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    state: dict = {}
    monkeypatch.setattr(choosing.st, "session_state", state)
    choosing.toggle_case("3")
    assert state[choosing.CASES_KEY] == [CASES[3]]
    choosing.toggle_case("5")
    assert state[choosing.CASES_KEY] == [CASES[5]]
    choosing.toggle_case("5")
    assert state[choosing.CASES_KEY] == []
    for nonsense in ("-1", "99", "x", ""):
        choosing.toggle_case(nonsense)
    assert state == {choosing.CASES_KEY: []}
    heard = []
    for message in ("case:7", "image:12", "other:1", "case", None, 7):
        clicks.hear(message, {"case": heard.append, "image": heard.append})
    assert heard == ["7", "12"]


def test_names_from_outside_are_no_html(tiny) -> None:
    scored = some([(10, 10, 10)], [0], [1])
    nasty = known(tiny, scored, ['"><script>alert(1)</script>'])
    html = gallery.html(nasty, np.array([0]), ("",))
    assert "<script" not in html and "&lt;script" in html and "✗" in html and 'data-click="image:0"' in html


def test_a_picture_has_an_outline_a_tint_and_is_else_untouched() -> None:
    pixels = np.full((40, 40, 3), 100, np.uint8)
    marked, salient = np.zeros((40, 40), bool), np.zeros((40, 40), bool)
    marked[5:20, 5:20] = True
    salient[25:35, 25:35] = True
    heat = salient.astype(np.float32)
    drawn = pictures.composed(pixels, marked, heat, salient, smallest=40)
    yellow = tuple(bytes.fromhex(style.OUTLINE_COLOR[1:]))
    assert tuple(drawn[5, 10]) == tuple(drawn[6, 6]) == yellow and tuple(drawn[12, 12]) == (100, 100, 100)
    assert tuple(drawn[25, 30]) == tuple(bytes.fromhex(style.LINES["for"][1:]))
    assert drawn[30, 30, 0] > 150 and tuple(drawn[38, 38]) == tuple(drawn[0, 0]) == (100, 100, 100)
    plain = pictures.composed(pixels, marked, heat, salient, view="photograph", smallest=40)
    assert tuple(plain[30, 30]) == (100, 100, 100) and tuple(plain[5, 10]) == yellow
    heated = pictures.composed(pixels, marked, heat, salient, view="map", smallest=40)
    assert heated[30, 30].max() > 150 and tuple(heated[38, 38]) == (100, 100, 100)
    nothing = pictures.composed(pixels, ~marked | marked, heat * 0, salient & False, view="map", smallest=40)
    assert tuple(nothing[20, 20]) == (100, 100, 100), "a map of zeros and an annotation of everything draw no more"


def test_small_pictures_are_enlarged_in_blocks_and_travel_as_webp() -> None:
    pixels = np.arange(8 * 8 * 3, dtype=np.uint8).reshape(8, 8, 3)
    nothing = np.zeros((8, 8), bool)
    drawn = pictures.composed(pixels, nothing, np.zeros((8, 8), np.float32), nothing, smallest=32)
    assert drawn.shape == (32, 32, 3) and np.array_equal(drawn[::4, ::4], pixels)
    kind, _, content = markup.url(drawn, pictures.QUALITY).partition(",")
    assert kind == "data:image/webp;base64" and Image.open(io.BytesIO(base64.b64decode(content))).size == (32, 32)


def test_everything_as_csv(tiny) -> None:
    scored = some([(10, 10, 5), (10, 10, 10)], [0, -1], [0, 2])
    text = export.table(tables._rows(known(tiny, scored, ["=1+1", "plain"])))
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["name"] for row in rows] == ["'=1+1", "plain"], "a spreadsheet must not run a name"
    assert float(rows[0]["iou"]) == pytest.approx(1 / 3) and rows[0]["case"] == "unclassified"
    assert {"position", "label", "predicted", "correct", "continuous", "distance"} <= set(rows[0])
    assert export.table([]) == ""


def test_what_is_selected_on_a_map_is_scored(app, monkeypatch: pytest.MonkeyPatch) -> None:
    original = maps.draw

    def draw(*given, **named):
        original(*given, **named)
        return maps.MapChoice(None, np.array([3, 8, 21]))

    monkeypatch.setattr(maps, "draw", draw)
    for key, value in {"images": SET, "map.method": "PCA"}.items():
        app.query_params[key] = value
    run(app.switch_page("pages/embeddings.py"))
    next(one for one in app.button if one.label == "Their Shared Interest").click()
    run(app)
    assert app.selectbox(key="images").value == "selected"
    # The test driver stays on its page where a script switches pages.
    run(app.switch_page("pages/shared_interest.py"))
    assert sorted(shown_positions(app)) == [0, 1, 2] and "3 images scored" in said(app)
