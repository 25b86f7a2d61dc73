"""The page of units: the wall of all channels, and one unit's filters, masks, effects, pictures and orders."""

from __future__ import annotations

import io
import math
import re
from pathlib import Path
from time import sleep

import pytest
from PIL import Image

import cache
from benchmarks import cifar
from cache import order
from cache.jobs import Job, State
from interp import units
from interp.units.driving import in_images
from pages.parts.kit import markup, waiting
from pages.parts.units import filters
from tests.pages.test_units import opened, written


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """What templates were given, the wall's alone."""
    found: list[dict] = []
    original = markup.draw

    def draw(template: str, /, **values) -> None:
        if template == "wall.html":
            found.append(values)
        original(template, **values)

    monkeypatch.setattr(markup, "draw", draw)
    return found


def test_the_wall_shows_every_channel_and_answers_to_the_picture(app, browser, drawn: list[dict]) -> None:
    opened(app, images="scenes:10", un_view="All channels", un_scale="All alike", un_layer="mixed3b", un_unit="5")
    first = drawn[-1]
    assert [one["number"] for one in first["tiles"]] == list(range(128))
    assert [one["number"] for one in first["tiles"] if one["chosen"]] == [5]
    assert "mixed3b, all 128 channels" in written(app) and len(app.get("plotly_chart")) == 1
    # Another photograph, and one that is painted over, have other maps.
    app.selectbox(key="image").set_value(3).run()
    second = drawn[-1]
    assert second["sprite"].url != first["sprite"].url
    app.session_state["playground"] = True
    app.run()
    browser(app, {"kind": "rectangle", "points": [[0, 0], [112, 112]]})
    assert drawn[-1]["sprite"].url not in (first["sprite"].url, second["sprite"].url)
    app.segmented_control(key="un.wall-order").set_value("Class effect").run()
    assert not app.exception and "From the channel that speaks most for" in " ".join(one.value for one in app.caption)
    assert sorted(one["number"] for one in drawn[-1]["tiles"]) == list(range(128))


def test_the_wall_takes_an_upload_and_says_what_is_wrong_with_one(app, drawn: list[dict]) -> None:
    opened(app, images="scenes:10", un_view="All channels", un_from="Upload", un_scale="Each here", un_layer="conv2d0")
    assert "Upload a picture" in app.info[0].value and not drawn
    file = io.BytesIO()
    Image.new("RGB", (50, 40), "navy").save(file, "PNG")
    app.file_uploader(key="un.file").set_value(("mine.png", file.getvalue(), "image/png")).run()
    assert not app.exception and len(drawn[-1]["tiles"]) == 24
    app.file_uploader(key="un.file").set_value(("bad.png", b"no picture", "image/png")).run()
    assert not app.exception and "bad\\.png" in " ".join(one.value for one in app.caption)


def test_one_unit_shows_its_masks_its_effects_and_what_it_reads(app, cards: list) -> None:
    opened(app, images="scenes:20", un_view="One unit", un_layer="mixed3b", un_unit="127")
    said = written(app).replace("\\", "")
    assert "mixed3b.pool_reduce.conv" in said and "a convolution over 96 units of mixed3b.pool" in said
    assert "agrees with the network to" in said and "loses most" in said
    lines = [[card.line for _, card in some] for some in cards]
    masks = [some for some in lines if any("IoU" in one or "not in it" in one for one in some)]
    assert masks and len(masks[-1]) == 6
    inputs = [some for some in cards if any((card.click or "").startswith("source:") for _, card in some)]
    assert len(inputs) == 2 and all(picture is not None for picture, _ in inputs[-1])
    assert {len(some) for some in inputs} == {5}
    assert (inputs[0][0][1].click or "").startswith("source:mixed3b.pool|")


def test_masks_and_filters_do_not_wait_for_words_and_effects(app, monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser that asks again and again, while what is soon done and what takes long wait for the same device."""
    soon = {one.__name__ for one in (units.mask_overlaps, units.sources, in_images)}
    late = {one.__name__ for one in (units.describing, units.ablating)}
    ended: set[str] = set()
    overtaken: list[set[str]] = []
    settle, take = Job.settle, order.Turns.take

    def noted(job: Job, state: State, **how) -> None:
        ended.add(job.call.function.__name__)
        settle(job, state, **how)

    def watched(turns: order.Turns) -> Job:
        waiting_too = {job.call.function.__name__ for job in turns.expected()}
        job = take(turns)
        if job.call.function.__name__ in late:
            overtaken.append(soon & waiting_too)
        return job

    monkeypatch.setattr(Job, "settle", noted)
    monkeypatch.setattr(order.Turns, "take", watched)
    # The tenth of the time for what waits longest depends on load: `tests/cache/test_order.py` has it.
    monkeypatch.setattr(order, "PATIENCE", math.inf)
    # What others have computed would not be asked for.
    cache.forget()
    opened(app, images="scenes:20", un_layer="mixed3b", un_unit="127")
    monkeypatch.setattr(waiting, "PATIENCE", 0.0)
    app.segmented_control(key="un.view").set_value("One unit").run()
    while not soon | late <= ended:
        sleep(0.05)
        app.run()
        assert not app.exception and not app.error
    assert overtaken and not any(overtaken)


def test_a_layer_inside_a_block_is_offered_where_it_is_asked_for(app, drawn: list[dict]) -> None:
    opened(app, images="scenes:10", un_view="All channels", un_layer="mixed3b.pool", un_scale="Each here")
    assert len(drawn[-1]["tiles"]) == 96 and app.selectbox(key="un.layer").value == "mixed3b.pool"


def test_filters_of_the_first_layer_are_in_colour_and_units_are_ranked_by_relevance(app, cards: list) -> None:
    opened(app, images="scenes:20", un_view="One unit", un_layer="conv2d0", un_top="Relevance", un_for="3")
    said = written(app).replace("\\", "")
    assert re.search(r"\*conv2d0.conv\*, a convolution of 5 × 5 over 3 colours of the picture", said)
    [kernel] = [some for some in cards if some[0][1].title == "conv2d0.conv"]
    assert kernel[0][0].shape == (5, 5, 3)
    top = [some for some in cards if len(some) == 9][-1]
    values = [float(card.title) for _, card in top]
    assert values == sorted(values, reverse=True)


def test_the_sheet_shows_pictures_made_for_units(app, cards: list, monkeypatch: pytest.MonkeyPatch) -> None:
    from pages.parts.cards import making

    monkeypatch.setitem(making.QUALITIES, "Good", 2)
    opened(app, images="scenes:10", un_picture="Feature visualization", un_layer="conv2d0", un_concept="")
    assert len(cards[-1]) == 24 and all(picture is not None for picture, _ in cards[-1])


def test_inputs_from_two_layers_are_read_in_two_passes_that_both_end(
    app, cards: list, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cifar.resnet(tmp_path, 14, trained=False)
    monkeypatch.setenv("LOUPE_MODELS", str(tmp_path))
    opened(app, model="resnet14", images="scenes:10", un_view="One unit", un_layer="layer1", un_unit="3")
    said = written(app)
    # A unit of a sum: a convolution of one layer, and as it is the unit of another, neither of them offered.
    inputs = {card.title.partition(":")[0] for some in cards for _, card in some if "weight" in card.about}
    assert "plus unit" in said and len(inputs) == 2, (said, inputs)
    pictures = [picture for some in cards for picture, card in some if "weight" in card.about]
    assert pictures and all(picture is not None for picture in pictures)


def test_of_a_large_set_inputs_are_read_when_asked_for(app, cards: list, tmp_path: Path, monkeypatch) -> None:
    cifar.resnet(tmp_path, 14, trained=False)
    monkeypatch.setenv("LOUPE_MODELS", str(tmp_path))
    monkeypatch.setattr(filters, "MOST", 5)
    opened(app, model="resnet14", images="scenes:10", un_view="One unit", un_layer="layer1", un_unit="3")

    def bare() -> list:
        """What stands where there is no top image: grey, beside the inset of the weights."""
        of_inputs = [picture for some in cards for picture, card in some if "weight" in card.about]
        return [one for one in of_inputs if one is None or (one[:20, :20] == 128).all()]

    assert len(app.toggle) == 1 and bare()
    cards.clear()
    app.toggle[0].set_value(True).run()
    assert not app.exception and not bare()


def test_where_no_label_is_a_class_there_are_no_effects_by_class_and_no_error(app) -> None:
    opened(app, images="photographs", un_view="One unit", un_layer="mixed5b")
    assert "No image has a label among the classifier's classes" in " ".join(one.value for one in app.caption)
