"""The app in this process, each test with a store of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.parts import waiting

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """An app that waits for its results, since a test has no browser that would ask again."""
    monkeypatch.setenv("LOUPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("LOUPE_MODELS", raising=False)
    monkeypatch.delenv("LOUPE_IMAGES", raising=False)
    monkeypatch.setattr(waiting, "PATIENCE", 60.0)
    st.cache_data.clear()
    st.cache_resource.clear()
    yield AppTest.from_file(str(ROOT / "app.py"), default_timeout=90)
    st.cache_resource.clear()
