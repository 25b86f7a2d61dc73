"""The embedding explorer in a real browser: a click opens an image, a lasso gives the gallery."""

from __future__ import annotations

from tests.browser.conftest import Server, settle

MAP = "canvas.over"


def test_a_click_opens_an_image_and_a_lasso_gives_the_gallery(visited: Server, page) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda one: errors.append(one.text) if _alarming(one) else None)
    page.goto(f"{visited.address}/embeddings?images=scenes:60&map.method=PCA")
    page.wait_for_selector(MAP)
    settle(page)
    before = page.locator(".st-key-image input").input_value()
    box = page.locator(MAP).first.bounding_box()
    _click_points(page, box)
    settle(page)
    after = page.locator(".st-key-image input").input_value()
    assert after != before
    assert page.get_by_text(f"{after}.").count() == 1
    assert f"image={after}" in page.url
    page.get_by_role("button", name="Draw around").click()
    page.mouse.move(box["x"] + 8, box["y"] + 8)
    page.mouse.down()
    for right, down in ((0.98, 0.02), (0.98, 0.98), (0.02, 0.98)):
        page.mouse.move(box["x"] + right * box["width"], box["y"] + down * box["height"], steps=6)
    page.mouse.up()
    page.get_by_text("selected; of").wait_for()
    settle(page)
    assert page.locator(".pictures").first.locator("img").count() == 24
    broken = "(one) => one.complete && one.naturalWidth === 0"
    assert not any(one.evaluate(broken) for one in page.locator("img").all())
    page.get_by_role("button", name="Make them an image set").click()
    page.get_by_text("60 of the 60 images of").wait_for()
    settle(page)
    assert page.locator(".st-key-images input").input_value() == "Your selection (60)"
    assert errors == []


def _alarming(message) -> bool:
    # Streamlit asks for two addresses that a page of its own does not have, and for icons from a server outside.
    return message.type == "error" and "Failed to load resource" not in message.text


def _click_points(page, box: dict) -> None:
    """Click until a point is hit: go over the middle of the map in steps smaller than a thumbnail."""
    before = page.url
    for down in range(6, 15):
        for right in range(6, 15):
            page.mouse.move(box["x"] + box["width"] * right / 20, box["y"] + box["height"] * down / 20)
            if page.locator(".card").is_visible():
                page.mouse.down()
                page.mouse.up()
                page.wait_for_timeout(1500)
                if page.url != before:
                    return
    raise AssertionError("no point of the map could be clicked")
