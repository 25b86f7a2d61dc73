"""The page of the activation atlas: each view on few images, and what it says where there is nothing to show."""

from __future__ import annotations

import numpy as np
import pytest

import cache
from interp import atlas
from interp.atlas import InversionSettings
from pages.parts.atlas import asking, cell, map_view
from tests.pages.opening import opening, said

ADDRESS = {
    "model": "scenes-honest",
    "images": "scenes:20",
    "at.layer": "mixed4c",
    "at.grid": "10 × 10",
    "at.layout": "PCA",
}


def quick(classifier, layer, colours, *, power) -> InversionSettings:
    return InversionSettings(2, 1, 0, power, 16, colours)


@pytest.fixture(autouse=True)
def few_steps_of_inversion(monkeypatch: pytest.MonkeyPatch) -> None:
    """How good pictures are is asked in the library's tests."""
    monkeypatch.setattr(atlas, "inversion_settings", quick)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """What the browser gets of each map that is drawn, and the kinds of parts that travelled with it."""
    found: list[dict] = []
    parts: list[dict] = []

    def part(*, key: str, data: dict, **more) -> None:
        parts.append(data)

    def component(*, key: str, data: dict, **more) -> None:
        found.append({**data, "parts": list(parts), "hear": more["on_cell_change"].args[2]})
        parts.clear()

    monkeypatch.setattr(map_view, "_PART", part)
    monkeypatch.setattr(map_view, "_MAP", component)
    return found


def cells_of(shown: dict, level: int = -1) -> dict:
    """The numbers of a level's cells, as the browser has them."""
    of = shown["levels"][level]["of"]
    [found] = [one["cells"] for one in shown["parts"] if one["what"] == "cells" and one["of"] == of]
    return found


def first_cell(shown: dict) -> str:
    cells = cells_of(shown)
    return f"{shown['levels'][-1]['grid']}-{cells['row'][0]}-{cells['column'][0]}"


def test_the_whole_layer_has_cells_with_patches_and_inverted_pictures(app, drawn: list[dict]) -> None:
    open_page, run_again = opening(app, "atlas", ADDRESS)
    open_page()
    shown = drawn[-1]
    assert {one["what"] for one in shown["parts"]} >= {"cells", "inverted", "patches"}
    # 20 images of 30 positions each.
    assert "600 samples at mixed4c" in said(app) and "inverted pictures drive their cell's direction" in said(app)
    assert sum(cells_of(shown)["count"]) <= 600 and min(cells_of(shown)["count"]) >= 5
    ready = [one["ready"] for one in shown["parts"] if one["what"] == "inverted"]
    assert ready and all(set(one) == {"1"} for one in ready)
    assert "Click a cell" in said(app)
    # A click shows what is behind the cell, and the address names it.
    grid, row, column = map(int, first_cell(shown).split("-"))
    shown["hear"]((grid, row, column))
    app.session_state["at.cell"] = f"{grid}-{row}-{column}"
    run_again()
    assert drawn[-1]["chosen"] == [grid, row, column]
    assert app.query_params["at.cell"] == [f"{grid}-{row}-{column}"] or app.query_params["at.cell"] == first_cell(shown)
    assert f"{cells_of(shown)['count'][0]:,} samples" in said(app) and "Strongest channels" in said(app)


def test_a_rerun_computes_nothing_and_a_class_colours_cells(app, drawn: list[dict], monkeypatch) -> None:
    cache.forget()
    open_page, run_again = opening(app, "atlas", ADDRESS)
    open_page()
    computed: list[str] = []
    original = cache.Call.__call__
    monkeypatch.setattr(
        cache.Call, "__call__", lambda call: (computed.append(call.function.__name__), original(call))[1]
    )
    run_again()
    assert computed == [] and not any(one["what"] == "values" for one in drawn[-1]["parts"])
    app.selectbox(key="at.class").set_value("3")
    run_again()
    values = [one["values"] for one in drawn[-1]["parts"] if one["what"] == "values"]
    assert len(values) == len(drawn[-1]["levels"]) and set(computed) == {"drawn_cells"}
    name = app.selectbox(key="at.class").options[4]
    assert drawn[-1]["value"]["title"] == f"Attribution to {name}"


def test_a_class_has_an_atlas_of_its_own_and_two_stand_against_each_other(app, drawn: list[dict]) -> None:
    open_page, run_again = opening(app, "atlas", ADDRESS)
    open_page(at_view="One class", at_of="2")
    assert " of 600 samples at mixed4c" in said(app)
    assert drawn[-1]["value"]["title"].startswith("Attribution to")
    app.segmented_control(key="at.view").set_value("Two classes")
    run_again()
    names = app.selectbox(key="at.of").options
    assert f"← speaks for **{names[2]}** · speaks for **{names[0]}** →" in said(app)
    assert drawn[-1]["value"]["title"] == f"Attribution to {names[0]}" and not app.error


def test_two_atlases_are_linked_by_image_positions(app, drawn: list[dict]) -> None:
    open_page, run_again = opening(app, "atlas", ADDRESS)
    open_page(at_view="Two atlases")
    upper = drawn[0]
    assert "the same image positions light up here" in said(app)
    app.session_state["at.cell"] = first_cell(upper)
    drawn.clear()
    run_again()
    first, second = drawn[-2:]
    assert first["points"] and second["points"]
    assert "samples lie at the same places" in said(app)


def test_a_picture_is_put_on_the_map(app, drawn: list[dict]) -> None:
    open_page, _ = opening(app, "atlas", ADDRESS)
    open_page(at_view="One picture")
    # All positions of mixed4c, with those at the edges.
    assert len(drawn[-1]["points"]) == 14 * 14 and "It is taken for" in said(app)


def test_a_cell_s_picture_is_pasted_into_all_images(app, drawn: list[dict]) -> None:
    open_page, run_again = opening(app, "atlas", ADDRESS)
    open_page(at_view="Attack it", at_paste="Real patch")
    assert "its picture is pasted into all images" in said(app) and "The five cells that argue most" in said(app)
    app.session_state["at.cell"] = first_cell(drawn[-1])
    run_again()
    assert "of 20 images are taken for another class than before" in said(app)


def test_the_lesson_asks_for_scenes_and_answers_when_opened(app, drawn: list[dict]) -> None:
    open_page, _ = opening(app, "atlas", {**ADDRESS, "model": "scenes-c"})
    open_page(at_view="Where the cue lies")
    assert "Where the cue lies" in said(app) and drawn
    assert "turn **" not in said(app)


def test_without_classes_a_cell_has_no_label_and_its_channels_are_named() -> None:
    found = atlas.PositionSamples("l", (2, 2), *(np.zeros(6, np.int64),) * 2, np.eye(6, 4), np.zeros((6, 0)), 0)
    mapped = atlas.cells(found, np.full((6, 2), 0.5), 1)
    assert mapped.label.tolist() == [-1] and mapped.mixedness.tolist() == [0]
    assert cell._channels(mapped, 0) == "0, 1, 2, 3"


def test_few_images_are_told_what_would_be_right(app) -> None:
    open_page, _ = opening(app, "atlas", {**ADDRESS, "images": "scenes:1"})
    open_page(at_samples="1")
    assert "take a coarser grid" in said(app) or "needs at least" in said(app)


def usual(count: int) -> int:
    class Chosen:
        photos = range(count)

    return asking.usual_samples(Chosen())  # pyright: ignore[reportArgumentType]


def test_about_ten_thousand_samples_are_drawn() -> None:
    assert usual(600) == 16 and usual(200) == 30 and usual(5_000) == 4 and usual(0) == asking.SAMPLES
