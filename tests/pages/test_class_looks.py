"""Channels of a graph shown by pictures made for them, and labelled with concepts: as other pages have them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from interp import images, models, units
from pages.parts.cards import making
from pages.parts.class_summary import graph, vertices
from pages.parts.class_summary.looks import DetectedConcept
from tests.pages.opening import opening, said

ADDRESS = {"model": "scenes-honest", "images": "scenes:20", "cs.layers": "Ends of stages"}


@pytest.fixture
def page(app, monkeypatch: pytest.MonkeyPatch):
    """Opens the class graph; what was drawn last is told."""
    told = SimpleNamespace(app=app, graph=None)

    def draw_graph(drawn, **named) -> None:
        told.graph = drawn

    monkeypatch.setattr(graph, "draw_graph", draw_graph)
    told.open, told.run = opening(app, "class_summary", ADDRESS)
    return told


@pytest.mark.slow
def test_vertices_are_labelled_with_what_dissection_says_of_them(page) -> None:
    page.open(cs_labels="Concepts", cs_class="2")
    classifier, photos = models.load("scenes-honest"), images.load("scenes:20")
    names = tuple(row.layer for row in reversed(page.graph.rows))
    dissection = units.dissect(classifier, photos, names)
    found = {one.layer: one for one in dissection.layers}
    several = set()
    for one in page.graph.vertices:
        layer, channel = vertices.key_of(one.id)
        own = found[layer]
        iou, odds, best = own.iou()[channel], own.odds()[channel], own.iou()[channel].argmax()
        if iou[best] > units.DETECTOR:
            category, name = own.concepts[best]
            assert one.lines[-1] == str(DetectedConcept(category, name, float(iou[best]), float(odds[best])))
        else:
            assert one.lines[-1] == "detects no concept of the set"
        several.add(iou[best] > units.DETECTOR)
    assert True in several


def test_a_picture_is_made_for_each_vertex_where_that_is_chosen(page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(making.QUALITIES, "Good", 2)
    page.open(cs_kept="0.025")
    cut_out = {one.id: one.picture for one in page.graph.vertices}
    page.app.segmented_control(key="cs.pictures").set_value("Visualized")
    page.run()
    made = {one.id: one.picture for one in page.graph.vertices}
    assert made.keys() == cut_out.keys() and all(one.startswith("data:image/webp") for one in made.values())
    assert all(made[one] != cut_out[one] for one in made) and len(set(made.values())) == len(made)


def test_where_nothing_is_known_of_the_images_it_is_said(page) -> None:
    page.open(model="digits", images="digits", cs_labels="Concepts", cs_layers="Blocks")
    assert "No labels: " in said(page.app) and page.graph.vertices
    assert not any("detects" in line for one in page.graph.vertices for line in one.lines)
