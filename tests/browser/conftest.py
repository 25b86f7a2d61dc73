"""The real app in a process of its own, and a Chromium that looks at it; neither may ask another computer."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
VIEWPORT = {"width": 1440, "height": 1000}
PHOTOGRAPHS = 12
SETTLED = '[data-testid="stApp"][data-test-script-state="notRunning"]'


# What each server's Python runs before anything else: each name that it looks up and each address that it connects to.
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
# The browser finds no other host, and what it asks for is heard of in `page`.
BLOCKED = ["--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost"]
OWN = {"localhost", "127.0.0.1", "::1", "0.0.0.0", "None"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.slow)


class Server:
    """A running app that a whole class can reach: its address, what it has printed, and whom it has asked."""

    def __init__(self, folder: Path, *arguments: str, script: str = "app.py") -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"http://localhost:{port}"
        self.printed, self.log = folder / "printed.txt", folder / "asked.txt"
        (folder / "watch").mkdir(exist_ok=True)
        (folder / "watch" / "sitecustomize.py").write_text(WATCH.format(log=str(self.log), watching=WATCHING))
        environment = {
            **os.environ, "LOUPE_CACHE": str(folder / "cache"), "HOME": str(folder),
            "PYTHONPATH": str(folder / "watch"), "STREAMLIT_SERVER_ADDRESS": "0.0.0.0",
        }  # fmt: skip
        command = [sys.executable, "-m", "streamlit", "run", script, "--server.headless=true"]
        with self.printed.open("w") as printed:
            self.process = subprocess.Popen(
                [*command, f"--server.port={port}", "--", *arguments],
                cwd=ROOT, env=environment, stdout=printed, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self._wait()

    def _wait(self) -> None:
        for _ in range(300):
            try:
                with urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=1):
                    return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.1)
        raise RuntimeError(f"The app did not start: {self.printed.read_text()}")

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
        assert self.foreign == set()

    @property
    def foreign(self) -> set[str]:
        """The hosts that the server looked up or connected to, other than its own machine."""
        asked = set(self.log.read_text().split())
        assert WATCHING in asked
        return asked - OWN - {WATCHING}


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory):
    """A headless browser that keeps what it compiled of Streamlit's scripts; skipped where none is installed."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        pytest.skip("needs Chromium, which is not installed (Debian: apt-get install chromium)")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        quiet = ["--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-component-update"]
        context = driver.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"), executable_path=executable, args=[*BLOCKED, *quiet],
            viewport=VIEWPORT, reduced_motion="reduce", accept_downloads=True,
        )  # fmt: skip
        yield context
        context.close()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Server]:
    """A server that nobody has visited, with an empty store."""
    server = Server(tmp_path)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def visited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that others have visited, for who needs no more than a browser session of their own."""
    server = Server(tmp_path_factory.mktemp("visited"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory, imagenet: Path) -> Iterator[Server]:
    """A server that offers the real classifier, and some of the real photographs."""
    folder = tmp_path_factory.mktemp("real")
    models, photographs = folder / "models", folder / "photographs"
    models.mkdir()
    photographs.mkdir()
    rows = (imagenet / "index.csv").read_text().splitlines(keepends=True)[: 1 + PHOTOGRAPHS]
    (photographs / "index.csv").write_text("".join(rows))
    for row in rows[1:]:
        shutil.copy(imagenet / "images" / row.partition(",")[0], photographs)
    weights = imagenet / "squeezenet1_1-imagenet.safetensors"
    (models / "squeezenet.toml").write_text(f'architecture = "squeezenet1_1"\nweights = "{weights}"\n')
    server = Server(folder, "--models", str(models), "--images", str(photographs))
    yield server
    server.stop()


@pytest.fixture
def page(chromium):
    """A new tab, in which no page has stored anything.

    A traceback on it fails the test, whatever it looked for, and so does asking another computer for anything.
    """
    page = chromium.new_page()
    page.set_default_timeout(60_000)
    foreign = watched(page)
    yield page
    # The browser itself fetches this one, and Playwright does not hear of it.
    icons = page.locator('link[rel*="icon"]').evaluate_all("all => all.map((one) => one.href)")
    foreign += [one for one in icons if is_foreign(one)]
    raised = page.locator('[data-testid="stException"]').count()
    page.evaluate("() => { try { localStorage.clear() } catch {} }")
    page.close()
    chromium.clear_cookies()
    assert raised == 0
    assert foreign == []


def watched(page) -> list[str]:
    """What a tab asks other computers for, as it goes on."""
    foreign: list[str] = []

    def hear(asked) -> None:
        if is_foreign(asked.url):
            foreign.append(asked.url)

    page.on("request", hear)
    page.on("websocket", hear)
    return foreign


def is_foreign(address: str) -> bool:
    """Whether what an address names is on another computer."""
    parts = urlsplit(address)
    return parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in OWN


def settle(page, quiet_ms: int = 200) -> None:
    """Wait until the script has stopped, nothing is stale, and no progress bar is left."""
    page.wait_for_selector(SETTLED)
    for _ in range(300):
        busy = page.locator('[data-stale="true"], [data-testid="stProgress"]').count()
        if not busy and page.locator(SETTLED).count():
            page.wait_for_timeout(quiet_ms)
            if page.locator(SETTLED).count() and not page.locator('[data-testid="stProgress"]').count():
                return
        page.wait_for_timeout(100)
    raise AssertionError("the page did not come to rest")
