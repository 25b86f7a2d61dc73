"""What each attribution method costs, in units of one forward and backward pass (FB), beside its peers.

    python -m benchmarks.methods [--models squeezenet1_1 resnet50] [--rounds 5] [--weights FILE]

Everything runs on one thread, one image, interleaved in the same rounds, and is measured in processor time, so that
other work on the machine disturbs little. `counted` are the passes that a method says it takes; `overhead` is what it
takes above them. SqueezeNet has the published weights from --weights, every other model random ones.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from interp import attribution, images, models
from interp.models import hooks
from interp.types import Classifier, Images

WEIGHTS = Path(__file__).resolve().parents[2] / "shared/imagenet/squeezenet1_1-imagenet.safetensors"
PEER_BATCH = 8


def forward_and_backward(classifier: Classifier, batch: Images, target: int) -> torch.Tensor:
    """One FB: the class's score and its gradient at the pixels, with PyTorch alone."""
    pixels = batch.pixels.clone().requires_grad_()
    return torch.autograd.grad(classifier.module(pixels)[:, target].sum(), pixels)[0]


def peers(classifier: Classifier, batch: Images, target: int) -> dict[str, tuple[str, Callable[[], object]]]:
    """The same methods of Captum and pytorch-grad-cam, by the title of ours and the peer's name."""
    from captum import attr
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    layer = hooks.submodule(classifier, classifier.last_spatial_layer.name)
    module, pixels = classifier.module, batch.pixels
    mean = pixels.mean(dim=(2, 3), keepdim=True)
    saliency, gradients = attr.Saliency(module), attr.IntegratedGradients(module)
    cam, occlusion = attr.LayerGradCam(module, layer), attr.Occlusion(module)
    other = GradCAM(model=module, target_layers=[layer])
    return {
        "Gradient": ("Captum", lambda: saliency.attribute(pixels.clone().requires_grad_(), target, abs=False)),
        "Integrated Gradients": (
            "Captum",
            lambda: gradients.attribute(pixels, target=target, n_steps=50, internal_batch_size=PEER_BATCH),
        ),
        "Grad-CAM": ("Captum", lambda: cam.attribute(pixels, target, relu_attributions=True)),
        "Grad-CAM ": (
            "pytorch-grad-cam",
            lambda: other(pixels.clone().requires_grad_(), targets=[ClassifierOutputTarget(target)]),
        ),
        "Occlusion": (
            "Captum",
            lambda: occlusion.attribute(
                pixels,
                (3, 32, 32),
                strides=(3, 16, 16),
                baselines=mean.expand_as(pixels),
                target=target,
                perturbations_per_eval=PEER_BATCH,
            ),
        ),
    }


def seconds(work: Callable[[], object]) -> float:
    """The processor time that some work takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def measure(classifier: Classifier, rounds: int) -> list[str]:
    """The rows of the table for one classifier."""
    photo = images.load("photographs")[0]
    batch = classifier.prepare([photo.image])
    target = int(classifier.probabilities(batch).argmax())
    ours = {title: method() for title, method in attribution.METHODS.items()}
    works: dict[tuple[str, str], Callable[[], object]] = {
        ("FB", ""): lambda: forward_and_backward(classifier, batch, target)
    }
    for title, method in ours.items():
        works[title, "ours"] = lambda method=method: attribution.attribute(classifier, batch, target, method)
    for title, (peer, work) in peers(classifier, batch, target).items():
        works[title.strip(), peer] = work
    for work in works.values():
        work()
    taken: dict[tuple[str, str], list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            # One pass is short: its unit is the mean of several, taken between the methods.
            unit = np.mean([seconds(works["FB", ""]) for _ in range(3)])
            taken[name].append(seconds(work) / unit)
    rows = []
    for title, method in ours.items():
        counted = attribution.attribute(classifier, batch, target, method).passes
        own = float(np.median(taken[title, "ours"]))
        overhead = f"{own / counted - 1:+.0%}" if counted else "–"
        beside = ", ".join(
            f"{peer} {np.median(taken[name, peer]):.2f}" for name, peer in works if name == title and peer != "ours"
        )
        rows.append(f"| {classifier.name} | {title} | {counted:.2f} | {own:.2f} | {overhead} | {beside or '–'} |")
    return rows


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["squeezenet1_1", "resnet50"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="SqueezeNet's published weights")
    given = parser.parse_args()
    torch.set_num_threads(1)
    print("| model | method | counted, FB | measured, FB | overhead | peers, FB |\n|---|---|---|---|---|---|")
    for name in given.models:
        classifier = models.load(name, weights=given.weights if name == "squeezenet1_1" else "random", device="cpu")
        for row in measure(classifier, given.rounds):
            print(row, flush=True)


if __name__ == "__main__":
    main()
