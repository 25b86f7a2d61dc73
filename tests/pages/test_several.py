"""Classifiers with a sigmoid for each class, or for one of two, on every page that says a probability."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn import metrics

from tests import colours
from tests.colours import COLOURS, SHOWN
from tests.pages.opening import said


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
    assert "1 labels of the set are none" in said(app) and "sofa" in said(app)
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
