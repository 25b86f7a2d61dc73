"""The channels of the channel attribution page; their cards are taken from their drawing."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from interp import channels, images, models
from interp.models import inputs
from pages.parts.cards import making
from pages.parts.channels import cards, chosen, subject
from pages.parts.kit import clicks, targets
from tests.pages.opening import opening, said


@pytest.fixture
def page(app, monkeypatch: pytest.MonkeyPatch):
    """Opens the page on a few scenes; `.supporting` and `.opposing` are the cards that were drawn last."""
    told = SimpleNamespace(app=app, supporting=(), opposing=())
    original = cards.html

    def html(supporting, opposing) -> str:
        told.supporting, told.opposing = supporting, opposing
        return original(supporting, opposing)

    monkeypatch.setattr(cards, "html", html)
    monkeypatch.setitem(making.QUALITIES, "Good", 2)

    address = {"model": "scenes-honest", "images": "scenes:19", "ch.layer": "mixed5b"}
    told.open, told.run = opening(app, "channel_attribution", address)
    return told


def test_cards_show_the_strongest_channels_of_either_side_with_what_they_really_do(page, monkeypatch) -> None:
    # A unit that is silent at first is woken in some steps of a picture that is not too small for it.
    monkeypatch.setitem(making.QUALITIES, "Good", 6)
    monkeypatch.setitem(making.settings.__kwdefaults__, "side", 128)
    page.open()
    page.run()
    classifier, photos = models.load("scenes-honest"), images.load("scenes:19")
    batch = inputs.read(classifier, photos, (0,))
    target = int(classifier.probabilities(batch).argmax())
    found = channels.attribute(classifier, batch, target, layer="mixed5b")
    effects = channels.effects(classifier, batch, target, layer="mixed5b")
    order = found.values[0].argsort(descending=True).tolist()
    assert [one.channel for one in page.supporting] == order[:4]
    assert [one.channel for one in page.opposing] == order[::-1][:4]
    for card in (*page.supporting, *page.opposing):
        assert card.attribution == pytest.approx(found.values[:, card.channel].numpy(), abs=1e-4)
        assert card.effect == pytest.approx(effects.values[:, card.channel].numpy(), abs=1e-4)
        assert card.picture is not None and card.picture.std() > 1
        assert len(card.images) == 4 and card.where[0].shape == (*classifier.input_size, 3)
    # A channel that is clicked is shown large, and named for the next page.
    page.app.session_state[subject.CHANNEL] = order[1]
    app = page.run()
    assert [one.chosen for one in page.supporting] == [False, True, False, False]
    assert f"mixed5b, channel {order[1]}" in said(app)
    assert app.session_state[subject.CHANNEL] == order[1]


def test_several_photographs_are_ranked_by_their_mean_and_say_what_they_share(page) -> None:
    names = images.load("scenes:19").names
    page.open(beside=f"{names[1]}|{names[2]}", ch_count="2", target="0")
    page.run()
    classifier, photos = models.load("scenes-honest"), images.load("scenes:19")
    found = channels.attribute(classifier, inputs.read(classifier, photos, (0, 1, 2)), 0, layer="mixed5b")
    order = found.values.mean(dim=0).argsort(descending=True).tolist()
    assert [one.channel for one in page.supporting] == order[:2]
    first = page.supporting[0]
    assert len(first.attribution) == 3 and len(first.where) == 3
    ranks = found.values.argsort(dim=1, descending=True)[:, :5]
    assert first.shared == int((ranks == first.channel).any(dim=1).sum())


def test_a_message_that_names_no_channel_changes_nothing() -> None:
    heard = []
    clicks.hear("channel:7", {"channel": heard.append})
    clicks.hear("channel", {"channel": heard.append})
    assert heard == ["7"]


def test_the_lit_photograph_is_brightest_where_the_channel_fires() -> None:
    from interp.figures.spotlight import DIM, spotlight

    plain = np.full((8, 8, 3), 200, np.uint8)
    lit = spotlight(plain, np.array([[0.0, 0.0], [0.0, 3.0]], np.float32))
    assert lit[7, 7].tolist() == [200, 200, 200] and lit[0, 0].tolist() == [round(200 * DIM)] * 3
    assert (spotlight(plain, np.array([[-1.0]], np.float32)) == round(200 * DIM)).all()


def test_an_unknown_channel_in_the_session_is_passed_over(page) -> None:
    page.open()
    page.app.session_state[subject.CHANNEL] = 9999
    app = page.run()
    assert "Click a channel to see it large" in said(app)
    chosen.take("no number")


def test_bars_share_one_scale_and_an_effect_of_the_other_sign_has_the_other_colour() -> None:
    grey = np.full((8, 8, 3), 128, np.uint8)

    def card(channel: int, attribution: float, effect: float) -> cards.ChannelCard:
        one, other = np.array([attribution], np.float32), np.array([effect], np.float32)
        return cards.ChannelCard(channel, one, other, grey, (grey,), (grey,), 1)

    drawn = cards.html([card(1, 4.0, 2.0)], [card(2, -1.0, 0.5)])
    assert 'bar attribution" style="width:100.0%' in drawn and 'bar effect" style="width:50.0%' in drawn
    assert 'bar attribution" style="width:25.0%' in drawn and 'bar effect other" style="width:12.5%' in drawn


def test_an_images_own_label_is_offered_where_other_classes_are_more_likely(page, monkeypatch) -> None:
    monkeypatch.setattr(targets, "TOP", 2)
    photos = images.load("scenes:19")
    classifier = models.load("scenes-a")
    probabilities = classifier.probabilities(inputs.read(classifier, photos, range(len(photos))))
    labels = models.match_set(classifier, photos).indices
    least = min(range(len(photos)), key=lambda one: float(probabilities[one, labels[one]]))
    label = classifier.labels[labels[least]]
    assert labels[least] not in probabilities[least].topk(2).indices
    app = page.open(model="scenes-a", image=photos.names[least], ch_count="1")
    offered = app.selectbox(key="target").options
    assert len([one for one in offered if one.startswith(label) and one.endswith("its label")]) == 1
    app.query_params["target"] = str(labels[least])
    app = page.run()
    found = channels.attribute(classifier, inputs.read(classifier, photos, (least,)), labels[least], layer="mixed5b")
    assert page.supporting[0].channel == int(found.values[0].argmax())
