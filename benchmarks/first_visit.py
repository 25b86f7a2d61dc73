"""How long a first visit takes, as a person sees it: Chromium and server on the same cores, nothing computed before.

    python -m benchmarks.first_visit [--pages app saliency] [--query "model=NAME&images=NAME"] [-- --models FOLDER ...]
    python -m benchmarks.first_visit --before OTHER/app.py        # another checkout, page by page in turns

For each page a server of its own is started, with an empty store. `--cold` opens the page as the first thing that the
server does; else somebody has opened it some seconds before with another classifier (`--warm`). Printed are the seconds
until the first result is on the screen (a chart, a picture or a number), until the page is complete (nothing runs, and
no progress is shown, and it stays so), and until it is complete when it is opened again in a new tab.
"""

from __future__ import annotations

import argparse
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, sync_playwright

from benchmarks.reruns import ROOT, Server, serve

PAGES = ("app", "saliency", "embeddings", "shared_interest", "channel_attribution", "feature_visualization")
# Between two visitors: a server that nobody asks for anything loads libraries that some view needs.
PAUSE = 12.0
# A page that is complete stays so.
STAYS = 1.5
LOOK = 0.05
# What of a page is a result: charts, pictures and numbers beside the sidebar.
STATE = """() => {
  const app = document.querySelector('[data-testid="stApp"]');
  const main = document.querySelector('[data-testid="stMain"]');
  if (!app || !main) return [false, false, ''];
  const seen = (one) => { const box = one.getBoundingClientRect(); return box.width > 20 && box.height > 20; };
  const drawn = '.js-plotly-plot .main-svg, img, canvas, iframe, [data-testid="stMetric"]';
  const results = drawn + ', [data-testid*="BidiComponent"]';
  const there = [...main.querySelectorAll(results)].filter(seen).length;
  const waits = main.querySelector('[data-testid="stProgress"], [data-testid="stSkeleton"]');
  const idle = app.getAttribute('data-test-script-state') === 'notRunning' && !waits;
  return [there > 0, idle && there > 0, there + ' ' + main.innerText.length];
}"""


@dataclass(frozen=True)
class Visit:
    """The seconds from opening a page until something of its result was seen, and until all was."""

    first: float
    complete: float


def visit(context: BrowserContext, address: str, *, patience: float, picture: Path | None = None) -> Visit:
    """Open an address in a new tab. What is not complete after `patience` seconds is counted as that many."""
    page = context.new_page()
    try:
        return _watched(page, address, patience)
    finally:
        if picture:
            page.screenshot(path=picture, full_page=True)
        page.close()


def _watched(page: Page, address: str, patience: float) -> Visit:
    start = time.perf_counter()
    page.goto(address, wait_until="commit")
    first, since, before = patience, 0.0, ""
    while (now := time.perf_counter() - start) < patience:
        there, complete, content = page.evaluate(STATE)
        if there and first == patience:
            first = now
        if not complete or content != before:
            since = now
        if complete and now - since > STAYS:
            return Visit(first, since)
        before = content
        time.sleep(LOOK)
    return Visit(first, patience)


@contextmanager
def chromium() -> Iterator[Any]:
    """Debian's browser, in which each visit has a context of its own."""
    executable = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-quic"])
        yield browser
        browser.close()


def measured(browser: Any, server: Server, page: str, given: argparse.Namespace) -> tuple[Visit, Visit]:
    """The first visit of a page, and the second one; the browser has Streamlit's own scripts already."""
    name = "" if page == "app" else page
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    try:
        if not given.cold:
            visit(context, f"http://localhost:{server.port}/{name}?{given.warm}", patience=given.patience)
            time.sleep(PAUSE)
        address = f"http://localhost:{server.port}/{name}?{given.query}"
        picture = given.pictures / f"{page}.png" if given.pictures else None
        first = visit(context, address, patience=given.patience, picture=picture)
        return first, visit(context, address, patience=given.patience)
    finally:
        context.close()


def main() -> None:
    """Measure and print a Markdown table, in seconds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", type=Path, help="the app.py of another checkout, measured in turns")
    parser.add_argument("--app", type=Path, default=ROOT / "app.py")
    parser.add_argument("--pages", nargs="+", default=list(PAGES), help="'app' is the first page")
    parser.add_argument("--query", default="", help="what the address says, such as model=NAME&images=NAME")
    parser.add_argument("--warm", default="model=scenes-c", help="the address with which others have opened the pages")
    parser.add_argument("--cold", action="store_true", help="nobody has opened a page before")
    parser.add_argument("--patience", type=float, default=150.0, help="the most seconds that a visit is watched")
    parser.add_argument("--pictures", type=Path, help="a folder for screenshots of the first visits")
    parser.add_argument("arguments", nargs="*", help="after --: passed on to the app")
    given = parser.parse_args()
    print("| page | checkout | first result, s | complete, s | second visit, s |\n|---|---|---|---|---|")
    apps = [("before", given.before)] * bool(given.before) + [("now", given.app)]
    with chromium() as browser:
        for page in given.pages:
            for checkout, app in apps:
                with serve(app.resolve(), given.arguments) as server:
                    first, second = measured(browser, server, page, given)
                print(
                    f"| {page} | {checkout} | {first.first:.1f} | {first.complete:.1f} | {second.complete:.1f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
