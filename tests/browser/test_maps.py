"""The maps in a real browser: what is drawn where, and what a pointer does to it."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.browser.conftest import Server, settle

RED, BLUE, WHITE, FAINT, GREEN = [255, 0, 0], [0, 0, 255], [255, 255, 255], [222, 226, 231], [0, 255, 0]
MARGIN = 22


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("maps"), script="tests/browser/maps_script.py")
    yield server
    server.stop()


class Drawn:
    """The script's page: its panels' pixels and what Python was told."""

    def __init__(self, page, address: str) -> None:
        self.page = page
        self.received = 0
        page.on("websocket", lambda socket: socket.on("framereceived", self._count))
        page.goto(address)
        page.wait_for_selector("canvas.base")
        page.wait_for_function("document.querySelector('[data-testid=stText]') !== null")
        settle(page)

    def _count(self, frame: bytes | str) -> None:
        self.received += len(frame)

    def tells(self, **expected: object) -> bool:
        """Whether Python was told this; on a busy machine a run may begin after the page has come to rest."""
        told: dict[str, object] = {}
        for _ in range(50):
            settle(self.page)
            told = json.loads(self.page.locator('[data-testid="stText"]').inner_text())
            if all(told[name] == value for name, value in expected.items()):
                return True
            self.page.wait_for_timeout(100)
        raise AssertionError(f"Python was told {told}, and not {expected}.")

    def pixels(self, panel: int = 0) -> np.ndarray:
        address = self.page.locator("canvas.base").nth(panel).evaluate("(canvas) => canvas.toDataURL()")
        content = base64.b64decode(address.partition(",")[2])
        return np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)

    def place(self, x: float, y: float, panel: int = 0) -> tuple[float, float]:
        """Where a point of the 5 × 5 grid is drawn when the whole map is shown, in pixels of the panel."""
        box = self.page.locator("canvas.over").nth(panel).bounding_box()
        scale = min(box["width"], box["height"]) - 2 * MARGIN
        return box["width"] / 2 + (x / 4 - 0.5) * scale, box["height"] / 2 - (y / 4 - 0.5) * scale

    def colour(self, x: float, y: float, panel: int = 0) -> list[int]:
        left, top = self.place(x, y, panel)
        return self.pixels(panel)[round(top), round(left)].tolist()

    def grid(self, panel: int = 0) -> dict[tuple[int, int], list[int]]:
        """The colours of all points of the grid at one moment."""
        pixels = self.pixels(panel)
        places = {(x, y): self.place(x, y, panel) for x in range(5) for y in range(5)}
        return {point: pixels[round(top), round(left)].tolist() for point, (left, top) in places.items()}

    def on_screen(self, x: float, y: float, panel: int = 0) -> tuple[float, float]:
        box = self.page.locator("canvas.over").nth(panel).bounding_box()
        left, top = self.place(x, y, panel)
        return box["x"] + left, box["y"] + top

    def drag(self, *corners: tuple[float, float], panel: int = 0) -> None:
        """Press at the first place of the grid, and let go at the last."""
        mouse = self.page.mouse
        mouse.move(*self.on_screen(*corners[0], panel))
        mouse.down()
        for corner in corners[1:]:
            mouse.move(*self.on_screen(*corner, panel), steps=8)
        mouse.up()

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name).click()


@pytest.fixture
def drawn(server: Server, page) -> Iterator:
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield lambda query="": Drawn(page, f"{server.address}/?{query}")
    assert errors == []


def test_points_are_drawn_where_they_belong(drawn) -> None:
    one = drawn()
    first, second = one.grid(), one.grid(panel=1)
    for x in range(5):
        for y in range(5):
            expected = BLUE if (5 * y + x) % 2 else RED
            assert first[x, y] == expected and second[y, x] == expected
    assert one.colour(0.5, 0.5) == WHITE
    assert one.page.locator(".note").first.inner_text() == "Distances <i>mean</i> little."


def test_a_lasso_selects_exactly_what_is_inside_in_all_panels(drawn) -> None:
    one = drawn()
    one.page.keyboard.down("Shift")
    one.drag((-0.15, -0.15), (1.7, -0.15), (-0.15, 1.7))
    one.page.keyboard.up("Shift")
    assert one.tells(chosen=None, selected=[0, 1, 5], runs=2)
    assert one.colour(1, 0) == BLUE and one.colour(0, 1, panel=1) == BLUE
    assert one.colour(2, 2) == FAINT and one.colour(2, 2, panel=1) == FAINT
    one.page.keyboard.press("Escape")
    assert one.tells(chosen=None, selected=[], runs=3)
    assert one.colour(2, 2) == RED


def test_a_box_selects_among_the_classes_that_are_shown(drawn) -> None:
    one = drawn()
    one.press("Drag a box")
    one.drag((2.5, 4.15), (4.15, 2.5), panel=1)
    assert one.tells(selected=[18, 19, 23, 24])
    one.press("even")
    one.drag((0.5, 0.5), (2.5, 2.5))
    assert one.tells(selected=[6, 12])


def test_a_click_chooses_and_pointing_shows_names_as_they_are(drawn) -> None:
    one = drawn()
    one.page.mouse.move(*one.on_screen(3, 2))
    card = one.page.locator(".card")
    assert card.locator(".name").inner_text() == "<img src=x onerror=alert(13)>"
    assert card.locator(".text").inner_text() == "text 13" and card.locator("img").count() == 0
    one.page.mouse.click(*one.on_screen(3, 2))
    assert one.tells(chosen=13, selected=[], runs=2)
    one.page.mouse.click(*one.on_screen(3.5, 2.5))
    assert one.tells(runs=2)


def test_zoom_keeps_the_place_under_the_pointer_and_survives_a_rerun(drawn) -> None:
    one = drawn()
    one.page.mouse.move(*one.on_screen(1, 1))
    before = one.pixels()
    for _ in range(2):
        one.page.mouse.wheel(0, -200)
        one.page.wait_for_timeout(50)
    one.page.wait_for_timeout(200)
    zoomed = one.pixels()
    assert not np.array_equal(before, zoomed)
    left, top = one.place(1, 1)
    assert zoomed[round(top), round(left)].tolist() == RED
    one.received = 0
    one.press("Again")
    assert one.tells(runs=2)
    assert np.array_equal(one.pixels(), zoomed)
    assert one.received < 50_000
    one.page.locator("canvas.over").first.dblclick(position={"x": 3, "y": 3})
    one.page.wait_for_timeout(200)
    assert np.array_equal(one.pixels(), before)


def test_the_wheel_leaves_the_page_alone_where_the_whole_map_is_seen(drawn) -> None:
    one = drawn()
    before = one.pixels()
    one.page.mouse.move(*one.on_screen(1, 1))
    one.page.mouse.wheel(0, 300)
    one.page.wait_for_timeout(300)
    assert np.array_equal(one.pixels(), before)


def test_thumbnails_come_where_there_is_room(drawn) -> None:
    one = drawn("case=crowd")
    one.page.wait_for_timeout(500)

    def green() -> int:
        return int((np.abs(one.pixels() - GREEN).max(axis=2) < 12).sum())

    assert green() < 10_000
    one.page.mouse.move(*one.on_screen(2, 2))
    for _ in range(6):
        one.page.mouse.wheel(0, -200)
        one.page.wait_for_timeout(50)
    one.page.wait_for_timeout(300)
    assert green() > 40_000
    one.press("Thumbnails where")
    one.page.wait_for_timeout(200)
    assert green() == 0
    assert "thumbnails of 4,096 of 8,000 images" in one.page.locator(".said").first.inner_text()


def test_keys_move_and_enlarge(drawn) -> None:
    one = drawn()
    before = one.pixels()
    one.page.locator("canvas.over").first.focus()
    one.page.keyboard.press("ArrowRight")
    one.page.wait_for_timeout(200)
    assert np.array_equal(one.pixels()[:, :-40], before[:, 40:])
    one.page.keyboard.press("ArrowLeft")
    one.page.keyboard.press("+")
    one.page.wait_for_timeout(200)
    assert one.colour(2, 2) == RED and one.colour(4, 4) != RED


@pytest.mark.parametrize(("query", "moves"), [("", False), ("case=linked", True)])
def test_only_linked_views_move_together(drawn, query: str, moves: bool) -> None:
    one = drawn(query)
    before = one.pixels(1)
    one.drag((0.5, 0.5), (1.5, 0.5))
    one.page.wait_for_timeout(200)
    assert np.array_equal(one.pixels(1), before) != moves


def test_a_film_plays_without_the_server(drawn) -> None:
    one = drawn("case=film")
    names = one.page.locator(".frame")
    assert names.nth(1).inner_text() == "end" and one.colour(4, 4, panel=1) == RED
    slider = one.page.get_by_label("Place in the film")
    slider.focus()
    one.page.keyboard.press("Home")
    one.page.wait_for_timeout(200)
    assert names.nth(1).inner_text() == "start"
    assert one.colour(4, 2, panel=1) == RED and one.colour(4, 4, panel=1) == WHITE
    one.press("Play the film")
    for _ in range(40):
        one.page.wait_for_timeout(100)
        if one.colour(4, 4, panel=1) == RED:
            break
    assert names.nth(1).inner_text() == "end" and one.colour(4, 4, panel=1) == RED
    assert one.tells(runs=1)


def test_a_map_in_space_turns(drawn) -> None:
    one = drawn("case=space")
    before = one.pixels(1)
    one.drag((1, 1), (2, 1), panel=1)
    one.page.wait_for_timeout(200)
    assert not np.array_equal(one.pixels(1), before)
    assert one.tells(runs=1)


def test_a_wish_is_shown_and_gives_way_to_a_choice(drawn) -> None:
    one = drawn("wish=7")
    assert one.tells(chosen=7, selected=[1, 2], runs=1)
    assert one.colour(1, 0) == BLUE and one.colour(4, 4) == FAINT
    one.page.mouse.click(*one.on_screen(2, 0))
    assert one.tells(chosen=2, selected=[1, 2], runs=2)
    one.press("Again")
    assert one.tells(chosen=2, selected=[1, 2], runs=3)


def test_the_picture_to_take_along(drawn, tmp_path: Path) -> None:
    one = drawn()
    with one.page.expect_download() as download:
        one.press("Download the maps")
    download.value.save_as(tmp_path / "maps.png")
    picture = np.asarray(Image.open(tmp_path / "maps.png").convert("RGB")).astype(int)
    assert picture.shape[1] > 1000
    assert (np.abs(picture - RED).max(axis=2) < 30).sum() > 500


@pytest.mark.parametrize("width", [320, 800, 1600])
def test_nothing_is_wider_than_the_page(drawn, width: int) -> None:
    one = drawn()
    one.page.set_viewport_size({"width": width, "height": 900})
    one.page.wait_for_timeout(400)
    for part in (".bar", ".panel", ".legend", "canvas.base"):
        for found in one.page.locator(part).all():
            box = found.bounding_box()
            assert box["x"] >= 0 and box["x"] + box["width"] <= width and box["height"] > 10
    assert one.colour(1, 1) == RED


def test_parts_that_did_not_come_are_asked_for(drawn) -> None:
    one = drawn("case=lost&wish=7")
    one.page.get_by_text('"runs": 2').wait_for()
    settle(one.page)
    assert one.colour(1, 0) == BLUE and one.colour(4, 4) == FAINT
    assert one.tells(chosen=7, selected=[1, 2], runs=2)
