from pathlib import Path

import pytest

import cache


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store and a memory of its own for each test."""
    monkeypatch.setenv("LOUPE_CACHE", str(tmp_path / "store"))
    cache.forget()
    return tmp_path / "store"
