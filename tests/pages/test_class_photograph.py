"""A photograph beside a class's graph: what is drawn as used is what the library finds, and the flow is of it, too."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest

from interp import class_summary, images, models
from pages.parts.class_summary import photograph, vertices
from pages.parts.flows import drawing
from tests.pages.opening import opening, said

ADDRESS = {
    "model": "scenes-honest",
    "images": "scenes:20",
    "cs.view": "One photograph",
    "cs.layers": "Ends of stages",
    "cs.kept": "0.3",
}


@pytest.fixture
def page(app, monkeypatch: pytest.MonkeyPatch):
    """Opens the view; the graph and the flow that were drawn last are told."""
    told = SimpleNamespace(app=app, graph=None, flow=None)

    def draw_graph(graph, **named) -> None:
        told.graph = graph

    def draw_flow(columns, bands, *, key, label) -> None:
        told.flow = label

    monkeypatch.setattr(photograph, "draw_graph", draw_graph)
    monkeypatch.setattr(drawing, "draw_flow", draw_flow)
    told.open, told.run = opening(app, "class_summary", ADDRESS)
    return told


@pytest.mark.slow
def test_what_is_drawn_as_used_is_what_stands_out_in_the_photograph(page) -> None:
    name = images.load("scenes:20").names[5]
    page.open(image=name, cs_of="3")
    classifier, photos = models.load("scenes-honest"), images.load("scenes:20")
    layers = tuple(row.layer for row in reversed(page.graph.rows))
    found = class_summary.marks_of_photograph(classifier, photos, 5, 3, layers, 0.03)
    summary = class_summary.summarize(classifier, photos, layers)
    graph = class_summary.graph(summary, 3, class_summary.GraphSettings(share=0.3))
    groups = {vertices.key_of(one.id): one.group for one in page.graph.vertices}
    own = {one.key for one in graph.vertices}
    assert {key for key, group in groups.items() if group == "path"} == {key for key in own if found.stands_out(key)}
    assert {key for key, group in groups.items() if group == "beside"} == set(found.beside(graph))
    assert own == {key for key, group in groups.items() if group != "beside"}
    used = {(vertices.name_of(one.lower), vertices.name_of(one.upper)) for one in graph.edges if found.uses(one)}
    assert {(one.source, one.target) for one in page.graph.edges if one.group == "path"} == used
    for one in page.graph.vertices:
        assert one.lines[-1] == f"brings {found.value(vertices.key_of(one.id)):+.3g} logits here"
        assert one.picture.startswith("data:image/")
    label = classifier.labels[3]
    text = f"channels in the graph of **{label}** {sum(found.stands_out(key) for key in own)} stand out"
    assert text in said(page.app) and f"influences it uses {len(used)}." in said(page.app)
    assert page.flow == f"Flow of {label}"

    page.app.session_state[photograph.PIN] = page.graph.vertices[0].id
    page.run()
    layer, channel = vertices.key_of(page.graph.vertices[0].id)
    assert f"**{layer}, channel {channel}**: where it fires here" in said(page.app)


def test_the_class_is_the_predicted_one_until_another_is_chosen(page) -> None:
    page.open(image=images.load("scenes:20").names[7])
    [predicted] = re.findall(r"Predicted \*\*(\w+)\*\*", said(page.app))
    assert f"in the graph of **{predicted}**" in said(page.app) and page.flow == f"Flow of {predicted}"
    assert "cs.of" not in page.app.query_params
