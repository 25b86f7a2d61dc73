"""Many methods together through `compare`, beside the same ones by one through Captum, at its best batch size.

    python -m benchmarks.suite [--models squeezenet1_1 resnet50] [--rounds 3] [--weights FILE]

One photograph, one thread, processor time, interleaved. SqueezeNet has the published weights from --weights, every
other model random ones. Captum gets plain torchvision modules, as its users have them; the class activation maps that
it lacks count as much as its Grad-CAM.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from pathlib import Path

import torch

from benchmarks.peers import SAMPLES, STEPS, WEIGHTS, TargetScore, Work, captum, seconds, target_score
from interp import attribution
from interp.attribution import Method

TEN: tuple[Method, ...] = (
    attribution.Gradient(),
    attribution.Sensitivity(),
    attribution.InputXGradient(),
    attribution.SmoothGrad(SAMPLES),
    attribution.VarGrad(SAMPLES),
    attribution.IntegratedGradients(STEPS),
    attribution.GradCam(),
    attribution.GradCamPlusPlus(),
    attribution.LayerCam(),
    attribution.GuidedGradCam(),
)
EXPENSIVE = (attribution.SmoothGrad, attribution.VarGrad, attribution.IntegratedGradients)
SUITES: dict[str, tuple[Method, ...]] = {
    "ten methods": TEN,
    "the cheap ones among them": tuple(method for method in TEN if not isinstance(method, EXPENSIVE)),
    "Occlusion": (attribution.Occlusion(32, 16),),
    "LIME and Kernel SHAP, 200": (attribution.Lime(200), attribution.KernelShap(200)),
}


def together(asked: TargetScore, methods: Sequence[Method]) -> Work:
    """Our side: all of the methods, and the control."""
    return lambda: list(attribution.compare(asked.classifier, asked.batch, asked.target, methods))


def measure(asked: TargetScore, rounds: int) -> list[str]:
    """The rows of the table for one model."""
    peers = captum(asked)
    times: dict[str, list[tuple[float, float]]] = {suite: [] for suite in SUITES}
    for _ in range(rounds):
        for suite, methods in SUITES.items():
            ours = seconds(together(asked, methods))
            theirs = sum(seconds(peers.get(method.title, peers["Grad-CAM"])) for method in methods)
            times[suite].append((ours, theirs))
    rows = []
    for suite, pairs in times.items():
        ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
        ratio = statistics.median(one / other for one, other in pairs)
        rows.append(f"| {asked.classifier.name} | {suite} | {ours:.2f} | {theirs:.2f} | {ratio:.2f} |")
    return rows


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["squeezenet1_1", "resnet50"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="SqueezeNet's published weights")
    given = parser.parse_args()
    torch.set_num_threads(1)
    print("| model | suite | ours, s | Captum, s | ratio |\n|---|---|---|---|---|")
    for name in given.models:
        for row in measure(target_score(name, given.weights), given.rounds):
            print(row, flush=True)


if __name__ == "__main__":
    main()
