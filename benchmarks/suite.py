"""Many methods together through `compare`, beside the same ones by one through Captum, at its best batch size.

    python -m benchmarks.suite [--models squeezenet1_1 resnet50] [--rounds 3] [--weights FILE]

One photograph, one thread, processor time, interleaved. SqueezeNet has the published weights from --weights, every
other model random ones. Captum gets plain torchvision modules, as its users have them.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import nn

from benchmarks.methods import PEER_BATCH, WEIGHTS, seconds
from interp import attribution, images, models
from interp.attribution import Method, superpixels
from interp.types import Classifier, Images

SAMPLES, STEPS = 25, 50

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
CHEAP = tuple(method for method in TEN if not isinstance(method, EXPENSIVE))
SURROGATES: tuple[Method, ...] = (attribution.Lime(200), attribution.KernelShap(200))


def together(classifier: Classifier, batch: Images, target: int, methods: Sequence[Method]) -> Callable[[], object]:
    """Our side: all of the methods, and the control."""
    return lambda: list(attribution.compare(classifier, batch, target, methods))


def captums(classifier: Classifier, module: nn.Module, batch: Images, target: int) -> dict[str, Callable[[], object]]:
    """Captum's side, by method; the CAMs that it lacks cost what its Grad-CAM costs."""
    from captum import attr

    pixels = batch.pixels
    layer = module.get_submodule(f"network.{classifier.last_spatial_layer.name}")
    saliency = attr.Saliency(module)
    tunnel = attr.NoiseTunnel(saliency)

    def leaf() -> torch.Tensor:
        return pixels.clone().requires_grad_()

    def noisy(kind: str) -> object:
        return tunnel.attribute(
            leaf(), nt_type=kind, nt_samples=SAMPLES, nt_samples_batch_size=PEER_BATCH, stdevs=0.15, target=target
        )

    def path() -> object:
        return attr.IntegratedGradients(module).attribute(
            pixels, target=target, n_steps=STEPS, internal_batch_size=PEER_BATCH
        )

    cam = attr.LayerGradCam(module, layer)
    mask = superpixels.segments(pixels[0], attribution.Lime().segments)
    return {
        "Gradient": lambda: saliency.attribute(leaf(), target, abs=False),
        "Sensitivity": lambda: saliency.attribute(leaf(), target, abs=False),
        "Input × Gradient": lambda: attr.InputXGradient(module).attribute(leaf(), target),
        "SmoothGrad": lambda: noisy("smoothgrad"),
        "VarGrad": lambda: noisy("vargrad"),
        "Integrated Gradients": path,
        "Grad-CAM": lambda: cam.attribute(pixels, target),
        "Grad-CAM++": lambda: cam.attribute(pixels, target),
        "Layer-CAM": lambda: cam.attribute(pixels, target),
        "Guided Grad-CAM": lambda: attr.GuidedGradCam(module, layer).attribute(leaf(), target),
        "Occlusion": lambda: attr.Occlusion(module).attribute(
            pixels, (3, 32, 32), strides=(3, 16, 16), target=target, perturbations_per_eval=PEER_BATCH
        ),
        "LIME": lambda: attr.Lime(module).attribute(
            pixels, target=target, feature_mask=mask, n_samples=200, perturbations_per_eval=PEER_BATCH
        ),
        "Kernel SHAP": lambda: attr.KernelShap(module).attribute(
            pixels, target=target, feature_mask=mask, n_samples=200, perturbations_per_eval=PEER_BATCH
        ),
    }


def measure(name: str, weights: Path, rounds: int) -> list[str]:
    """The rows of the table for one model."""
    given = weights if name == "squeezenet1_1" else "random"
    classifier = models.load(name, weights=given, device="cpu")
    # A second copy as peers have it: float32 in torch's own memory format.
    plain = models.load(name, weights=given, device="cpu").module.to(memory_format=torch.contiguous_format)  # pyright: ignore
    batch = classifier.prepare([images.load("photographs")[0].image])
    target = int(classifier.probabilities(batch).argmax())
    peers = captums(classifier, plain, batch, target)
    suites = {
        "ten methods": TEN,
        "the cheap ones among them": CHEAP,
        "Occlusion": (attribution.Occlusion(32, 16),),
        "LIME and Kernel SHAP, 200": SURROGATES,
    }
    ratios: dict[str, list[tuple[float, float]]] = {suite: [] for suite in suites}
    for _ in range(rounds):
        for suite, methods in suites.items():
            ours = seconds(together(classifier, batch, target, methods))
            theirs = sum(seconds(peers[method.title]) for method in methods)
            ratios[suite].append((ours, theirs))
    rows = []
    for suite, pairs in ratios.items():
        ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
        ratio = statistics.median(one / other for one, other in pairs)
        rows.append(f"| {classifier.name} | {suite} | {ours:.2f} | {theirs:.2f} | {ratio:.2f} |")
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
        for row in measure(name, given.weights, given.rounds):
            print(row, flush=True)


if __name__ == "__main__":
    main()
