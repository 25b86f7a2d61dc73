"""Every unit of a layer removed alone: how fast, beside a full forward pass for each image and unit.

    python -m benchmarks.units_ablation [--images 600] [--rounds 3] [--model scenes-honest] [--set scenes] [--together]

For each block end the pass over so many images, and full forward passes, in the batches of methods, with a hook
that zeroes the unit: of these a sample in the same round, of which the time for all follows. Ratios are
medians of the rounds' own; the effects of the sample are compared. With --together instead the processor's time of a
tally and of the ablation, each in a pass of its own, and of both in one, the least of the rounds.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np
import torch

from interp import images, models, set_pass
from interp.models import hooks, inputs
from interp.passes.target_score import TargetScore
from interp.types import Classifier, Layer
from interp.units.ablation import CHUNK, UnitAblation
from interp.units.ablation_sums import UNIT, AblationSums
from interp.units.counting import UnitPass
from interp.units.tally import UnitTally

SAMPLE = 320


def full_forwards(
    classifier: Classifier, photos: images.ImageSet, layer: Layer, positions: np.ndarray
) -> tuple[float, int, float]:
    """Seconds and number of full passes for all units of some images, and the sum of the own logits' changes."""
    batch = inputs.read(classifier, photos, positions.tolist())
    labels = [classifier.labels.index(str(photos.labels[one])) for one in positions]
    size = TargetScore.of(classifier, batch, 0).forward_batch_size
    start, total, count = time.perf_counter(), 0.0, 0
    for row, own in enumerate(labels):
        whole = classifier.module(batch.pixels[row : row + 1])[0, own]
        for some in torch.arange(layer.channels).split(size):
            keep = torch.ones(len(some), layer.channels, 1, 1)
            keep[torch.arange(len(some)), some] = 0
            with hooks.replaced(classifier, layer.name, lambda output, keep=keep: output * keep):
                left = classifier.module(batch.pixels[row : row + 1].expand(len(some), -1, -1, -1))
            total += float((left[:, own] - whole).double().sum())
            count += len(some)
    return time.perf_counter() - start, count, total


def ours(
    classifier: Classifier, photos: images.ImageSet, layer: Layer, positions: np.ndarray
) -> tuple[float, AblationSums]:
    """Seconds of the pass over the images, decoding included, and its sums."""
    start = time.perf_counter()
    steps = set_pass.by_chunks(UnitPass(CHUNK), classifier, photos, (UnitAblation(layer.name),), positions)
    found = set_pass.returned(steps)[0].value
    return time.perf_counter() - start, found


def together(
    classifier: Classifier, photos: images.ImageSet, layer: Layer, positions: np.ndarray, rounds: int
) -> list[float]:
    """The processor's seconds of the tally, of the ablation, and of both in one pass."""
    tally, ablation = UnitTally(layer.name), UnitAblation(layer.name)
    taken = []
    for _ in range(rounds):
        row = []
        for items in ([tally], [ablation], [tally, ablation]):
            start = time.process_time()
            set_pass.returned(set_pass.by_chunks(UnitPass(CHUNK), classifier, photos, items, positions))
            row.append(time.process_time() - start)
        taken.append(row)
    return np.min(taken, axis=0).tolist()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", default="scenes-honest")
    parser.add_argument("--set", default="scenes")
    parser.add_argument("--layers", nargs="*")
    parser.add_argument("--together", action="store_true")
    given = parser.parse_args()
    classifier, photos = models.load(given.model, device="cpu"), images.load(given.set)
    positions = set_pass.evenly(len(photos), given.images)
    named = [classifier.layer(one) for one in given.layers] if given.layers else classifier.layers
    chosen = [layer for layer in named if layer.block_end or given.layers]
    if given.together:
        print("| layer | images | tally | ablation | both in one |\n" + "|---" * 5 + "|")
        for layer in chosen:
            times = together(classifier, photos, layer, positions, given.rounds)
            print(f"| {layer.name} | {len(positions)} | {' | '.join(f'{one:.1f}' for one in times)} |", flush=True)
        return
    print(
        "| layer | units | images | ours, s | full passes timed | full passes for all, s | times | mean change of the "
        "own class's logit, ours | full passes |\n" + "|---" * 9 + "|"
    )
    with torch.no_grad():
        for layer in chosen:
            sample = positions[: max(1, SAMPLE // layer.channels)]
            taken, extrapolated, ratios = [], [], []
            ours(classifier, photos, layer, sample)
            for _ in range(given.rounds):
                seconds, found = ours(classifier, photos, layer, positions)
                slow, count, change = full_forwards(classifier, photos, layer, sample)
                taken.append(seconds)
                extrapolated.append(slow / count * len(positions) * layer.channels)
                ratios.append(extrapolated[-1] / seconds)
            _, alone = ours(classifier, photos, layer, sample)
            pairs = layer.channels * len(sample)
            print(
                f"| {layer.name} | {layer.channels} | {int(found.images.sum())} | {statistics.median(taken):.1f} | "
                f"{count} | {statistics.median(extrapolated):.0f} | {statistics.median(ratios):.1f} | "
                f"{alone.logit_change.sum() * UNIT / pairs:.5f} | {change / pairs:.5f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
