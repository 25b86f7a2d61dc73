"""What uploads cost the server: its memory and its disk before, with them, after they are removed, and after closing.

    python -m benchmarks.uploads [--files 8] [--megabytes 45] [--after 60] [--crowd 0]

A browser opens a page of a server of its own, gives it so many noise pictures in one go, removes what was kept, gives
them again, and closes; `after` seconds after each of the two the memory is read again, and after closing the disk every
fifteen seconds until nothing is left. With `--crowd` it measures instead how long the reruns of so many other visitors
take, alone, and while one uploads bombs (25 million columns in 49 kB) and another gives and removes a file. Needs
Chromium and playwright.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import shutil
import struct
import tempfile
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.reruns import ROOT, Server, serve
from benchmarks.websocket import Tab

PAGE, QUERY = "saliency", "methods=Gradient&model=scenes-honest"
INPUT = ".st-key-uploads input[type=file]"
SETTLED = '[data-testid="stApp"][data-test-script-state="notRunning"]'
PROBES = 3
SECONDS = 20


def main() -> None:
    """Measure, and print the numbers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=8)
    parser.add_argument("--megabytes", type=int, default=45)
    parser.add_argument("--after", type=float, default=60)
    parser.add_argument("--crowd", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        pictures = [noise(Path(place) / f"noise-{i}.bmp", given.megabytes, seed=i) for i in range(given.files)]
        bomb = Path(place) / "bomb.png"
        bomb.write_bytes(columns())
        kept = Path(place) / "kept"
        kept.mkdir()
        os.environ["TMPDIR"] = str(kept)
        with serve(ROOT / "app.py", []) as server, sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            if given.crowd:
                crowd(server, browser, [bomb, *pictures[:1]], clients=given.crowd)
            else:
                memory(server, browser, pictures, kept, after=given.after)
            browser.close()


def memory(server: Server, browser: Browser, pictures: list[Path], kept: Path, *, after: float) -> None:
    """Print the server's memory and disk at each step of one visitor."""
    page = opened(server, browser)
    before = resident(server)
    say("before", server, kept, before)
    for turn in ("first", "second"):
        peak = Peak(server)
        page.set_input_files(INPUT, pictures)
        page.get_by_text("not kept").wait_for(timeout=300_000)
        page.locator('.st-key-images input[value^="Your uploads"]').wait_for(timeout=300_000)
        settle(page)
        say(f"uploaded, {turn} time (peak {peak.stop() - before:+,.0f} MB)", server, kept, before)
        if turn == "first":
            remove(page)
            say("removed", server, kept, before)
            time.sleep(after)
            say(f"removed, after {after:.0f} s", server, kept, before)
    page.context.close()
    time.sleep(after)
    say(f"closed, after {after:.0f} s", server, kept, before)
    waited = after
    while any(kept.rglob("loupe-uploads-*/*")) and waited < 300:
        time.sleep(15)
        waited += 15
    say(f"closed, after {waited:.0f} s", server, kept, before)


def crowd(server: Server, browser: Browser, files: list[Path], *, clients: int) -> None:
    """Print the time of the others' reruns, alone and beside two who upload bombs, and give and remove files."""
    one, other = opened(server, browser), opened(server, browser)
    medians = []
    # Playwright has the main thread's event loop.
    with ThreadPoolExecutor(1) as thread:
        for busy in (False, True):
            measured = thread.submit(lambda: asyncio.run(reruns(server, clients, seconds=SECONDS)))
            while busy and not measured.done():
                one.set_input_files(INPUT, files[0])
                other.set_input_files(INPUT, files[1])
                one.get_by_text("not kept").wait_for(timeout=120_000)
                remove(other)
            medians.append(1e3 * float(np.median(measured.result())))
    print(f"reruns of {clients} others: median {medians[0]:.0f} ms alone, {medians[1]:.0f} ms beside the two")


async def reruns(server: Server, clients: int, *, seconds: float) -> list[float]:
    """The seconds that each rerun takes of visitors who rerun their page one after another."""
    async with AsyncExitStack() as stack:
        tabs = [await stack.enter_async_context(Tab(server.port, PAGE, QUERY)) for _ in range(clients)]
        for tab in tabs:
            await tab.settle()
        end, found = time.perf_counter() + seconds, []
        while time.perf_counter() < end:
            for tab in tabs:
                found.append(await tab.rerun())
        return found


class Peak:
    """The most memory that the server takes, read every 50 ms until it is stopped."""

    def __init__(self, server: Server) -> None:
        self._server, self._most, self._done = server, 0.0, threading.Event()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def stop(self) -> float:
        """The most, in MB."""
        self._done.set()
        self._thread.join()
        return self._most

    def _read(self) -> None:
        while not self._done.wait(0.05):
            self._most = max(self._most, resident(self._server))


def opened(server: Server, browser: Browser) -> Page:
    """A new visitor, whose page has come to rest."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(f"http://localhost:{server.port}/{PAGE}?{QUERY}")
    page.wait_for_selector(".st-key-comparison .js-plotly-plot", timeout=120_000)
    settle(page)
    return page


def remove(page: Page) -> None:
    """Remove all of a visitor's uploads as soon as they are there."""
    page.locator('.st-key-images input[value^="Your uploads"]').wait_for(timeout=120_000)
    settle(page)
    # It stays open from one time to the next.
    if not page.locator(".st-key-uploads-remove-all").count():
        page.locator(".st-key-uploads-list summary").click()
    page.locator(".st-key-uploads-remove-all button").click()
    page.locator('.st-key-images input[value^="Scenes"]').wait_for(timeout=120_000)
    settle(page)


def settle(page: Page) -> None:
    """Wait until the script has not run for half a second."""
    for _ in range(PROBES):
        page.wait_for_selector(SETTLED, timeout=300_000)
        page.wait_for_timeout(500 / PROBES)


def say(step: str, server: Server, kept: Path, before: float) -> None:
    """Print one line."""
    print(f"{step:48} {resident(server) - before:+8,.0f} MB memory {disk(kept):8,.0f} MB disk", flush=True)


def resident(server: Server) -> float:
    """The server's resident memory, in MB."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1e3


def disk(kept: Path) -> float:
    """The uploads that lie in the folder, in MB."""
    return sum(one.stat().st_size for one in kept.rglob("loupe-uploads-*/*")) / 1e6


def noise(path: Path, megabytes: int, *, seed: int) -> Path:
    """A picture of this size on disk."""
    side = int((megabytes * 1e6 / 3) ** 0.5)
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def columns() -> bytes:
    """A PNG of 25 million columns and two rows, in some fifty kilobytes."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    packed, rows = io.BytesIO(), zlib.compressobj(9)
    for _ in range(2):
        packed.write(rows.compress(bytes(1 + 25_000_000)))
    packed.write(rows.flush())
    header = struct.pack(">IIBBBBB", 25_000_000, 2, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed.getvalue()) + chunk(b"IEND", b"")


if __name__ == "__main__":
    main()
