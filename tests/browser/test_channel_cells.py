"""The cells of a photograph in a real browser: a click on a cell opens it, and its pictures are there."""

from __future__ import annotations

from tests.browser.conftest import Server, settle


def test_a_click_on_a_cell_opens_it(visited: Server, page) -> None:
    choices = "model=digits&images=digits&ch.view=Cells&ch.layer=conv3&ch.cells.as=Photograph"
    page.goto(f"{visited.address}/channel_attribution?{choices}")
    # 16 × 16 positions in blocks of 2 × 2, in both grids.
    page.locator(".cells .map button").nth(63).wait_for()
    assert page.locator(".cells button").count() == 128
    page.locator('.cells .mosaic [data-click="cell:2,5"]').click()
    page.get_by_role("heading", name="Row 2, column 5").wait_for()
    assert page.locator(".cells .chosen").count() == 2 and "ch.cell=2%2C5" in page.url
    settle(page)
    # Every channel of the cell has its picture, and what it is pointed at says its numbers.
    grounds = page.locator(".cell button i").evaluate_all(
        "all => all.map(one => getComputedStyle(one).backgroundImage)"
    )
    assert grounds and all(one.startswith('url("data:image') for one in grounds)
    told = page.locator('.cells .mosaic [data-click="cell:2,5"]').get_attribute("title")
    assert told.startswith("row 2, column 5: norm") and "Attribution for:" in told
    page.reload()
    page.get_by_role("heading", name="Row 2, column 5").wait_for()
