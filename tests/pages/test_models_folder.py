"""A models folder on the pages: what one file or one network does stops nobody else."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st

import cache
from interp.own_code import rehearsal
from pages.parts.kit import classifiers

LOOP = "while True:\n    pass\n"
TOML = 'architecture = "net.py:build"\nweights = "random"\nlabels = ["bee", "moth"]\ninput_size = 8\n'


@pytest.fixture
def folder(app, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    models = tmp_path / "models"
    models.mkdir()
    (models / "loops.toml").write_text(TOML)
    (models / "net.py").write_text(LOOP)
    (models / "brackets.toml").write_text("a = " + "[" * 5000)
    (models / "mean.toml").write_text(f'architecture = "resnet18"\nmean = [{"9" * 400}, 0, 0]\n')
    (models / "far" / "away.toml").parent.mkdir()
    (models / "far" / "away.toml").write_text('architecture = "resnet18"\nweights = "C:\\Users\\best.pt"\n')
    monkeypatch.setenv("LOUPE_MODELS", str(models))
    monkeypatch.setattr(rehearsal, "_failed", {})
    return models


def said(app) -> str:
    return " ".join(one.value.replace("\\", "") for one in [*app.error, *app.warning, *app.caption])


def test_a_looping_network_is_named_with_its_limit(app, folder: Path, monkeypatch) -> None:
    monkeypatch.setenv("LOUPE_OWN_SECONDS", "1")
    app.query_params["model"] = "loops"
    app.switch_page("pages/saliency.py").run()
    assert not app.exception
    assert f"{folder}/net.py, line" in said(app) and "longer than the 1 s that are allowed" in said(app)


@pytest.fixture
def nothing_collected() -> Iterator[None]:
    """What is collected in the depth of a recursion has no room left to end in, which pytest counts as a fault."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_broken_files_have_entries_of_their_own(app, folder: Path, nothing_collected: None) -> None:
    app.query_params["model"] = "digits"
    app.switch_page("pages/saliency.py").run()
    assert not app.exception and not app.error
    titles = app.selectbox(key="model").options
    broken = ["brackets (cannot be loaded)", "mean (cannot be loaded)", "far/away (cannot be loaded)"]
    assert [title for title in titles if "cannot be loaded" in title] == broken and "loops" in titles
    for name, words in (("brackets", "nested too deeply"), ("mean", "mean = "), ("far/away", "single quotes")):
        app.selectbox(key="model").set_value(name).run()
        assert not app.exception
        assert words in said(app)


def test_a_folder_that_is_moved_away_leaves_the_bundled_ones(app, folder: Path) -> None:
    app.query_params["model"] = "digits"
    app.switch_page("pages/saliency.py").run()
    folder.rename(folder.with_name("elsewhere"))
    app.run()
    assert not app.exception and not app.error
    # As when the list of what is offered is made again.
    classifiers._offered_models.clear()
    classifiers._folder_problem.clear()
    app.run()
    assert not app.exception and not app.error
    assert f"{folder}, cannot be read" in said(app)
    assert "loops" not in app.selectbox(key="model").options


def test_while_one_network_loops_others_are_loaded(app, folder: Path) -> None:
    (folder / "far" / "good.toml").write_text(TOML)
    (folder / "far" / "net.py").write_text(
        "from torch import nn\ndef build(num_classes):\n  pooled = nn.AdaptiveAvgPool2d(1), nn.Flatten()\n"
        "  return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), *pooled, nn.Linear(4, num_classes))\n"
    )
    one, two = (cache.Scope(cache.Visitor()) for _ in range(2))
    try:
        looping = classifiers.ask(one, "loops")
        begun = time.monotonic()
        while not looping.progress.what.startswith("Trying net.py in a process of its own"):
            assert time.monotonic() - begun < 20
            time.sleep(0.01)
        for name in ("digits", "far/good"):
            job = classifiers.ask(two, name)
            assert job.wait(60) and job.state == "done"
        assert job.value.labels == ("bee", "moth")
        assert looping.state == "running"
    finally:
        one.visitor.close()
        two.visitor.close()
    assert looping.wait(10) and looping.state == "cancelled"
    st.cache_resource.clear()


def test_a_file_that_is_code_is_answered_with_the_lines_that_make_weights_of_it(app, folder: Path) -> None:
    (folder / "exported.toml").write_text('architecture = "resnet18"\nweights = "model.onnx"\nlabels = ["a", "b"]\n')
    (folder / "model.onnx").write_bytes(b"\x08\x07" * 100)
    app.query_params["model"] = "exported"
    app.switch_page("pages/saliency.py").run()
    assert not app.exception and "is an ONNX file" in said(app)
    assert "torch.save(" in app.code[0].value and "\n" in app.code[0].value


def test_what_was_loaded_stands_beside_the_picker_with_the_lines_that_change_it(app, folder: Path) -> None:
    (folder / "plain.toml").write_text(
        'architecture = "squeezenet1_1"\nweights = "random"\nlabels = ["a", "b"]\ninput_size = 64\n'
    )
    app.query_params["model"] = "plain"
    app.switch_page("pages/saliency.py").run()
    assert not app.exception and not app.error
    (panel,) = [one for one in app.sidebar.expander if one.label.startswith("What was loaded")]
    assert panel.label.endswith("1 guessed")
    (listed,) = [one.value for one in panel.caption]
    assert '`outputs = "sigmoid"`' in listed and "central 64 × 64" in listed
    assert any("learned nothing" in one.value for one in app.sidebar.warning)


def test_a_network_that_draws_at_random_is_named_beside_its_results(app, folder: Path) -> None:
    (folder / "chance").mkdir()
    (folder / "chance" / "net.py").write_text(
        "from torch import nn\nfrom torch.nn import functional\n\n\nclass Net(nn.Sequential):\n"
        "    def forward(self, x):\n        return functional.dropout(super().forward(x))\n\n\n"
        "def build():\n    return Net(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2))\n"
    )
    (folder / "chance" / "chance.toml").write_text(TOML)
    app.query_params["model"] = "chance/chance"
    app.switch_page("pages/saliency.py").run()
    assert not app.exception
    assert any("draws at random" in one.value for one in app.main.warning)
