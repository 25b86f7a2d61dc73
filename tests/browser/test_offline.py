"""Nothing leaves the machine; that no page asks another computer for anything, all tests here watch (`conftest.py`)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from streamlit import config

from tests.browser.conftest import OWN, WATCH, WATCHING, Server, is_foreign, settle, watched


def test_what_a_page_asks_another_computer_for_is_blocked_and_heard_of(visited: Server, chromium) -> None:
    page = chromium.new_page()
    foreign = watched(page)
    page.goto(f"{visited.address}/embeddings?model=digits&images=digits&map.method=PCA")
    settle(page)
    assert foreign == []
    ended = page.evaluate("fetch('https://fonts.example/icon.svg').then(() => 'reached', () => 'blocked')")
    page.close()
    assert ended == "blocked" and foreign == ["https://fonts.example/icon.svg"]


def test_an_icon_of_a_server_of_fonts_would_be_heard_of() -> None:
    assert is_foreign("https://fonts.gstatic.com/icon.svg") and is_foreign("ws://example.org/stream")
    assert not is_foreign("data:image/svg+xml,") and not is_foreign("http://localhost:8501/favicon.svg")


def test_whom_a_server_looks_up_is_heard_of(tmp_path: Path) -> None:
    log = tmp_path / "asked.txt"
    (tmp_path / "sitecustomize.py").write_text(WATCH.format(log=str(log), watching=WATCHING))
    program = "import socket\ntry: socket.create_connection(('checkip.invalid', 80), 1)\nexcept OSError: pass"
    subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": str(tmp_path)}, check=True)
    assert set(log.read_text().split()) - OWN == {WATCHING, "checkip.invalid"}


def test_no_statistics_are_gathered() -> None:
    assert config.get_option("browser.gatherUsageStats") is False
