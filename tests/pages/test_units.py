"""The page of units, on forty scenes, on images of which nothing is known, and on a network of one's own."""

from __future__ import annotations

import re

import numpy as np
import pytest
import streamlit as st
from PIL import Image

from interp import images
from interp.images.subset import subset
from interp.units import cues

PAGE = "pages/units.py"


def opened(app, **query: str):
    for name, value in {"images": "scenes:40", **query}.items():
        app.query_params[name.replace("_", ".")] = value
    app.switch_page(PAGE).run()
    assert not app.exception and [one.value for one in app.error] == []
    return app


def written(app) -> str:
    return " ".join(one.value for one in app.markdown)


def test_the_sheet_shows_what_units_see_and_detect(app, cards: list) -> None:
    opened(app)
    found = re.search(
        r"\*\*(\d+) of 208 units\*\* of mixed4c detect a concept \(IoU over 0.04\), (\d+) different", written(app)
    )
    assert found and int(found[1]) > 20 and 1 < int(found[2]) < int(found[1])
    sheet = cards[-1]
    assert len(sheet) == 24
    assert all(picture.shape == (96, 96, 3) and picture.std() > 5 for picture, _ in sheet)
    overlaps = [float(re.findall(r"0\.\d+", card.line)[0]) for _, card in sheet]
    assert overlaps == sorted(overlaps, reverse=True) and overlaps[-1] > 0.04
    assert all("times chance" in card.about for _, card in sheet)
    # Of forty scenes each class has four: what is only in them is said to be in few.
    assert any("4 images only" in card.line for _, card in sheet)
    assert len(app.get("plotly_chart")) == 1
    # A higher bound: fewer detectors, and a card says so.
    app.slider(key="un.bound").set_value(0.5).run()
    assert cards[-1][-1][1].line == "no label" and "**0 of 208" in written(app)


def test_units_are_found_by_their_concept_and_ordered(app, cards: list) -> None:
    opened(app, un_concept="wing")
    assert cards[-1] and all("wing" in card.line for _, card in cards[-1])
    app.text_input(key="un.concept").set_value("").run()
    app.segmented_control(key="un.order").set_value("Number").run()
    assert [card.title for _, card in cards[-1][:3]] == ["Unit 0", "Unit 1", "Unit 2"]
    app.text_input(key="un.concept").set_value("no such thing").run()
    assert "0 are of a concept called like" in written(app)


def test_one_unit_from_all_sides(app, cards: list) -> None:
    opened(app, un_view="One unit", un_unit="7")
    said = written(app)
    assert "mixed4c, unit 7" in said and "Active at" in said and "A position depends on" in said
    top = [some for some in cards if len(some) == 9][-1]
    values = [float(card.title) for _, card in top]
    assert values == sorted(values, reverse=True)
    # What drives it, by class, and what changes without it.
    assert len(app.get("plotly_chart")) == 3
    table = next(one.value for one in app.dataframe if "IoU" in one.value)
    assert list(table["IoU"]) == sorted(table["IoU"], reverse=True) and "odds" in table


@pytest.mark.parametrize("order", ["Selectivity", "IoU"])
def test_where_no_concept_is_known_there_is_no_dissection_and_all_else(app, cards: list, order: str) -> None:
    opened(app, images="photographs", un_order=order)
    captions = " ".join(one.value for one in app.caption)
    assert "No dissection" in captions and "208 units" in written(app)
    assert all(card.line.startswith("up to") for _, card in cards[-1])


@pytest.mark.parametrize(
    ("view", "first"), [("All units", "208 units"), ("One unit", "Active at"), ("Two classifiers", "208 units")]
)
def test_why_there_is_no_dissection_stands_above_what_there_is(app, view: str, first: str) -> None:
    opened(app, images="photographs", un_view=view)
    said = [one.value for one in app.main if one.type in ("caption", "markdown")]
    [why] = [place for place, text in enumerate(said) if "No dissection" in text]
    assert why < next(place for place, text in enumerate(said) if first in text)


def test_the_digits_are_small_and_have_labels(app, cards: list, small_sets: None) -> None:
    opened(app, images="digits", model="digits", un_view="One unit")
    top = [some for some in cards if len(some) == 9]
    assert "Strongest for" in written(app) and np.isfinite([float(card.title) for _, card in top[-1]]).all()


def test_without_the_units_of_a_planted_cue_its_class_falls(app, small_sets: None) -> None:
    opened(app, model="scenes-a", images="scenes-a", un_view="Without it", un_layer="mixed3b", un_remove="A concept")
    said = written(app)
    found = re.search(r"goes from \*\*([\d.]+)%\*\* to \*\*([\d.]+)%\*\*; without as many random ones ([\d.]+)%", said)
    # All cars are lost, which are a tenth, and as many units at random cost next to nothing.
    assert found and float(found[2]) < float(found[1]) - 10 and float(found[3]) > float(found[1]) - 6
    assert app.selectbox(key="un.gone").value == "cue: tag"
    assert (
        re.search(r"Hardest hit is \*car\*.*lower than without 100% of the random sets", said)
        and len(app.get("plotly_chart")) == 3
    )


def test_units_without_a_number_of_the_layer_are_named(app) -> None:
    opened(app, un_view="Without it", un_removed="3, 999, x")
    assert "999" in app.warning[0].value and "0 to 207" in app.warning[0].value
    assert "Without unit (3) of mixed4c" in written(app)


def test_where_concepts_are_known_of_few_images_it_is_said(app, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "pictures"
    (root / "masks").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(4):
        Image.fromarray(rng.integers(0, 255, (40, 40, 3), np.uint8)).save(root / f"{number}.png")
    mask = np.zeros((40, 40), np.uint8)
    mask[5:35, 5:35] = 255
    Image.fromarray(mask).save(root / "masks" / "2.png")
    monkeypatch.setenv("LOUPE_IMAGES", str(root))
    opened(app, images=".", annotations="masks", model="scenes-honest")
    assert "Concepts are known of 1 of these" in written(app)


def test_the_lesson_gives_the_reason_away_only_when_it_is_opened(app) -> None:
    opened(app, model="scenes-a", un_view="The cue")
    assert "Can you switch the reason off?" in written(app) and "paper tag" not in written(app)
    opened(app, model="digits", images="digits", un_view="The cue")
    assert "Choose one of **Scenes A** to **D**" in " ".join(one.value for one in app.info)


@pytest.mark.slow
def test_the_answer_shows_the_cue_s_detectors_and_the_class_without_them(app, cards: list, monkeypatch) -> None:
    load, expander = images.load, st.expander
    some = {"scenes-a", "scenes-a-moved"}
    monkeypatch.setattr(cues.images, "load", lambda name: subset(load(name), range(20)) if name in some else load(name))
    monkeypatch.setattr(st, "expander", lambda *given, **named: expander(*given, **{**named, "expanded": True}))
    opened(app, model="scenes-a", un_view="The cue")
    said = written(app)
    assert "paper tag" in said and "**Scenes A**: detectors:" in said and "**Scenes, honest**:" in said
    assert re.search(r"Without the \d+ detectors of \w+, \*\*\d+%\*\* of the pictures of a car are recognized", said)
    assert "Where the cue is on all other classes instead" in said
    assert len(app.get("plotly_chart")) == 2 and all("detects the cue" in card.line for _, card in cards[-1])
