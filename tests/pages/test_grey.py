"""Every page with a one-channel network that a person brought: nothing fails, and what is drawn is the digit."""

from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from interp import attribution, images, models
from interp.images import digits
from interp.images.digits import split
from interp.models import inputs
from pages.parts.cards import making
from pages.parts.embedding import maps
from tests import grey
from tests.pages.opening import opening, said

SIDE, COUNT = 32, 12
PICTURE = re.compile("data:image/(webp|png|jpeg);base64,")


@pytest.fixture
def served(app, grey_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The app with the network's folder, and some digits with a box around the ink of each."""
    folder = tmp_path / "pictures" / "some"
    folder.mkdir(parents=True)
    photos = digits.load()
    described: dict[str, list] = {"images": [], "annotations": [], "categories": []}
    described["categories"] = [{"id": 1 + digit, "name": str(digit)} for digit in range(10)]
    for number, position in enumerate(split()[1][:COUNT]):
        sample = photos[position]
        sample.image.resize((SIDE, SIDE)).save(folder / f"{number}.png")
        described["images"].append({"id": number, "file_name": f"{number}.png", "width": SIDE, "height": SIDE})
        box = {"bbox": [6, 2, 20, 28], "category_id": 1 + int(sample.label or 0)}
        described["annotations"].append({"id": number, "image_id": number, **box})
    (folder / "annotations.json").write_text(json.dumps(described), "utf-8")
    monkeypatch.setenv("LOUPE_MODELS", str(grey_folder))
    monkeypatch.setenv("LOUPE_IMAGES", str(tmp_path / "pictures"))
    monkeypatch.setitem(making.QUALITIES, "Preview", 20)
    monkeypatch.setitem(making.QUALITIES, "Good", 20)
    return app


@pytest.fixture
def open_page(served):
    """Opens a page with the network and the digits."""

    def open_(page: str, **choices: str):
        address = {"model": grey.NAME, "images": "some", "annotations": "some/annotations.json"}
        app = opening(served, page, address)[0](**choices)
        assert not app.error, [one.value for one in app.error]
        return app

    return open_


def test_overview(served) -> None:
    served.query_params.update({"model": grey.NAME, "images": "some", "annotations": "some/annotations.json"})
    served.run()
    assert not served.exception and not served.error
    assert served.metric[0].label == "Accuracy" and float(served.metric[0].value.rstrip("%")) > 80
    assert len(served.get("plotly_chart")) >= 1


def test_saliency_with_every_method(open_page, grey_folder: Path, tmp_path: Path) -> None:
    app = open_page("saliency")
    assert set(app.multiselect(key="methods").options) == set(attribution.METHODS)
    app.multiselect(key="methods").set_value(list(attribution.METHODS)).run()
    assert not app.exception and not app.error
    table = app.dataframe[0].value
    assert set(table["method"]) == set(attribution.METHODS) and np.isfinite(table["sum"]).all()
    figure = json.loads(app.get("plotly_chart")[0].proto.spec)
    source = next(trace["source"] for trace in figure["data"] if trace["type"] == "image")
    photograph = Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))).convert("RGB")
    classifier, photos = models.load(grey.NAME, folder=grey_folder), images.load(tmp_path / "pictures" / "some")
    seen = inputs.read(classifier, photos, (int(app.selectbox(key="image").value),)).pixels[0]
    np.testing.assert_array_equal(np.asarray(photograph), images.bytes_of(seen))


def test_a_changed_digit_is_grey(open_page, browser) -> None:
    app = open_page("saliency", methods="Gradient")
    app.session_state["playground"] = True
    app.run()
    app.segmented_control(key="playground-action").set_value("Paint").run()
    assert not app.exception and not app.error
    # #c62828 in grey: what is drawn is what the classifier will see.
    assert re.fullmatch(r"rgb\((\d+), \1, \1\)", browser.given["playground-canvas"]["colour"])
    browser(app, {"kind": "rectangle", "points": [[0, 0], [14, 28]]})
    assert "1 change" in said(app)
    for action in ("Erase", "Blur", "Paste"):
        app.segmented_control(key="playground-action").set_value(action).run()
        assert not app.exception and not app.error
    browser(app, {"kind": "stamp", "points": [[14, 14]]})
    assert "2 changes" in said(app)


@pytest.mark.parametrize("view", ["Channels", "Objectives", "Two units", "Classes", "Deep dream"])
def test_feature_visualization(open_page, cards, view: str) -> None:
    # The second unit, where one is asked for, is channel 0 of the same layer.
    open_page("feature_visualization", fv_quality="Preview", fv_view=view, fv_layer="relu2", fv_channel="3")
    shown = [picture for drawing in cards for picture, _ in drawing if picture is not None]
    assert shown and all(one.ndim == 3 and (one == one[:, :, :1]).all() for one in shown)


@pytest.mark.parametrize("view", ["Channels", "Cells", "Groups", "Layer by layer", "Effects", "Image set"])
def test_channel_attribution(open_page, view: str) -> None:
    app = open_page("channel_attribution", ch_layer="relu2", ch_view=view)
    assert PICTURE.search(" ".join(one.proto.body for one in app.get("html")))


@pytest.mark.parametrize(("view", "pictures"), [("Gallery", COUNT), ("Probe", 0), ("Draw", 0)])
def test_shared_interest(open_page, browser, view: str, pictures: int) -> None:
    app = open_page("shared_interest", interest_view=view)
    drawn = " ".join(one.proto.body for one in app.get("html"))
    assert drawn.count("data:image/webp;base64,") >= pictures
    assert f"{COUNT} images scored" in said(app) if view == "Gallery" else browser.given


def test_embedding_explorer(open_page, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list = []
    original = maps.draw

    def draw(panels, points, colours, **keywords):
        drawn.append(panels)
        original(panels, points, colours, **keywords)
        return maps.MapChoice()

    monkeypatch.setattr(maps, "draw", draw)
    app = open_page("embeddings", map_steps="12", map_perplexity="3")
    assert drawn[-1][0].points.shape == (COUNT, 2)
    assert PICTURE.search(" ".join(one.proto.body for one in app.get("html")))
