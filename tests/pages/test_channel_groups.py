"""Groups and the walk through the layers, through Streamlit's own test driver; cards are taken from their drawing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from interp.channels import GroupEffects, Groups
from interp.types import Layer, Target
from pages.parts.cards import making
from pages.parts.channels import groupcards, grouping, path, stepcards, subject, walk
from pages.parts.channels.levels import Level
from pages.parts.channels.walk import Step
from pages.parts.kit import clicks, markup, replay
from tests.pages.opening import opening, said

LAYERS = [Layer("a", 4, "spatial", 8, 8), Layer("b.c", 5, "spatial", 4, 4), Layer("d", 6, "spatial", 2, 2)]


@pytest.fixture
def page(app, monkeypatch: pytest.MonkeyPatch):
    """Opens the page with choices in the address; what was drawn last is told."""
    told = SimpleNamespace(app=app)
    monkeypatch.setitem(making.QUALITIES, "Good", 8)

    once, trail = replay.once, path.trail

    def draw(function, *arguments) -> None:
        if function is stepcards.sides:
            setattr(told, "groups" if len(arguments[0]) == 1 else "sides", [some for _, some in arguments[0]])
        else:
            setattr(told, function.__name__, arguments)
        once(function, *arguments)

    def trailed(places) -> None:
        told.trail = places
        trail(places)

    monkeypatch.setattr(replay, "once", draw)
    monkeypatch.setattr(path, "trail", trailed)

    def begun() -> None:
        for name in ("cards", "effects", "strips", "trail", "sides", "groups"):
            setattr(told, name, None)

    told.open, told.run = opening(app, "channel_attribution", {"model": "digits", "images": "digits"}, begun)
    return told


def test_a_photograph_is_split_into_groups(page) -> None:
    app = page.open(ch_view="Groups", ch_groups="3")
    [told] = page.cards
    assert len(told) == 3
    assert all(card.picture is not None and card.effect is not None and len(card.where) == 1 for card in told)
    assert told[0].share >= told[1].share >= told[2].share
    labels, logits, measured, estimated, together = page.effects
    assert measured.shape == estimated.shape == (3, len(labels)) and len(logits) == len(together) == len(labels) == 5
    # The card tells the effect on the class that is explained: the one that is predicted, the first of the table.
    assert [card.effect for card in told] == pytest.approx(measured[:, 0].tolist(), abs=1e-6)
    assert [card.attribution for card in told] == pytest.approx(estimated[:, 0].tolist(), abs=1e-4)
    assert "of the activation's squares" in said(app) and "that is in none of them" in said(app)
    # The slider is in the address, and another number gives other groups.
    app.slider(key=walk.GROUPS).set_value(2)
    app = page.run()
    assert len(page.cards[0]) == 2 and app.query_params[walk.GROUPS] in ("2", ["2"])


def test_several_photographs_share_their_groups(page) -> None:
    page.open(ch_view="Groups", ch_groups="2")
    names = page.app.selectbox(key="image").options
    page.app.multiselect(key="beside").set_value([1, 2])
    page.run()
    assert len(names) > 2
    assert [len(card.where) for card in page.cards[0]] == [3, 3]


def test_one_walks_down_layer_by_layer(page) -> None:
    app = page.open(ch_view=walk.NAME)
    # It begins with the channel that supports the class most.
    assert page.trail[0][1] == walk.START and len(page.trail) == 3
    [first] = page.strips[1]
    assert [entry.chosen for entry in first.entries].count(True) == 1 and first.entries[0].chosen
    added, taken = page.sides
    assert added and all(entry.value > 0 for entry in added) and all(entry.value < 0 for entry in taken)
    assert all(entry.picture is not None and len(entry.where) == 1 for entry in (*added, *taken))
    assert f"{first.entries[0].value:+.3g}" in said(app), "what the card says is what the next step divides up"
    deeper = added[0].click
    app.session_state[walk.PATH] = deeper
    app = page.run()
    assert app.query_params[walk.PATH] in (deeper, [deeper]) and deeper.count("|") == 1
    assert len(page.strips[1]) == 2
    assert [entry.chosen for entry in page.strips[1][1].entries].count(True) == 1
    # The way back leads where it came from.
    back = page.trail[1][1]
    assert deeper.startswith(back) and "|" not in back


def test_a_walk_may_begin_at_the_class_with_a_group(page) -> None:
    page.open(ch_view=walk.NAME, ch_path=walk.START, ch_groups="2")
    [groups] = page.groups
    assert len(groups) == 2 and page.strips is None
    page.app.session_state[walk.PATH] = groups[1].click
    app = page.run()
    assert page.strips[1][0].entries[0].title == "Group 2" and page.sides[0]
    assert f"**Group 2** of {page.trail[1][0].split(',')[0]}" in said(app).replace("\\", "")
    assert f"adds {groups[1].value:+.3g} to" in said(app), "what the card says is what the step divides up"
    app.segmented_control(key="ch.follow").set_value(path.FOR_UNIT)
    app = page.run()
    assert "its mean" in said(app) and page.sides[0]


def test_the_channel_that_was_clicked_last_begins_the_walk(page) -> None:
    app = page.open(ch_view=walk.NAME)
    for channel in (3, 5):
        app.session_state[subject.CHANNEL] = channel
        page.run()
        assert page.trail[1][1] == f"conv5/{channel}" and walk.PATH not in app.query_params
    # Once one has gone on from it, it is no longer begun anew.
    app.session_state[walk.PATH] = "conv5/5|conv4/1"
    page.run()
    page.run()
    assert page.trail[2][1] == "conv5/5|conv4/1"


def test_a_walk_that_nobody_has_gone_on_begins_with_what_is_strongest_now(page) -> None:
    app = page.open(ch_view=walk.NAME)
    begun = set()
    for image in range(6):
        app.selectbox(key="image").set_value(image)
        page.run()
        [strip] = page.strips[1]
        assert strip.entries[0].chosen and strip.entries[0].click == page.trail[1][1]
        assert walk.PATH not in app.query_params
        begun.add(strip.entries[0].click)
    assert len(begun) > 1


def test_at_the_first_layer_a_walk_ends(page) -> None:
    app = page.open(ch_view=walk.NAME, ch_path="conv5/5|conv2/1|conv1/2")
    assert "This is the first layer" in said(app) and len(page.strips[1]) == 3 and page.sides is None


def test_a_walk_that_is_not_possible_begins_anew(page) -> None:
    app = page.open(ch_view=walk.NAME, ch_path="nowhere/3|away/7")
    assert len(page.strips[1]) == 1 and walk.PATH not in app.query_params


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("class", True),
        ("d/5", True),
        ("d/g2|a/0", True),
        ("d/5|b.c/4|a/3", True),
        ("d/6", False),
        ("d/g4", False),
        ("d/g0", False),
        ("b.c/1", False),
        ("d/1|d/1", False),
        ("d/1|a/0|b.c/0", False),
        ("d/1|b.c/g1", False),
        ("d/-1", False),
        ("", False),
        ("d/1|", False),
    ],
)
def test_which_walks_are_possible(text: str, expected: bool) -> None:
    assert walk.possible(text, LAYERS, 3) is expected


def test_a_walk_is_read_as_it_was_written() -> None:
    steps = (Step("d", group=1), Step("b.c", 4), Step("a", 0))
    assert walk.written(steps) == "d/g2|b.c/4|a/0" and walk.read(walk.written(steps)) == steps
    assert walk.read(walk.written(())) == ()
    with pytest.raises(ValueError, match="not a walk"):
        walk.read("d")


def test_a_click_leads_on(monkeypatch) -> None:
    state: dict = {}
    monkeypatch.setattr(walk.st, "session_state", state)
    clicks.hear("walk:d/5|b.c/4", {"walk": walk.take})
    assert state == {walk.PATH: "d/5|b.c/4", "ch.view": walk.NAME}


def test_what_stands_on_cards_is_safe() -> None:
    grey = np.zeros((4, 4, 3), np.uint8)
    card = groupcards.GroupCard(0.5, 1.0, None, None, (grey,), ((3, 0.2),), ('a"><b>/g1', "a/3"))
    drawn = markup.html("groups.html", cards=[("#fff", card)])
    assert 'a"><b>' not in drawn and "being measured" in drawn and "3 · 20%" in drawn


def named(labels: tuple[str, ...], names: tuple[str, ...]) -> Any:
    """As much of a subject as the tables of numbers need."""
    photos = SimpleNamespace(names=names)
    return SimpleNamespace(
        positions=range(len(names)),
        selection=SimpleNamespace(photos=photos),
        classifier=SimpleNamespace(labels=labels),
    )


def test_the_numbers_of_groups_name_every_class() -> None:
    zeros = torch.zeros(2, 1, 3)
    found = Groups(
        LAYERS[0],
        (0, 1),
        (Target(0), Target(1)),
        torch.tensor([[0.6, 0, 0.8, 0]]),
        torch.ones(2, 1, 8, 8),
        torch.tensor([[0.5], [0.25]]),
        torch.tensor([[1.5], [-2.0]]),
        torch.zeros(2),
        0.9,
        0.0,
    )
    measured = torch.tensor([[[1.0, 2, 3]], [[4, 5, 6]]])
    effects = GroupEffects((2, 0, 1), torch.zeros(2, 3), measured, zeros, torch.zeros(2, 3))
    first, second = grouping.rows(named(("cat", "dog", "fish"), ("one.png", "two.png")), found, effects)
    assert first["image"] == "one.png" and first["group"] == 1 and first["attribution"] == 1.5
    assert second["share"] == 0.25 and second["measured: fish"] == 4 and second["measured: dog"] == 6
    assert first["channels"] == "2 (0.571) 0 (0.429)"


def test_the_numbers_of_a_step_are_those_of_all_channels() -> None:
    values = torch.tensor([[1.0, -4, 0, 2], [3, 0, 0, -2]])
    level = Level(LAYERS[0], torch.tensor([-1.0, -3]), values, torch.zeros(2, 4, 8, 8), torch.zeros(2, 4, 8, 8))
    rows = path.rows(named((), ("one.png", "two.png")), (Step("d", 5),), level)
    assert [row["channel"] for row in rows] == [0, 2, 3, 1]
    assert rows[0] == {
        "walk": "d/5",
        "layer": "a",
        "channel": 0,
        "attribution": 2.0,
        "share": 1.0,
        "one.png": 1.0,
        "two.png": 3.0,
    }
    assert level.ends(3, 3) == ([0], [1])
