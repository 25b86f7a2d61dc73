"""Drawing annotations through Streamlit's own test driver, with a stand-in for what the browser would say."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from interp import images
from interp.images import drawn_coco
from interp.images.drawings import Drawing, laid_over
from interp.images.editing import Stroke
from interp.images.photographs import load
from interp.images.shapes import Box, Polygon, RunLengths
from pages.parts.kit import handmade, pickers
from pages.parts.shared_interest import annotating, papers
from pages.parts.shared_interest.annotating import ADD, CUT, NEW, RegionTool, changed
from tests.images.drawing import saved

BOX = {"kind": "rectangle", "points": [[100, 60], [300, 210]]}
LASSO = {"kind": "lasso", "points": [[10, 10], [90, 20], [60, 90]]}
BRUSH = {"kind": "brush", "points": [[200, 300], [260, 300]], "radius": 12}
TOUCHING = {"kind": "brush", "points": [[250, 300], [250, 340]], "radius": 12}


@pytest.fixture
def drawing(shared_interest):
    return shared_interest("draw-canvas", images="photographs")


def regions(app) -> list[str]:
    return list(app.radio(key="draw-region").options)


def drawn_set(app):
    return app.session_state["handmade-set"] if "handmade-set" in app.session_state else None


def said(app) -> str:
    return " ".join(one.value for one in app.caption)


def test_shapes_become_regions_of_the_class_that_is_chosen(drawing) -> None:
    app = drawing.app
    assert "Nothing is drawn on this image yet" in said(app)
    assert list(app.segmented_control(key="draw-action").options) == [NEW]
    first = app.selectbox[[one.label for one in app.selectbox].index("Class of a new region")]
    predicted = first.options[0].split(" · ")[0]
    drawing(BOX)
    drawing(LASSO)
    found = drawn_set(app)
    assert len(regions(app)) == 2 and all(f" · {predicted} · " in one for one in regions(app))
    assert app.radio(key="draw-region").value == 1
    assert len(found) == 1 and found.annotated == {0} and found.labels == (predicted,)
    # On the paper, whose longer side has at most 900 pixels, the box lies where it was drawn.
    sample = found[0]
    factor = sample.image.width / drawing.given["draw-canvas"]["width"]
    rows, columns = np.nonzero(sample.mask)
    assert columns.max() + 1 == pytest.approx(300 * factor, abs=1) and rows.max() + 1 == pytest.approx(
        210 * factor, abs=1
    )


def test_brush_strokes_that_touch_are_one_region_and_undo_takes_one_back(drawing) -> None:
    app = drawing.app
    drawing(BRUSH, TOUCHING)
    [one] = regions(app)
    drawing({"kind": "brush", "points": [[20, 20]], "radius": 5})
    assert len(regions(app)) == 2
    drawing({"kind": "undo"})
    assert regions(app) == [one]
    assert drawing.given["draw-canvas"]["undo"] and drawing.given["draw-canvas"]["count"] == 2


def test_a_region_grows_shrinks_and_goes(drawing) -> None:
    app = drawing.app
    drawing(BOX)
    before = drawn_set(app)[0].mask.sum()
    app.segmented_control(key="draw-action").set_value(CUT).run()
    drawing({"kind": "rectangle", "points": [[100, 60], [200, 210]]})
    assert drawn_set(app)[0].mask.sum() == pytest.approx(before / 2, rel=0.02)
    app.segmented_control(key="draw-action").set_value(ADD).run()
    drawing({"kind": "rectangle", "points": [[100, 60], [200, 210]]})
    assert drawn_set(app)[0].mask.sum() == before
    app.button(key="draw-delete").click().run()
    assert not app.exception and drawn_set(app) is None
    drawing({"kind": "undo"})
    assert drawn_set(app)[0].mask.sum() == before
    drawing({"kind": "clear"})
    assert drawn_set(app) is None and "Nothing is drawn" in said(app)


def test_what_was_drawn_is_scored_as_an_image_set(drawing) -> None:
    app = drawing.app
    app.selectbox(key="image").set_value(3).run()
    drawing(BOX)
    app.button(key="draw-score").click().run()
    assert not app.exception and not app.error
    assert app.selectbox(key="images").value == pickers.DRAWN
    assert "Drawn by hand (1)" in app.selectbox(key="images").options
    assert app.segmented_control(key="interest.view").value == "Gallery"
    assert drawn_set(app).names == (load().names[3],)
    # Drawn on again, as the only image of its set.
    app.segmented_control(key="interest.view").set_value("Draw").run()
    assert len(regions(app)) == 1
    before = drawn_set(app).fingerprint
    drawing(LASSO)
    assert len(regions(app)) == 2 and drawn_set(app).fingerprint != before
    # The last region gone, so is the set, and the page goes back to where it came from.
    drawing({"kind": "clear"})
    assert not app.exception and app.selectbox(key="images").value == "photographs"


def test_a_file_is_opened_where_it_was_written(drawing) -> None:
    app = drawing.app
    photos = load()
    size = photos.picture(2).stored_size
    given = {2: Drawing(size).added(Box(10.0, 20.0, 90.0, 80.0), "car"), 0: Drawing((9, 9))}
    content = drawn_coco.write(photos, given)
    app.session_state["draw-open"] = True
    app.run()
    app.file_uploader(key="draw-upload").set_value(("mine.json", content.encode(), "application/json")).run()
    assert not app.exception and not app.error
    found = drawn_set(app)
    assert found.names == (photos.names[2],) and found.labels == ("car",)
    assert json.loads(drawn_coco.write(photos, app.session_state["handmade"][photos.fingerprint].drawings)) == (
        json.loads(content)
    )
    app.file_uploader(key="draw-upload").set_value(("bad.json", b"{}", "application/json")).run()
    assert not app.exception and "bad\\.json" in " ".join(one.value for one in app.error)


def test_an_image_that_is_annotated_can_be_begun_from_that(app, browser) -> None:
    app.query_params.update({"model": "scenes-honest", "images": "scenes:10", "interest.view": "Draw"})
    app.switch_page("pages/shared_interest.py").run()
    app.button(key="draw-begin").click().run()
    assert not app.exception and not app.error and len(regions(app)) == 1
    original = images.load("scenes:10")[app.selectbox(key="image").value]
    assert (drawn_set(app)[0].mask == original.mask).all() and drawn_set(app).labels == (original.label,)


def test_what_a_shape_does_to_a_drawing() -> None:
    size = (40, 30)
    brush = Stroke(((10.0, 10.0), (20.0, 10.0)), 3.0)
    one = changed(Drawing(size), brush, RegionTool(NEW, -1, "cat", None))
    [region] = one.regions
    assert isinstance(region.shape, RunLengths)
    # Another class, or a box, or a stroke elsewhere, is another region.
    assert len(changed(one, brush, RegionTool(NEW, 0, "dog", None)).regions) == 2
    assert len(changed(one, Box(9.0, 9.0, 12.0, 12.0), RegionTool(NEW, 0, "cat", None)).regions) == 2
    assert len(changed(one, Stroke(((35.0, 25.0),), 2.0), RegionTool(NEW, 0, "cat", None)).regions) == 2
    triangle = Polygon(((0.0, 0.0), (40.0, 0.0), (0.0, 30.0)))
    assert len(changed(one, triangle, RegionTool(ADD, 0, None, None)).regions) == 1
    # A tool from before a region was deleted makes a new one.
    assert len(changed(one, triangle, RegionTool(CUT, 5, "cat", None)).regions) == 2
    many = one
    for column in range(annotating.MOST + 3):
        many = changed(many, Box(float(column % 39), 0.0, column % 39 + 1.0, 30.0), RegionTool(NEW, 0, "cat", None))
    assert len(many.regions) == annotating.MOST


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    "shape", [Box(0.0, 0.0, 300.0, 200.0), Stroke(((100.0, 80.0), (300.0, 80.0)), 40.0)], ids=["box", "brush"]
)
def test_what_is_drawn_on_the_paper_lies_there_in_the_photograph(tmp_path: Path, shape, orientation: int) -> None:
    saved(tmp_path / "large.png", np.zeros((1200, 2000, 3), np.uint8), orientation=orientation)
    photos = images.load(tmp_path)
    paper = papers.read(photos, 0)
    assert max(paper.image.size) == 900
    drawing = Drawing(paper.stored).added(papers.stored(shape, paper), "cat")
    mask = laid_over(photos, {0: drawing})[0].mask
    small = np.asarray(Image.fromarray(mask).resize(paper.image.size, Image.Resampling.NEAREST))
    expected = shape.draw(*paper.image.size)
    assert (small ^ expected).sum() < 0.03 * expected.sum()
    # And it is painted where it was drawn.
    painted = np.asarray(papers.painted(paper, drawing, 0)).any(axis=2)
    assert (painted ^ expected).sum() < 0.06 * expected.sum()


def test_the_history_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    state: dict = {}
    monkeypatch.setattr(handmade.st, "session_state", state)
    photos = load()
    monkeypatch.setattr(handmade, "MOST_UNDONE", 3)
    drawing = Drawing(photos.picture(1).stored_size)
    for edge in range(2, 9):
        handmade.change(handmade.drawings_on(photos), 1, drawing.added(Box(0.0, 0.0, float(edge), 9.0)))
    for _ in range(9):
        handmade.undo(handmade.drawings_on(photos), 1)
    # Three back from 8.
    assert handmade.drawings_on(photos).drawings[1].regions[0].shape == Box(0.0, 0.0, 5.0, 9.0)
