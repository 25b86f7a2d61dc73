"""The channel attribution page in a real browser: a click on a card chooses its channel, and goes on with it."""

from __future__ import annotations

from tests.browser.conftest import Server, settle


def test_a_click_on_a_card_opens_its_channel_and_leads_to_its_pictures(visited: Server, page) -> None:
    page.goto(f"{visited.address}/channel_attribution?model=digits&images=digits&ch.count=1")
    page.wait_for_selector(".sides .channel")
    settle(page)
    card = page.locator(".sides .channel").first
    title = card.get_attribute("aria-label")
    card.click()
    page.get_by_role("heading", name=title.lower(), exact=False).wait_for()
    settle(page)
    assert page.locator(".sides .chosen").get_attribute("aria-label") == title
    assert f"ch.channel={title.split()[1]}" in page.url
    border = "(card) => getComputedStyle(card).borderTopWidth"
    assert page.locator(".sides .channel").first.evaluate(border) == "1px", "the stylesheet is there after a rerun, too"
    broken = "all => all.some(one => !one.complete || one.naturalWidth === 0)"
    assert not page.locator(".sides img").evaluate_all(broken)
    page.get_by_role("button", name="Open in Feature visualization").click()
    page.get_by_role("heading", name="Feature visualization", exact=True).wait_for()
    page.get_by_role("heading", name=title.lower(), exact=False).wait_for()
