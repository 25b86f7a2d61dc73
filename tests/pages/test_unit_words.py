"""Units in words on their page: one unit's section, the cards of a layer, the search, and the table."""

from __future__ import annotations

import pytest

from interp.units import Clause, LayerWords, UnitWords
from pages.parts.cards.picturecards import PictureCard
from pages.parts.units import words
from tests.pages.test_units import opened, written

SEES = Clause("concept", "sees wing (part)", "IoU 0.21, 8.3 times chance", (), concept=("part", "wing"))
TOLD = LayerWords(
    "mixed4c", (UnitWords((SEES,), 0.91, 0.97, 30), UnitWords((), reason="nothing.")), 40, 41, ("concepts",), ()
)


def test_a_card_a_row_and_the_search_have_the_description() -> None:
    blank = PictureCard("Unit 0", "no label", about="largest activation 3")
    first, second = (words.card(blank, TOLD, one) for one in range(2))
    assert first.line == "sees wing (part)" and first.about.endswith("Sees wing (part). (AUROC 0.91)")
    assert second.line == "no description" and "No description: nothing." in second.about
    rows = words.columns([{"unit": 0}, {"unit": 1}], TOLD)
    assert rows[0]["description"] == "sees wing (part)" and rows[0]["AUROC"] == 0.91
    assert rows[0]["description, with numbers"] == "sees wing (part): IoU 0.21, 8.3 times chance"
    assert words.named([1, 0], TOLD, "WING") == [0] and words.named([1, 0], TOLD, "") == [1, 0]
    # Before it is there nothing is changed.
    assert words.card(blank, None, 0) is blank and words.columns([{"unit": 0}], None) == [{"unit": 0}]


@pytest.mark.parametrize("view", ["One unit", "All units"])
def test_descriptions_on_forty_scenes(app, cards: list, view: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOUPE_WORDNET", "/nowhere/wordnet.json")
    opened(app, un_view=view, un_unit="7", un_layer="conv2d0", un_say="Words")
    if view == "One unit":
        assert "no class has 5 images" in " ".join(one.value for one in app.caption)
        assert "**In words**" in written(app) and "prefers edges or stripes at 90°" in written(app).lower()
        assert "too little is known to score it" in written(app)
        assert any(one.value.startswith("- ") and "selectivity" in one.value for one in app.markdown)
    else:
        assert any("prefers" in card.line for _, card in cards[-1])
        app.text_input(key="un.concept").set_value("horizontal").run()
        assert cards[-1] and all("horizontal" in card.about for _, card in cards[-1])
