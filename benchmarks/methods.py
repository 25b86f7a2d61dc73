"""What each attribution method costs, in units of one forward and one backward pass (FB), beside its peers.

    python -m benchmarks.methods [--models squeezenet1_1 resnet50] [--only TITLE ...] [--rounds 5] [--weights FILE]

Everything runs on one thread, one image, interleaved in the same rounds, and is measured in processor time, so that
other work on the machine disturbs little. `counted` are the passes that a method says it takes; `overhead` is what it
takes above them. SqueezeNet has the published weights from --weights, every other model random ones. Peers get plain
torchvision modules, as their users have them.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from benchmarks.peers import (
    WEIGHTS,
    TargetScore,
    Work,
    captum,
    forward_and_backward,
    pytorch_grad_cam,
    seconds,
    target_score,
)
from interp import attribution


def measure(asked: TargetScore, titles: Sequence[str], rounds: int) -> list[str]:
    """The rows of the table for one classifier."""
    classifier, batch, target = asked.classifier, asked.batch, asked.target
    works: dict[tuple[str, str], Work] = {}
    counted: dict[str, float] = {}
    sides = {"Captum": captum(asked), "pytorch-grad-cam": pytorch_grad_cam(asked)}
    for title in titles:
        method = attribution.METHODS[title]()
        works[title, "ours"] = lambda method=method: attribution.attribute(classifier, batch, target, method)
        works.update({(title, peer): side[title] for peer, side in sides.items() if title in side})
        counted[title] = attribution.attribute(classifier, batch, target, method).passes
    taken: dict[tuple[str, str], list[float]] = {name: [] for name in works}
    forward_and_backward(asked)
    for _ in range(rounds):
        for name, work in works.items():
            # One pass is short: its unit is the mean of several, taken between the methods.
            unit = np.mean([seconds(lambda: forward_and_backward(asked)) for _ in range(3)])
            taken[name].append(seconds(work) / unit)
    rows = []
    for title in titles:
        own = float(np.median(taken[title, "ours"]))
        overhead = f"{own / counted[title] - 1:+.0%}" if counted[title] else "–"
        beside = ", ".join(
            f"{peer} {np.median(taken[name, peer]):.2f}" for name, peer in works if name == title and peer != "ours"
        )
        rows.append(
            f"| {classifier.name} | {title} | {counted[title]:.2f} | {own:.2f} | {overhead} | {beside or '–'} |"
        )
    return rows


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["squeezenet1_1", "resnet50"])
    parser.add_argument(
        "--only", nargs="+", metavar="TITLE", default=list(attribution.METHODS), help="methods by title"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="SqueezeNet's published weights")
    given = parser.parse_args()
    unknown = [title for title in given.only if title not in attribution.METHODS]
    if unknown:
        parser.error(f"there is no method {unknown[0]!r}; there are {', '.join(attribution.METHODS)}")
    torch.set_num_threads(1)
    print("| model | method | counted, FB | measured, FB | overhead | peers, FB |\n|---|---|---|---|---|---|")
    for name in given.models:
        asked = target_score(name, given.weights)
        # One by one, so that what is measured is printed, however long the next one takes.
        for title in given.only:
            for row in measure(asked, [title], given.rounds):
                print(row, flush=True)


if __name__ == "__main__":
    main()
