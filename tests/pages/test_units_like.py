"""'Like this cell', from the page and from a cell of Channel attribution."""

from __future__ import annotations

import re

import pytest

from pages.parts.cards import making
from tests.pages.opening import said
from tests.pages.test_units import opened, written

LIKE = {"un_view": "Like this cell", "image": "car-0003", "images": "scenes:24"}


def test_images_are_ranked_and_the_cell_is_left_out(app, cards: list) -> None:
    opened(app, **LIKE, un_cells="7")
    found = re.search(r"The 23 most similar of 23 other images\*\*: from (-?\d\.\d+) to (-?\d\.\d+)", written(app))
    values = [float(card.title) for _, card in cards[-1]]
    assert found and values == sorted(values, reverse=True) and len(values) == 23
    assert (values[0], values[-1]) == (float(found[1]), float(found[2]))
    assert all(picture.shape[2] == 3 and picture.std() > 5 for picture, _ in cards[-1])
    assert not any("car-0003" in card.about for _, card in cards[-1])
    # In the same place each one is at most as similar as anywhere.
    app.segmented_control(key="un.where").set_value("Same place").run()
    assert float(cards[-1][0][1].title) <= values[0]
    places = {card.about.split(", ", 1)[1] for _, card in cards[-1]}
    assert len(places) == 1


def test_a_cell_that_there_is_not_is_passed_over(app) -> None:
    opened(app, **LIKE, un_cell="70,1")
    assert re.search(r"\*\*Row \d+, column \d+\*\* of 14 × 14 cells", written(app)) and "Row 70" not in written(app)


def test_a_cell_of_channel_attribution_leads_here(app, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(making.QUALITIES, "Preview", 1)
    address = {"images": "scenes:24", "image": "car-0003", "ch.view": "Cells", "ch.cell": "2,3", "ch.cells.most": "7"}
    app.query_params.update({**address, "ch.layer": "mixed4c", "ch.cells.as": "Photograph", "fv.quality": "Preview"})
    app.switch_page("pages/channel_attribution.py").run()
    assert not app.exception
    app.button(key="ch-like").click().run()
    assert not app.exception and "**Row 2, column 3** of 7 × 7 cells" in said(app)
    assert app.selectbox(key="un.layer").value == "mixed4c" and app.selectbox(key="image").value == 3
