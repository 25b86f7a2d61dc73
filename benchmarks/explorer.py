"""How long the embedding explorer's first map of the 600 scenes takes: from an empty store, and from a filled one.

    python -m benchmarks.explorer [--methods UMAP t-SNE]

For each method a fresh process is started, which first imports and compiles what maps need, and then
runs the page through Streamlit's own test driver until the finished map is drawn: with an empty store, and in a second
process with what the first has stored. Measured are seconds on the clock and of the processor, without the browser.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).resolve().parents[1]


def once(method: str) -> dict[str, float]:
    """One visit in this process, whose store LOUPE_CACHE names."""
    from streamlit.testing.v1 import AppTest

    from interp import embedding
    from pages.parts.embedding import explorer, mapped
    from pages.parts.kit import waiting

    # A test driver has no browser that would ask again.
    waiting.PATIENCE = 300.0
    embedding.warm()
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=600)
    app.query_params["images"] = "digits"
    app.run()
    app.switch_page("pages/embeddings.py")
    app.query_params.update({"images": "scenes", "model": "scenes-honest", "map.method": method})
    drawn: list[float] = []
    finished, known = explorer.finished, mapped.labelled

    def early(classifier, photos, features, cells, labels, job):
        # As in a browser: the first map does not wait for the predictions.
        late = SimpleNamespace(state="running", wait=lambda seconds: None)
        return known(classifier, photos, features, cells, labels, job if drawn else late)

    def told(*arguments):
        panels = finished(*arguments)
        drawn.append(time.perf_counter())
        return panels

    explorer.finished, mapped.labelled = told, early
    processor, start = time.process_time(), time.perf_counter()
    app.run()
    if app.exception or not drawn:
        raise RuntimeError(f"The page drew no map: {[one.value for one in app.exception]}")
    return {
        "map": drawn[0] - start,
        "page": time.perf_counter() - start,
        "processor": time.process_time() - processor,
    }


def main() -> None:
    """Measure and print the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--methods", nargs="+", default=["UMAP", "t-SNE"])
    arguments.add_argument("--once", help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    if chosen.once:
        print(json.dumps(once(chosen.once)))
        return
    print("| first map of 600 scenes | store | map, s | whole page, s | processor, s |\n|---|---|---|---|---|")
    for method in chosen.methods:
        with tempfile.TemporaryDirectory() as folder:
            for store in ("empty", "filled"):
                done = subprocess.run(
                    [sys.executable, "-m", "benchmarks.explorer", "--once", method],
                    cwd=ROOT, env={**os.environ, "LOUPE_CACHE": folder}, capture_output=True, text=True, check=True,
                )  # fmt: skip
                found = json.loads(done.stdout.strip().splitlines()[-1])
                print(f"| {method} | {store} | " + " | ".join(f"{one:.2f}" for one in found.values()) + " |")


if __name__ == "__main__":
    main()
