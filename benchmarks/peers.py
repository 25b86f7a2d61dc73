"""One explanation by our methods and by other people's, and the processor time that each takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from interp import attribution, images, models
from interp.attribution import superpixels
from interp.types import Classifier, Images

WEIGHTS = Path(__file__).resolve().parents[2] / "shared/imagenet/squeezenet1_1-imagenet.safetensors"
PEER_BATCH = 8
SAMPLES, STEPS = 25, 50

Work = Callable[[], object]


@dataclass(frozen=True, eq=False)
class TargetScore:
    """Why a classifier takes a photograph for what it does; peers get `plain`, torchvision's module as it comes."""

    classifier: Classifier
    plain: nn.Module
    batch: Images
    target: int

    @property
    def layer(self) -> nn.Module:
        """Where peers' class activation maps read, the same as where ours do."""
        return self.plain.get_submodule(f"network.{self.classifier.last_spatial_layer.name}")

    def leaf(self) -> Tensor:
        """The pixels, asking for a gradient."""
        return self.batch.pixels.clone().requires_grad_()


def target_score(name: str, weights: Path) -> TargetScore:
    """The first photograph's likeliest class: SqueezeNet with its published weights, others with random ones."""
    given = weights if name == "squeezenet1_1" else "random"
    classifier = models.load(name, weights=given, device="cpu")
    plain = models.load(name, weights=given, device="cpu").module.to(memory_format=torch.contiguous_format)  # pyright: ignore
    batch = classifier.prepare([images.load("photographs")[0].image])
    return TargetScore(classifier, plain, batch, int(classifier.probabilities(batch).argmax()))


def seconds(work: Work) -> float:
    """The processor time that some work takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def forward_and_backward(asked: TargetScore) -> Tensor:
    """One FB: the class's score and its gradient at the pixels, with PyTorch alone, on our module."""
    pixels = asked.leaf()
    return torch.autograd.grad(asked.classifier.module(pixels)[:, asked.target].sum(), pixels)[0]


def captum(asked: TargetScore) -> dict[str, Work]:
    """Captum's methods by the titles of ours, in batches of PEER_BATCH; those that it lacks are left out."""
    from captum import attr

    module, target, pixels = asked.plain, asked.target, asked.batch.pixels
    mean = pixels.mean(dim=(2, 3), keepdim=True).expand_as(pixels)
    saliency, cam = attr.Saliency(module), attr.LayerGradCam(module, asked.layer)
    mask = superpixels.segments(pixels[0], attribution.Lime().segments)

    def noisy(kind: str) -> object:
        return attr.NoiseTunnel(saliency).attribute(
            asked.leaf(), nt_type=kind, nt_samples=SAMPLES, nt_samples_batch_size=PEER_BATCH, stdevs=0.15, target=target
        )

    def surrogate(kind: type) -> object:
        return kind(module).attribute(
            pixels, target=target, feature_mask=mask, n_samples=200, perturbations_per_eval=PEER_BATCH
        )

    return {
        "Gradient": lambda: saliency.attribute(asked.leaf(), target, abs=False),
        "Sensitivity": lambda: saliency.attribute(asked.leaf(), target, abs=False),
        "Input × Gradient": lambda: attr.InputXGradient(module).attribute(asked.leaf(), target),
        "SmoothGrad": lambda: noisy("smoothgrad"),
        "SmoothGrad²": lambda: noisy("smoothgrad_sq"),
        "VarGrad": lambda: noisy("vargrad"),
        "Integrated Gradients": lambda: attr.IntegratedGradients(module).attribute(
            pixels, target=target, n_steps=STEPS, internal_batch_size=PEER_BATCH
        ),
        "Deconvolution": lambda: attr.Deconvolution(module).attribute(asked.leaf(), target),
        "Guided Backprop": lambda: attr.GuidedBackprop(module).attribute(asked.leaf(), target),
        "Grad-CAM": lambda: cam.attribute(pixels, target),
        "Guided Grad-CAM": lambda: attr.GuidedGradCam(module, asked.layer).attribute(asked.leaf(), target),
        "Occlusion": lambda: attr.Occlusion(module).attribute(
            pixels, (3, 32, 32), strides=(3, 16, 16), baselines=mean, target=target, perturbations_per_eval=PEER_BATCH
        ),
        "LIME": lambda: surrogate(attr.Lime),
        "Kernel SHAP": lambda: surrogate(attr.KernelShap),
    }


def pytorch_grad_cam(asked: TargetScore) -> dict[str, Work]:
    """pytorch-grad-cam's methods by the titles of ours, with its own batch sizes."""
    import pytorch_grad_cam as package
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    kinds = {
        "Grad-CAM": package.GradCAM,
        "Grad-CAM++": package.GradCAMPlusPlus,
        "XGrad-CAM": package.XGradCAM,
        "Layer-CAM": package.LayerCAM,
        "Eigen-CAM": package.EigenCAM,
        "Score-CAM": package.ScoreCAM,
        "Ablation-CAM": package.AblationCAM,
    }

    def run(kind: type) -> object:
        with kind(model=asked.plain, target_layers=[asked.layer]) as cam:
            return cam(asked.leaf(), targets=[ClassifierOutputTarget(asked.target)])

    return {title: lambda kind=kind: run(kind) for title, kind in kinds.items()}
