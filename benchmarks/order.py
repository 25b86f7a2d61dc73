"""When fifteen visitors who ask different saliency comparisons at one instant have their first map, and their last.

The first is that of the first method: the control, which needs no pass of the network, does not count.

    python -m benchmarks.order [--model NAME --models FOLDER --images FOLDER]
    python -m benchmarks.order --before OTHER                     # another checkout too, in turns

Each asks for the methods that the page opens with, of a photograph of their own, with an empty store. Without Streamlit
here, so that only the order of work is measured. One process for each run.
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

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
METHODS = ("Gradient", "Integrated Gradients", "Grad-CAM", "Occlusion")


def ask(model: str, models_folder: Path | None, images: str, visitors: int) -> dict[str, list[float]]:
    """The seconds until each visitor's first map and until the last, in this process."""
    import cache
    from interp import attribution, models
    from interp import images as sets
    from interp.models import inputs

    classifier = models.load(model, folder=models_folder)
    photos = sets.load(images)
    methods = tuple(attribution.METHODS[title]() for title in METHODS)
    batches = [inputs.read(classifier, photos, (position,)) for position in range(visitors + 1)]
    targets = [int(classifier.logits(batch).argmax()) for batch in batches]
    calls = [
        cache.call(attribution.compare, classifier, batch, target, methods)
        for batch, target in zip(batches, targets, strict=True)
    ]
    # What is compiled and allocated at the first comparison is nobody's.
    cache.get(calls.pop(), disk=False)
    people = [cache.Visitor() for _ in calls]
    start = time.perf_counter()
    jobs = [person.ask("maps", call) for person, call in zip(people, calls, strict=True)]
    first, last = [0.0] * visitors, [0.0] * visitors
    while not all(last):
        for place, job in enumerate(jobs):
            now = time.perf_counter() - start
            first[place] = first[place] or now * (len(job.partial) > 1)
            last[place] = last[place] or now * (job.state == "done")
        time.sleep(0.02)
    return {"first": first, "last": last}


def _in_a_process(root: Path, given: argparse.Namespace) -> dict[str, list[float]]:
    command = [sys.executable, str(Path(__file__).resolve()), "--once", "--model", given.model]
    command += ["--images", given.images, "--visitors", str(given.visitors)]
    command += ["--models", str(given.models)] if given.models else []
    with tempfile.TemporaryDirectory() as store:
        environment = {**os.environ, "LOUPE_CACHE": store, "PYTHONPATH": str(root)}
        done = subprocess.run(command, cwd=root, env=environment, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Measure and print a Markdown table, in seconds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", type=Path, help="the folder of another checkout: compare, in turns")
    parser.add_argument("--model", default="scenes-honest")
    parser.add_argument("--models", type=lambda text: Path(text).resolve())
    parser.add_argument("--images", default="scenes")
    parser.add_argument("--visitors", type=int, default=15)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--once", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.once:
        print(json.dumps(ask(given.model, given.models, given.images, given.visitors)))
        return
    print("| order | everyone's first map | done: median | done: last | median of last |\n|---|---|---|---|---|")
    for _ in range(given.runs):
        for name, root in (("before", given.before), ("now", ROOT)):
            if root:
                taken = _in_a_process(root.resolve(), given)
                middle, last = float(np.median(taken["last"])), max(taken["last"])
                print(
                    f"| {name} | {max(taken['first']):.1f} | {middle:.1f} | {last:.1f} | {middle / last:.2f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
