"""Pictures made from the command line are those that the page shows."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import cache
import precompute
from cache import prepared
from cache.__main__ import main as other
from cache.memory import MISSING
from interp import feature_visualization as fv
from interp import images, models
from interp.embedding import features
from pages.parts.cards import making
from precompute import main


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOUPE_CACHE", str(tmp_path))
    return tmp_path


def refused(*arguments, **keywords) -> None:
    raise AssertionError("A picture is made again.")


def test_pictures_are_kept_as_the_page_asks_for_them_and_made_once(capsys, monkeypatch, small_sets: None) -> None:
    classifier = models.load("digits")
    layer = classifier.last_spatial_layer.name
    asked = ["pictures", "digits", "--images", "digits", "--steps", "2", "--layers", layer]
    assert main(asked) == 0
    channels = classifier.layer(layer).channels
    told = capsys.readouterr().out
    assert f"{layer}: {channels:,} channels" in told
    kept = cache.CachedItems()
    how = fv.usual(classifier, 2, fv.colours_of(classifier, images.load("digits")))
    for channel in (0, channels - 1):
        [found] = kept.find(fv.pictures, classifier, how, (fv.Channel(layer, channel),))
        assert found.step == 2
    # The share that is printed is the one that the pictures' own values give.
    made = [kept.find(fv.pictures, classifier, how, (one,))[0] for one in fv.channels_of(classifier, layer)]
    best = features(classifier, images.load("digits"), layer=layer).max(axis=0)
    alive = [row for row, one in enumerate(made) if not one.dead]
    beaten = sum(made[row].value > best[row] for row in alive)
    assert f"{beaten} of {len(alive)} pictures ({beaten / len(alive):.1%}) drive their channel harder" in told
    monkeypatch.setattr(sys.modules["interp.feature_visualization.pictures"], "sheet", refused)
    assert main(asked) == 0
    with pytest.raises(AssertionError, match="again"):
        main([*asked[:-1], classifier.layers[0].name])


def test_what_there_is_not_is_said(capsys) -> None:
    assert main(["pictures", "digits", "--layers", "nowhere"]) == 1
    assert "nowhere" in capsys.readouterr().err
    assert main(["pictures", "no-such-network"]) == 1
    assert "no-such-network" in capsys.readouterr().err


def test_the_command_of_before_says_what_took_its_place(capsys) -> None:
    assert other(["pictures", "digits", "--steps", "2"]) == 2
    assert "python -m precompute pictures digits --steps 2" in capsys.readouterr().err


@pytest.mark.slow
def test_what_pages_open_with_is_prepared_and_found_with_an_empty_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys, small_sets: None
) -> None:
    monkeypatch.setitem(making.QUALITIES, "Good", 2)
    monkeypatch.setattr(sys, "argv", ["precompute"])
    place = tmp_path / "prepared"
    # That each page opens with what was prepared is asked of what is shipped.
    asked = ["prepare", "--model", "digits", "--images", "digits", "-o", str(place), "--pages", "app", "saliency"]
    assert main([*asked, "--layers"]) == 0
    told = capsys.readouterr().out
    assert "app.py: " in told and "digits.zip: " in told and ": 0 results more" in told
    archive = prepared.Archive(place / "digits.zip")
    assert archive.note["images"] == "digits" and archive.note["command"].endswith("--layers")
    assert archive.note["results"]["interp.models.predictions.predict"] == 1

    cache.forget()
    monkeypatch.setenv("LOUPE_CACHE", str(tmp_path / "another"))
    asked = cache.call(models.predict, models.load("digits"), images.load("digits"))
    assert prepared.kept(asked) is MISSING
    assert prepared.use(place) == ()
    found, _ = prepared.kept(asked)
    assert len(found) == len(images.load("digits"))


def test_a_classifier_in_a_subfolder_gives_a_file_that_is_found(tmp_path: Path, monkeypatch) -> None:
    asked = []
    monkeypatch.setattr(precompute, "prepare", lambda name, path, **options: asked.append((name, path)))
    assert main(["prepare", "--model", "birds/wren", "-o", str(tmp_path)]) == 0
    assert asked == [("birds/wren", tmp_path / "birds-wren.zip")]


def test_a_classifier_that_is_none_cannot_be_prepared(tmp_path: Path, capsys) -> None:
    assert main(["prepare", "--model", "nothing", "-o", str(tmp_path / "prepared"), "--layers"]) == 1
    assert "nothing" in capsys.readouterr().err and not (tmp_path / "prepared").exists()


def test_a_page_that_is_none_is_said(tmp_path: Path, capsys) -> None:
    assert main(["prepare", "--model", "digits", "-o", str(tmp_path), "--layers", "--pages", "unit"]) == 1
    assert "no page 'unit'" in capsys.readouterr().err and not list(tmp_path.glob("*.zip"))
