"""Drawing an annotation, and a region to probe, with a real mouse."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.browser.conftest import Server, settle

HONEST = "/shared_interest?model=scenes-honest"


def drag(page, canvas: str, *places: tuple[float, float]) -> None:
    """Draw a line; places are shares of the canvas's width and height."""
    paper = page.locator(f".st-key-{canvas} .paper")
    paper.scroll_into_view_if_needed()
    box = paper.bounding_box()
    points = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in places]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=8)
    page.mouse.up()


def opened(page, address: str, canvas: str) -> None:
    page.goto(address)
    page.wait_for_selector(f".st-key-{canvas} .paper")
    settle(page)


@pytest.fixture
def probing(visited: Server, page):
    opened(page, f"{visited.address}{HONEST}&images=scenes:10&interest.view=Probe", "probe-canvas")
    return page


def test_a_box_is_drawn_and_the_ranking_read(probing) -> None:
    ranking = probing.get_by_text(re.compile(r"^Region 1 \(orange\): first is "))
    before = ranking.inner_text()
    probing.get_by_text("Region 1 is an example: draw your own.").wait_for()
    # A corner in which there is nothing but ground.
    drag(probing, "probe-canvas", (0.02, 0.02), (0.2, 0.2))
    probing.get_by_text("Region 1 is an example: draw your own.").wait_for(state="detached")
    settle(probing)
    after = ranking.inner_text()
    assert after != before and re.search(r"IoU 0\.\d\d", after)
    probing.locator(".st-key-probe-region").get_by_text("Region 2").click()
    settle(probing)
    drag(probing, "probe-canvas", (0.3, 0.3), (0.8, 0.8))
    probing.get_by_text(re.compile(r"^Region 2 \(blue\): first is ")).wait_for()
    settle(probing)
    assert probing.get_by_text("Biggest changes of rank").count() == 1
    assert ranking.inner_text() == after


def test_an_annotation_is_drawn_scored_and_taken_along(visited: Server, page, tmp_path: Path) -> None:
    opened(page, f"{visited.address}{HONEST}&images=photographs&image=chelsea", "draw-canvas")
    drag(page, "draw-canvas", (0.25, 0.25), (0.75, 0.75))
    page.get_by_text(re.compile(r"^1 · .* · 2[45]\.\d%$")).wait_for()
    page.get_by_role("button", name="Lasso").click()
    drag(page, "draw-canvas", (0.05, 0.05), (0.2, 0.05), (0.05, 0.2))
    page.get_by_text(re.compile(r"^2 · .* · 1\.\d%$")).wait_for()
    settle(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="COCO JSON").click()
    download.value.save_as(tmp_path / "drawn.json")
    written = json.loads((tmp_path / "drawn.json").read_text())
    [image], [box, lasso] = written["images"], written["annotations"]
    assert image["file_name"] == "chelsea" and len(lasso["segmentation"][0]) > 6
    edges = [side / whole for side, whole in zip(box["bbox"], 2 * [image["width"], image["height"]], strict=True)]
    assert edges == pytest.approx([0.25, 0.25, 0.5, 0.5], abs=0.01)
    page.get_by_role("button", name="Score the drawn image").click()
    page.get_by_text("1 of the 9 images of photographs.").wait_for()
    settle(page)
    # The gallery of the scored image.
    page.get_by_text(re.compile(r"IoU 0\.\d\d")).first.wait_for()
