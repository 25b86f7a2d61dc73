"""The cells of a photograph through Streamlit's own test driver; what is drawn is taken on its way."""

from __future__ import annotations

import csv
import io
import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from interp.channels import CellGrid
from interp.types import Layer, Target
from pages.parts.cards import making
from pages.parts.channels import cell, cells, dictionary, mosaic
from pages.parts.kit import export, replay
from tests.pages.opening import opening, said


@pytest.fixture
def page(app, monkeypatch: pytest.MonkeyPatch):
    """Opens the view with choices in the address; `.mosaic`, `.coloured` and `.opened` are what was drawn last."""
    titles = SimpleNamespace(app=app)
    drawn = (mosaic.draw, cell.draw)

    def grids(*given) -> None:
        titles.mosaic, titles.coloured = given
        drawn[0](*given)

    def opened(given) -> None:
        titles.opened = given
        drawn[1](given)

    monkeypatch.setattr(mosaic, "draw", grids)
    monkeypatch.setattr(cell, "draw", opened)
    # Each time anew, so that it passes by here.
    monkeypatch.setattr(replay, "once", lambda draw, *given, known_by=None: draw(*given))
    monkeypatch.setitem(making.QUALITIES, "Good", 2)
    monkeypatch.setattr(cells, "INVERSION_STEPS", 2)

    def begun() -> None:
        titles.mosaic = titles.coloured = titles.opened = None

    address = {"model": "scenes-honest", "images": "scenes:41", "ch.view": "Cells", "ch.cells.most": "4"}
    titles.open, titles.run = opening(app, "channel_attribution", address, begun)
    return titles


def test_cells_show_the_pictures_of_their_largest_channels(page) -> None:
    app = page.open()
    drawn_last, coloured = page.mosaic, page.coloured
    grid = drawn_last.grid
    assert max(grid.shape) <= 4 and grid.block > 1 and "Each cell joins" in said(app)
    first = grid.activations.argmax(dim=0).numpy()
    there = grid.activations.amax(dim=0).numpy() > 0
    assert np.array_equal(drawn_last.shown[there], first[there]) and (drawn_last.shown[~there] == -1).all()
    assert set(drawn_last.pictures) == set(drawn_last.shown.flatten().tolist()) - {-1}
    assert coloured.colours == "one" and np.allclose(coloured.values, grid.attribution)
    # At first the cell that adds most is open.
    assert drawn_last.chosen == np.unravel_index(int(grid.attribution.argmax()), grid.shape)
    assert {one.channel for _, strong in page.opened.sides for one in strong} == set(page.opened.lit)
    # Another order needs other pictures.
    app.segmented_control(key="ch.cells.by").set_value("Attribution against")
    page.run()
    least = grid.by_channel.amin(dim=0)
    against = np.where(least.numpy() < 0, grid.by_channel.argmin(dim=0).numpy(), -1)
    assert np.array_equal(page.mosaic.shown, against)


def test_the_address_opens_a_cell_and_a_click_another(page, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page.open(ch_cell="1,2", ch_cells_as="Photograph")
    assert page.mosaic.chosen == (1, 2) and "Row 1, column 2" in said(app)
    assert not page.mosaic.pictures and (page.mosaic.shown == -1).all()
    app.session_state[cells.CELL] = "0,3"
    page.run()
    assert page.mosaic.chosen == (0, 3) and app.query_params["ch.cell"] == "0,3"
    state: dict = {}
    monkeypatch.setattr(cells.st, "session_state", state)
    cells._take("2,1")
    assert state[cells.CELL] == "2,1"


@pytest.mark.parametrize("wrong", ["9,9", "1", "-1,0", "a,b", "1,2,3", "²,1"])
def test_a_cell_that_there_is_not_counts_as_none(page, wrong: str) -> None:
    app = page.open(ch_cell=wrong, ch_cells_as="Photograph")
    best = page.mosaic.grid.attribution
    assert best[page.mosaic.chosen] == best.max() and "ch.cell" not in app.query_params


def test_two_classes_have_two_colours_and_each_its_own_map(page) -> None:
    app = page.open(target="0", against="1", ch_cells_as="Photograph")
    difference = page.coloured
    assert difference.colours == "two" and np.allclose(difference.values, page.mosaic.grid.attribution)
    alone = []
    for choice in (cells.FIRST, cells.SECOND):
        app.segmented_control(key="ch.cells.colours.3").set_value(choice)
        page.run()
        alone.append(page.coloured.values)
    np.testing.assert_allclose(alone[0] - alone[1], difference.values, atol=1e-4)
    assert not np.allclose(alone[0], difference.values)


def test_a_cells_vector_is_inverted(page) -> None:
    app = page.open(ch_cells_as="Inversions", ch_cells_size="By norm")
    active = int((page.mosaic.grid.norms > 0).sum())
    assert set(page.mosaic.pictures) == set(torch.nonzero(page.mosaic.grid.norms.flatten()).flatten().tolist())
    assert f"{active} inversions of 2 steps each; {active} are finished" in said(app)
    sides = page.mosaic.sides
    np.testing.assert_allclose(sides**2, page.mosaic.grid.norms / page.mosaic.grid.norms.max(), atol=1e-6)


def test_of_several_photographs_one_is_chosen(page) -> None:
    app = page.open(ch_cells_as="Photograph")
    app.multiselect(key="beside").set_value([3])
    page.run()
    before = page.mosaic.photograph
    app.selectbox(key="ch.cells.row").set_value("1")
    page.run()
    assert not np.array_equal(before, page.mosaic.photograph)


def by_hand(attribution: torch.Tensor) -> CellGrid:
    """Two channels in one row of two cells, of which the second holds nothing."""
    activations = torch.tensor([[[3.0, 0.0]], [[4.0, 0.0]]])
    return CellGrid(Layer("here", 2, "spatial", 1, 2), Target(0), activations, attribution, 1, (1, 2))


ATTRIBUTION = torch.tensor([[[1.0, 0.0]], [[-0.5, 0.0]]])


def drawing(grid: CellGrid, colours: mosaic.HueCount) -> str:
    photograph = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    pictures = {0: np.full((8, 8, 3), 90, np.uint8), 1: np.full((8, 8, 3), 9, np.uint8)}
    shown = np.array([[1, -1]])
    one = mosaic.Mosaic(grid, photograph, pictures, shown, np.ones((1, 2)), dictionary.titles(grid), "<b>", (0, 1))
    return mosaic.html(one, mosaic.Coloured(grid.attribution.numpy(), colours, "map", ("a & b", "c")))


def test_an_attribution_of_zero_is_said_and_explained() -> None:
    wish = cells.Wish("Attribution for", cells.CHANNELS, cells.EQUAL, cells.ONE, 14)
    zero, some = (cells._note(by_hand(factor * ATTRIBUTION), wish, {}, None) for factor in (0, 1))
    assert "zero everywhere" in zero and "In 2 of 2 cells there is no such channel" in zero
    assert "zero everywhere" not in some and "In 1 of 2 cells" in some and "1 channel is the largest" in some


def test_what_is_pointed_at_tells_norm_attribution_and_channels() -> None:
    first, second = dictionary.titles(by_hand(ATTRIBUTION))
    assert first.splitlines() == [
        "row 0, column 0: norm 5, attribution +0.5 logits",
        "Activation: 1 (4), 0 (3)",
        "Attribution for: 0 (1)",
        "Attribution against: 1 (-0.5)",
    ]
    assert second.count("no channel") == 3


def test_each_picture_is_drawn_once_and_each_cell_can_be_clicked() -> None:
    text = drawing(by_hand(ATTRIBUTION), "two")
    assert text.count("data:image") == 2, "the photograph, and the only picture that a cell shows"
    assert re.findall(r'data-click="cell:(\d,\d)"', text) == ["0,0", "0,1"] * 2
    assert text.count('class="chosen"') == 2 and "<b>" not in text and "a &amp; b" in text
    assert "−0.5 c" in text and "+0.5 a" in text
    # In full red where the scale ends, clear where nothing is added.
    colours = re.findall(r'style="background:(rgba[^"]*)"', text)
    assert colours == ["rgba(103,0,31,0.90)", colours[1]] and colours[1].endswith(",0.00)")


def test_one_colour_leaves_what_speaks_against_clear_and_zero_is_said() -> None:
    against = drawing(by_hand(-ATTRIBUTION), "one")
    assert "zero in every cell" not in drawing(by_hand(ATTRIBUTION), "one")
    assert re.findall(r'style="background:rgba[^"]*(,0.00\))"', against) == [",0.00)"] * 2
    assert "nothing speaks for it" in against
    assert "zero in every cell" in drawing(by_hand(0 * ATTRIBUTION), "two")


def test_the_numbers_of_all_cells() -> None:
    first, second = csv.DictReader(io.StringIO(export.table(dictionary.rows(by_hand(ATTRIBUTION)))))
    assert (first["row"], first["column"], first["norm"], first["attribution"]) == ("0", "0", "5.0", "0.5")
    assert (first["Activation 1: channel"], first["Activation 1: value"]) == ("1", "4.0")
    assert (first["Attribution against 1: channel"], first["Attribution against 2: channel"]) == ("1", "")
    assert second["norm"] == "0.0" and second["Activation 1: channel"] == ""


def test_a_cells_channels_are_drawn_once_though_in_several_orders() -> None:
    small = np.zeros((8, 8, 3), np.uint8)
    strong = (cell.Strong(3, 1.5, 0.25),)
    opened = cell.Opened(small, small, (("Active", strong), ("For", strong), ("<x>", ())), {3: small}, {3: small}, 3)
    text = cell.html(opened)
    # The photograph, the patch, the channel's picture, and where it fires.
    assert text.count("data:image") == 4 and text.count('data-click="channel:3"') == 2
    assert text.count('class="chosen"') == 2 and "none" in text and "<x>" not in text and "1.5 · +0.25" in text
