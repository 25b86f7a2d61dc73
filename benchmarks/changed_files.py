"""What a change in a set of 5,000 files costs: how many images run through the network again, for each pass.

    python -m benchmarks.changed_files [--count 5000]

Makes a set of small pictures with labels and marks, runs every pass over it, and again after one file, one mark and
one label have changed.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

import cache
from interp import images, models, set_pass
from interp.attribution import GradCam
from interp.channels.over_set import AttributionPass, SetTarget
from interp.embedding import FeaturePass, Representation
from interp.shared_interest import Explanation, ExplanationPass, Scoring
from interp.types import Classifier

CLASSES = ("3", "5", "8")
# Files that are younger than the clock's tick are known by their content, which would cost a reading.
TICK_SECONDS = 2.1


def write(folder: Path, count: int) -> None:
    """Pictures of noise, an index of labels, and a COCO file of boxes."""
    rng = np.random.default_rng(0)
    for number in range(count):
        Image.fromarray(rng.integers(0, 256, (24, 24, 3), dtype=np.uint8)).save(folder / f"{number:05}.png")
    write_labels(folder, [number % 3 for number in range(count)])
    write_marks(folder, [[number % 9, 3, 10, 12] for number in range(count)])


def write_labels(folder: Path, labels: list[int]) -> None:
    """The index, a row for each picture."""
    rows = [f"{number:05}.png,{CLASSES[label]}" for number, label in enumerate(labels)]
    (folder / "index.csv").write_text("\n".join(["file,label", *rows]))


def write_marks(folder: Path, boxes: list[list[int]]) -> None:
    """The COCO file, a box for each picture."""
    content = {
        "images": [{"id": i, "file_name": f"{i:05}.png", "width": 24, "height": 24} for i in range(len(boxes))],
        "annotations": [{"id": i, "image_id": i, "category_id": i % 3, "bbox": box} for i, box in enumerate(boxes)],
        "categories": [{"id": place, "name": name} for place, name in enumerate(CLASSES)],
    }
    (folder / "instances.json").write_text(json.dumps(content))


def row(change: str, folder: Path, classifier: Classifier, ran: list[int]) -> str:
    """A row of the table: how many images each pass runs, and the seconds that it takes."""
    time.sleep(TICK_SECONDS)
    photos, cells = images.load(folder), [change]
    layer = classifier.last_spatial_layer.name
    works = (
        (FeaturePass(), Representation(layer), None),
        (AttributionPass(), SetTarget(layer, "label"), None),
        (ExplanationPass(), Explanation(GradCam(layer=layer), "label"), Scoring()),
    )
    for work, item, collecting in works:
        ran.clear()
        begun = time.perf_counter()
        given = (work, classifier, photos, (item,))
        set_pass.returned(set_pass.by_chunks(*given, kept=cache.CachedItems(), collecting=collecting))
        cells.append(f"{sum(ran):,} ({time.perf_counter() - begun:.1f} s)")
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=5000)
    count = parser.parse_args().count
    classifier: Classifier = models.load("digits")
    ran: list[int] = []
    classifier.module.register_forward_pre_hook(lambda module, given: ran.append(len(given[0])))
    print("| change | features | channels | Shared Interest, two passes an image |")
    print("|---|---|---|---|")
    with tempfile.TemporaryDirectory() as store, tempfile.TemporaryDirectory() as pictures:
        os.environ["LOUPE_CACHE"], folder = store, Path(pictures)
        write(folder, count)
        for change in ("everything, from an empty store", "nothing"):
            print(row(change, folder, classifier, ran), flush=True)
        Image.new("RGB", (24, 24), "red").save(folder / f"{count // 2:05}.png")
        print(row("one file", folder, classifier, ran), flush=True)
        boxes = [[number % 9, 3, 10, 12] for number in range(count)]
        boxes[4 * count // 5] = [0, 0, 20, 20]
        write_marks(folder, boxes)
        print(row("one mark", folder, classifier, ran), flush=True)
        labels = [number % 3 for number in range(count)]
        labels[count // 7] = (labels[count // 7] + 1) % 3
        write_labels(folder, labels)
        print(row("one label", folder, classifier, ran), flush=True)


if __name__ == "__main__":
    main()
