"""A network of linear layers alone, which has no map: what needs one says so, and all else goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
from safetensors.torch import save_file
from torch import nn

CODE = """
from torch import nn


def build():
    return nn.Sequential(nn.Flatten(), nn.Linear(192, 8), nn.ReLU(), nn.Linear(8, 2))
"""


@pytest.fixture
def linear(app, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """A network of linear layers alone, by own code: no layer has a map."""
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "net.py").write_text(CODE)
    lines = ['architecture = "net.py:build"', 'weights = "flat.safetensors"', "input_size = 8", 'labels = ["a", "b"]']
    (folder / "flat.toml").write_text("\n".join(lines))
    network = nn.Sequential(nn.Flatten(), nn.Linear(192, 8), nn.ReLU(), nn.Linear(8, 2))
    save_file(network.state_dict(), folder / "flat.safetensors")
    monkeypatch.setenv("LOUPE_MODELS", str(folder))
    app.query_params["model"], app.query_params["images"] = "flat", "digits"
    return app


@pytest.mark.parametrize(
    "page", ["saliency", "feature_visualization", "units", "embeddings", "channel_attribution", "class_summary"]
)
def test_without_a_map_pages_that_need_one_say_so(linear, page: str) -> None:
    linear.switch_page(f"pages/{page}.py").run()
    assert not linear.exception and "This page needs a layer with a map, and flat has none" in linear.info[0].value


def test_without_a_map_the_overview_is_drawn(linear) -> None:
    linear.run()
    assert not linear.exception and not linear.error and len(linear.get("plotly_chart"))
