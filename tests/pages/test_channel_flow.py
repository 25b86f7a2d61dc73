"""The flow of a photograph, through Streamlit's own test driver; what is drawn is taken from its drawing."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pages.parts.flows import drawing
from tests.pages.opening import opening, said


@pytest.fixture
def page(app, monkeypatch: pytest.MonkeyPatch):
    """Opens the view with choices in the address; what was drawn last is told."""
    told = SimpleNamespace(app=app)

    def draw(columns, bands, *, key, label) -> None:
        told.columns, told.bands, told.label = columns, bands, label

    monkeypatch.setattr(drawing, "draw_flow", draw)

    def begun() -> None:
        told.columns = told.bands = None

    given = {"model": "digits", "images": "digits", "ch.view": "Flow"}
    told.open, told.run = opening(app, "channel_attribution", given, begun)
    return told


def test_groups_flow_from_layer_to_layer_to_the_classes(page) -> None:
    page.open()
    assert not page.app.exception
    assert "Of the score of" in said(page.app)
    *layers, classes = page.columns
    assert len(layers) >= 2 and classes.title == "classes"
    for column in layers:
        kinds = [node.kind for node in column.nodes]
        assert kinds.count("rest") == 1 and kinds[-1] == "rest"
        assert all(node.picture.startswith("data:image/") for node in column.nodes if node.kind == "group")
    # What is drawn of a column's first group adds up to its value, but for the little that is left out.
    node = layers[0].nodes[0]
    brought = sum(one.value for one in page.bands if (one.column, one.source) == (0, 0))
    most = max(abs(one.value) for one in page.bands if one.column == 0)
    assert brought == pytest.approx(float(node.value), abs=0.06 * max(1.0, most))
    assert "bird" not in page.label


def test_the_number_of_layers_and_groups_is_chosen_and_in_the_address(page) -> None:
    page.open(**{"ch.flow": "2", "ch.flow-groups": "3"})
    assert not page.app.exception
    assert len(page.columns) == 3
    assert [len(one.nodes) for one in page.columns[:-1]] == [4, 4]
