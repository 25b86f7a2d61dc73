"""The page of class summaries: the graph of a class and two classes, and what it says where there is none."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import streamlit as st
import torch

import cache
from interp import class_summary, images, models
from interp.class_summary import files
from interp.images.subset import subset
from interp.set_pass import returned
from interp.units import UnitPass
from pages.parts.class_summary import effects, graph_view, pair, vertices
from pages.parts.kit import over_set, waiting
from tests import colours
from tests.pages.opening import opening, said

ADDRESS = {"model": "scenes-honest", "images": "scenes:20", "cs.layers": "Ends of stages"}
HELD = threading.Event()
JUDGING, PICTURES = class_summary.judging, vertices.pictures


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """What the browser gets of each graph that is drawn, with its pictures, and what hears of a pinned vertex."""
    found: list[dict] = []
    pictures: dict[str, str] = {}

    def component(*, key: str, data: dict, **more) -> None:
        if "vertices" not in data:
            pictures.update(data["pictures"])
            return
        found.append({**data, "pictures": dict(pictures), "hear": more["on_pinned_change"].args[2]})
        pictures.clear()

    monkeypatch.setattr(graph_view, "_GRAPH", component)
    monkeypatch.setattr(graph_view, "_PICTURES", component)
    return found


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many images the network has run on, pass by pass."""
    found: list[int] = []
    original = UnitPass.run

    def counted(work, classifier, items, context, seen):
        found.append(len(seen))
        return original(work, classifier, items, context, seen)

    monkeypatch.setattr(UnitPass, "run", counted)
    return found


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What has been computed, by the names of functions."""
    found: list[str] = []
    original = cache.Call.__call__

    def called(call: cache.Call):
        found.append(call.function.__name__)
        return original(call)

    monkeypatch.setattr(cache.Call, "__call__", called)
    return found


def test_the_graph_of_a_class_has_pictures_support_and_its_numbers(app, drawn: list[dict]) -> None:
    open_page, _ = opening(app, "class_summary", ADDRESS)
    open_page(cs_class="2")
    shown = drawn[-1]
    name = app.selectbox(key="cs.class").options[2]
    assert f"**{name}**" in said(app) and "from 2 images" in said(app) and "of its channels stay in" in said(app)
    assert {one["id"] for one in shown["vertices"]} == set(shown["pictures"])
    assert all(0 <= one["support"] <= 1 for one in shown["vertices"]) and shown["edges"]
    # What the button saves is the same graph.
    saved = json.loads(shown["json"])
    assert {f"{layer}:{one['channel']}" for layer, some in saved.items() for one in some} == set(shown["pictures"])
    assert list(saved) == [row["layer"] for row in shown["rows"]]


def said_in(app, key: str) -> str:
    text = app.query_params[key]
    return text[0] if isinstance(text, list) else text


def held(*given, **named):
    """Judging, once the test lets it begin."""
    HELD.wait(30)
    return (yield from JUDGING(*given, **named))


def held_pictures(*given):
    """Pictures, likewise."""
    HELD.wait(30)
    return PICTURES(*given)


def test_the_graph_is_there_before_its_support_and_pictures(app, drawn: list[dict], monkeypatch) -> None:
    open_page, run_again = opening(app, "class_summary", ADDRESS)
    open_page()
    HELD.clear()
    with monkeypatch.context() as patch:
        patch.setattr(class_summary, "judging", held)
        patch.setattr(vertices, "pictures", held_pictures)
        patch.setattr(waiting, "PATIENCE", 0.05)
        app.selectbox(key="cs.class").set_value("1")
        run_again()
        early = drawn[-1]
        assert early["vertices"] and not early["pictures"] and early["vertices"][0]["support"] is None
        HELD.set()
        patch.setattr(waiting, "PATIENCE", 60.0)
        run_again()
    whole = drawn[-1]
    assert [one["id"] for one in whole["vertices"]] == [one["id"] for one in early["vertices"]]
    assert len(whole["pictures"]) == len(whole["vertices"]) and whole["vertices"][0]["support"] is not None


def test_another_class_keeps_the_settings_and_a_rerun_computes_nothing(
    app, drawn: list[dict], run: list[int], computed: list[str]
) -> None:
    # Nor is anything remembered of other tests.
    cache.forget()
    open_page, run_again = opening(app, "class_summary", ADDRESS)
    open_page(cs_kept="0.3", cs_share="1%")
    assert sum(run) == 20 + 2
    computed.clear()
    run_again()
    assert computed == [] and sum(run) == 22
    app.selectbox(key="cs.class").set_value("5")
    run_again()
    assert app.slider(key="cs.kept").value == 0.3 and app.segmented_control(key="cs.share").value == "1%"
    address = {key: said_in(app, key) for key in ("cs.class", "cs.kept", "cs.share", "cs.layers")}
    assert address == {"cs.class": "5", "cs.kept": "0.3", "cs.share": "1%", "cs.layers": "Ends of stages"}
    # The class's own two images are looked at for the pictures, and the set is not gone through again.
    assert sum(run) == 24 and "summing" not in computed
    app.segmented_control(key="cs.share").set_value("3%")
    run_again()
    # Both shares are counted in one pass.
    assert sum(run) == 24 and "summing" in computed


def test_a_pinned_vertex_has_a_section_and_is_in_the_address(app, drawn: list[dict], cards: list) -> None:
    open_page, run_again = opening(app, "class_summary", ADDRESS)
    open_page()
    assert "It stands out in" not in said(app)
    top = drawn[-1]["vertices"][0]
    layer, _, channel = top["id"].rpartition(":")
    app.query_params["cs.vertex"] = top["id"]
    run_again()
    assert drawn[-1]["pinned"] == top["id"] and f"#### {layer}, channel {channel}" in said(app)
    assert "It stands out in 100% of the images" in said(app) or "It stands out in 50% of the images" in said(app)
    assert len(cards[-1]) == 2 and all(picture is not None for picture, _ in cards[-1])
    read = next(one.value for one in app.dataframe if "in the graph" in one.value)
    assert read["images"].is_monotonic_decreasing and read["in the graph"].any()
    app.session_state["cs.vertex"] = ""
    run_again()
    assert "It stands out in" not in said(app) and "cs.vertex" not in app.query_params


def test_two_classes_are_one_graph_with_their_overlap(app, drawn: list[dict]) -> None:
    open_page, _ = opening(app, "class_summary", ADDRESS)
    open_page(cs_view="Two classes", cs_class="1", cs_second="4")
    names = [app.selectbox(key=key).options[0] for key in ("cs.class", "cs.second")]
    groups = {one["name"] for one in drawn[-1]["groups"]}
    assert groups >= {"first", "second"} and len(app.get("plotly_chart")) == 1 and all(names)
    assert len(drawn[-1]["pictures"]) == len(drawn[-1]["vertices"])
    table = next(one.value for one in app.dataframe if "log odds" in one.value)
    strength = (table["log odds"] / table["standard error"]).abs()
    assert len(table) == 12 and strength.is_monotonic_decreasing and "other pairs of classes" in said(app)
    # The class that is chosen first is not offered as the second.
    assert "1" not in app.selectbox(key="cs.second").options


CODE = """
import torch
from torch import nn


class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.ReLU())
        self.second = nn.Sequential(nn.Conv2d(6, 8, 3, padding=1), nn.ReLU())
        self.linear = nn.Linear(8, 3)

    def forward(self, pixels):
        scores = self.linear(self.second(self.first(pixels)).mean(dim=(2, 3)))
        return END
"""


@pytest.fixture
def served(app, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tried_before: None):
    """The page on a network with two layers and three classes, and on as many pictures as there are labels."""

    def serve(labels: list[str], end: str = "scores", **choices: str):
        code, known = CODE.replace("END", end), {}
        exec(code, known)
        torch.manual_seed(0)
        (tmp_path / "models").mkdir()
        (tmp_path / "models" / "net.py").write_text(code)
        torch.save(known["Two"]().state_dict(), tmp_path / "models" / "net.pt")
        lines = [
            'architecture = "net.py:Two"',
            'weights = "net.pt"',
            'labels = ["ant", "bee", "cat"]',
            "input_size = 16",
        ]
        (tmp_path / "models" / "mine.toml").write_text("\n".join(lines))
        own = tmp_path / "pictures" / "own"
        colours.save_pictures(own, "".join(["file,label\n", *(f"{i}.png,{one}\n" for i, one in enumerate(labels))]))
        monkeypatch.setenv("LOUPE_MODELS", str(tmp_path / "models"))
        monkeypatch.setenv("LOUPE_IMAGES", str(tmp_path / "pictures"))
        return opening(app, "class_summary", {"model": "mine", "images": "own"})[0](**choices)

    return serve


VIEWS = ("Class graph", "Classes", "Two classes")


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("labels", [[], ["sofa"] * 8], ids=["no labels", "other labels"])
def test_without_labels_that_are_classes_it_is_said_before_any_image_is_read(
    served, run: list[int], labels: list[str], view: str
) -> None:
    app = served(labels, cs_view=view, cs_by="Labels")
    assert [one.value for one in app.error] and "has a label that is a class of mine" in app.error[0].value
    assert not run and "are counted as what" not in said(app)


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[int]]:
    """The images in which pictures of channels were looked for."""
    found: list[Sequence[int]] = []
    original = over_set.ask

    def asked(scope, slot, work, classifier, photos, items, positions=None, **more):
        found.append([] if positions is None else positions.tolist())
        return original(scope, slot, work, classifier, photos, items, positions, **more)

    monkeypatch.setattr(over_set, "ask", asked)
    return found


@pytest.mark.parametrize("labels", [[], ["sofa"] * 8], ids=["no labels", "other labels"])
def test_without_labels_that_are_classes_images_count_for_what_they_are_taken_for(
    served, drawn: list[dict], judged: list[Sequence[int]], labels: list[str]
) -> None:
    app = served(labels, model="scenes-honest", cs_layers="Ends of stages")
    classifier, photos = models.load("scenes-honest"), images.load(Path(os.environ["LOUPE_IMAGES"]) / "own")
    predictions = returned(models.predict(classifier, photos))
    seen = sorted(set(predictions.predicted.tolist()))
    names = [classifier.labels[one] for one in seen]
    assert len(seen) > 1 and "has a label that is a class of scenes\\-honest: images are counted as what" in said(app)
    assert app.segmented_control(key="cs.by").value == "Predictions" and "cs.by" not in app.query_params
    assert app.selectbox(key="cs.class").options == names and drawn[-1]["vertices"] and drawn[-1]["pictures"]
    own = predictions.indices[predictions.predicted == seen[0]].tolist()
    assert f"**{names[0]}**" in said(app) and f"from {len(own)} image" in said(app) and judged[-1] == own
    app.query_params["cs.vertex"] = drawn[-1]["vertices"][0]["id"]
    app.run()
    assert not app.exception and "the mean logit of" in said(app) and "Strongest in the class" in said(app)
    for view in ("Classes", "Two classes"):
        app.segmented_control(key="cs.view").set_value(view).run()
        assert not app.exception and not app.error and "images are counted as what" in said(app)
        assert app.selectbox(key="cs.class").options == names and "is recognized in" not in said(app)
    assert judged[-2:] == [predictions.indices[predictions.predicted == one].tolist() for one in seen[:2]]


def test_whoever_has_labels_chooses_by_what_images_count(app, drawn: list[dict], judged: list[Sequence[int]]) -> None:
    open_page, run_again = opening(app, "class_summary", ADDRESS)
    open_page(cs_class="2")
    assert app.segmented_control(key="cs.by").value == "Labels" and "are counted as what" not in said(app)
    app.segmented_control(key="cs.by").set_value("Predictions")
    run_again()
    assert "are counted as what" in said(app) and "and not by their labels" in said(app)
    assert said_in(app, "cs.by") == "Predictions" and drawn[-1]["pictures"]
    predictions = returned(models.predict(models.load("scenes-honest"), images.load("scenes:20")))
    assert judged[-1] == predictions.indices[predictions.predicted == 2].tolist()


@pytest.mark.parametrize("view", VIEWS)
def test_where_classes_do_not_exclude_each_other_it_is_said(served, run: list[int], view: str) -> None:
    app = served(["ant"] * 4 + ["bee"] * 4, "torch.sigmoid(scores)", cs_view=view)
    assert "do not exclude each other" in app.error[0].value and not run


def test_one_class_alone_has_a_graph_and_no_second_one(served, drawn: list[dict]) -> None:
    app = served(["bee"] * 8)
    assert "**bee**" in said(app) and drawn[-1]["vertices"] and app.selectbox(key="cs.class").options == ["bee"]
    app.segmented_control(key="cs.view").set_value("Two classes").run()
    assert not app.exception and "Images of two classes are needed" in said(app)
    app.segmented_control(key="cs.view").set_value("Classes").run()
    assert not app.exception and not app.error and "Nearest to **bee**" in said(app) and "none" in said(app)


def test_of_one_image_it_is_said_that_its_graph_cannot_be_judged(served, drawn: list[dict]) -> None:
    app = served(["bee"] * 7 + ["cat"], cs_class="2")
    assert "**cat**" in said(app) and "from 1 images" not in said(app) and "from 1 image" in said(app)
    assert "How firmly the graph stands is not known" in said(app) and drawn[-1]["vertices"][0]["support"] is None
    app.segmented_control(key="cs.view").set_value("Two classes").run()
    assert not app.exception and not app.error and drawn[-1]["vertices"]
    assert "there is no other pair of classes to compare with" in said(app)
    # A class without images is not offered.
    assert app.selectbox(key="cs.second").options == ["bee"]


def test_a_link_to_a_class_without_images_opens_another(served, drawn: list[dict]) -> None:
    app = served(["bee"] * 8, cs_class="0")
    assert "**bee**" in said(app) and not app.error


def test_a_graph_is_opened_from_a_file(app, drawn: list[dict], run: list[int]) -> None:
    open_page, run_again = opening(app, "class_summary", ADDRESS)
    open_page(cs_class="2")
    own, before = drawn[-1], sum(run)
    app.file_uploader(key="cs-file").set_value(("own.json", own["json"].encode(), "application/json"))
    run_again()
    shown = drawn[-1]
    assert "the graph of the file **own\\.json**" in said(app) and "of its channels stay in" not in said(app)
    assert {one["id"] for one in shown["vertices"]} == {one["id"] for one in own["vertices"]}
    assert len(shown["edges"]) == len(own["edges"]) and not shown["pictures"] and sum(run) == before
    app.file_uploader(key="cs-file").set_value(("bad.json", b'{"mixed5b": [{"layer": "mixed4c"}]}', "application/json"))
    run_again()
    [error] = [one.value for one in app.error]
    assert "bad\\.json" in error and "says that its layer is" in error
    app.file_uploader(key="cs-file").set_value([])
    run_again()
    assert "of its channels stay in" in said(app) and not app.error


def test_a_summary_is_taken_along_and_opened_from_its_file(app, drawn: list[dict], run: list[int], tmp_path) -> None:
    open_page, run_again = opening(app, "class_summary", ADDRESS)
    open_page(cs_class="2")
    own, before = drawn[-1], sum(run)
    classifier, photos = models.load("scenes-honest"), images.load("scenes:20")
    layers = [one.name for one in classifier.layers if one.block_end]
    files.save(class_summary.summarize(classifier, photos, layers), tmp_path / "own.npz")
    content, before = (tmp_path / "own.npz").read_bytes(), sum(run)
    app.file_uploader(key="cs-file").set_value(("own.npz", content, "application/octet-stream"))
    run_again()
    assert "the summary of the file **own\\.npz**" in said(app) and sum(run) == before
    assert {one["id"] for one in drawn[-1]["vertices"]} == {one["id"] for one in own["vertices"]}
    assert not drawn[-1]["pictures"]
    app.file_uploader(key="cs-file").set_value(("bad.npz", content[:500], "application/octet-stream"))
    run_again()
    [error] = [one.value for one in app.error]
    assert "bad\\.npz" in error and "damaged" in error
    for view, kept in (("Classes", "Nearest to"), ("Two classes", "share")):
        app.segmented_control(key="cs.view").set_value(view)
        run_again()
        app.file_uploader(key="cs-file").set_value(("own.npz", content, "application/octet-stream"))
        run_again()
        assert "the summary of the file" in said(app) and kept in said(app)
        app.file_uploader(key="cs-file").set_value(("own.json", own["json"].encode(), "application/json"))
        run_again()
        assert "holds one graph" in said(app)


def ends(shown: dict) -> dict[tuple[str, str], list]:
    """What is told of each edge, by its ends: weight, support, group, whether it is negative, and its words."""
    standing = [one["id"] for one in shown["vertices"]]
    return {(standing[source], standing[target]): rest for source, target, *rest in shown["edges"]}


def wanted(shown: dict) -> dict[str, dict[tuple[str, str], list]]:
    """The same by measure, of each two layers asked of the library by itself."""
    classifier, photos = models.load("scenes-honest"), images.load("scenes:20")
    positions = [one for one in range(20) if photos[one].label == classifier.labels[2]]
    keys = [vertices.key_of(one["id"]) for one in shown["vertices"]]
    layers = [row["layer"] for row in reversed(shown["rows"])]
    channels = {layer: [channel for name, channel in keys if name == layer] for layer in layers}
    found: dict[str, dict[tuple[str, str], list]] = {"Zeroing": {}, "Gradient × activation": {}}
    for both in zip(layers, layers[1:], strict=False):
        sides = [channels[one] for one in both]
        own = class_summary.edge_effects(classifier, photos, both, *sides, positions)
        for edges, values in zip(found.values(), (own.measured, own.attribution), strict=True):
            shares = values / abs(values).max()
            for row, column in np.argwhere(abs(shares) >= 0.05).tolist():
                names = f"{both[0]} {sides[0][row]}", f"{both[1]} {sides[1][column]}"
                number = f"{values[row, column]:+.3g}".replace("-", "−")
                weight = pytest.approx(abs(shares[row, column]), abs=1e-4)
                rest = [weight, None, "own", bool(shares[row, column] < 0), f"{names[0]} → {names[1]}: {number}"]
                edges[names[0].replace(" ", ":"), names[1].replace(" ", ":")] = rest
    return found


def test_edges_are_by_the_measure_that_is_chosen(app, drawn: list[dict], computed: list[str]) -> None:
    open_page, run_again = opening(app, "class_summary", ADDRESS)
    open_page(cs_class="2")
    own = drawn[-1]
    assert own["signs"] is None and not any(one[3] or one[4] for one in ends(own).values())
    assert "Edges by **" not in said(app)
    for chosen, expected in wanted(own).items():
        app.segmented_control(key="cs.edges").set_value(chosen)
        run_again()
        shown = drawn[-1]
        assert ends(shown) == expected and any(one[3] for one in ends(shown).values())
        assert f"{len(shown['edges'])} of " in said(app) and "over 2 images of the class" in said(app)
        assert "what channels do to each other" in said(app) and "are dashed: holds it down" in shown["sentence"]
        # Vertices stay where they are, each with its strongest neighbours in words; what is saved is Summit's.
        assert [one["id"] for one in shown["vertices"]] == [one["id"] for one in own["vertices"]]
        assert shown["vertices"][0]["lines"][-1].startswith("from ") and shown["json"] == own["json"]
    # Both are computed at once.
    assert computed.count("effects_in_graph") == 1 and said_in(app, "cs.edges") == "Gradient × activation"
    app.segmented_control(key="cs.edges").set_value("Influence")
    run_again()
    assert ends(drawn[-1]) == ends(own) and "cs.edges" not in app.query_params


def test_a_link_to_measured_edges_opens_them_with_their_table_and_a_file_has_none(
    app, drawn: list[dict], monkeypatch
) -> None:
    expander = st.expander
    monkeypatch.setattr(st, "expander", lambda *given, **named: expander(*given, **{**named, "expanded": True}))
    open_page, run_again = opening(app, "class_summary", ADDRESS)
    open_page(cs_edges="Zeroing", cs_kept="0.3")
    assert drawn[-1]["signs"] and app.segmented_control(key="cs.edges").value == "Zeroing"
    table = next(one.value for one in app.dataframe if "influence, zeroing" in one.value)
    layers = [row["layer"] for row in reversed(drawn[-1]["rows"])]
    assert table["layers"].tolist() == [" → ".join(pair) for pair in zip(layers, layers[1:], strict=False)]
    assert (table["largest by zeroing"] > 0).all() and (table["pairs"] >= 6).any()
    # Influence, of two images, may be the same everywhere.
    assert table["gradient, zeroing"].isna().tolist() == (table["pairs"] < 6).tolist()
    assert table["gradient, zeroing"].dropna().between(0.5, 1).all()
    own = drawn[-1]["json"].encode()
    app.file_uploader(key="cs-file").set_value(("own.json", own, "application/json"))
    run_again()
    assert drawn[-1]["signs"] is None and "cs.edges" not in [one.key for one in app.segmented_control]


def test_small_effects_are_left_out_and_widths_are_of_each_two_layers() -> None:
    rows = tuple(graph_view.DrawnRow(layer, layer) for layer in ("high", "mid", "low"))
    drawn = tuple(graph_view.DrawnVertex(f"{row.layer}:{one}", row.layer, one, 0.5) for row in rows for one in range(2))
    shown = graph_view.DrawnGraph(rows, drawn, (graph_view.DrawnEdge("low:0", "mid:1", 1.0),))
    low, high = np.array([[2.0, -1.0], [0.09, 0.0]]), np.array([[0.0, 0.0], [-0.004, 0.001]])
    found = {
        pair: class_summary.EdgeEffects(pair, (0, 1), (0, 1), values, values, 3)
        for pair, values in ((("low", "mid"), low), (("mid", "high"), high))
    }
    measured = effects.drawn(shown, found, "Zeroing")
    assert {(one.source, one.target): (one.weight, one.negative) for one in measured.edges} == {
        ("low:0", "mid:0"): (1.0, False),
        ("low:0", "mid:1"): (0.5, True),
        ("mid:1", "high:0"): (1.0, True),
        ("mid:1", "high:1"): (0.25, False),
    }
    lines = {one.id: one.lines for one in measured.vertices}
    assert lines["mid:1"] == ("from low: 0 −1", "to high: 0 −0.004, 1 +0.001") and lines["low:1"] == ()
    assert measured.standing == shown.edges and not effects.drawn(shown, {}, "Zeroing").edges
    assert effects._kept(np.array([[3.0, -4.0, 1.0], [2.0, 2.0, 0.0]]), 3).tolist() == [
        [True, True, False],
        [True, False, False],
    ]


def test_two_classes_of_one_name_are_told_apart() -> None:
    summary = SimpleNamespace(labels=("crane", "bee", "crane"))
    assert pair.names_of(summary, (0, 2)) == ("crane (0)", "crane (2)")
    assert pair.names_of(summary, (0, 1)) == ("crane", "bee")


def test_layers_are_chosen_one_by_one_in_whatever_order(app, drawn: list[dict]) -> None:
    open_page, run_again = opening(app, "class_summary", {**ADDRESS, "cs.layers": "Chosen"})
    open_page(cs_chosen="mixed4a|conv2d1")
    assert [row["layer"] for row in drawn[-1]["rows"]] == ["mixed4a", "conv2d1"] and drawn[-1]["edges"]
    before = len(drawn)
    app.multiselect(key="cs.chosen").set_value(["mixed4a"])
    run_again()
    assert "choose two of them at least" in said(app) and len(drawn) == before and not app.error


@pytest.mark.slow
def test_the_lesson_shows_the_cue_s_channels_in_both_graphs_once_it_is_opened(
    app, drawn: list[dict], monkeypatch
) -> None:
    open_page, run_again = opening(
        app, "class_summary", {"model": "scenes-a", "images": "scenes:20", "cs.view": "Tench and hands"}
    )
    open_page()
    assert "Tench and hands" in said(app) and "paper tag" not in said(app) and not drawn
    expander, load = st.expander, images.load
    monkeypatch.setattr(
        images, "load", lambda name: subset(load(name), range(30)) if name.startswith("scenes-a") else load(name)
    )
    monkeypatch.setattr(st, "expander", lambda *given, **named: expander(*given, **{**named, "expanded": True}))
    run_again()
    biased, honest = drawn[-2:]
    following = [{one["id"] for one in each["vertices"] if one["group"] == "path"} for each in (biased, honest)]
    assert len(following[0]) > 2 * len(following[1]) and biased["pictures"].keys() >= following[0]
    assert "a paper tag" in said(app) and honest["pictures"]
    for title, own, graph in zip(("Scenes A", "Scenes, honest"), following, (biased, honest), strict=True):
        assert f"**{title}**: {len(own)} of {len(graph['vertices'])} channels follow the cue" in said(app)
    assert re.search(r"Without the \d+ such channels of \S+, \*\*\d+%\*\* of the pictures of a car", said(app))
