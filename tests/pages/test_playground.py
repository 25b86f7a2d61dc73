"""The patch playground through Streamlit's own test driver, with a stand-in for what the browser would say."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from interp.images.editing import Stroke
from interp.images.shapes import Box, Polygon
from pages.parts.kit import canvas, playground

WHOLE = {"kind": "rectangle", "points": [[0, 0], [64, 64]]}
HALF = {"kind": "rectangle", "points": [[0, 0], [32, 64]]}


@pytest.fixture
def playing(app, browser):
    app.query_params["methods"] = "Gradient"
    app.switch_page("pages/saliency.py").run()
    app.session_state["playground"] = True
    app.run()
    assert not app.exception and not app.error
    return app


def predicted(app) -> str:
    return next(one.value for one in app.markdown if one.value.startswith("Predicted"))


def said(app) -> str:
    return " ".join(one.value for one in [*app.markdown, *app.caption])


def map_sum(app) -> float:
    frame = next(one.value for one in app.dataframe if "method" in one.value.columns and "sum" in one.value.columns)
    return float(frame.set_index("method")["sum"]["Gradient"])


def test_it_is_closed_at_first_and_draws_nothing(app, browser) -> None:
    app.query_params["methods"] = "Gradient"
    app.switch_page("pages/saliency.py").run()
    assert "Change the photograph" in [one.label for one in app.expander]
    assert not browser.given and "to the photograph, made by hand" not in said(app)


def test_prediction_and_maps_follow_an_edit_and_its_undoing(playing, browser) -> None:
    before, sum_before = predicted(playing), map_sum(playing)
    browser(playing, WHOLE)
    assert predicted(playing) != before and map_sum(playing) != sum_before
    assert "1 change to the photograph, made by hand" in said(playing)
    table = next(one.value for one in playing.markdown if ":small[before]" in one.value).splitlines()[2:]
    assert len(table) == 5 and " → " in said(playing)
    for row in table:
        *_, old, new, change = (cell.strip(" |").removeprefix(":small[").removesuffix("]") for cell in row.split(" | "))
        assert float(change.replace("−", "-")) == pytest.approx(float(new) - float(old), abs=0.11)
    browser(playing, {"kind": "undo"})
    assert predicted(playing) == before and map_sum(playing) == pytest.approx(sum_before)
    assert ":small[before]" not in said(playing)


def test_a_stroke_that_the_browser_repeats_counts_once(playing, browser) -> None:
    browser(playing, HALF, WHOLE)
    assert "2 changes" in said(playing)
    playing.button(key="playground-canvas-go").click().run()
    assert "2 changes" in said(playing)
    assert browser.given["playground-canvas"]["seen"] == browser.says["playground-canvas"][-1]["id"]


def test_clear_takes_all_back(playing, browser) -> None:
    before = predicted(playing)
    browser(playing, HALF, WHOLE)
    browser(playing, {"kind": "clear"})
    assert predicted(playing) == before and "to the photograph, made by hand" not in said(playing)


@pytest.mark.parametrize("action", ["Paint", "Blur", "Restore"])
def test_every_action_takes_a_shape(playing, browser, action: str) -> None:
    before = predicted(playing)
    playing.segmented_control(key="playground-action").set_value(action).run()
    browser(playing, {"kind": "lasso", "points": [[5, 5], [60, 8], [30, 60]]})
    assert "1 change to the photograph" in said(playing)
    assert (predicted(playing) == before) == (action == "Restore")


def test_a_crop_of_another_photograph_is_pasted(playing, browser) -> None:
    before = predicted(playing)
    playing.segmented_control(key="playground-action").set_value("Paste").run()
    assert not playing.exception
    assert browser.given["playground-canvas"]["tools"] == ["stamp"]
    browser(playing, {"kind": "rectangle", "points": [[10, 20], [50, 50]]}, key="playground-cut")
    assert browser.given["playground-canvas"]["stamp"]["width"] == 40
    assert browser.given["playground-canvas"]["stamp"]["height"] == 30
    playing.slider(key="playground-scale").set_value(1.5).run()
    assert browser.given["playground-canvas"]["stamp"]["width"] == 60
    browser(playing, {"kind": "stamp", "points": [[32, 32]]})
    assert predicted(playing) != before


def test_the_original_can_be_shown_and_drawing_brings_the_changes_back(playing, browser) -> None:
    before = predicted(playing)
    browser(playing, WHOLE)
    playing.toggle(key="playground-original").set_value(True).run()
    assert predicted(playing) == before and "not shown: this is the original" in said(playing)
    browser(playing, HALF)
    assert predicted(playing) != before and "2 changes to the photograph, made by hand" in said(playing)
    assert playing.toggle(key="playground-original").value is False


def test_changes_belong_to_their_photograph_and_outlast_other_pages(playing, browser) -> None:
    before, first = predicted(playing), playing.selectbox(key="image").value
    browser(playing, WHOLE)
    edited = predicted(playing)
    playing.selectbox(key="image").set_value(first + 1).run()
    assert "to the photograph, made by hand" not in said(playing)
    playing.switch_page("app.py").run()
    playing.switch_page("pages/saliency.py").run()
    playing.selectbox(key="image").set_value(first).run()
    assert not playing.exception
    assert predicted(playing) == edited != before


def test_what_is_known_to_be_there_is_covered_by_one_click(app, browser) -> None:
    app.query_params.update({"model": "scenes-a", "images": "scenes-a", "image": "car-0003", "methods": "Gradient"})
    app.switch_page("pages/saliency.py").run()
    app.session_state["playground"] = True
    app.run()
    assert not app.exception and not app.error
    assert "Predicted **car**" in predicted(app)
    app.button(key="playground-cover-the planted cue").click().run()
    assert not app.exception and "Predicted **car**" not in predicted(app)
    assert "**car** " in said(app) and "; now **" in said(app)


def test_a_shape_that_comes_after_the_tool_was_changed_is_let_go(playing, browser) -> None:
    playing.segmented_control(key="playground-action").set_value("Paste").run()
    browser(playing, WHOLE)
    playing.segmented_control(key="playground-action").set_value("Erase").run()
    browser(playing, {"kind": "stamp", "points": [[32, 32]]})
    assert "to the photograph, made by hand" not in said(playing)


def test_there_is_an_end_to_the_changes(playing, browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playground, "MOST", 2)
    browser(playing, HALF, HALF, WHOLE)
    assert "2 changes" in said(playing)


def test_the_picture_can_be_taken_along() -> None:
    import torch

    pixels = torch.zeros(3, 4, 5)
    pixels[0, 1, 2] = 1.0
    picture = Image.open(io.BytesIO(playground._png(pixels)))
    assert picture.size == (5, 4) and picture.getpixel((2, 1)) == (255, 0, 0)


def test_shapes_are_read_as_the_browser_writes_them() -> None:
    stroke = canvas.heard({"kind": "brush", "points": [[1, 2.5], [3, 4]], "radius": 2})
    assert stroke == canvas.CanvasEvent("shape", Stroke(((1.0, 2.5), (3.0, 4.0)), 2.0))
    # Dragged from the lower right corner to the upper left one.
    box = canvas.heard({"kind": "rectangle", "points": [[9, 8], [1, 2]]})
    assert box == canvas.CanvasEvent("shape", Box(1.0, 2.0, 9.0, 8.0))
    lasso = canvas.heard({"kind": "lasso", "points": [[0, 0], [4, 0], [4, 4]]})
    assert lasso == canvas.CanvasEvent("shape", Polygon(((0.0, 0.0), (4.0, 0.0), (4.0, 4.0))))
    assert canvas.heard({"kind": "stamp", "points": [[5, 6]]}) == canvas.CanvasEvent("place", place=(5.0, 6.0))
    assert canvas.heard({"kind": "undo"}) == canvas.CanvasEvent("undo")


@pytest.mark.parametrize(
    "message",
    [
        None,
        7,
        {},
        {"kind": "brush"},
        {"kind": "brush", "points": [[1, 2]]},
        {"kind": "brush", "points": [[1, 2]], "radius": -4},
        {"kind": "brush", "points": [], "radius": 4},
        {"kind": "brush", "points": [[1, 2]] * 20_000, "radius": 4},
        {"kind": "brush", "points": [[float("nan"), 2]], "radius": 4},
        {"kind": "rectangle", "points": [[1, 2]]},
        {"kind": "rectangle", "points": [[1, 2], [3, float("inf")]]},
        {"kind": "lasso", "points": [[1, 2], [3, 4]]},
        {"kind": "lasso", "points": "abc"},
        {"kind": "lasso", "points": {"x": 1}},
        {"kind": "erase the disk", "points": [[1, 2]]},
    ],
)
def test_what_no_canvas_writes_is_not_taken(message) -> None:
    assert canvas.heard(message) is None


def test_the_canvas_is_told_its_shapes_as_it_tells_them() -> None:
    for shape in (Stroke(((1.0, 2.0),), 3.0), Box(1.0, 2.0, 3.0, 4.0), Polygon(((0.0, 0.0), (4.0, 0.0), (4.0, 4.0)))):
        heard = canvas.heard(canvas._told(shape))
        assert heard is not None and heard.shape == shape


@pytest.mark.parametrize(("side", "kind"), [(32, "png"), (224, "jpeg")])
def test_small_pictures_are_sent_without_loss(side: int, kind: str) -> None:
    url = canvas._url(Image.new("RGB", (side, side), "navy"))
    assert url.startswith(f"data:image/{kind};base64,")


def test_a_file_of_ones_own_is_cut_from_and_a_bad_one_is_named(playing, browser) -> None:
    file = io.BytesIO()
    Image.new("RGB", (50, 50), "navy").save(file, "PNG")
    playing.segmented_control(key="playground-action").set_value("Paste").run()
    playing.file_uploader(key="playground-file").set_value(("mine.png", file.getvalue(), "image/png")).run()
    assert not playing.exception and not playing.error
    assert browser.given["playground-cut"]["label"].endswith("mine.png")
    playing.file_uploader(key="playground-file").set_value(("bad.png", b"no picture", "image/png")).run()
    assert not playing.exception
    assert "bad\\.png" in said(playing)
