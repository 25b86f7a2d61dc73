"""What templates make: texts from outside are escaped in all of them, and one stylesheet has their classes."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import jinja2
import numpy as np
import pytest
import torch

from interp.channels import CellGrid
from interp.shared_interest import Thresholds
from interp.types import Layer, Target
from pages.parts.cards import gallery, picturecards
from pages.parts.channels import cards, cell, groupcards, mosaic, stepcards
from pages.parts.kit import markup, replay
from pages.parts.shared_interest import gallery as scored
from pages.parts.shared_interest import sidebyside, tiles

NASTY = "'\"><script>alert(1)</script>&amp;"
SHARED = {"shared.html", "entry.html"}
PICTURE = np.arange(8 * 8 * 3, dtype=np.uint8).reshape(8, 8, 3)


def picture_cards() -> None:
    told = [picturecards.PictureCard(NASTY, NASTY, NASTY, True, NASTY), picturecards.PictureCard(NASTY)]
    picturecards.draw([PICTURE, None], told)


def channel_cards() -> None:
    one = np.array([1.0, 2.0])
    cards.head([PICTURE, PICTURE], NASTY)
    cards.draw([cards.ChannelCard(3, one, -one, PICTURE, (PICTURE, PICTURE), (), 1, True)], [])


def cells() -> None:
    layer = Layer("here", 2, "spatial", 1, 2)
    grid = CellGrid(layer, Target(0), torch.ones(2, 1, 2), torch.ones(2, 1, 2), 1, (1, 2))
    told, pictures = (NASTY, NASTY), {0: PICTURE}
    drawn = mosaic.Mosaic(grid, PICTURE, pictures, np.array([[0, -1]]), np.ones((1, 2)), told, NASTY, (0, 1))
    mosaic.draw(drawn, mosaic.Coloured(np.array([[1.0, -1.0]]), "two", NASTY, (NASTY, NASTY)))
    sides = ((NASTY, (cell.Strong(0, 1.0, 2.0),)), (NASTY, ()))
    cell.draw(cell.Opened(PICTURE, PICTURE, sides, pictures, pictures, 0))


def groups() -> None:
    groupcards.photographs([PICTURE], [(PICTURE, [(0.5, 0.5), None])], [NASTY])
    groupcards.cards([groupcards.GroupCard(0.5, 1.0, None, PICTURE, (PICTURE,), ((3, 0.2),), (NASTY, NASTY))])
    groupcards.effects([NASTY], np.ones(1), np.ones((1, 1)), np.ones((1, 1)), np.ones(1))


def steps() -> None:
    entry = stepcards.StripUnit(NASTY, 1.0, 0.5, PICTURE, NASTY, True, (PICTURE,))
    stepcards.trail([(NASTY, NASTY), (NASTY, NASTY)])
    stepcards.strips(NASTY, [stepcards.Strip(NASTY, (entry,))])
    stepcards.sides([(NASTY, [entry, replace(entry, value=-1.0)]), (NASTY, [])])


def scored_images() -> None:
    known = SimpleNamespace(
        classifier=SimpleNamespace(input_size=(8, 8)),
        photos=SimpleNamespace(names=[NASTY]),
        scored=SimpleNamespace(
            positions=np.array([0]),
            probability=np.array([0.5]),
            correct=np.array([False]),
            score=lambda name: np.ones(1),
            overlap=SimpleNamespace(iou=np.ones(1)),
        ),
        cases=np.array([0]),
        name=lambda row: NASTY,
        class_names=lambda row: (NASTY, NASTY),
        where=lambda position: 0,
    )
    scored._cards(known, np.array([0]), ("",))
    comparison = SimpleNamespace(positions=np.array([0]), titles=(NASTY,))
    sidebyside._pairs((known,), comparison, np.array([0]), ((NASTY,),))
    markup.draw("large.html", url=NASTY, name=NASTY)


def the_rest() -> None:
    gallery.draw([PICTURE], [NASTY], [NASTY])
    tiles.schematic.cache_clear()
    counts = dict.fromkeys((*tiles.SENTENCES, *tiles.ASIDE), 1)
    tiles.html(counts | {"confuser": 0}, 1, Thresholds(), ("confuser",))
    markup.draw("report.html", title=NASTY, figure=NASTY, rows=[{NASTY: NASTY}], remarks=[NASTY])
    cell = {"place": "0,0", "chosen": True, "title": NASTY}
    markup.draw("grid.html", photo=markup.url(PICTURE), title=NASTY, layout="", cells=[cell])
    sprite, tile = {"url": markup.url(PICTURE), "columns": 1, "rows": 1}, {"number": 0, "column": 0, "row": 0}
    tile |= {"chosen": True, "title": NASTY}
    markup.draw("wall.html", sprite=sprite, tile=8, high=8, tiles=[tile], scale="", ends=[NASTY])


DRAWING = (picture_cards, channel_cards, cells, groups, steps, scored_images, the_rest)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Everything that is drawn, as (template, HTML) pairs: all that can be drawn, with a nasty name everywhere."""
    made: list[tuple[str, str]] = []
    original = markup.html

    def html(template: str, /, **values) -> str:
        made.append((template, original(template, **values)))
        return made[-1][1]

    monkeypatch.setattr(markup, "html", html)
    monkeypatch.setattr(markup.st, "html", lambda text: None)
    monkeypatch.setattr(replay, "once", lambda draw, *arguments, known_by=None: draw(*arguments))
    for name in tiles.SENTENCES:
        monkeypatch.setitem(tiles.SENTENCES, name, NASTY)
    for name in tiles.ASIDE:
        monkeypatch.setitem(tiles.ASIDE, name, NASTY)
    for draw in DRAWING:
        draw()
    return made


class Reader(HTMLParser):
    """The tags, classes, and texts that a browser would read; a text may stand in an attribute."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.classes: set[str] = set()
        self.texts = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.classes |= set((dict(attrs).get("class") or "").split())
        self.texts += " ".join(value or "" for _, value in attrs)
        assert not {name for name, _ in attrs} - {
            "alt", "aria-label", "aria-pressed", "charset", "class", "colspan", "data-click", "lang", "role",
            "src", "style", "tabindex", "title", "xmlns", "viewbox", "width", "height", "fill", "cx", "cy", "rx", "ry",
            "fill-opacity", "x", "y", "stroke", "stroke-width",
        }  # fmt: skip

    def handle_data(self, data: str) -> None:
        self.texts += data


def test_a_name_that_is_code_is_a_text_in_every_template(drawn: list[tuple[str, str]]) -> None:
    assert {name for name, _ in drawn} == set(markup.TEMPLATES.list_templates()) - SHARED
    for name, html in drawn:
        read = Reader(html)
        assert "script" not in read.tags, name
        # These two have only numbers of our own.
        assert (NASTY in read.texts) != (name in ("channels.html", "schematic.svg")), name


def test_templates_and_stylesheet_know_the_same_classes(drawn: list[tuple[str, str]]) -> None:
    used = {one for _, html in drawn for one in Reader(html).classes}
    style = Path(markup.__file__).with_name("cards.css").read_text()
    told = set(re.findall(r"\.([a-z][a-z0-9-]*)", re.sub(r"/\*.*?\*/", "", style)))
    # A picture of a cell has a class of its own number, whose rule travels with it.
    assert {one for one in used if not re.fullmatch(r"[pl]\d+", one)} == told


def test_a_value_that_a_template_lacks_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError, match="sentence"):
        markup.html("beside.html", photographs=[])


def test_pictures_are_shrunk_smoothly_and_enlarged_in_blocks() -> None:
    assert markup.blocks(PICTURE, 32).shape == (48, 48, 3)
    assert np.array_equal(markup.blocks(PICTURE, 32)[::6, ::6], PICTURE)
    assert markup.blocks(PICTURE, 8) is not None and markup.blocks(PICTURE, 8).shape == PICTURE.shape
    wide = np.zeros((10, 40, 3), np.uint8)
    assert markup.shrunk(wide, 20).shape == (5, 20, 3) and markup.shrunk(wide, 40) is wide
