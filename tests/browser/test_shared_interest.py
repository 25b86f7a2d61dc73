"""Shared Interest in a real browser: a click on a case filters the gallery, a click on an image opens it."""

from __future__ import annotations

from tests.browser.conftest import Server, settle

CARD = ".cards button"


def test_a_click_on_a_case_filters_and_a_click_on_an_image_opens_it(visited: Server, page) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{visited.address}/shared_interest?images=scenes:40&interest.thresholds=0.3-0.5")
    page.locator(CARD).first.wait_for()
    settle(page)
    tile = page.locator(".cases button", has=page.get_by_text("Human aligned"))
    count = int(tile.locator(".count").inner_text())
    assert 0 < count < 24 < 40
    tile.click()
    page.get_by_text(f"{count} of 40 scored images").wait_for()
    settle(page)
    cards = page.locator(CARD)
    assert cards.count() == count and "interest.case=human" in page.url
    assert all("human aligned" in text for text in cards.all_inner_texts())
    broken = "(one) => one.complete && one.naturalWidth === 0"
    pictures = page.locator(".cards img, .cases img").all()
    assert len(pictures) == count + 8 and not any(one.evaluate(broken) for one in pictures)
    cards.nth(1).focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Case:").wait_for()
    settle(page)
    name = dialog.locator("h4").inner_text().strip()
    assert name == cards.nth(1).get_attribute("title") and f"interest.open={name}" in page.url
    dialog.get_by_text("standard deviations above the mean").first.wait_for()
    dialog.get_by_role("link", name="Compare saliency methods").click()
    page.get_by_role("heading", name="Saliency comparison").wait_for()
    settle(page)
    assert page.locator(".st-key-image input").input_value() == name
    assert errors == []
