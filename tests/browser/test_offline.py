"""Nothing leaves the machine: neither the browser nor the server asks any other computer for anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from streamlit import config

from tests.browser.conftest import Server, settle

DIGITS = "model=digits&images=digits"
# Small views of every page, and what is there when their charts, maps and cards are drawn.
PAGES = {
    "": ".st-key-squares .js-plotly-plot",
    f"saliency?{DIGITS}&methods=Gradient": ".st-key-comparison .js-plotly-plot",
    f"embeddings?{DIGITS}&map.method=PCA": "canvas.over",
    "shared_interest?images=scenes:40&interest.method=Gradient": ".cards button img",
    f"channel_attribution?{DIGITS}&ch.count=1": ".sides .channel",
    f"feature_visualization?{DIGITS}&fv.quality=Preview": ".made button img",
}
# What a Python process runs before anything else: each name that it looks up and each address that it connects to.
WATCH = """
import sys

def watch(event, arguments):
    if event in ("socket.connect", "socket.sendto") and isinstance(arguments[1], tuple):
        asked = arguments[1][0]
    elif event == "socket.getaddrinfo":
        asked = arguments[0]
    else:
        return
    with open({log!r}, "a") as log:
        print(asked, file=log)

sys.addaudithook(watch)
with open({log!r}, "a") as log:
    print({watching!r}, file=log)
"""
WATCHING = "watching"
OWN = {"localhost", "127.0.0.1", "::1", "0.0.0.0", "None"}


class Watched:
    """A server that a whole class can reach, and that no screen belongs to, with what it asked other computers for."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "asked.txt"
        self.server = Server(folder)

    @property
    def asked(self) -> set[str]:
        """The hosts that the server looked up or connected to, other than its own machine."""
        return set(self.log.read_text().split()) - OWN - {WATCHING}


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    (tmp_path / "sitecustomize.py").write_text(WATCH.format(log=str(tmp_path / "asked.txt"), watching=WATCHING))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("STREAMLIT_SERVER_ADDRESS", "0.0.0.0")
    watched = Watched(tmp_path)
    yield watched
    watched.server.stop()


def test_no_page_asks_another_computer_for_anything(watched: Watched, page) -> None:
    own = urlsplit(watched.server.address).netloc
    foreign: list[str] = []

    def guard(route) -> None:
        address = urlsplit(route.request.url)
        if address.netloc == own:
            route.continue_()
        else:
            foreign.append(route.request.url)
            route.abort()

    page.route("**/*", guard)
    page.on("websocket", lambda socket: foreign.append(socket.url) if urlsplit(socket.url).netloc != own else None)
    for address, there in PAGES.items():
        page.goto(f"{watched.server.address}/{address}")
        page.locator(there).first.wait_for()
        settle(page)
        page.get_by_text("How to read this").click()
        if address:
            # The Overview's has no formula.
            page.locator('[data-testid="stExpander"] .katex:visible').first.wait_for()
        page.wait_for_timeout(200)
        # The browser itself fetches this one, and Playwright does not hear of it.
        for icon in page.locator('link[rel*="icon"]').all():
            used = icon.evaluate("link => link.href")
            if not used.startswith("data:") and urlsplit(used).netloc != own:
                foreign.append(used)
    assert foreign == []
    assert WATCHING in watched.log.read_text() and watched.asked == set()


def test_no_statistics_are_gathered() -> None:
    assert config.get_option("browser.gatherUsageStats") is False
