"""What a fresh server costs: the imports of each page, and views whose libraries the idle server loads meanwhile.

    python -m benchmarks.starting [imports] [views] [--before OTHER/CHECKOUT] [--rounds 3] [--rest 30]

imports: processor time of a fresh process that imports what a page does, lists the classifiers, and loads a bundled
one.
views: a server that somebody has opened and left for `--rest` seconds; then the first visit of a view that needs UMAP,
and of one that makes pictures, in Chromium: seconds until the first result is seen and until all is (the benchmark of
first visits does the same for pages on a server that has just begun). With `--before` in turns with another checkout.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.reruns import ROOT, serve

PROGRAM = """
import ast, sys, time
sys.path.insert(0, ".")
page = ast.parse(open(sys.argv[1]).read())
imports = ast.Module([one for one in page.body if isinstance(one, (ast.Import, ast.ImportFrom))], [])
begun = time.process_time()
exec(compile(imports, sys.argv[1], "exec"))
from interp import models
models.available()
models.load("scenes-honest")
print(time.process_time() - begun, len(sys.modules))
"""
VIEWS = {
    "UMAP of 60 scenes": "embeddings?map.method=UMAP&images=scenes:60",
    "pictures of digits' channels": "feature_visualization?model=digits&images=digits&fv.quality=Preview",
}


def imports(checkouts: dict[str, Path], rounds: int) -> None:
    """A row for each page, with the least of some rounds."""
    print(f"| page | {' | '.join(f'{name}, s | {name}, modules' for name in checkouts)} |")
    print("|---" * (1 + 2 * len(checkouts)) + "|")
    for page in ("app.py", *sorted(f"pages/{path.name}" for path in (ROOT / "pages").glob("*.py"))):
        found: dict[str, list[tuple[float, int]]] = {name: [] for name in checkouts}
        for _ in range(rounds):
            for name, folder in checkouts.items():
                command = [sys.executable, "-c", PROGRAM, page]
                environment = os.environ | {"OMP_NUM_THREADS": "1"}
                said = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
                seconds, modules = said.stdout.split()
                found[name].append((float(seconds), int(modules)))
        cells = (f"{min(found[name])[0]:.2f} | {min(found[name])[1]:,}" for name in checkouts)
        print(f"| {page} | {' | '.join(cells)} |", flush=True)


def views(checkouts: dict[str, Path], rest: float) -> None:
    """A row for each view and checkout, each on a server of its own."""
    from benchmarks.first_visit import chromium, visit

    print("| view | checkout | first result, s | complete, s |\n|---|---|---|---|")
    with chromium() as browser:
        for title, address in VIEWS.items():
            for name, folder in checkouts.items():
                with serve(folder / "app.py", []) as server:
                    context = browser.new_context(viewport={"width": 1280, "height": 900})
                    visit(context, f"http://localhost:{server.port}/", patience=60)
                    time.sleep(rest)
                    seen = visit(context, f"http://localhost:{server.port}/{address}", patience=60)
                    context.close()
                print(f"| {title} | {name} | {seen.first:.1f} | {seen.complete:.1f} |", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """From the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.starting", description=__doc__.split("\n")[0])
    parser.add_argument("what", nargs="*", default=["imports", "views"])
    parser.add_argument("--before", type=Path, help="another checkout, measured in turns")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rest", type=float, default=30.0, help="seconds that the server is left alone")
    given = parser.parse_args(arguments)
    checkouts = ({"before": given.before.resolve()} if given.before else {}) | {"now": ROOT}
    if "imports" in given.what:
        imports(checkouts, given.rounds)
    if "views" in given.what:
        views(checkouts, given.rest)


if __name__ == "__main__":
    main()
