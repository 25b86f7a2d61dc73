"""The feature visualization page in a real browser: a click on a picture chooses its channel."""

from __future__ import annotations

from tests.browser.conftest import Server, settle


def test_a_click_on_a_picture_opens_its_channel(visited: Server, page) -> None:
    page.goto(f"{visited.address}/feature_visualization?model=digits&images=digits&fv.quality=Preview")
    page.wait_for_selector(".made button img")
    settle(page)
    # Each picture comes inside the page, and none is broken.
    broken = "all => all.some(one => !one.complete || one.naturalWidth === 0)"
    assert not page.locator(".made img").evaluate_all(broken)
    page.locator(".made button").nth(4).click()
    page.get_by_role("heading", name="channel 4", exact=False).wait_for()
    settle(page)
    assert page.locator(".made button.chosen").inner_text().startswith("Channel 4")
    assert "fv.channel=4" in page.url
