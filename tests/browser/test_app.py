"""A visitor's first minutes: arriving, following a link, bringing photographs, changing one's mind."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from PIL import Image

from tests.browser.conftest import Server, settle

PANELS = "#root .st-key-comparison .hm, .st-key-comparison .heatmaplayer .hm"


def text(page) -> str:
    return page.locator('[data-testid="stMain"]').inner_text()


def test_a_first_visit_shows_a_result(fresh: Server, page) -> None:
    page.goto(fresh.address)
    page.wait_for_selector(".st-key-squares .js-plotly-plot")
    settle(page)
    assert "Accuracy" in text(page)
    accuracy = page.locator('[data-testid="stMetricValue"]').first.inner_text()
    assert float(accuracy.rstrip("%")) > 95
    assert page.locator(".st-key-confusion").count() or page.get_by_text("Confusions").count()


def test_a_deep_link_to_a_page_on_a_fresh_server(real: Server, page) -> None:
    # Nobody has visited it: this is the file's first test that does.
    page.goto(f"{real.address}/saliency?image=fish-0004&view=Heatmap&methods=Gradient,Random")
    page.wait_for_selector(".st-key-comparison .js-plotly-plot")
    settle(page)
    titles = page.locator(".st-key-comparison .annotation-text").all_text_contents()
    assert "Gradient" in titles and "Random" in titles
    assert "Occlusion" not in titles
    assert "image=fish-0004" in page.url and "view=Heatmap" in page.url


def test_the_choice_survives_moving_between_pages(real: Server, page) -> None:
    page.goto(f"{real.address}/?model=squeezenet")
    page.wait_for_selector(".st-key-squares .js-plotly-plot")
    settle(page)
    page.get_by_text("Why? Compare saliency").click()
    page.wait_for_selector(".st-key-comparison .js-plotly-plot")
    settle(page)
    assert "model=squeezenet" in page.url
    assert "Occlusion" in page.locator(".st-key-comparison .annotation-text").all_text_contents()
    page.get_by_text("Overview", exact=True).click()
    page.wait_for_selector(".st-key-squares .js-plotly-plot")
    settle(page)
    assert "model=squeezenet" in page.url


def test_a_photograph_is_uploaded_and_explained(real: Server, page, imagenet: Path) -> None:
    page.goto(f"{real.address}/saliency?model=squeezenet&methods=Gradient,Occlusion")
    page.wait_for_selector(".st-key-uploads input[type=file]", state="attached")
    settle(page)
    page.set_input_files(".st-key-uploads input[type=file]", imagenet / "images" / "n01440764_tench.JPEG")
    page.get_by_text("Predicted tench").wait_for()
    settle(page)
    assert page.get_by_role("combobox", name="Images").input_value() == "Your uploads (1)"
    assert "Occlusion" in page.locator(".st-key-comparison .annotation-text").all_text_contents()


def test_a_pasted_picture_takes_the_uploads_way(visited: Server, page) -> None:
    page.goto(f"{visited.address}/saliency?methods=Gradient")
    page.wait_for_selector(".st-key-comparison .js-plotly-plot")
    settle(page)
    page.evaluate(
        """async () => {
            const canvas = new OffscreenCanvas(40, 40);
            canvas.getContext("2d").fillRect(0, 0, 20, 40);
            const file = new File([await canvas.convertToBlob()], "pasted.png", {type: "image/png"});
            const transfer = new DataTransfer();
            transfer.items.add(file);
            document.dispatchEvent(new ClipboardEvent("paste", {clipboardData: transfer, bubbles: true}));
        }"""
    )
    page.wait_for_function("document.querySelector('.st-key-images input').value === 'Your uploads (1)'")
    settle(page)
    assert page.locator(".st-key-comparison .js-plotly-plot").count() == 1


def test_a_bad_upload_is_named_and_the_rest_goes_on(visited: Server, page, tmp_path: Path) -> None:
    bad = tmp_path / "holiday ![x](http:__evil).jpg"
    bad.write_bytes(b"this is no picture")
    good = tmp_path / "good.png"
    Image.new("RGB", (64, 64), "navy").save(good)
    page.goto(f"{visited.address}/saliency?methods=Gradient")
    page.wait_for_selector(".st-key-comparison .js-plotly-plot")
    settle(page)
    page.set_input_files(".st-key-uploads input[type=file]", [bad, good])
    page.get_by_text("1 left out").wait_for()
    settle(page)
    assert page.locator(".st-key-comparison .js-plotly-plot").count() == 1
    assert page.locator('[data-testid="stMain"] img[src*="evil"]').count() == 0


def test_another_model_while_a_computation_runs(real: Server, page) -> None:
    page.goto(f"{real.address}/saliency?model=squeezenet&image=n01530575_brambling.JPEG")
    page.wait_for_selector(".st-key-model")
    page.wait_for_selector('[data-testid="stProgress"], .st-key-comparison .js-plotly-plot')
    page.locator(".st-key-model input").click()
    page.get_by_role("option", name="Handwritten digits").click()
    page.wait_for_selector(".st-key-comparison .js-plotly-plot")
    settle(page)
    assert "32 × 32" in page.locator('[data-testid="stSidebar"]').inner_text()
    assert page.locator('[data-testid="stAlert"]').count() == 0


def test_a_click_on_a_square_opens_its_image(visited: Server, page) -> None:
    page.goto(f"{visited.address}/?images=scenes:40")
    page.wait_for_selector(".st-key-squares .js-plotly-plot")
    settle(page)
    before = page.url
    plot = page.locator(".st-key-squares .nsewdrag").first
    box = plot.bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.979, box["y"] + box["height"] * 0.55)
    page.wait_for_function("before => location.href !== before", arg=before)
    settle(page)
    assert re.search(r"image=[a-z]+-\d{4}", page.url)


def test_everything_can_be_taken_along(visited: Server, page, tmp_path: Path) -> None:
    page.goto(f"{visited.address}/saliency?methods=Gradient,Grad-CAM")
    page.wait_for_selector(".st-key-comparison .js-plotly-plot")
    settle(page)
    page.locator(".st-key-downloads").get_by_test_id("stPopoverButton").click()
    files = {}
    for label in ("Maps as NPZ", "Numbers as CSV", "Everything as one HTML file"):
        with page.expect_download() as download:
            page.get_by_text(label).click()
        files[label] = tmp_path / download.value.suggested_filename
        download.value.save_as(files[label])
    assert set(np.load(files["Maps as NPZ"]).files) == {"pixels", "Gradient", "Grad-CAM", "Random"}
    assert files["Numbers as CSV"].read_text().count("\n") == 4
    page.goto(files["Everything as one HTML file"].as_uri())
    page.wait_for_selector(".js-plotly-plot .heatmaplayer")
    assert "Selvaraju" in page.content()


def test_a_planted_reason_is_found_out(visited: Server, page) -> None:
    page.goto(f"{visited.address}/?images=scenes:40")
    page.wait_for_selector(".st-key-squares .js-plotly-plot")
    settle(page)
    page.locator(".st-key-suspect").get_by_role("radio", name="A", exact=True).click()
    page.get_by_text("Show the planted reason").wait_for()
    settle(page)
    assert "model=scenes-a" in page.url
    page.get_by_text("Show the planted reason").click()
    page.get_by_text("Another example").wait_for()
    settle(page)
    assert "a paper tag in the lower left corner" in text(page)
    assert page.locator(".st-key-answer img, [data-testid='stExpander'] img").count() == 4
    page.get_by_text("Rearranged").click()
    page.wait_for_function("location.search.includes('images=scenes-a-moved')")
    # The first of its 300 scenes show it; what all give is a number of tests/pages/test_scenes.py.
    page.wait_for_function("parseFloat(document.querySelector('[data-testid=stMetricValue]')?.innerText) < 40")
