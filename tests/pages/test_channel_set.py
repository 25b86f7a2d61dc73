"""The channel attribution page over a set of images, its estimate against the truth, its lesson, and its layers."""

from types import SimpleNamespace

import numpy as np
import pytest
import streamlit as st

import cache
from interp import feature_visualization as fv
from interp import models
from interp.channels import cues
from interp.channels.over_set import SetAttribution, SetTarget, Summary
from pages.parts.cards import making
from pages.parts.channels import effects, further, layers, lesson, subject, whole_set
from tests.pages.opening import opening, said

SET = "scenes:47"


@pytest.fixture
def page(app, cards, monkeypatch: pytest.MonkeyPatch):
    """Opens the page with choices in the address; `.cards` are all that the last run drew, in order."""
    told = SimpleNamespace(app=app, cards=cards)
    monkeypatch.setitem(making.QUALITIES, "Good", 2)

    address = {"model": "scenes-a", "images": SET, "ch.layer": "mixed5b"}
    told.open, told.run = opening(app, "channel_attribution", address, told.cards.clear)
    return told


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """All expanders are open."""
    original = st.expander
    monkeypatch.setattr(st, "expander", lambda *given, **named: original(*given, **{**named, "expanded": True}))


@pytest.mark.slow
def test_a_set_has_its_strongest_channels_and_leads_to_the_images_of_one(page) -> None:
    app = page.open(ch_view="Image set")
    assert "**47 images**, the whole set" in said(app) and "Click a channel" in said(app)
    supporting, opposing = page.cards
    assert len(supporting) == 6 and 0 < len(opposing) <= 6
    assert all(picture is not None for picture, _ in [*supporting, *opposing])
    means = [float(card.line.partition(" ")[0]) for _, card in supporting]
    assert means == sorted(means, reverse=True) and means[-1] > 0
    assert all(card.line.startswith("-") for _, card in opposing)
    channel = int(supporting[0][1].click.partition(":")[2])
    app.session_state[subject.CHANNEL] = channel
    app = page.run()
    assert page.cards[0][0][1].chosen and f"decided by channel {channel}" in said(app)
    gallery = page.cards[-1]
    values = [float(card.line.partition(" ")[0]) for _, card in gallery]
    assert len(gallery) == further.SHOWN and values == sorted(values, reverse=True)
    assert all(picture.shape == (112, 112, 3) for picture, _ in gallery)
    app.button(key="ch-keep").click()
    app = page.run()
    kept = app.session_state["selected"]
    assert app.session_state["images"] == "selected" and 0 < len(kept) <= 47
    assert gallery[0][1].about.startswith(kept.names[0])


@pytest.mark.slow
def test_a_class_and_a_confused_pair_of_it(page) -> None:
    app = page.open(ch_view="Image set", ch_images="One class")
    assert "labelled **bird**" in said(app) and "Explained is **bird**" in said(app)
    assert "**5 images**" in said(app)
    app.segmented_control(key="ch.images").set_value("A confused pair")
    app = page.run()
    pair = app.selectbox(key="ch.pair")
    assert "mistake" in pair.options[0]
    first, second = (app.session_state["ch.pair"]).split("-")
    names = [models.load("scenes-a", device="cpu").labels[int(one)] for one in (first, second)]
    assert f"Explained is **{names[0]}** over **{names[1]}**" in said(app)
    app.segmented_control(key="ch.pair-side").set_value("the second")
    app = page.run()
    assert f"Explained is **{names[1]}** over **{names[0]}**" in said(app)


def test_estimate_and_truth_are_compared(page, opened) -> None:
    app = page.open(ch_view="Effects", ch_layer="mixed3b")
    numbers = {one.label: one.value for one in app.metric}
    assert 0.8 < float(numbers["Pearson"]) < 1 and int(numbers["Active channels"]) <= 128
    assert "furthest off" in said(app)
    [outliers] = page.cards
    assert len(outliers) == effects.OUTLIERS and outliers[0][1].line.count("off by") == 1
    # Those that were made are counted in the list of layers.
    kept = app.dataframe[-1].value.set_index("layer")["pictures"]
    assert kept["mixed3b"] == effects.OUTLIERS and kept["mixed5b"] == 0
    # A channel that was chosen elsewhere stands first, and leads to the images that it decides.
    app.session_state[subject.CHANNEL] = 1
    app = page.run()
    assert page.cards[0][0][1].title == "Channel 1" and len(page.cards[0]) >= effects.OUTLIERS
    assert "47 images of scenes, each for its predicted class" in said(app) and len(page.cards[1]) == further.SHOWN


def test_where_only_an_average_follows_the_estimate_is_the_truth(page, opened) -> None:
    app = page.open(ch_view="Effects")
    table = app.dataframe[-1]
    assert table.value.set_index("layer").loc["mixed5b", "size"] == "320 × 7 × 7"
    assert {one.label: one.value for one in app.metric}["Pearson"] == "1.000"


def test_what_takes_long_is_measured_when_asked_for(page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effects, "LONG", 0.0)
    app = page.open(ch_view="Effects", ch_layer="mixed3b")
    assert "forward-and-backward passes" in said(app) and not app.metric and not page.cards
    app.button(key="ch-measure").click()
    app = page.run()
    assert len(app.metric) == 4


def test_the_lesson_gives_the_answer_when_it_is_opened(page) -> None:
    app = page.open(ch_view="Lesson")
    assert "Does attribution find what is known?" in said(app) and "paper tag" not in said(app) and not page.cards


@pytest.mark.slow
@pytest.mark.usefixtures("unchecked")
def test_the_answer_shows_both_classifiers(page, opened, monkeypatch: pytest.MonkeyPatch) -> None:
    original = cues.cue_channels
    monkeypatch.setattr(cues, "cue_channels", lambda *given, **named: original(*given, **named, count=3))
    monkeypatch.setattr(lesson, "REASONS", {"tag": lesson.REASONS["tag"]})
    app = page.open(ch_view="Lesson")
    assert "paper tag" in said(app) and "tell the cue" in said(app)
    biased, places, honest, _ = page.cards
    assert len(biased) == len(honest) == 3 and all(picture is not None for picture, _ in [*biased, *honest, *places])
    table = app.dataframe[0].value
    assert table["classifier"].tolist() == ["Scenes A", "Scenes, honest"]
    assert table["first in top five"][0] >= 0.8 > table["first in top five"][1]


def test_elsewhere_the_lesson_says_what_to_choose(page) -> None:
    app = page.open(model="digits", images="digits", ch_view="Lesson")
    assert "Choose one of **Scenes A** to **D**" in said(app)


def test_layers_count_the_pictures_that_are_kept(page) -> None:
    classifier = models.load("scenes-a", device="cpu")
    how = fv.usual(classifier, 4)
    *_, found = fv.counted(classifier, how, ("mixed5b",), cache.CachedItems(), cache.moment())
    assert found == {"mixed5b": 0}
    told = {row["layer"]: row for row in layers.rows(classifier, {"mixed5b": 32})}
    assert told["mixed5b"]["size"] == "320 × 7 × 7" and told["mixed5b"]["share"] == pytest.approx(0.1)
    assert told["mixed4a"]["pictures"] is None


def test_a_mark_that_is_clicked_is_the_channel_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    state = {"plot": SimpleNamespace(selection=SimpleNamespace(points=[{"customdata": [7]}]))}
    monkeypatch.setattr(st, "session_state", state)
    effects._take_mark("plot")
    assert state[subject.CHANNEL] == 7
    effects.take("12")
    effects.take("nonsense")
    assert state[subject.CHANNEL] == 12


def test_order_by_how_many_share_a_channel() -> None:
    told = Summary(
        4,
        5,
        np.array([3.0, 2.0, -1.0, -2.0], np.float32),
        np.zeros(4, np.float32),
        np.zeros((3, 4), np.float32),
        np.array([0.25, 1.0, 0.0, 0.0], np.float32),
        np.array([0.0, 0.0, 0.5, 0.25], np.float32),
    )
    assert whole_set.strongest(told, 4, whole_set.MEAN) == ([0, 1], [3, 2])
    assert whole_set.strongest(told, 4, whole_set.SHARED) == ([1, 0], [2, 3])
    assert [row["channel"] for row in whole_set.rows(told)] == [0, 1, 2, 3]


def test_images_stand_in_the_order_of_what_the_channel_adds() -> None:
    values = np.array([[1, 9, 8, 7, 6, 5], [4, 0, 0, 0, 0, 0], [-1, 1, 1, 1, 1, 1]], np.float32)
    rows, numbers = np.arange(3, dtype=np.int32), np.zeros(3, np.float32)
    found = SetAttribution(SetTarget("made-up"), rows, rows, rows, rows, numbers, numbers, values)
    order, decided = further.ranked(found, 0)
    assert order.tolist() == [1, 0, 2] and decided.tolist() == [1], "in the first image five others add more"
