"""The layered graph in a real browser: its paths, its pin, its filters, what is saved, how it fits, how fast it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from tests.browser.conftest import VIEWPORT, Server, settle
from tests.browser.graph_script import WEIGHTS
from tests.browser.test_screens import CUT, STICKING_OUT

SVG = "{http://www.w3.org/2000/svg}"
# On a machine that does something else, too; alone it takes a tenth of it.
MOST_MS = 400


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("graph"), script="tests/browser/graph_script.py")
    yield server
    server.stop()


class Shown:
    """The script's page."""

    def __init__(self, page, address: str) -> None:
        self.page = page
        page.goto(address)
        page.wait_for_selector(".graph .vertex")
        settle(page)

    def told(self) -> list[str | None]:
        settle(self.page)
        return json.loads(self.page.locator('[data-testid="stText"]').inner_text())

    def vertex(self, name: str):
        return self.page.locator(f'.graph .vertex[data-id="{name}"]')

    def ids(self, state: str) -> str:
        found = self.page.locator(f".graph .vertex{state}").evaluate_all("all => all.map((one) => one.dataset.id)")
        return "".join(sorted(found))

    def edges(self, state: str = "") -> int:
        shown = "all => all.filter((one) => one.style.display !== 'none').length"
        return self.page.locator(f".graph .edge{state}").evaluate_all(shown)

    def view(self) -> str:
        return self.page.locator(".graph g[transform*=scale]").get_attribute("transform")

    def slide(self, name: str, value: int) -> None:
        self.page.get_by_label(name).fill(str(value))

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def saved(self, name: str, to: Path) -> Path:
        with self.page.expect_download() as download:
            self.page.get_by_role("button", name=name).click()
        download.value.save_as(to / download.value.suggested_filename)
        return to / download.value.suggested_filename


@pytest.fixture
def shown(server: Server, page) -> Iterator:
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield lambda query="": Shown(page, f"{server.address}/?{query}")
    page.set_viewport_size(VIEWPORT)
    assert errors == []


def test_what_is_pointed_at_shows_its_paths_and_filters_act_at_once(shown) -> None:
    one = shown()
    assert one.ids("") == "abcdefg" and one.edges() == len(WEIGHTS)
    one.vertex("c").hover()
    assert one.ids(".on") == "acfg" and one.edges(".on") == 3
    assert one.page.locator(".graph .card").inner_text() == "<b>c</b>\nin 3 images"
    one.slide("Least weight", 50)
    assert one.edges() == sum(weight >= 0.25 for weight in WEIGHTS.values())
    one.vertex("b").hover()
    assert one.ids(".on") == "bdg" and one.ids(".alone") == "e"
    one.slide("Least support", 50)
    assert one.edges() == 3
    one.page.get_by_text("Layer names").click()
    assert not one.page.locator(".graph .names").is_visible()
    assert one.told() == []


def test_a_click_pins_is_told_once_and_outlives_a_redraw_with_pictures(shown) -> None:
    one = shown()
    one.slide("Least weight", 50)
    one.press("Enlarge")
    before = one.view()
    one.vertex("c").click()
    assert one.told() == ["c"] and one.ids(".pinned") == "c"
    one.page.mouse.move(0, 0)
    one.page.get_by_text("Pictures").click()
    one.page.locator(".graph image").nth(6).wait_for()
    assert one.told() == ["c"] and one.view() == before and one.edges() == 4
    assert one.ids(".on") == "acf" and one.page.get_by_text("Pinned: Mid, channel 99.").is_visible()
    one.vertex("c").click()
    one.page.mouse.move(0, 0)
    assert one.told() == ["c", None] and one.ids(".on") == ""
    one.press("Fit: show the whole graph")
    assert one.view() != before


def test_keys_go_along_rows_and_edges_and_pin(shown) -> None:
    one = shown()
    focused = ".graph .vertex:focus"
    one.page.get_by_role("button", name="JSON: save").focus()
    one.page.keyboard.press("Tab")
    assert one.page.locator(focused).get_attribute("data-id") in "ab"
    one.page.keyboard.press("Tab")
    one.vertex("c").focus()
    one.page.keyboard.press("ArrowDown")
    assert one.page.locator(focused).get_attribute("data-id") == "f" and one.ids(".on") == "acf"
    for _ in range(2):
        one.page.keyboard.press("ArrowUp")
    one.page.keyboard.press("Enter")
    assert one.told() == ["a"] and one.page.locator(focused).get_attribute("aria-pressed") == "true"
    one.page.keyboard.press("Escape")
    assert one.told() == ["a", None] and one.page.locator(focused).get_attribute("data-id") == "a"


def test_it_is_zoomed_and_moved(shown) -> None:
    one = shown()
    whole = one.view()
    box = one.page.locator(".graph svg").bounding_box()
    corner = box["x"] + 0.3 * box["width"], box["y"] + 0.75 * box["height"]
    one.page.mouse.move(*corner)
    one.page.mouse.wheel(0, -200)
    one.page.locator(f'.graph g[transform*=scale]:not([transform="{whole}"])').wait_for()
    larger = one.view()
    one.page.mouse.down()
    one.page.mouse.move(corner[0] + 40, corner[1] + 10, steps=4)
    one.page.mouse.up()
    moved = one.view()
    assert len({whole, larger, moved}) == 3 and larger.partition("scale")[2] == moved.partition("scale")[2]
    one.press("Fit: show the whole graph")
    assert one.view() == whole and one.told() == []


def test_files_hold_what_is_shown(shown, tmp_path: Path) -> None:
    one = shown()
    one.page.get_by_text("Pictures").click()
    one.page.locator(".graph image").nth(6).wait_for()
    one.slide("Least weight", 50)
    drawing = one.saved("SVG", tmp_path)
    root = ElementTree.parse(drawing).getroot()
    vertices = [part for part in root.iter(f"{SVG}g") if part.get("data-id")]
    assert sorted(part.get("data-id") for part in vertices) == list("abcdefg")
    assert all(part.find(f"{SVG}image").get("href").startswith("data:image/png") for part in vertices)
    assert len([part for part in root.iter(f"{SVG}path")]) == 4
    assert "http" not in drawing.read_text().replace("http://www.w3.org/2000/svg", "")
    box = one.page.locator(".graph svg").bounding_box()
    picture = Image.open(one.saved("PNG", tmp_path))
    assert picture.size == (int(2 * box["width"]), int(2 * box["height"]))
    colours = [colour for _, colour in picture.convert("RGB").getcolors(1 << 24)]
    assert (255, 0, 0) in colours and (255, 255, 255) in colours
    assert json.loads(one.saved("JSON", tmp_path).read_text()) == WEIGHTS


def test_an_edge_says_its_number_where_it_is_pointed_at_and_those_below_zero_are_dashed(shown, tmp_path: Path) -> None:
    one = shown("case=signed")
    dashes = "all => all.map((one) => [one.edge.source.id + one.edge.target.id, getComputedStyle(one).strokeDasharray])"
    told = dict(one.page.locator(".graph .edge").evaluate_all(dashes))
    assert {ends for ends, dash in told.items() if dash != "none"} == {"db"} and len(told) == len(WEIGHTS)
    assert "drives it" in one.page.locator(".graph .legend").inner_text()
    middle = """(all) => {
        const edge = all.find((one) => one.edge.source.id === "f");
        const at = edge.getPointAtLength(edge.getTotalLength() / 2).matrixTransform(edge.getScreenCTM());
        return [at.x, at.y];
    }"""
    card = one.page.locator(".graph .card")
    one.page.mouse.move(*one.page.locator(".graph .edge").evaluate_all(middle))
    assert card.inner_text() == "f to c: 0.9"
    one.page.mouse.move(1, 1)
    assert not card.is_visible()
    root = ElementTree.parse(one.saved("SVG", tmp_path)).getroot()
    # The edge, and the legend's line, which lies outside of the page's drawing.
    assert sum("stroke-dasharray:7px" in part.get("style", "") for part in root.iter(f"{SVG}path")) == 1
    assert [part.get("stroke-dasharray") for part in root.iter(f"{SVG}path") if part.get("stroke")] == ["none", "7 4"]
    assert {"drives it", "holds it down"} <= {part.text for part in root.iter(f"{SVG}text")}


@pytest.mark.parametrize("width", [390, 800, 1280])
def test_a_crowded_graph_fits_and_is_drawn_fast(shown, page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    one = shown("case=crowd")
    assert one.edges() == 600 and one.page.locator(".graph .vertex").count() == 150
    for _ in range(3):
        one.press("Again")
        settle(page)
    assert page.evaluate(STICKING_OUT) == [] and page.evaluate(CUT) == []
    stage = page.locator(".graph svg").bounding_box()
    for part in page.locator(".graph .vertex, .graph .names text").evaluate_all(
        "all => all.map((one) => one.getBoundingClientRect().toJSON())"
    ):
        assert stage["x"] <= part["left"] and part["right"] <= stage["x"] + stage["width"]
        assert stage["y"] <= part["top"] and part["bottom"] <= stage["y"] + stage["height"]
    times = page.evaluate("performance.getEntriesByName('loupe-graph').map((one) => one.duration)")
    assert 0 < min(times) < MOST_MS
