"""Every attribution method beside an independent implementation: the real SqueezeNet on real photographs.

    python -m benchmarks.agreements [--images 20] [--only TITLE ...]

The peers (benchmarks/peer_maps.py) get torchvision's own network with the same weights, the same pixels, layers and
baselines, and where a method draws at random what ours has drawn. Rank correlations are Spearman's, photograph by
photograph: of class activation maps at the layer's own size, of all others pixel by pixel, colours summed. The largest
difference is max |ours − theirs| over max |theirs|, an axiom's residual is relative to what its sum should be. What is
explained is the likeliest class. A row whose title has a comma is no method of its own, but a variant of the one above.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr

from benchmarks import comparisons
from benchmarks import peer_maps as peers
from benchmarks.comparisons import Found, Photo
from benchmarks.methods import WEIGHTS
from benchmarks.peer_maps import Asked
from interp import attribution, images, models


@dataclass(frozen=True)
class Row:
    """A line of the table; `axiom` names what the residual is of; only so many photographs where `most` says so."""

    title: str
    peer: str
    compare: Callable[[Photo], Found]
    axiom: str = ""
    remark: str = ""
    most: int | None = None


GRAD_CAM = "pytorch-grad-cam"
EPSILON = "as it is, the peer adds 1e-6 to a denominator of that size"

ROWS: tuple[Row, ...] = (
    Row(
        "Gradient", "Captum", comparisons.plain(attribution.Gradient(), lambda asked: peers.saliency(asked).sum(dim=0))
    ),
    Row("Sensitivity", "Captum's gradient, squared", comparisons.sensitivity, "sum = squared length of the gradient"),
    Row("Input × Gradient", "Captum", comparisons.plain(attribution.InputXGradient(), peers.input_x_gradient)),
    Row("SmoothGrad", "Captum, same noise", comparisons.smoothed(attribution.SmoothGrad(), "smoothgrad")),
    Row("SmoothGrad²", "Captum, same noise", comparisons.smoothed(attribution.SmoothGradSquared(), "smoothgrad_sq")),
    Row("VarGrad", "Captum, same noise", comparisons.smoothed(attribution.VarGrad(), "vargrad")),
    Row("Integrated Gradients", "Captum, same rule", comparisons.integrated(50, beside=True), "completeness, 50 steps"),
    Row("Integrated Gradients, 1000 steps", "–", comparisons.integrated(1000, beside=False), "completeness", most=3),
    Row(
        "Gradient SHAP",
        "Captum, same draws",
        comparisons.gradient_shap,
        "completeness, 50 samples",
        "holds in expectation only",
    ),
    Row(
        "DeepLIFT",
        "Captum, each window of a pool copied out",
        comparisons.deep_lift,
        "completeness",
        "as it is, Captum is not complete: of overlapping windows with one maximum it keeps one",
    ),
    Row(
        "Deconvolution",
        "Captum",
        comparisons.plain(attribution.Deconvolution(), lambda one: peers.rectified(one, "Deconvolution")),
    ),
    Row(
        "Guided Backprop",
        "Captum",
        comparisons.plain(attribution.GuidedBackprop(), lambda one: peers.rectified(one, "GuidedBackprop")),
        remark="right here; where ReLUs are functions (GoogLeNet) Captum gives the plain gradient",
    ),
    Row("LRP", "zennit, ε-plus-flat", comparisons.lrp("epsilon-plus-flat"), "conservation without biases"),
    Row(
        "LRP, ε-α2β1",
        "zennit",
        comparisons.lrp("epsilon-alpha2-beta1"),
        "conservation without biases",
        "the rule's own loss, where all contributions have one sign: zennit's residual is the same",
    ),
    Row("LRP, ε-γ-box", "zennit", comparisons.lrp("epsilon-gamma-box"), "conservation without biases"),
    Row("Grad-CAM", GRAD_CAM, comparisons.plain(attribution.GradCam(), lambda one: peers.cam(one, "GradCAM"))),
    Row(
        "Grad-CAM++",
        f"{GRAD_CAM}, without its 1e-6",
        comparisons.plain(attribution.GradCamPlusPlus(), lambda one: peers.cam(one, "GradCAMPlusPlus", 1e4)),
    ),
    Row(
        "Grad-CAM++, the peer as it is",
        GRAD_CAM,
        comparisons.plain(attribution.GradCamPlusPlus(), lambda one: peers.cam(one, "GradCAMPlusPlus")),
        remark=EPSILON,
    ),
    Row("XGrad-CAM", GRAD_CAM, comparisons.plain(attribution.XGradCam(), lambda one: peers.cam(one, "XGradCAM"))),
    Row("Layer-CAM", GRAD_CAM, comparisons.plain(attribution.LayerCam(), lambda one: peers.cam(one, "LayerCAM"))),
    Row(
        "Eigen-CAM",
        f"{GRAD_CAM}, up to its sign",
        comparisons.plain(attribution.EigenCam(), lambda one: peers.cam(one, "EigenCAM")),
    ),
    Row(
        "Score-CAM",
        f"{GRAD_CAM}, masks enlarged alike",
        comparisons.plain(attribution.ScoreCam(), lambda one: peers.score_cam(one, aligned=False)),
    ),
    Row(
        "Score-CAM, the peer as it is",
        GRAD_CAM,
        comparisons.plain(attribution.ScoreCam(), lambda one: peers.score_cam(one, aligned=True)),
        remark="enlarges masks with align_corners=True, the authors' code without",
        most=5,
    ),
    Row("Ablation-CAM", GRAD_CAM, comparisons.plain(attribution.AblationCam(), peers.ablation_cam)),
    Row("Guided Grad-CAM", "Captum", comparisons.guided_grad_cam),
    Row("Occlusion", "Captum", comparisons.occlusion),
    Row("RISE", "a loop over the same 100 masks, enlarged by scikit-image", comparisons.rise),
    Row("LIME", "the lime package's regression, all coalitions of 7 to 9 segments", comparisons.lime),
    Row(
        "LIME, 100 samples",
        "the same",
        comparisons.lime_of_some,
        remark="sampling error, no other implementation",
    ),
    Row(
        "Kernel SHAP",
        "the shap package, all coalitions of 7 to 9 segments",
        comparisons.shap_package,
        "exact Shapley values",
    ),
    Row("Kernel SHAP, 100 samples", "exact Shapley values", comparisons.shap_of_some, "efficiency", "sampling error"),
)


def line(row: Row, photos: list[Photo]) -> str:
    """The row of the table."""
    photos = photos[: row.most]
    found = [row.compare(photo) for photo in photos]
    least, middle, largest = "–", "–", "–"
    pairs = [(one.ours, one.theirs) for one in found if one.theirs is not None]
    if pairs:
        assert all(ours.shape == theirs.shape and theirs.any() for ours, theirs in pairs)
        ranks = [spearmanr(ours.flatten(), theirs.flatten()).statistic for ours, theirs in pairs]
        off = max(float((ours - theirs).abs().max() / theirs.abs().max()) for ours, theirs in pairs)
        least, middle, largest = f"{min(ranks):.4f}", f"{np.median(ranks):.4f}", f"{off:.0e}" if off else "0"
    residuals = [one.residual for one in found if one.residual is not None]
    axiom = f"{row.axiom}: {max(residuals):.1g}, median {np.median(residuals):.1g}" if residuals else "–"
    return f"| {row.title} | {row.peer} | {len(photos)} | {least} | {middle} | {largest} | {axiom} | {row.remark} |"


def photographs(count: int, weights: Path) -> Iterator[Photo]:
    """Photographs spread evenly over the folder."""
    classifier = models.load("squeezenet1_1", weights=weights, device="cpu")
    network = peers.published_squeezenet(weights)
    listed = images.load(str(weights.parent / "images"))
    for i in range(count):
        sample = listed[i * len(listed) // count]
        batch = classifier.prepare([sample.image], [sample.name])
        target = int(classifier.logits(batch).argmax())
        yield Photo(classifier, batch, Asked(network, batch.pixels, target, classifier.last_spatial_layer.name))


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--only", nargs="+", metavar="TITLE", choices=[row.title for row in ROWS])
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="SqueezeNet's published weights")
    given = parser.parse_args()
    torch.set_num_threads(1)
    photos = list(photographs(given.images, given.weights))
    print("| method | against | photographs | least rank correlation | median | largest difference | axiom | remark |")
    print("|---|---|---|---|---|---|---|---|")
    for row in ROWS:
        if not given.only or row.title in given.only:
            print(line(row, photos), flush=True)


if __name__ == "__main__":
    main()
