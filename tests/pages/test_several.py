"""Classifiers with a sigmoid for each class, or for one of two, on every page that says a probability."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn import metrics

from tests.pages.opening import said

CODE = """
import torch
from torch import nn

class Colours(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.relu = nn.ReLU()
        self.linear = nn.Linear(8, OUTPUTS)

    def forward(self, pixels):
        return END(self.linear(self.relu(self.conv(pixels)).mean(dim=(2, 3))))
"""
COLOURS = {"red": 0, "green": 1, "blue": 2}
SHOWN = (("red",), ("green",), ("blue",), ("red", "green"), ("green", "blue"), ("red", "blue"), COLOURS, ())


def network(outputs: int) -> dict[str, torch.Tensor]:
    """Weights under which output c is about how much there is of colour c."""
    generator = torch.Generator().manual_seed(0)
    conv, linear = torch.zeros(8, 3, 3, 3), torch.zeros(outputs, 8)
    for colour in range(3):
        conv[colour, colour, 1, 1] = 1
    conv[3:] = torch.randn(5, 3, 3, 3, generator=generator) * 0.2
    linear[torch.arange(outputs), torch.arange(outputs)] = 6
    linear[:, 3:] = torch.randn(outputs, 5, generator=generator) * 0.3
    bias = torch.full((outputs,), -3.0)
    return {"conv.weight": conv, "conv.bias": torch.zeros(8), "linear.weight": linear, "linear.bias": bias}


def own_logits(outputs: int, pixels: torch.Tensor) -> torch.Tensor:
    weights = network(outputs)
    hidden = torch.conv2d(pixels, weights["conv.weight"], weights["conv.bias"], padding=1).relu().mean(dim=(2, 3))
    return hidden @ weights["linear.weight"].T + weights["linear.bias"]


def pictures() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    found = []
    for colours in SHOWN:
        pixels = rng.integers(0, 100, (16, 16, 3))
        for colour in colours:
            pixels[:, :, COLOURS[colour]] += rng.integers(60, 155)
        found.append(pixels.astype(np.uint8))
    return found


def pixels() -> torch.Tensor:
    return torch.from_numpy(np.stack(pictures())).permute(0, 3, 1, 2).float() / 255


@pytest.fixture
def served(app, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Serves a network with so many outputs that ends in `end`, and the pictures with this index.csv."""

    def serve(outputs: int, labels: list[str], end: str = "torch.sigmoid", index: str | None = None):
        folder, photos = tmp_path / "models", tmp_path / "pictures" / "colours"
        folder.mkdir()
        photos.mkdir(parents=True)
        (folder / "net.py").write_text(CODE.replace("OUTPUTS", str(outputs)).replace("END", end))
        torch.save(network(outputs), folder / "net.pt")
        (folder / "mine.toml").write_text(
            f'architecture = "net.py:Colours"\nweights = "net.pt"\nlabels = {labels!r}\ninput_size = 16\n'
        )
        for number, picture in enumerate(pictures()):
            Image.fromarray(picture).save(photos / f"{number}.png")
        if index is not None:
            (photos / "index.csv").write_text(index)
        monkeypatch.setenv("LOUPE_MODELS", str(folder))
        monkeypatch.setenv("LOUPE_IMAGES", str(tmp_path / "pictures"))
        app.query_params.update({"model": "mine", "images": "colours"})
        return app

    return serve


def index() -> str:
    """What is in the pictures, with two mistakes."""
    listed = [list(colours) for colours in SHOWN]
    listed[1], listed[3] = ["red"], ["red", "green", "sofa"]
    return "file,labels\n" + "".join(f"{number}.png,{'|'.join(some)}\n" for number, some in enumerate(listed))


def truth() -> np.ndarray:
    present = np.array([[colour in colours for colour in COLOURS] for colours in SHOWN])
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
    shares = torch.sigmoid(own_logits(3, pixels())).numpy()
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
    shares = torch.sigmoid(own_logits(3, pixels())).numpy()
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
    shares = torch.sigmoid(own_logits(3, pixels())).numpy()
    assert table["predicted"].tolist() == (shares >= 0.5).sum(axis=0).tolist()
