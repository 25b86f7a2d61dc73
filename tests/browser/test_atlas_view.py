"""The atlas's map in a real browser: levels, pointing, choosing, search, path, keys, what is saved, how fast it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from pages.parts.atlas.map_view import standalone
from tests.browser.atlas_script import small
from tests.browser.conftest import VIEWPORT, Server, settle
from tests.browser.test_screens import CUT, STICKING_OUT

# The colour of the canvas at a place of the map.
COLOUR = """(canvas, [u, v]) => {
    const side = Math.min(canvas.clientWidth, canvas.clientHeight) - 16;
    const ratio = canvas.width / canvas.clientWidth;
    const at = [(canvas.clientWidth - side) / 2 + u * side, (canvas.clientHeight - side) / 2 + v * side];
    return [...canvas.getContext("2d").getImageData(at[0] * ratio, at[1] * ratio, 1, 1).data].slice(0, 3);
}"""
# Milliseconds from frame to frame while the map is dragged to and fro, and how many of its pixels are others once it is
# painted anew, at rest.
PANNED = """async (canvas) => {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    const at = (type, i) => canvas.dispatchEvent(new PointerEvent(type, {
        bubbles: true, pointerId: 1, button: type === "pointermove" ? -1 : 0, buttons: 1,
        clientX: left + width / 2 + 90 * Math.sin(i / 6), clientY: top + height / 2 + 60 * Math.cos(i / 5) }));
    canvas.setPointerCapture = () => {};
    at("pointerdown", 0);
    const times = [];
    for (let i = 1; i < 90; i += 1) {
        at("pointermove", i);
        times.push(await new Promise((done) => requestAnimationFrame(done)));
    }
    const seen = () => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    const moved = seen();
    at("pointerup", 90);
    const steps = times.slice(1).map((one, i) => one - times[i]).sort((a, b) => a - b);
    await new Promise((done) => setTimeout(done, 600));
    return [steps[Math.floor(steps.length / 2)], seen().reduce((sum, one, i) => sum + (one !== moved[i]), 0)];
}"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("atlas"), script="tests/browser/atlas_script.py")
    yield server
    server.stop()


class Shown:
    """The map, on the script's page or in a file."""

    def __init__(self, page, address: str) -> None:
        self.page = page
        page.goto(address)
        self.canvas = page.locator(".atlas .stage > canvas[data-zoom]")
        self.canvas.wait_for()
        self.card = page.locator(".atlas .card")

    def at(self, u: float, v: float) -> tuple[float, float]:
        """Where on the screen a place of the whole map is."""
        box = self.canvas.bounding_box()
        side = min(box["width"], box["height"]) - 16
        return box["x"] + (box["width"] - side) / 2 + u * side, box["y"] + (box["height"] - side) / 2 + v * side

    def point(self, u: float, v: float) -> None:
        self.page.mouse.move(*self.at(u, v))

    def click(self, u: float, v: float) -> None:
        self.page.mouse.click(*self.at(u, v))

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name).click()

    def pick(self, name: str, value: str) -> None:
        self.page.get_by_role("combobox", name=name, exact=True).select_option(value)

    def colour(self, u: float, v: float) -> list[int]:
        self.page.wait_for_timeout(250)
        return self.canvas.evaluate(COLOUR, [u, v])

    def level(self) -> str:
        return self.canvas.get_attribute("data-level")

    def zoom(self) -> float:
        self.page.wait_for_timeout(100)
        return float(self.canvas.get_attribute("data-zoom"))

    def said(self) -> str:
        return self.page.locator(".atlas .said").inner_text()

    def told(self) -> list:
        self.page.wait_for_timeout(400)
        settle(self.page)
        return json.loads(self.page.locator('[data-testid="stText"]').inner_text())


@pytest.fixture
def heard(page) -> Iterator[list[str]]:
    """The errors of a tab."""
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield errors
    page.set_viewport_size(VIEWPORT)
    assert errors == []


@pytest.fixture
def shown(server: Server, page, heard: list[str]) -> Iterator:
    def opened(query: str = "") -> Shown:
        one = Shown(page, f"{server.address}/?{query}")
        settle(page)
        return one

    yield opened


def test_finer_levels_appear_as_one_comes_nearer_and_outlive_a_redraw(shown) -> None:
    one = shown()
    # 600 pixels of 8 × 8 are wide enough at once; the coarse one is asked for.
    assert one.level() == "8" and one.zoom() == 1
    one.press("Always the level of 2 × 2")
    assert one.level() == "2" and one.colour(0.7, 0.1)[0] == 250
    one.press("Finer levels appear")
    assert one.level() == "8" and one.colour(0.7, 0.1)[0] == 120
    # A cell that the finer level lacks keeps the coarser one's picture.
    assert one.colour(0.06, 0.06) == [250, 0, 0]
    one.point(0.7, 0.3)
    one.page.mouse.wheel(0, -300)
    assert one.zoom() > 1.5
    one.press("Real patches")
    near = one.zoom()
    one.page.get_by_text("Pictures").click()
    one.told()
    assert one.zoom() == near
    one.page.get_by_text("Pictures").click()
    one.told()
    assert one.zoom() == near
    assert one.page.get_by_role("button", name="Real patches").get_attribute("aria-pressed") == "true"
    one.press("Show the whole map")
    assert one.zoom() == 1 and one.told() == []


def test_a_small_stage_shows_the_coarse_level_first(shown, page) -> None:
    page.set_viewport_size({"width": 330, "height": 700})
    one = shown()
    assert one.level() == "2"
    one.canvas.dblclick()
    assert one.level() == "8" and one.zoom() == 2 and one.told() == []


def test_what_is_pointed_at_is_told_within_the_frame(shown) -> None:
    one = shown()
    for u, v, label, count in ((0.01, 0.99, "sea", 8), (0.99, 0.01, "<b>hand</b>", 1), (0.5, 0.5, "<b>hand</b>", 5)):
        one.point(u, v)
        text = one.card.inner_text()
        assert text.split("\n")[2:4] == [label, f"{count} sample{'' if count == 1 else 's'}"]
        card, stage = one.card.bounding_box(), one.page.locator(".atlas .stage").bounding_box()
        assert stage["x"] < card["x"] and card["x"] + card["width"] < stage["x"] + stage["width"]
        assert stage["y"] < card["y"] and card["y"] + card["height"] < stage["y"] + stage["height"]
    assert "mixed (mixedness 0.50)" in text and "Attribution to hand: +0.0" in text and "drives it no more" in text
    names = one.page.locator(".atlas .bars .class").all_inner_texts()
    assert names == ["<b>hand</b>", "sea", "tag"]
    # On one scale from the least to the most of all cells: −1.5 to 2.
    tag = one.page.locator(".atlas .bars i").nth(2)
    assert tag.evaluate("one => [one.className, one.style.left]") == ["against", "0%"]
    assert float(tag.evaluate("one => parseFloat(one.style.width)")) == pytest.approx(100 * 1.5 / 3.5, abs=0.1)
    one.page.mouse.move(1, 1)
    assert not one.card.is_visible() and one.told() == []


def test_a_click_is_heard_once_and_a_double_click_not_at_all(shown) -> None:
    one = shown()
    one.click(0.7, 0.3)
    assert one.told() == [[8, 2, 5]] and one.said().startswith("Chosen. Row 3, column 6 of 8: <b>hand</b>.")
    assert one.card.is_visible()
    one.page.mouse.dblclick(*one.at(0.3, 0.3))
    assert one.told() == [[8, 2, 5]] and one.zoom() == 2
    one.press("Show the whole map")
    one.page.mouse.move(*one.at(0.2, 0.2))
    one.page.mouse.down()
    one.page.mouse.move(*one.at(0.3, 0.3), steps=3)
    one.page.mouse.up()
    assert one.told() == [[8, 2, 5]]
    one.press("Enlarge")
    # The enlarged map's middle stays where it is; the chosen cell is as much farther from it.
    one.click(0.5 + 1.4 * 0.2, 0.5 - 1.4 * 0.2)
    assert one.told() == [[8, 2, 5], None] and one.zoom() == 1.4
    one.press("Show the whole map")
    # Where the finer level lacks a cell, the coarser one's is meant.
    one.click(0.06, 0.06)
    assert one.told()[2:] == [[2, 0, 0]]


def test_pictures_real_patches_and_both(shown) -> None:
    one = shown()
    one.press("Both: what cells show")
    left, right = one.colour(0.65, 0.65), one.colour(0.73, 0.73)
    assert left[0] == 120 and left[2] == 0 and right == [0, 0, 255]
    one.press("Real patches")
    assert one.colour(0.65, 0.65) == [0, 0, 255]
    one.press("Inverted: what cells show")
    assert one.colour(0.73, 0.73)[0] == 120
    # While there are none, the real patches stand for them, and there is nothing to switch.
    one.page.get_by_text("Pictures").click()
    one.told()
    assert one.colour(0.73, 0.73) == [0, 0, 255] and not one.page.get_by_role("button", name="Both").is_visible()
    assert "no inverted pictures yet" in one.page.locator(".atlas .legend").inner_text()


def test_where_a_picture_is_not_made_yet_the_real_patch_is_faint(shown) -> None:
    one = shown("case=half")
    assert one.colour(0.44, 0.44) == [120, 0, 0] and "until the inverted" in one.page.locator(".legend").inner_text()
    faint = one.colour(0.44, 0.56)
    assert faint[2] > faint[0] > 120
    one.point(0.44, 0.44)
    assert one.card.locator("figcaption").all_inner_texts() == ["inverted", "real patch"]
    one.point(0.44, 0.56)
    assert one.card.locator("figcaption").all_inner_texts() == ["real patch"]


def test_search_fades_the_rest_and_counts(shown) -> None:
    one = shown()
    field = one.page.get_by_role("combobox", name="Search a class")
    field.fill("HAND")
    # Those of the label, and in column 3, as there the hand's attribution is at least half of the sea's.
    assert one.page.locator(".atlas output").inner_text() == "32 of 63 cells"
    assert one.colour(0.7, 0.3)[0] == 120 and min(one.colour(0.3, 0.3)) > 180
    field.fill("nothing of the kind")
    assert one.page.locator(".atlas output").inner_text() == "0 of 63 cells"
    field.fill("")
    assert one.page.locator(".atlas output").inner_text() == "" and one.colour(0.3, 0.3)[0] == 120
    assert one.page.locator(".atlas datalist option").count() == 3 and one.told() == []


def test_colour_and_size_tell_numbers_with_a_legend(shown) -> None:
    one = shown()
    legend = one.page.locator(".atlas .legend")
    assert "here" in legend.inner_text() and "there" in legend.inner_text()
    edge = (0.631, 0.7)  # within the frame of a cell
    one.pick("Colour", "label")
    assert "sea" in legend.inner_text() and "31" in legend.inner_text()
    assert one.colour(*edge) == [0, 114, 178]
    one.page.get_by_role("button", name="<b>hand</b>").click()
    assert one.page.get_by_role("combobox", name="Search a class").input_value() == "<b>hand</b>"
    one.page.get_by_role("combobox", name="Search a class").fill("")
    one.pick("Colour", "value")
    assert legend.inner_text().split("\n")[:4] == ["Attribution to hand", "−0.50", "0", "+0.50"]
    red, blue = one.colour(*edge), one.colour(0.006, 0.7)
    assert red[0] > red[2] and blue[2] > blue[0]
    one.pick("Size", "count")
    assert "Size: by samples, up to 8" in legend.inner_text() and one.colour(0.64, 0.02) == [255, 255, 255]
    assert one.told() == []


def test_a_path_gives_a_strip_and_is_heard(shown) -> None:
    one = shown()
    one.press("Path: drag")
    one.point(0.2, 0.55)
    one.page.mouse.down()
    one.page.mouse.move(*one.at(0.8, 0.55), steps=8)
    one.page.mouse.up()
    steps = one.page.locator(".atlas .strip .step")
    assert steps.count() == 6 and steps.all_inner_texts() == ["sea"] * 3 + ["<b>hand</b>"] * 3
    assert one.told() == [[[8, 4, j] for j in range(1, 7)]]
    curves = one.page.locator(".atlas .strip .curve").evaluate_all("all => all.map((one) => one.getAttribute('d'))")
    assert [curve.count("L") for curve in curves] == [5, 5]
    assert "Attribution to sea from +1.57 to −0.57" in one.page.locator(".atlas .strip svg").get_attribute("aria-label")
    steps.nth(2).click()
    assert one.told()[1:] == [[8, 4, 3]] and steps.count() == 6
    one.press("Take the path away")
    assert one.told()[2:] == [[]] and not one.page.locator(".atlas .strip").is_visible()


def test_keys_reach_every_cell_choose_and_lay_a_path(shown) -> None:
    one = shown()
    one.page.get_by_role("button", name="PNG").focus()
    one.page.keyboard.press("Tab")
    assert one.page.locator("canvas:focus").count() == 1
    one.page.keyboard.press("+")
    assert one.zoom() == 1.25
    before = one.colour(0.5, 0.5), one.canvas.screenshot()
    one.page.keyboard.press("ArrowDown")
    one.page.wait_for_timeout(100)
    assert one.canvas.screenshot() != before[1]
    one.page.keyboard.press("0")
    one.page.keyboard.press("Enter")
    found = {one.said().partition(":")[0]}
    for key, times in (("ArrowUp", 8), ("ArrowLeft", 8), ("ArrowRight", 63)):
        for _ in range(times):
            one.page.keyboard.press(key)
            found.add(one.said().partition(":")[0])
    places = {f"Row {i}, column {j} of 8" for i in range(1, 9) for j in range(1, 9)} - {"Row 1, column 1 of 8"}
    assert found == places
    assert "It argues for <b>hand</b> +2.00" in one.said() and one.card.is_visible()
    one.page.keyboard.press("Enter")
    assert one.told() == [[8, 7, 7]]
    one.press("Path: drag")
    one.canvas.focus()
    for key in ("Enter", "Enter", "ArrowLeft", "ArrowUp", "Enter"):
        one.page.keyboard.press(key)
    assert one.told()[1:] == [[[8, 7, 7], [8, 6, 6]]]
    one.page.keyboard.press("Escape")
    assert not one.card.is_visible()


def test_the_picture_for_print_holds_the_whole_map(shown, tmp_path: Path) -> None:
    one = shown()
    one.pick("Colour", "label")
    one.point(0.7, 0.3)
    one.page.mouse.wheel(0, -300)
    with one.page.expect_download() as download:
        one.press("PNG")
    assert download.value.suggested_filename == "scenes.png"
    download.value.save_as(tmp_path / "scenes.png")
    picture = Image.open(tmp_path / "scenes.png")
    assert round(picture.info["dpi"][0]) == 300 and min(picture.size) >= 2400
    picture = picture.convert("RGB")
    above = 60 + 64
    cell = [picture.getpixel((60 + int((j + 0.5) * 300), above + int((i + 0.5) * 300))) for i in (1, 6) for j in (1, 6)]
    assert [one[0] for one in cell] == [120] * 4 and cell[0][1] < cell[3][1]
    # The title above, the legend below.
    for box in ((0, 0, picture.width, above), (0, above + 2400, picture.width, picture.height)):
        assert min(low for low, _ in picture.crop(box).getextrema()) < 60


def test_a_file_of_its_own_opens_without_a_network_and_zooms(page, heard: list[str], tmp_path: Path) -> None:
    (tmp_path / "atlas.html").write_text(standalone(small(), "Atlas of <scenes>"), "utf-8")
    page.context.set_offline(True)
    try:
        one = Shown(page, (tmp_path / "atlas.html").as_uri())
        assert page.locator("h1").inner_text() == page.title() == "Atlas of <scenes>"
        page.wait_for_timeout(200)
        one.click(0.7, 0.7)
        page.wait_for_timeout(400)
        assert one.said().startswith("Chosen. Row 6, column 6 of 8") and one.card.locator("canvas").count() == 2
        one.page.mouse.move(*one.at(0.5, 0.5))
        one.page.mouse.wheel(0, -300)
        assert one.zoom() > 1.5
        one.press("Show the whole map")
        assert one.colour(0.65, 0.68)[0] == 120
        with page.expect_download() as download:
            one.press("PNG")
        assert download.value.suggested_filename == "atlas.png"
        # It can ask nobody, even if it would.
        asked = "fetch('http://localhost:1/').then(() => true, (error) => String(error))"
        assert page.evaluate(asked) == "TypeError: Failed to fetch"
        assert [one for one in heard if "Content Security Policy" not in one] == []
        assert heard
        heard.clear()
    finally:
        page.context.set_offline(False)


@pytest.mark.parametrize("width", [390, 800, 1280])
def test_it_fits_the_screen_light_and_dark(shown, page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    one = shown()
    for colour in ("label", "value"):
        one.pick("Colour", colour)
        settle(page)
        assert page.evaluate(STICKING_OUT) == [] and page.evaluate(CUT) == []
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(900)
    assert one.colour(-0.005, 0.5) == [0x17, 0x16, 0x14]
    page.emulate_media(color_scheme="light")


def test_a_finger_scrolls_past_the_whole_map_and_moves_an_enlarged_one(shown) -> None:
    one = shown()
    touch = "one => one.style.touchAction"
    assert one.canvas.evaluate(touch) == "pan-y"
    one.press("Enlarge")
    assert one.canvas.evaluate(touch) == "none"
    one.press("Show the whole map")
    one.press("Path: drag")
    assert one.canvas.evaluate(touch) == "none"


class Fingers:
    """Touches of a tab's screen."""

    def __init__(self, page) -> None:
        self.page = page
        self.session = page.context.new_cdp_session(page)
        self.session.send("Emulation.setTouchEmulationEnabled", {"enabled": True})

    def drag(self, *fingers: tuple[tuple[float, float], tuple[float, float]]) -> None:
        """Each finger from one place to another, in ten steps."""
        for step in range(11):
            places = [
                {"x": a + (c - a) * step / 10, "y": b + (d - b) * step / 10, "id": i}
                for i, ((a, b), (c, d)) in enumerate(fingers)
            ]
            kind = "touchMove" if step else "touchStart"
            self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})
            self.page.wait_for_timeout(20)
        self.session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        self.page.wait_for_timeout(500)

    def scrolled(self) -> float:
        return self.page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop")


def test_two_fingers_enlarge_and_one_moves_or_taps(shown, page) -> None:
    page.set_viewport_size({"width": 390, "height": 500})
    one = shown()
    fingers = Fingers(page)
    page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop = 150")
    x, y = one.at(0.5, 0.5)
    before = fingers.scrolled()
    fingers.drag(((x, y), (x, y - 60)))
    assert fingers.scrolled() > before and one.zoom() == 1
    x, y = one.at(0.5, 0.5)
    fingers.drag(((x - 30, y), (x - 90, y)), ((x + 30, y), (x + 90, y)))
    near, before = one.canvas.screenshot(), fingers.scrolled()
    assert one.zoom() > 2
    fingers.drag(((x, y), (x - 50, y - 50)))
    assert fingers.scrolled() == before and one.canvas.screenshot() != near and one.told() == []
    one.press("Show the whole map")
    x, y = one.at(0.7, 0.3)
    fingers.drag(((x, y), (x, y)))
    assert one.told() == [[8, 2, 5]] and one.card.is_visible()


def test_a_layer_of_many_cells_is_moved_without_a_jerk(shown) -> None:
    one = shown("case=crowd")
    one.press("Always the level of 40 × 40")
    one.press("Enlarge")
    for kind, most in (("Inverted: what", 34), ("Both", 51)):
        one.press(kind)
        one.page.wait_for_timeout(300)
        taken, others = one.canvas.evaluate(PANNED)
        assert taken < most and others == 0
