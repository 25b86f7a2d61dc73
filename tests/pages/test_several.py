"""Classifiers with a sigmoid for each class, or for one of two, on every page that says a probability."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn import metrics

from interp import models
from interp.models.multi_label import Assessed
from interp.types import Classifier
from pages.parts.overview import multi_label_numbers
from tests import colours
from tests.colours import COLOURS, SHOWN
from tests.conftest import tiny_classifier
from tests.models.test_ground_truth import photographs
from tests.pages.opening import said

pytestmark = pytest.mark.usefixtures("tried_before")


@pytest.fixture
def served(app, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Serves a network with so many outputs that ends in `end`, and the pictures with this index.csv."""

    def serve(outputs: int, labels: list[str], end: str = "torch.sigmoid(scores)", index: str | None = None):
        colours.save_network(tmp_path / "models", outputs, end, labels)
        colours.save_pictures(tmp_path / "pictures" / "colours", index, masks=True)
        monkeypatch.setenv("LOUPE_MODELS", str(tmp_path / "models"))
        monkeypatch.setenv("LOUPE_IMAGES", str(tmp_path / "pictures"))
        app.query_params.update({"model": "mine", "images": "colours"})
        return app

    return serve


def index() -> str:
    """What is in the pictures, with two mistakes."""
    listed = [list(shown) for shown in SHOWN]
    listed[1], listed[3] = ["red"], ["red", "green", "sofa"]
    return "file,labels\n" + "".join(f"{number}.png,{'|'.join(some)}\n" for number, some in enumerate(listed))


def truth() -> np.ndarray:
    present = np.array([[colour in shown for colour in COLOURS] for shown in SHOWN])
    present[1] = [True, False, False]
    return present


def opened(app, page: str | None = None):
    if page is not None:
        app.switch_page(f"pages/{page}.py")
    app.run()
    assert not app.exception and not app.error, [*(one.value for one in app.exception), *(e.value for e in app.error)]
    return app


def test_the_overview_counts_every_class_by_itself(served) -> None:
    app = opened(served(3, list(COLOURS), index=index()))
    shares = torch.sigmoid(colours.scores(3, colours.pixels()).detach()).numpy()
    # The last image has an empty cell: nothing is known of it.
    present, own = truth()[:-1], shares[:-1]
    shown = {one.label: one.value for one in app.metric}
    mean = metrics.average_precision_score(present, own, average="macro")
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(present, own >= 0.5, average="macro")
    expected = {"Average precision": mean, "Precision": precision, "Recall": recall, "F1": f1}
    assert {name: shown[name] for name in expected} == {name: f"{value:.1%}" for name, value in expected.items()}
    assert "Accuracy" not in shown
    assert shown["Labels an image"] == f"{present.sum(axis=1).mean():.1f} → {(own >= 0.5).sum(axis=1).mean():.1f}"
    assert "1 label of the set is none" in said(app) and "sofa" in said(app)
    table = next(frame.value for frame in app.dataframe if "average precision" in frame.value.columns)
    ranked = metrics.average_precision_score(present, own, average=None)
    np.testing.assert_allclose(table["average precision"], ranked)
    assert table["labelled"].tolist() == present.sum(axis=0).tolist()


def test_the_threshold_is_in_the_address_and_changes_what_is_predicted(served) -> None:
    app = served(3, list(COLOURS), index=index())
    app.query_params["threshold"] = "80"
    app.query_params["class"] = "2"
    opened(app)
    shares = torch.sigmoid(colours.scores(3, colours.pixels()).detach()).numpy()
    assert app.slider(key="threshold").value == 80 and app.selectbox(key="class").value == "2"
    table = next(frame.value for frame in app.dataframe if "average precision" in frame.value.columns)
    assert table["predicted"].tolist() == (shares >= 0.8).sum(axis=0).tolist()
    app.slider(key="threshold").set_value(50)
    opened(app)
    table = next(frame.value for frame in app.dataframe if "average precision" in frame.value.columns)
    assert table["predicted"].tolist() == (shares >= 0.5).sum(axis=0).tolist()


def test_without_labels_predictions_are_shown_and_nothing_is_judged(served) -> None:
    app = opened(served(3, list(COLOURS)))
    shown = {one.label: one.value for one in app.metric}
    assert shown["Average precision"] == shown["Recall"] == shown["Labels an image"] == "–"
    assert "does not say which of the classifier's classes" in said(app)
    table = next(frame.value for frame in app.dataframe if "average precision" in frame.value.columns)
    shares = torch.sigmoid(colours.scores(3, colours.pixels()).detach()).numpy()
    assert table["predicted"].tolist() == (shares >= 0.5).sum(axis=0).tolist()


PAGES = {"Saliency": "saliency", "Channels": "channel_attribution"}


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_a_photograph_has_its_classes_each_with_its_own_probability(served, page: str) -> None:
    app = served(3, list(COLOURS), index=index())
    app.query_params["image"] = "6.png"
    opened(app, page)
    shares = dict(zip(COLOURS, torch.sigmoid(colours.scores(3, colours.pixels()))[6].tolist(), strict=True))
    order = sorted(shares, key=shares.__getitem__, reverse=True)
    above = [one for one in order if shares[one] >= 0.5]
    # It shows all three, and is labelled so.
    assert len(above) == 2
    check = " :blue[:material/check_circle:]"
    listed = " · ".join(f"**{one}** {shares[one]:.1%}{check}" for one in above)
    missed = f":orange[:material/cancel: labelled also] **{order[2]}** ({shares[order[2]]:.1%})"
    assert f"50% or more: {listed} — {missed}" in said(app)
    offered = app.selectbox(key="target").options
    assert offered[:4] == [
        f"most probable: {order[0]}",
        *(f"{one} · {shares[one]:.1%}, labelled" for one in order),
    ]
    assert "Predicted" not in said(app)


def test_a_photograph_may_have_no_class_at_all(served) -> None:
    app = served(3, list(COLOURS), index=index())
    app.query_params["image"] = "1.png"
    opened(app, "saliency")
    red, green, _ = torch.sigmoid(colours.scores(3, colours.pixels()))[1].tolist()
    # It is green, and the set says that it is red.
    assert f"50% or more: **green** {green:.1%}" in said(app) and f"labelled also] **red** ({red:.1%})" in said(app)
    app.selectbox(key="image").set_value(7)
    app.run()
    shares = torch.sigmoid(colours.scores(3, colours.pixels()))[7]
    assert f"No class reaches 50%; first: **{list(COLOURS)[int(shares.argmax())]}** {shares.max():.1%}" in said(app)


def test_shared_interest_says_the_most_probable_class(served) -> None:
    app = served(3, list(COLOURS), index=index())
    app.query_params.update({"annotations": "masks", "image": "3.png"})
    opened(app, "shared_interest")
    shares = torch.sigmoid(colours.scores(3, colours.pixels()))
    text = " ".join([said(app), *(one.body for one in app.get("html"))])
    assert "Predicted" not in text
    cards = text.split("<button")[1:]
    for number, own in enumerate(truth()[:-1]):
        best = int(shares[number].argmax())
        card = next(one for one in cards if f"{number}.png" in one)
        assert f"{list(COLOURS)[best]} {shares[number, best]:.0%}" in card
        assert ("✓" in card) == bool(own[best])


HALVES = {"two labels": ["healthy", "sick"], "one label": ["sick"]}


@pytest.mark.parametrize("labels", HALVES.values(), ids=HALVES)
@pytest.mark.parametrize("end", ["scores", "scores.squeeze(1)", "torch.sigmoid(scores)"])
def test_a_network_with_one_output_has_two_classes_and_both_count(served, labels: list[str], end: str) -> None:
    """'Sick' is red, so that three of the four sick are found, and one of the healthy is taken for sick."""
    which = {number: "sick" if number in (0, 3, 5, 2) else "healthy" for number in range(8)}
    listed = "file,label\n" + "".join(f"{number}.png,{label}\n" for number, label in which.items())
    app = served(1, labels, end=end, index=listed)
    app.query_params["image"] = "0.png"
    opened(app)
    scores = colours.scores(1, colours.pixels()).detach().flatten()
    right = sum((float(score) > 0) == (which[number] == "sick") for number, score in enumerate(scores))
    assert right == 6
    shown = {one.label: one.value for one in app.metric}
    assert shown["Accuracy"] == "75.0%" and shown["Classes"] == "2" and "Top five" not in shown
    assert ("was taken for" in said(app)) == (labels == ["sick"])
    opened(app, "saliency")
    assert f"Predicted **sick** with {scores[0].sigmoid():.1%} — :blue" in said(app)
    app.selectbox(key="image").set_value(1).run()
    other = "healthy" if len(labels) == 2 else "not sick"
    assert f"Predicted **{other}** with {(-scores[1]).sigmoid():.1%} — :blue" in said(app)


@pytest.fixture
def headless(served, monkeypatch: pytest.MonkeyPatch):
    """Serves the network without its head: rows of features, and no classes."""
    load = models.load

    def features(name: str, **keywords) -> Classifier:
        whole = load(name, **keywords)
        trunk = copy.deepcopy(whole.module)
        trunk.get_submodule("network").linear = torch.nn.Identity()
        return dataclasses.replace(whole, module=trunk, labels=(), fingerprint="trunk")

    monkeypatch.setattr(models, "load", features)
    listed = "file,label\n" + "".join(f"{i}.png,{shown[0] if shown else 'none'}\n" for i, shown in enumerate(SHOWN))
    return served(3, list(COLOURS), end="scores", index=listed)


@pytest.mark.parametrize("page", [None, "saliency", "channel_attribution", "shared_interest", "class_summary"])
def test_without_a_head_pages_of_classes_say_so(headless, page: str | None) -> None:
    app = opened(headless, page)
    assert "This page needs classes, and mine has none" in said(app)
    links = app.main.get("page_link")
    runs = ["Activation atlas", "Embedding explorer", "Feature visualization", "Units"]
    assert [one.proto.label for one in links] == runs


def test_without_a_head_the_embedding_is_drawn_with_the_sets_own_labels(headless) -> None:
    headless.query_params["map.method"] = "PCA"
    app = opened(headless, "embeddings")
    assert "logits" not in " ".join(app.selectbox(key="map.layer").options)
    assert app.selectbox(key="map.colour").options[0] == "Label"
    assert not {"Prediction", "Confidence"} & set(app.selectbox(key="map.colour").options)
    assert "Labelled **red**" in said(app)


@pytest.mark.parametrize("view", ["Channels", "Two units", "Deep dream"])
def test_without_a_head_features_are_visualized(headless, view: str) -> None:
    headless.query_params.update({"fv.view": view})
    app = opened(headless, "feature_visualization")
    assert "Classes" not in next(one for one in app.get("button_group") if one.key == "fv.view").options


def test_files_name_labels_and_predictions_and_give_every_probability(monkeypatch: pytest.MonkeyPatch) -> None:
    classifier, photos = tiny_classifier(), photographs(3)
    shares = np.array([[0.9, 0.2, 0.6], [0.1, 0.2, 0.3]], np.float32)
    present, known = np.array([[True, True, False], [False] * 3]), np.array([[True] * 3, [False] * 3])
    found = Assessed(np.array([0, 2]), shares, present, known)
    rows = multi_label_numbers.rows_of_images(classifier, photos, found, 0.5)
    assert rows == [
        {
            "image": "0.png",
            "labels": "cat|dog",
            "predicted": "cat|fish",
            "probability of cat": "0.900000",
            "probability of dog": "0.200000",
            "probability of fish": "0.600000",
        },
        {
            "image": "2.png",
            "labels": "",
            "predicted": "",
            "probability of cat": "0.100000",
            "probability of dog": "0.200000",
            "probability of fish": "0.300000",
        },
    ]
    monkeypatch.setattr(multi_label_numbers, "IN_TEXT", 5)
    short = multi_label_numbers.rows_of_images(classifier, photos, found, 0.5)
    assert [list(row) for row in short] == [["image", "labels", "predicted"]] * 2
