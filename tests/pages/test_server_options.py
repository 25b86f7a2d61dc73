"""What is wrong with how the server was started is said on every page and in the terminal, and nothing fails on it."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

import cache


def warnings(app) -> list[str]:
    assert not app.exception and not app.error
    return [one.value.replace("\\", "") for one in app.warning]


@pytest.mark.parametrize("text", ["abc", "-5", "0.0001", "1e99"])
def test_a_bound_of_nonsense_is_said_at_the_start(
    app, text: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("LOUPE_CACHE_MB", text)
    with caplog.at_level(logging.WARNING, "loupe"):
        app.switch_page("pages/saliency.py").run()
        app.run()
    [said] = warnings(app)
    assert f"LOUPE_CACHE_MB is {text!r}, and 4,096 is taken" in said
    assert len([one for one in caplog.records if "LOUPE_CACHE_MB" in one.getMessage()]) == 1


def test_that_nothing_is_kept_is_said_while_it_is_so(app, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.forget()
    (tmp_path / "cache").write_text("in the way")
    app.switch_page("pages/saliency.py").run()
    app.run()
    [said] = warnings(app)
    assert "Results are not kept in" in said and "LOUPE_CACHE" in said
    assert not any("kept" in one.value for one in app.caption)


@pytest.mark.parametrize("folder", ["loop", "x" * 300, "~nobody-has-this-name", "file"])
def test_a_folder_that_cannot_be_looked_at_is_said(
    app, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LOUPE_IMAGES", folder if folder.startswith("~") else str(tmp_path / folder))
    app.switch_page("pages/saliency.py").run()
    [said] = warnings(app)
    assert "--images" in said and "exists on the server" in said


def test_a_folder_without_prepared_results_is_said(app, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOUPE_PREPARED", str(tmp_path))
    app.switch_page("pages/saliency.py").run()
    [said] = warnings(app)
    assert "--prepared" in said and "no file that ends in .zip" in said
