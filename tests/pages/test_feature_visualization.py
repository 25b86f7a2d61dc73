"""The feature visualization page through Streamlit's own test driver; its cards are taken from their drawing."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import cache
from interp import feature_visualization as fv
from interp import models
from pages.parts.cards import making
from pages.parts.feature_visualization import channels, classes, lesson, single
from pages.parts.kit import clicks, layers
from tests.pages.opening import opening, said


@pytest.fixture
def page(app, cards, monkeypatch: pytest.MonkeyPatch):
    """Opens the page with choices in the address; `.cards` are all that the last run drew, in order."""
    told = SimpleNamespace(app=app, cards=cards)
    monkeypatch.setitem(making.QUALITIES, "Preview", 20)

    address = {"model": "digits", "images": "digits", "fv.quality": "Preview"}
    told.open, told.run = opening(app, "feature_visualization", address, told.cards.clear)
    return told


def test_a_layer_is_a_sheet_and_a_channel_is_seen_from_all_sides(page) -> None:
    app = page.open()
    # The sheet is drawn again as soon as the images are read.
    *_, sheet, film, most, least = page.cards
    assert 1 < len(sheet) <= channels.EACH and [card.chosen for _, card in sheet][:2] == [True, False]
    assert all(picture is not None and picture.dtype == np.uint8 for picture, _ in sheet)
    assert "images\u00a0≤" in sheet[0][1].line or "dead" in sheet[0][1].line
    made = sum("dead" not in card.line for _, card in sheet)
    assert f"of {made}** finished pictures" in said(app) and "drive their channel harder than every image" in said(app)
    assert "mean over all positions" in said(app)
    assert film[0][1].title == "drives it up" and film[-1][1].title.startswith("drives it")
    strongest, weakest = (float(one[0][1].line) for one in (most, least))
    assert strongest > weakest and len(most) == len(least) == single.IMAGES
    # The first frame is the noise that all begin with, and the slider leads back to it.
    app.select_slider(key="fv-step-20").set_value(0)
    page.run()
    assert "after 0 steps" in page.cards[1][0][1].line
    assert page.cards[1][0][0].std() < film[0][0].std()


def test_all_layers_are_tallied_when_asked_and_no_picture_is_made_for_that(page) -> None:
    # What other tests left in memory is not in this test's store.
    cache.forget()
    page.open()
    page.run()
    page.app.session_state["fv-layers"] = True
    [table] = page.run().dataframe
    rows = table.value.set_index("layer")
    assert len(rows) == len(layers.offered(models.load("digits")))
    looked_at = rows["pictures"] > 0
    assert looked_at.sum() == 1 and rows["share"].notna().tolist() == looked_at.tolist()
    assert 0 <= rows["share"][looked_at].item() <= 100


def test_four_ways_of_one_picture_are_measured(page) -> None:
    page.open(fv_channel="1")
    page.app.session_state["fv-lesson"] = True
    [table] = page.run().dataframe
    four = next(one for one in page.cards if one[0][1].title == "Plain pixels")
    rows = table.value.set_index("way")
    assert list(rows.index) == [card.title for _, card in four] == list(lesson.ways(fv.usual(models.load("digits"), 2)))
    # What the card says is what is measured of the picture as bytes.
    assert float(four[0][1].line.split(" ")[0]) == pytest.approx(rows["as it is"].iloc[0], rel=0.05)
    fine = [100 * float(fv.finest(fv.pixels_of(picture)[None])) for picture, _ in four]
    assert rows["fine grain"].tolist() == pytest.approx(fine, rel=1e-4)


def test_a_click_chooses_the_channel(page, monkeypatch) -> None:
    state: dict = {}
    monkeypatch.setattr(channels.st, "session_state", state)
    clicks.hear("channel:3", {"channel": channels._take})
    assert state[layers.CHANNEL] == 3
    clicks.hear("channel:nonsense", {"channel": channels._take})
    assert state[layers.CHANNEL] == 3


def test_a_channel_that_the_layer_lacks_becomes_the_first(page) -> None:
    app = page.open(fv_channel="9999")
    assert app.number_input(key="fv.channel").value == 0


def test_other_pictures_of_a_channel_differ(page) -> None:
    page.open()
    page.app.session_state["fv-facets"] = True
    page.run()
    facets = next(one for one in page.cards if one[0][1].title == "Facet 1")
    assert len(facets) == single.FACETS
    assert all(not np.array_equal(facets[0][0], other) for other, _ in facets[1:])


def test_one_unit_by_five_objectives(page) -> None:
    page.open(fv_view="Objectives", fv_class="7")
    [five] = page.cards
    assert [card.title.partition(":")[0] for _, card in five] == ["Neuron", "Channel", "Layer", "Logit", "Probability"]
    assert 0 <= float(five[4][1].line) <= 1 and "**7**" in said(page.app)


def test_the_way_between_two_units_needs_two(page) -> None:
    app = page.open(fv_view="Two units")
    assert app.number_input(key="fv.channel2").value == 1 and "one and the same" not in said(app)
    app.number_input(key="fv.channel").set_value(1)
    page.run()
    assert "one and the same" in said(app)
    app.number_input(key="fv.channel").set_value(2)
    page.run()
    shown = page.cards[-1] if page.cards else []
    if not shown:
        assert "Nothing drives" in said(app)
    else:
        assert [card.title for _, card in shown][-1] == "Both, added" and len(shown) == 6


@pytest.mark.usefixtures("whole_sets")
def test_classes_without_a_generator_say_so(page) -> None:
    app = page.open(fv_view="Classes", fv_class="3")
    ways, real, near = page.cards
    assert [card.title for _, card in ways] == ["Plain pixels", "Fourier", "From the mean", "From the class's mean"]
    assert "left out here" in said(app) and len(real) == classes.SHOWN
    # Each has its nearest image under it, with the cosine and whether it is of the class.
    assert [card.title for _, card in near] == [card.title for _, card in ways]
    for _, card in near:
        cosine, told = card.line.split(" · ")
        assert -1 <= float(cosine) <= 1 and told in ("3: this class", f"{told[0]}: another class")


@pytest.mark.slow
def test_scenes_have_a_density_expert_and_a_generator(page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(making.QUALITIES, "Preview", 2)
    app = page.open(model="scenes-honest", images="scenes:60", fv_view="Classes")
    ways, *_ = page.cards
    assert [card.title for _, card in ways][4:] == [
        "With a density expert",
        "In a generator's code",
        "Code, from the class's mean",
    ]
    assert "left out here" not in said(app)


@pytest.mark.parametrize("of", ["The whole layer", "One channel", "The photograph itself"])
def test_a_photograph_dreams(page, of: str) -> None:
    page.open(fv_view="Deep dream", fv_dream=of)
    [[(picture, card)]] = page.cards
    assert picture.dtype == np.uint8 and "after 20 steps" in card.line
