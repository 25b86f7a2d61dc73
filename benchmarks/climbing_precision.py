"""What pictures achieve that climb in bfloat16, beside those that climb in float32, and beside another seed.

    python -m benchmarks.climbing_precision scenes-honest digits ../models/squeezenet.toml [--steps 256] [--channels 8]

For each classifier two layers, the middle one of its block ends and the last one with a map. Achieved is measured in
float32 on the finished pictures, without transforms. Times are the process's own, on one thread, and so is the cosine
between the slopes on noise, by which `interp.feature_visualization.slopes` decides.
"""

from __future__ import annotations

import argparse
import time
from unittest.mock import patch

import torch

from interp import feature_visualization as fv
from interp import models
from interp.feature_visualization import slopes
from interp.types import Classifier


def achieved(classifier: Classifier, layer: str, channels: list[int], how: fv.Settings, seed: int, *, rounded: bool):
    """What the pictures achieve, and the seconds of the processor that they take."""
    taken = (lambda one, *rest: slopes.in_bfloat16(one)) if rounded else (lambda one, *rest: one)
    with patch.object(slopes, "climbed", taken):
        begun = time.process_time()
        objectives = [fv.Channel(layer, one) for one in channels]
        made = fv.optimize(
            classifier, objectives, steps=how.steps, parameterization=how.parameterization, seed=seed, frames=()
        )
    return made.values, time.process_time() - begun


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("classifiers", nargs="+")
    parser.add_argument("--steps", type=int, default=256)
    parser.add_argument("--channels", type=int, default=8)
    given = parser.parse_args()
    torch.set_num_threads(1)
    print("| classifier | layer | cosine | bfloat16 ÷ float32: mean, least, most | another seed | time |")
    print("|---|---|---|---|---|---|")
    for name in given.classifiers:
        classifier = models.load(name)
        ends = [one for one in classifier.layers if one.block_end and one.kind != "flat"]
        last = classifier.last_spatial_layer
        for layer in dict.fromkeys([ends[len(ends) // 2].name if ends else last.name, last.name]):
            count = classifier.layer(layer).channels
            channels = [one * count // given.channels for one in range(min(given.channels, count))]
            how = fv.usual(classifier, given.steps)
            cosine = slopes.agreement(
                classifier, [fv.Channel(layer, one) for one in channels], 1, how.parameterization.resolution(classifier)
            )
            whole, time_whole = achieved(classifier, layer, channels, how, 0, rounded=False)
            rounded, time_rounded = achieved(classifier, layer, channels, how, 0, rounded=True)
            other, _ = achieved(classifier, layer, channels, how, 7, rounded=False)
            alive = whole > 0
            ratios = [(one / whole)[alive] for one in (rounded, other)]
            said = " | ".join(f"{one.mean():.3f}, {one.min():.3f}, {one.max():.3f}" for one in ratios)
            ratio = time_rounded / time_whole
            print(f"| {classifier.name} | {layer} | {cosine:.3f} | {said} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
