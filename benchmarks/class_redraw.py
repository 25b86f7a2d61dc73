"""How long the browser takes from choosing another class until its graph is drawn, everything computed before.

    python -m benchmarks.class_redraw [--classes 10] [--query "cs.view=Class graph"]

Chromium and server share the machine. Each class is chosen twice from the list, as a person does; of the second time
the clock runs in the page, from the press on the class's name until the drawing is about it and has been painted.
"""

from __future__ import annotations

import argparse

import numpy as np
from playwright.sync_api import Page

from benchmarks.first_visit import chromium
from benchmarks.reruns import ROOT, serve

# Looks through the shadow roots that components live in.
WATCH = """() => {
  const found = [];
  const seek = (root) => {
    for (const one of root.querySelectorAll('*')) {
      if (one.matches('svg[aria-label*="graph"]')) found.push(one);
      if (one.shadowRoot) seek(one.shadowRoot);
    }
  };
  seek(document);
  window.pressed = () => { window.since = performance.now(); window.took = null; };
  document.addEventListener('pointerdown', window.pressed, true);
  new MutationObserver(() => requestAnimationFrame(() => setTimeout(() => {
    window.took ??= performance.now() - window.since;
  }))).observe(found[0], {attributeFilter: ['aria-label']});
}"""


def choose(page: Page, place: int) -> float:
    """Choose the class at this place of the list; gives the milliseconds until its graph is there."""
    page.get_by_role("combobox", name="Class", exact=True).click()
    page.wait_for_timeout(600)
    page.evaluate("window.took = null")
    page.get_by_role("option").nth(place).click()
    page.wait_for_function("window.took !== null", polling=20)
    took = page.evaluate("window.took")
    page.wait_for_timeout(1200)
    return took


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--query", default="")
    parser.add_argument("arguments", nargs="*", help="after --: passed on to the app")
    given = parser.parse_args()
    with chromium() as browser, serve(ROOT / "app.py", given.arguments) as server:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"http://localhost:{server.port}/class_summary?{given.query}")
        page.get_by_text("How to read this").wait_for(timeout=120_000)
        # Till libraries that some view needs are loaded, too.
        page.wait_for_timeout(20_000)
        page.evaluate(WATCH)
        order = [*range(1, given.classes), 0]
        for one in order:
            choose(page, one)
            page.wait_for_selector('[data-testid="stMain"] [role="progressbar"]', state="detached", timeout=120_000)
        before = server.processor()
        taken = [choose(page, one) for one in order]
        each = 1000 * (server.processor() - before) / len(taken)
    middle, late, most = np.percentile(taken, [50, 95, 100])
    print(f"{len(taken)} classes: median {middle:.0f} ms, 95th percentile {late:.0f}, most {most:.0f}; ", end="")
    print(f"the server's processor time each {each:.0f} ms")


if __name__ == "__main__":
    main()
