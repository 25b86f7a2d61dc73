"""Units that are ticked, and gone; predictions that change; each class's most important units."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PIL import Image

from tests.pages.opening import said
from tests.pages.test_units import opened, written


def test_ticked_units_go_and_come_back(app, cards: list) -> None:
    opened(app, images="scenes:20", un_layer="mixed5b", un_ticked="mixed5b:3,17", un_click="Ticks", un_concept="wing")
    assert "**2 ticked**: 3, 17" in written(app)
    assert all(card.click.startswith("tick:") for _, card in cards[-1])
    found = next(one for one in app.button if one.key.startswith("un-tick-"))
    count = int(re.findall(r"\((\d+)\)", found.label)[0])
    found.click().run()
    assert f"**{count + 2} ticked**" in written(app)
    marked = [card for _, card in cards[-1] if card.title.startswith("✓")]
    assert len(marked) == len(cards[-1]) and all(card.chosen for card in marked)
    app.button(key="un-without").click().run()
    assert not app.exception and not app.error
    assert app.segmented_control(key="un.remove").value == "Ticked" and f"Without {count + 2} units (" in written(app)
    app.button(key="un-back").click().run()
    assert app.segmented_control(key="un.view").value == "All units" and "ticked**" not in written(app)
    assert "un.ticked" not in app.query_params


def test_links_with_units_that_there_are_not_are_passed_over(app) -> None:
    opened(app, un_view="Without it", un_remove="Ticked", un_ticked="mixed4c:9999")
    assert "No unit of mixed4c is ticked" in said(app)
    app.query_params["un.ticked"] = "mixed3b:4"
    app.run()
    assert "Units of mixed3b are ticked: choose that layer" in said(app)


def test_predictions_that_change_are_shown_and_lead_to_saliency(app, cards: list) -> None:
    units = ", ".join(map(str, range(150)))
    opened(app, images="scenes:20", un_view="Without it", un_removed=units)
    found = re.search(r"(\d+) of 20 images \(([\d.]+)%\) are called something else", written(app))
    assert found and int(found[1]) >= 5
    shown = cards[-1]
    assert re.match(r"\w+ → \w+", shown[0][1].title) and re.match(r"\d+% → \d+% · \w+", shown[0][1].line)
    assert shown[0][0].std() > 5 and len(shown) == min(16, int(found[1]))
    # Of one class alone.
    control = app.selectbox(key="un.changed")
    first = shown[0][1].title.split(" → ")[0]
    labels = [option.split(" (")[0] for option in control.options]
    control.set_value(control.options[labels.index(first)]).run()
    assert {card.title.split(" → ")[0] for _, card in cards[-1]} == {first}
    app.button(key="un-why").click().run()
    assert not app.exception and app.selectbox(key="image").value == int(shown[0][1].click.split(":")[1])


def test_without_labels_it_is_shown_how_predictions_change(app, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    for number in range(6):
        Image.fromarray(rng.integers(0, 255, (60, 60, 3), np.uint8)).save(tmp_path / f"{number}.png")
    monkeypatch.setenv("LOUPE_IMAGES", str(tmp_path))
    units = ", ".join(map(str, range(60)))
    opened(app, images=".", model="scenes-honest", un_view="Without it", un_removed=units)
    text = said(app)
    assert "nothing can be said of accuracy" in text and "of 6 images" in text
    assert re.search(r"without as many random units [\d.]+% \(", text)


def test_units_are_ordered_by_what_a_class_loses(app, cards: list) -> None:
    opened(app, un_order="Effect", un_layer="mixed5b", un_class="2")
    lines = [card.line for _, card in cards[-1]]
    assert all(re.search(r"recall [+-][\d.]+, logit [+-][\d.]+$", line) for line in lines)
    assert "misses most first: ranked on 2 images, read on the other half" in said(app)
