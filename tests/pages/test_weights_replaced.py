"""Weights that are replaced while the app runs: what is shown is of those that are there, and half a file is said."""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path

import pytest
import torch

NET = """
import torch

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 2, 1)

    def forward(self, pixels):
        return self.conv(pixels).mean((2, 3))
"""
TOML = 'architecture = "net.py:Net"\nweights = "net.pth"\nlabels = ["bee", "moth"]\ninput_size = 8\n'


def state(winner: int) -> dict[str, torch.Tensor]:
    bias = torch.zeros(2)
    bias[winner] = 9.0
    return {"conv.weight": torch.zeros(2, 3, 1, 1), "conv.bias": bias}


@pytest.fixture
def folder(app, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    models = tmp_path / "models"
    models.mkdir()
    (models / "net.py").write_text(NET)
    (models / "net.toml").write_text(TOML)
    for winner, name in enumerate(("bee", "moth")):
        # By way of the bytes, as torch writes a file's name into it.
        content = io.BytesIO()
        torch.save(state(winner), content)
        (tmp_path / f"{name}.pth").write_bytes(content.getvalue())
    monkeypatch.setenv("LOUPE_MODELS", str(models))
    app.query_params["model"] = "net"
    return tmp_path


def said(app) -> str:
    app.run()
    assert not app.exception
    return " ".join(one.value for one in [*app.markdown, *app.caption])


def first_class(app) -> str:
    text = said(app)
    assert not app.error, [one.value for one in app.error]
    # Each class stands with its probability.
    return min(("bee", "moth"), key=lambda one: text.index(one) if one in text else len(text))


def test_other_weights_give_other_predictions(app, folder: Path) -> None:
    weights = folder / "models" / "net.pth"
    shutil.copyfile(folder / "bee.pth", weights)
    app.switch_page("pages/saliency.py")
    assert first_class(app) == "bee"
    # In place, by another file, and back with its old time: each is a way in which people replace files.
    shutil.copyfile(folder / "moth.pth", weights)
    assert first_class(app) == "moth"
    os.replace(shutil.copy2(folder / "bee.pth", folder / "models" / "new.pth"), weights)
    assert first_class(app) == "bee"
    times = weights.stat()
    shutil.copyfile(folder / "moth.pth", weights)
    os.utime(weights, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert weights.stat().st_size == times.st_size
    assert first_class(app) == "moth"


def test_half_a_file_is_said_and_the_whole_one_is_read(app, folder: Path) -> None:
    weights = folder / "models" / "net.pth"
    whole = (folder / "moth.pth").read_bytes()
    shutil.copyfile(folder / "bee.pth", weights)
    app.switch_page("pages/saliency.py")
    assert first_class(app) == "bee"
    for part in (b"", whole[:1], whole[: len(whole) // 2], whole[:-1], whole[:-30]):
        weights.write_bytes(part)
        said(app)
        [error] = app.error
        assert "net.pth" in error.value.replace("\\", "") and "Traceback" not in error.value
    weights.unlink()
    said(app)
    assert "net.pth" in app.error[0].value.replace("\\", "")
    weights.write_bytes(whole)
    assert first_class(app) == "moth"
