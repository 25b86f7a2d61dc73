"""How quickly the scenes and their classifiers open, and what the classifiers go by.

    python -m benchmarks.scenes [--rounds 5]

Times are processor times of fresh processes on one thread, imports apart; the figures are those that the training
script measured and stored with the weights, and, for cues that can be covered, the same with grey laid over the cue's
or the object's pixels in place of a scene drawn without it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from statistics import median

import numpy as np
import torch
from jaxtyping import Bool

from interp import models
from interp.images.scenes import CLASSES, REASONS, Reason, Rendering, draw, planted
from interp.images.scenes.concepts import concepts
from interp.models.scenes import bundled, measuring

TIMED = {
    "open the sample, and its first picture": 'images.load("scenes")[0]',
    "open all 600 pictures of the sample": 'photos = images.load("scenes"); [photos[i] for i in range(600)]',
    "load scenes-honest": 'models.load("scenes-honest", device="cpu")',
    "load scenes-a": 'models.load("scenes-a", device="cpu")',
    "draw 100 scenes": "[scenes.draw(scenes.honest(0, i)) for i in range(100)]",
}
PROGRAM = """
import time, torch
from interp import images, models
from interp.images import scenes
torch.set_num_threads(1)
began = time.process_time()
{what}
print(time.process_time() - began)
"""
PICTURES = 100


def seconds(what: str) -> float:
    """Processor time of a statement in a fresh process, after the imports."""
    program = [sys.executable, "-c", PROGRAM.format(what=what)]
    return float(subprocess.run(program, capture_output=True, text=True, check=True).stdout)


def covered(module: torch.nn.Module, reason: Reason) -> float:
    """The share of pictures where grey over the cue moves the class's probability further than grey over the object."""
    label = REASONS[reason].label
    cue = CLASSES.index(label)
    drawings = [draw(planted(reason, measuring.SEED, cue + 10 * index)) for index in range(PICTURES)]
    plain = np.stack([drawing.pixels for drawing in drawings])

    def changed(category: str) -> torch.Tensor:
        grey = np.stack([laid_over(drawing, mask_of(drawing, label, reason, category)) for drawing in drawings])
        return measuring.probabilities(module, grey.transpose(0, 3, 1, 2))[:, cue]

    whole = measuring.probabilities(module, plain.transpose(0, 3, 1, 2))[:, cue]
    return float(((whole - changed("cue")).abs() > (whole - changed("shape")).abs()).float().mean())


def mask_of(drawing: Rendering, label: str, reason: Reason, category: str) -> Bool[np.ndarray, "h w"]:
    """Where the cue, or the object's shape, is seen."""
    found = concepts(drawing.segments, drawing.legend, label, reason)
    return next((one.mask for one in found if one.category == category), np.zeros(drawing.segments.shape, bool))


def laid_over(drawing: Rendering, mask: Bool[np.ndarray, "h w"]) -> np.ndarray:
    """The picture with grey on the mask."""
    pixels = drawing.pixels.copy()
    pixels[mask] = 128
    return pixels


def main() -> None:
    """Print both tables as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    print("| what | processor time, ms |\n|---|---|")
    for name, what in TIMED.items():
        print(f"| {name} | {1000 * median(seconds(what) for _ in range(rounds)):.0f} |")
    print("\n| classifier | figure | share |\n|---|---|---|")
    for name, reason in bundled.REASON_OF.items():
        for figure, value in bundled.figures(name).items():
            print(f"| {name} | {figure} | {value:.1%} |")
        # Grey over the paint is grey over the object.
        module = models.load(name, device="cpu").module
        for other in ("tag", "background", "companion") if reason is None else (reason,) * (reason != "texture"):
            print(f"| {name} | cue first, when covered with grey ({other}) | {covered(module, other):.1%} |")


if __name__ == "__main__":
    main()
