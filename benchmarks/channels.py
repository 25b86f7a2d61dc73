"""Channel attribution: how fast every channel's true effect is measured, and whether planted cues are found.

    python -m benchmarks.channels effects [--rounds 5] [--weights FILE] [--photographs FOLDER]
    python -m benchmarks.channels cues [--count 40]
    python -m benchmarks.channels set [--weights FILE] [--photographs FOLDER]

effects: all channels of 512-channel layers of SqueezeNet zeroed in turn for one photograph, beside one full forward a
channel in batches of the same size, in turns in one run (wall clock; ratios are medians of the rounds' own).
cues: the channels that see a planted cue, found without attribution, for each cue, layer and number of channels.
set: images a second of channel attribution over a set, beside the forward pass with decoding alone.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import torch

from interp import channels, images, models, set_pass
from interp.channels.cues import COUNT, cue_channels
from interp.channels.over_set import AttributionPass, SetTarget
from interp.images.scenes import REASONS
from interp.models import hooks
from interp.passes.target_score import TargetScore
from interp.types import Classifier, Images

SHARED = Path(__file__).resolve().parents[2] / "shared/imagenet"
LAYERS = ("features.12", "features.11")


def full_forwards(classifier: Classifier, batch: Images, target: int, layer: str) -> torch.Tensor:
    """The effect of each channel by a full forward pass with it zeroed."""
    target_score = TargetScore.of(classifier, batch, target)
    channels_ = classifier.layer(layer).channels
    size = target_score.forward_batch_size
    with torch.no_grad():
        whole = classifier.logits(batch)[0, target]
        left = []
        for some in torch.arange(channels_).split(size):
            keep = torch.ones(len(some), channels_, 1, 1)
            keep[torch.arange(len(some)), some] = 0
            with hooks.replaced(classifier, layer, lambda output, keep=keep: output * keep):
                left.append(classifier.logits(Images(batch.pixels.expand(len(some), -1, -1, -1), ("",) * len(some))))
    return whole - torch.cat(left)[:, target]


def measured_effects(classifier: Classifier, folder: Path, rounds: int) -> None:
    """Print the table of speeds."""
    photos = images.load(str(folder))
    batch = classifier.prepare([photos[0].image], [photos.names[0]])
    target = int(classifier.logits(batch).argmax())
    print(
        "| layer | channels | active | ours, s | one full forward a channel, s | times | largest difference, logits |"
    )
    print("|---" * 7 + "|")
    for layer in LAYERS:
        ours, theirs, ratios, off = [], [], [], 0.0
        channels.effects(classifier, batch, target, layer)
        for _ in range(rounds):
            start = time.perf_counter()
            found = channels.effects(classifier, batch, target, layer).values[0]
            middle = time.perf_counter()
            slow = full_forwards(classifier, batch, target, layer)
            end = time.perf_counter()
            ours.append(middle - start)
            theirs.append(end - middle)
            ratios.append(theirs[-1] / ours[-1])
            off = max(off, float((found - slow).abs().max()))
        active = int((channels.attribute(classifier, batch, target, layer).activations[0] != 0).any(2).any(1).sum())
        shown = [statistics.median(one) for one in (ours, theirs, ratios)]
        print(
            f"| {layer} | {len(found)} | {active} | {shown[0]:.2f} (at most {max(ours):.2f}) | {shown[1]:.1f} | "
            f"{shown[2]:.1f} | {off:.1e} |",
            flush=True,
        )


def cues(count: int) -> None:
    """Print the table of the planted cues."""
    print(
        "| cue | layer | classifier | channels with the largest rise | each among the top five | one of them among the "
        "top five | of the top five tell the cue | place by effect alone | zeroed together | the strongest others |"
    )
    print("|---" * 10 + "|")
    honest = models.load("scenes-honest", device="cpu")
    for reason, planted in REASONS.items():
        biased = models.load(f"scenes-{planted.letter}", device="cpu")
        for layer in ("mixed5a", "mixed5b"):
            for some in (1, 3, 5):
                for classifier in (biased, honest):
                    found = cue_channels(classifier, reason, layer=layer, count=count, some=some)
                    each = ", ".join(f"{one:.0%}" for one in found.among_top)
                    print(
                        f"| {reason} | {layer} | {classifier.name} | {', '.join(map(str, found.seeing))} | {each} | "
                        f"{found.any_among_top:.0%} | {found.top_tells:.0%} | {', '.join(map(str, found.ranks))} | "
                        f"{found.drop:.2f} of {found.score:.2f} | {found.others_drop:.2f} |",
                        flush=True,
                    )


def over_set(classifier: Classifier, folder: Path) -> None:
    """Print images a second."""
    photos = images.load(str(folder))
    print("| layer | images | s | images a second | predictions alone, images a second |\n|---|---|---|---|---|")
    for layer in LAYERS:
        taken = []
        for work in (
            lambda layer=layer: list(set_pass.once(AttributionPass(), classifier, photos, (SetTarget(layer),))),
            lambda: list(models.predict(classifier, photos)),
        ):
            start = time.perf_counter()
            work()
            taken.append(time.perf_counter() - start)
        ours, alone = taken
        print(f"| {layer} | {len(photos)} | {ours:.1f} | {len(photos) / ours:.0f} | {len(photos) / alone:.0f} |")


def main() -> None:
    """Print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("effects", "cues", "set"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--weights", type=Path, default=SHARED / "squeezenet1_1-imagenet.safetensors")
    parser.add_argument("--photographs", type=Path, default=SHARED)
    given = parser.parse_args()
    if given.what == "cues":
        cues(given.count)
        return
    classifier = models.load("squeezenet1_1", weights=given.weights, device="cpu")
    if given.what == "effects":
        measured_effects(classifier, given.photographs, given.rounds)
    else:
        over_set(classifier, given.photographs)


if __name__ == "__main__":
    main()
