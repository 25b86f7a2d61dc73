"""One map large in a real browser: a click on its panel opens it, and a drag only zooms."""

from __future__ import annotations

from tests.browser.conftest import Server, settle

HEADING = '[data-testid="stDialog"] h4'


def test_a_click_on_a_panel_opens_its_map_and_a_drag_does_not(visited: Server, page) -> None:
    page.goto(f"{visited.address}/saliency?model=digits&images=digits&methods=Gradient,Grad-CAM,Sensitivity")
    page.wait_for_selector(".nsewdrag")
    settle(page)
    # The photograph, then the maps in their order: the third panel of the first row.
    second = page.locator('.nsewdrag[data-subplot="x3y"]').bounding_box()
    x, y = second["x"] + second["width"] / 2, second["y"] + second["height"] / 2
    page.mouse.move(x - 40, y - 40)
    page.mouse.down()
    page.mouse.move(x + 40, y + 40, steps=5)
    page.mouse.up()
    page.wait_for_timeout(1000)
    assert page.locator(HEADING).count() == 0
    [title] = [
        one.text_content()
        for one in page.locator(".infolayer .annotation-text").all()
        if abs(_middle(one.bounding_box()) - x) < 5 and 0 < second["y"] - one.bounding_box()["y"] < 60
    ]
    page.mouse.click(x, y)
    page.wait_for_selector(HEADING)
    assert page.locator(HEADING).inner_text().startswith(f"{title} · ")
    assert f"large={title.replace(' ', '+')}" in page.url
    page.get_by_role("button", name="Next method").click()
    page.wait_for_function(f"!document.querySelector('{HEADING}').innerText.startsWith('{title} ·')")
    page.keyboard.press("Escape")
    page.wait_for_selector(HEADING, state="detached")
    settle(page)
    assert "large=" not in page.url


def _middle(box: dict) -> float:
    return box["x"] + box["width"] / 2
