"""Images like a cell: what finding them costs beside a forward pass, and how often they are of the cell's own class.

    python -m benchmarks.unit_likeness [--images 300]

On scenes-honest. The cell is the one with the longest vector, of two pictures of each class.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch

from interp import images, models, set_pass
from interp.channels.cells import block_of
from interp.images import ImageSet
from interp.models import hooks, inputs
from interp.types import Classifier
from interp.units import CellLikeness, UnitPass, cell_vectors
from interp.units.concepts import KnownConcepts
from interp.units.counts import Batch

LAYERS = ("conv2d0", "mixed3b", "mixed4c", "mixed5b")
BATCH, TIMES = 32, 5
WAYS = {"as strong": ("strength", False), "same pattern": ("pattern", False), "same place": ("strength", True)}


def costs(classifier: Classifier, photos: ImageSet) -> None:
    """Print the processor's time for a batch: the whole forward pass, and the likeness at each layer."""
    pixels = inputs.read(classifier, photos, range(BATCH)).pixels
    batch = Batch(np.arange(BATCH), np.full(BATCH, -1), [KnownConcepts()] * BATCH)
    with torch.no_grad(), hooks.activations(classifier, LAYERS) as taken:
        forward = _least(lambda: classifier.module(pixels))
    for layer in LAYERS:
        maps = taken[layer].detach()
        block = block_of(*maps.shape[2:])
        item = CellLikeness(layer, np.ones(maps.shape[1], np.float32), block=block)
        own = _least(lambda item=item, maps=maps: item.of(classifier, maps, batch))
        print(f"| {layer} | {maps.shape[1]} × {maps.shape[2]} × {maps.shape[3]} | {own / forward:.0%} |", flush=True)


def classes(classifier: Classifier, photos: ImageSet) -> None:
    """Print how many of the 24 images most like a cell are of its class."""
    labels = np.array(photos.labels)
    chosen = [int(one) for label in dict.fromkeys(photos.labels) for one in np.flatnonzero(labels == label)[:2]]
    items, own = [], []
    for layer in LAYERS:
        block = block_of(classifier.layer(layer).height, classifier.layer(layer).width)
        for position in chosen:
            cells = cell_vectors(classifier, photos, position, layer, block)
            row, column = divmod(int(cells.norm(dim=0).argmax()), cells.shape[2])
            vector = cells[:, row, column].numpy()
            for measure, same in WAYS.values():
                at = (row, column) if same else None
                items.append(CellLikeness(layer, vector, at, None, measure, block, own=position))  # pyright: ignore
                own.append(labels[position])
    found = set_pass.returned(set_pass.once(UnitPass(), classifier, photos, items))
    shares = [float((labels[one.value.images] == label).mean()) for one, label in zip(found, own, strict=True)]
    table = np.array(shares).reshape(len(LAYERS), len(chosen), len(WAYS)).mean(axis=1)
    for layer, row in zip(LAYERS, table, strict=True):
        print(f"| {layer} | " + " | ".join(f"{one:.0%}" for one in row) + " |", flush=True)


def _least(run: Callable[[], object]) -> float:
    times = []
    for _ in range(TIMES):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return min(times)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=300)
    given = parser.parse_args()
    torch.set_num_threads(1)
    classifier, photos = models.load("scenes-honest", device="cpu"), images.load(f"scenes:{given.images}")
    costs(classifier, photos)
    classes(classifier, photos)


if __name__ == "__main__":
    main()
