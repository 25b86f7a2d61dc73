"""Whether 50,000 points on two linked maps stay usable in a browser: what travels, and how long a selection takes.

    python -m benchmarks.maps [--points 50000]

Starts a Streamlit script with nothing but the maps, opens it in Chromium, and draws around part of the points four
times: from letting go of the pointer to the text that the server wrote about the selection.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import streamlit as st

ROOT = Path(__file__).resolve().parents[1]
COUNT = "LOUPE_BENCHMARK_POINTS"
TOLD = '[data-testid="stText"]'


def script() -> None:
    """The page: two maps of made-up clusters, and what is selected."""
    from pages.parts.embedding import maps

    @st.cache_resource
    def made(count: int):
        random = np.random.default_rng(0)
        classes = random.integers(20, size=count)
        clusters = [
            (random.normal(size=(count, 2)) + 8 * random.normal(size=(20, 2))[classes]).astype(np.float32)
            for _ in range(2)
        ]
        names = tuple(f"image {one}" for one in range(count))
        texts = tuple(f"labelled {one}" for one in classes)
        panels = tuple(maps.Panel(title, points) for title, points in zip(("One", "Two"), clusters, strict=True))
        colours = maps.Classes(classes, tuple(f"class {one}" for one in range(20)), title="Class")
        return panels, maps.HoverTexts(names, texts=texts), colours

    choice = maps.draw(*made(int(os.environ[COUNT])), key="maps")
    st.text(f"{len(choice.selected)} selected")
    st.button("Once more")


def measure(count: int) -> str:
    """A row of the table."""
    from playwright.sync_api import sync_playwright

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", __file__, "--server.headless=true", f"--server.port={port}"]
    environment = {**os.environ, COUNT: str(count), "PYTHONPATH": str(ROOT)}
    server = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        with sync_playwright() as driver:
            executable = shutil.which("chromium") or shutil.which("google-chrome")
            browser = driver.chromium.launch(executable_path=executable, args=["--no-sandbox"])
            return _driven(browser.new_page(viewport={"width": 1440, "height": 1000}), port, count)
    finally:
        server.terminate()


def _driven(page, port: int, count: int) -> str:
    received = [0]

    def add(frame) -> None:
        received[0] += len(frame)

    page.on("websocket", lambda opened: opened.on("framereceived", add))
    for _ in range(100):
        try:
            page.goto(f"http://localhost:{port}")
            break
        except Exception:
            time.sleep(0.2)
    page.wait_for_selector("canvas.base")
    page.wait_for_timeout(4000)
    first = received[0]
    box = page.locator("canvas.over").first.bounding_box()
    page.get_by_role("button", name="Draw around").click()
    taken = []
    for place in range(4):
        left = 0.1 + 0.1 * place
        before = page.locator(TOLD).inner_text()
        page.mouse.move(box["x"] + box["width"] * left, box["y"] + 8)
        page.mouse.down()
        for right, down in ((0.95, 0.02), (0.95, 0.95), (left, 0.95)):
            page.mouse.move(box["x"] + right * box["width"], box["y"] + down * box["height"], steps=5)
        start = time.perf_counter()
        page.mouse.up()
        page.wait_for_function(f"told => document.querySelector('{TOLD}').innerText !== told", arg=before, polling=10)
        taken.append(time.perf_counter() - start)
        page.wait_for_timeout(1500)
    before = received[0]
    page.get_by_role("button", name="Once more").click()
    page.wait_for_timeout(3000)
    again = received[0] - before
    return f"| {count:,} | {statistics.median(taken):.2f} | {max(taken):.2f} | {first / 1e6:.1f} | {again / 1e3:.1f} |"


def main() -> None:
    """Measure and print the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--points", type=int, nargs="+", default=[50_000])
    print(
        "| points on two maps | selection, s | slowest of 4, s | first payload, MB | rerun that changes nothing, kB |"
    )
    print("|---|---|---|---|---|")
    for count in arguments.parse_args().points:
        print(measure(count))


if st.runtime.exists():
    script()
elif __name__ == "__main__":
    main()
