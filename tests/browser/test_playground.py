"""Drawing on the photograph with a real mouse, pen strokes from the keyboard included."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Server, settle

PAPER = ".st-key-playground-canvas .paper"


@pytest.fixture
def playing(visited: Server, page):
    page.goto(f"{visited.address}/saliency?model=scenes-a&images=scenes-a&image=car-0003&methods=Gradient")
    page.wait_for_selector(".st-key-comparison .js-plotly-plot")
    settle(page)
    page.get_by_text("Change the photograph", exact=True).click()
    page.wait_for_selector(PAPER)
    settle(page)
    return page


def drag(page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Draw a line; places are shares of the canvas's width and height."""
    page.locator(PAPER).scroll_into_view_if_needed()
    box = page.locator(PAPER).bounding_box()
    x0, y0, x1, y1 = (
        box[corner] + box[side] * share
        for place in (start, end)
        for corner, side, share in (("x", "width", place[0]), ("y", "height", place[1]))
    )
    page.mouse.move(x0, y0)
    page.mouse.down()
    page.mouse.move(x1, y1, steps=8)
    page.mouse.up()


def predicted(page) -> str:
    return page.get_by_text("Predicted").first.inner_text()


def test_wiping_out_the_tag_turns_the_prediction(playing) -> None:
    assert "Predicted car" in predicted(playing)
    playing.get_by_role("button", name="Rectangle").click()
    drag(playing, (0.01, 0.6), (0.4, 0.99))
    playing.get_by_text("1 change to the photograph").wait_for()
    settle(playing)
    assert "Predicted car" not in predicted(playing)
    playing.get_by_role("button", name="Undo").click()
    playing.get_by_text("1 change to the photograph").wait_for(state="detached")
    settle(playing)
    assert "Predicted car" in predicted(playing)


def test_strokes_in_quick_succession_all_count(playing) -> None:
    for height in (0.2, 0.35, 0.5, 0.65, 0.8):
        drag(playing, (0.2, height), (0.8, height))
    playing.get_by_text("5 changes to the photograph").wait_for()


def test_a_shape_can_be_drawn_with_the_keyboard_alone(playing) -> None:
    playing.get_by_role("button", name="Lasso").press("Enter")
    playing.locator(PAPER).focus()
    for press in ("Shift+ArrowLeft", " ", "Shift+ArrowDown", " ", "Shift+ArrowRight", " ", "Enter"):
        playing.keyboard.press(press)
    playing.get_by_text("1 change to the photograph").wait_for()
    playing.keyboard.press("Control+z")
    playing.get_by_text("1 change to the photograph").wait_for(state="detached")
