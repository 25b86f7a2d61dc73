"""Links that people saved: an address that was copied from a view opens that view, and stays as it is."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.cards import making
from pages.parts.kit import markup

SCENES = {"images": "scenes:24"}
SALIENCY = SCENES | {"image": "car-0003", "beside": "house-0005|teapot-0007"}
CHANNELS = SCENES | {"ch.layer": "mixed4c", "fv.quality": "Preview", "image": "car-0003"}
FEATURES = SCENES | {"fv.layer": "mixed3b", "fv.quality": "Preview"}
EXPLORER = SCENES | {"map.layer": "mixed4c", "map.pooling": "Max", "map.method": "PCA"}
INTEREST = SCENES | {"interest.method": "Gradient", "interest.rule": "Percentile", "interest.percent": "80"}
SUMMARY = SCENES | {"cs.layers": "Ends of stages"}
LINKS = [
    ("app", SCENES | {"outcome": "Right", "order": "Most images first", "confidence": "10-100"}),
    ("saliency", SALIENCY | {"methods": "Gradient,LRP", "view": "Contour", "part": "Absolute", "scale": "Shared"}),
    (
        "saliency",
        SALIENCY
        | {
            "target": "-4",
            "against": "-6",
            "clip": "the largest value",
            "methods": "SmoothGrad",
            "smoothgrad.samples": "4",
        },
    ),
    ("embeddings", EXPLORER | {"map.colour": "Confidence", "map.find": "square", "map.dimensions": "In space"}),
    ("embeddings", SCENES | {"map.layer": "mixed4c", "map.view": "Other seeds", "map.seed": "3"}),
    ("embeddings", {"map.of": "Made-up points", "map.toy": "distances"}),
    ("shared_interest", INTEREST | {"interest.order": "probability", "interest.outcome": "Wrong"}),
    ("shared_interest", INTEREST | {"interest.view": "Scores"}),
    ("shared_interest", INTEREST | {"interest.view": "Classes", "interest.matrix": "Saliency coverage"}),
    ("shared_interest", INTEREST | {"interest.view": "Threshold", "interest.sweep": "One image"}),
    ("shared_interest", SCENES | {"interest.view": "Draw", "image": "car-0003"}),
    ("shared_interest", SCENES | {"interest.view": "Probe", "image": "car-0003"}),
    ("channel_attribution", CHANNELS | {"ch.count": "3", "ch.channel": "5"}),
    ("channel_attribution", CHANNELS | {"ch.view": "Cells", "ch.cells.size": "By norm"}),
    ("channel_attribution", CHANNELS | {"ch.view": "Groups", "ch.groups": "3"}),
    ("channel_attribution", CHANNELS | {"ch.view": "Layer by layer"}),
    ("channel_attribution", CHANNELS | {"ch.view": "Effects", "target": "2"}),
    (
        "channel_attribution",
        SCENES
        | {"fv.quality": "Preview", "ch.layer": "mixed4c", "ch.view": "Image set"}
        | {"ch.images": "One class", "ch.set-by": "Shared by"},
    ),
    ("channel_attribution", SCENES | {"ch.view": "Lesson"}),
    ("feature_visualization", FEATURES | {"fv.channel": "7"}),
    ("feature_visualization", FEATURES | {"fv.view": "Objectives", "fv.class": "2"}),
    ("feature_visualization", FEATURES | {"fv.view": "Two units", "fv.layer2": "mixed5b", "fv.channel2": "3"}),
    ("feature_visualization", SCENES | {"fv.quality": "Preview", "fv.view": "Classes"}),
    ("feature_visualization", SCENES | {"fv.view": "Deep dream", "image": "car-0003"}),
    ("units", SCENES | {"un.layer": "mixed3b", "un.order": "Odds", "un.bound": "0.1", "un.concept": "car"}),
    ("units", SCENES | {"un.view": "One unit", "un.unit": "12"}),
    ("units", SCENES | {"un.view": "The cue"}),
    (
        "units",
        SCENES
        | {"un.view": "Like this cell", "image": "car-0003", "un.layer": "mixed3b", "un.cell": "3,4", "un.cells": "7"}
        | {"un.where": "Same place", "un.alike": "Same pattern", "un.among": "Strongest 5"},
    ),
    (
        "units",
        SCENES | {"un.view": "Without it", "un.remove": "Ticked", "un.layer": "mixed5b", "un.ticked": "mixed5b:3"},
    ),
    ("units", SCENES | {"un.say": "Words", "un.concept": "wing"}),
    ("class_summary", SUMMARY | {"cs.class": "3", "cs.kept": "0.3", "cs.share": "1%", "cs.vertex": "mixed5b:7"}),
    ("class_summary", SUMMARY | {"cs.edges": "Gradient × activation"}),
    (
        "class_summary",
        SUMMARY | {"cs.view": "Classes", "cs.map": "PCA", "cs.layer": "mixed4c", "cs.order": "Alike", "cs.search": "b"},
    ),
    ("class_summary", SUMMARY | {"cs.view": "Two classes", "cs.second": "4"}),
]


@pytest.mark.parametrize(("page", "link"), LINKS)
def test_a_saved_link_opens_its_view(
    app: AppTest, page: str, link: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(making.QUALITIES, "Preview", 1)
    if page != "app":
        # Not by way of the Overview, which has the whole set predicted.
        app.switch_page(f"pages/{page}.py")
    for key, text in link.items():
        app.query_params[key] = text
    app.run()
    assert not app.exception and not app.error
    assert [element.proto.body for element in app.get("html")].count(markup.STYLE) == 1
    # What a page does not understand it takes out of the address, or never draws a widget for.
    assert {key: _text(app.query_params.get(key)) for key in link} == link
    assert [key for key in link if key not in app.session_state] == []


def _text(value: str | list[str] | None) -> str | None:
    return value[0] if isinstance(value, list) else value
