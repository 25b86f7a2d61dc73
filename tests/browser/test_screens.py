"""Every page on a phone, on a laptop, in the dark: nothing sticks out, no label is cut, axe finds nothing serious."""

from __future__ import annotations

from importlib import resources

import pytest

from tests.browser.conftest import SETTLED, VIEWPORT, Server, settle

PAGES = ("", "saliency", "channel_attribution", "feature_visualization", "embeddings", "shared_interest", "units")
SCREENS = {"phone": (390, 844), "laptop": (1280, 800)}

# What ends to the right of the window, and is in nothing that scrolls or cuts within it.
STICKING_OUT = """() => {
  const held = (one) => {
    for (let box = one.parentElement; box; box = box.parentElement) {
      const within = box.getBoundingClientRect().right <= innerWidth + 1;
      if (within && getComputedStyle(box).overflowX !== "visible") return true;
    }
    return false;
  };
  const out = [...document.querySelectorAll('[data-testid="stMain"] *')].filter((one) => {
    const { width, height, left, right } = one.getBoundingClientRect();
    return width && height && (right > innerWidth + 1 || left < -1) && !held(one);
  });
  const wide = document.documentElement.scrollWidth - innerWidth;
  return [...(wide > 0 ? [`the page, by ${wide}`] : []), ...out.slice(0, 5).map((one) => one.outerHTML.slice(0, 160))];
}"""
# Texts that are wider than what they are in, and cut there: labels, buttons, chosen values, numbers, cards.
CUT = """() => [...document.querySelectorAll(".stApp *")].filter((one) => {
  const style = getComputedStyle(one);
  const cuts = style.textOverflow === "ellipsis" || ["hidden", "clip"].includes(style.overflowX)
    || (one.closest('[data-testid="stButtonGroup"]') && style.overflowX !== "visible");
  const text = [...one.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
  const within = one.childElementCount < 4 && one.textContent.trim().length < 200;
  return cuts && (text || within) && one.clientWidth > 1 && one.checkVisibility({ visibilityProperty: true })
    && one.textContent.trim() && one.scrollWidth > one.clientWidth + 1;
}).map((one) => one.textContent.trim().slice(0, 80))"""
SERIOUS = """async (rules) => (await axe.run({ resultTypes: ["violations"], ...rules })).violations
  .filter(({ impact }) => ["serious", "critical"].includes(impact))
  .map(({ id, nodes }) => [id, nodes.slice(0, 3).map((one) => [one.html.slice(0, 200), one.failureSummary])])
"""
# What can be another in the dark, where all else on the page stays as it was.
BY_COLOUR = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}

# Between two rows of panels: a colour bar and a title.
CLOSE_ROWS = """() => {
  const panels = [...document.querySelectorAll(".st-key-comparison .nsewdrag")];
  const boxes = panels.map((one) => one.getBoundingClientRect());
  const rows = [...new Map(boxes.map((one) => [Math.round(one.top), one])).values()].sort((a, b) => a.top - b.top);
  const close = rows.every((one, i) => one.height > 100 && (!i || one.top - rows[i - 1].bottom < 90));
  return rows.length > 1 && close;
}"""
# The controls, and below them the maps.
ABOVE = """() => {
  const [controls, maps] = [".st-key-page-controls", ".st-key-comparison .stPlotlyChart"].map((one) =>
    document.querySelector(one)?.getBoundingClientRect());
  return controls?.height > 0 && maps?.height > 0 && controls.top < maps.top;
}"""
# Letters in Plotly's drawings, which axe does not judge; white and black ones stand on a ground of their own.
FAINT_LETTERS = """() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map((one) => one / 255);
  const linear = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  const shares = [0.2126, 0.7152, 0.0722];
  const light = (colour) => parts(colour).reduce((sum, one, i) => sum + shares[i] * linear(one), 0.05);
  const page = light(getComputedStyle(document.querySelector(".stApp")).backgroundColor);
  const letters = [...document.querySelectorAll(".js-plotly-plot text")];
  return letters.map((one) => [getComputedStyle(one).fill, one.textContent])
    .filter(([fill]) => !["rgb(255, 255, 255)", "rgb(0, 0, 0)"].includes(fill))
    .filter(([fill]) => Math.max(light(fill), page) / Math.min(light(fill), page) < 4.5);
}"""


@pytest.fixture(scope="module")
def axe() -> str:
    pytest.importorskip("axe_playwright_python")
    return resources.files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")


@pytest.fixture
def tab(page, request):
    """A light tab of a screen's size."""
    width, height = SCREENS[request.param]
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme="light")
    yield page
    page.set_viewport_size(VIEWPORT)


def in_the_dark(tab) -> None:
    tab.emulate_media(color_scheme="dark")
    tab.wait_for_function("getComputedStyle(document.querySelector('.stApp')).colorScheme === 'dark'")
    tab.wait_for_timeout(600)


@pytest.mark.parametrize(("tab", "name"), [(screen, name) for name in PAGES for screen in SCREENS], indirect=["tab"])
def test_a_page_fits_and_can_be_read(visited: Server, tab, name: str, axe: str) -> None:
    tab.goto(f"{visited.address}/{name}")
    tab.wait_for_selector(SETTLED)
    # The first to visit a page waits for its pictures.
    tab.wait_for_function("""!document.querySelector('[data-testid="stProgress"]')""", timeout=150_000)
    settle(tab)
    assert tab.evaluate(STICKING_OUT) == []
    assert tab.evaluate(CUT) == []
    tab.evaluate(axe)
    assert serious(tab, {}) == [] and tab.evaluate(FAINT_LETTERS) == []
    if name == "saliency":
        rows_have_no_blank_band(tab)
    in_the_dark(tab)
    assert serious(tab, BY_COLOUR) == [] and tab.evaluate(FAINT_LETTERS) == []
    if name == "embeddings":
        maps_are_dark(tab)
    if name == "saliency" and tab.viewport_size["width"] == SCREENS["phone"][0]:
        controls_lie_in_a_drawer(tab)
    if name:
        # The Overview's has no formula; the letters of the others' come from this server, too.
        tab.get_by_text("How to read this").click()
        tab.locator('[data-testid="stExpander"] .katex:visible').first.wait_for()


def serious(tab, rules: dict) -> list:
    """What axe finds serious; looked at twice, as what is drawn anew just then is faint."""
    if not tab.evaluate(SERIOUS, rules):
        return []
    tab.wait_for_timeout(2_000)
    settle(tab)
    return tab.evaluate(SERIOUS, rules)


def controls_lie_in_a_drawer(tab) -> None:
    controls, drawer = tab.locator(".st-key-page-controls"), tab.get_by_label("Show the controls")
    controls.wait_for(state="hidden", timeout=10_000)
    drawer.focus()
    tab.keyboard.press("Space")
    assert controls.is_visible() and tab.evaluate(STICKING_OUT) == [] and tab.evaluate(CUT) == []
    # The maps may be drawn once more, in the width that the browser says, so their place is asked until it is told.
    tab.wait_for_function(ABOVE, timeout=20_000)


def rows_have_no_blank_band(tab) -> None:
    # The browser first says how wide the grid is, where that is not as expected.
    tab.wait_for_function(CLOSE_ROWS, timeout=20_000)


def maps_are_dark(tab) -> None:
    corner = "all => all.map((one) => [...one.getContext('2d').getImageData(3, 3, 1, 1).data])"
    assert tab.locator("canvas.base").evaluate_all(corner) == [[0x17, 0x16, 0x14, 255]]
