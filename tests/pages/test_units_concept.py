"""The view of one concept, on forty scenes, on marked images, and on images of which nothing is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from interp.figures import concept as figures
from interp.units.cav import tcav
from pages.parts.units import sensitivity
from tests.images.concept_layouts import indexed
from tests.pages.test_units import opened, written
from tests.units.test_cav import made


def test_a_concept_from_all_sides(app, cards: list) -> None:
    opened(app, un_view="One concept", un_layer="mixed5b", un_category="background")
    said = written(app)
    assert "(background)" in said and "images that were looked at" in said
    assert "The best unit has IoU" in said and "directions" in said and "thresholds." in said
    assert "Learned from 20 images" in said and "Bright: what is singled out" in said
    assert len(app.get("plotly_chart")) == 2
    assert "which classes rise with it" in said
    assert len(app.info) == 1 and "at least 10 images with the concept and 10 without are needed" in app.info[0].value
    readings = app.dataframe[-1].value
    assert list(readings["mask"])[0].startswith("combination of") and len(readings) == 6
    assert np.isfinite(readings["IoU"]).all()
    assert len(cards[0]) == 6 and all(picture.std() > 5 for picture, _ in cards[0])
    assert [card.title for _, card in cards[-1]][2::3] == ["combination"] * (len(cards[-1]) // 3)


def test_what_is_significant_is_said(unchecked: None) -> None:
    found = tcav(made(30.0), (("a", "b"),), ("a", "b"), splits=16)
    assert "*car* 100% against" in sensitivity._sentence(found, ("car", "fish"))
    rows = sensitivity.table(found, ("car", "fish"))
    assert rows[0]["class"] == "car" and rows[0]["TCAV score"] == 1 and rows[0]["p, corrected"] < 0.05
    assert len(figures.sensitivities(found, ("car", "fish")).data) == 2


def test_where_nothing_is_known_a_sentence_says_what_would_be(app) -> None:
    opened(app, images="photographs", un_view="One concept")
    assert "No dissection" in " ".join(one.value for one in app.caption)


def test_a_concept_data_set_is_shown(app, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image_root = tmp_path / "pictures"
    monkeypatch.setenv("LOUPE_IMAGES", str(image_root))
    for number in range(8):
        rng = np.random.default_rng(number)
        (image_root / "set/pictures").mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (32, 32, 3), np.uint8)).save(image_root / f"set/pictures/{number}.png")
        indexed(image_root / f"set/masks/{number}.png", {(x, y): 1 for x in range(9) for y in range(9)}, (32, 32))
    (image_root / "set/concepts.toml").write_text('[object]\nmasks = "masks"\nnames = ["corner"]\n')
    opened(app, images="set", un_view="One concept", un_layer="mixed5b")
    assert "corner (object)" in written(app) and "**8** of 8 images" in written(app)
