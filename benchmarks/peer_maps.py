"""The same maps by other people's code, and by slow computations of our own where there is none, or a wrong one.

A peer is given what it would draw by itself (noise, masks, coalitions), so that two maps of one question can be equal.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor, nn

from interp.attribution import baselines
from interp.types import Classifier

IN_A_BATCH = 5


@dataclass(frozen=True, eq=False)
class Asked:
    """Why a module (`.normalize`, then `.network`) gives one picture (1, c, h, w) the logit of a class.

    `layer` is the dotted name in `.network` of the layer that class activation maps read.
    """

    module: nn.Module
    pixels: Tensor
    target: int
    layer: str = ""

    @property
    def place(self) -> nn.Module:
        """The layer."""
        return self.module.get_submodule(f"network.{self.layer}")

    def leaf(self) -> Tensor:
        """The pixels, to which a gradient is asked for."""
        return self.pixels.clone().requires_grad_()

    def score(self, pixels: Tensor) -> Tensor:
        """The logit of the class for other pixels."""
        with torch.no_grad():
            return self.module(pixels)[:, self.target]


def published_squeezenet(weights: Path) -> nn.Sequential:
    """Torchvision's own, with its own normalization: nothing of it is ours."""
    from safetensors.torch import load_file
    from torchvision.models import squeezenet1_1
    from torchvision.transforms import Normalize

    network = squeezenet1_1()
    network.load_state_dict(load_file(weights))
    for part in network.modules():
        if isinstance(part, nn.ReLU):
            part.inplace = False
    normalize = Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    module = nn.Sequential(OrderedDict(normalize=normalize, network=network)).eval().requires_grad_(False)
    # Half of the time, and the same numbers.
    return module.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]


def saliency(asked: Asked) -> Tensor:
    """Captum's gradient (c, h, w)."""
    from captum.attr import Saliency

    return Saliency(asked.module).attribute(asked.leaf(), target=asked.target, abs=False)[0].detach()


def input_x_gradient(asked: Asked) -> Tensor:
    """Captum's, summed over colours."""
    from captum.attr import InputXGradient

    return InputXGradient(asked.module).attribute(asked.leaf(), target=asked.target)[0].detach().sum(dim=0)


def drawn_noise(pixels: Tensor, samples: int, share: float, seed: int) -> Tensor:
    """The noise (s, c, h, w) that ours adds to a picture (c, h, w)."""
    first = baselines.generator(pixels, seed).initial_seed()
    generators = [torch.Generator().manual_seed(first + sample) for sample in range(samples)]
    drawn = torch.stack([torch.randn(pixels.shape, generator=generator) for generator in generators])
    return share * (pixels.max() - pixels.min()) * drawn


def noise_tunnel(asked: Asked, kind: str, noise: Tensor) -> Tensor:
    """Captum's SmoothGrad and its kin, with that noise (s, c, h, w), which it adds to the pixels as it is."""
    from captum.attr import NoiseTunnel, Saliency

    parts = iter(noise.split(IN_A_BATCH))
    with patch.object(torch, "normal", lambda mean, deviation: next(parts)):
        found = NoiseTunnel(Saliency(asked.module)).attribute(
            asked.pixels.clone(), nt_type=kind, nt_samples=len(noise), nt_samples_batch_size=IN_A_BATCH,
            target=asked.target, abs=False,
        )  # fmt: skip
    return found[0].detach().sum(dim=0)


def integrated_gradients(asked: Asked, baseline: Tensor, steps: int) -> Tensor:
    """Captum's, by the Gauss-Legendre rule."""
    from captum.attr import IntegratedGradients

    found = IntegratedGradients(asked.module).attribute(
        asked.pixels, baseline, asked.target, n_steps=steps, method="gausslegendre", internal_batch_size=8
    )
    return found[0].detach().sum(dim=0)


def gradient_shap(asked: Asked, starts: Tensor, alphas: Tensor) -> Tensor:
    """Captum's, from those baselines (s, c, h, w) with those shares of the way."""
    from captum.attr._core.gradient_shap import InputBaselineXGradient

    total = torch.zeros_like(asked.pixels[0])
    for start, alpha in zip(starts.split(IN_A_BATCH), alphas.split(IN_A_BATCH), strict=True):
        with patch.object(np.random, "uniform", lambda low, high, size, alpha=alpha: alpha.numpy()):
            pixels = asked.pixels.expand_as(start).clone().requires_grad_()
            total += InputBaselineXGradient(asked.module).attribute(pixels, start, asked.target).detach().sum(dim=0)
    return total.sum(dim=0) / len(starts)


class Apart(nn.Module):
    """A max pool whose windows overlap, as one whose windows do not: each window is copied out first.

    Of overlapping windows with the same maximum Captum's DeepLIFT keeps one only (`max_unpool2d` overwrites).
    """

    def __init__(self, pool: nn.MaxPool2d) -> None:
        super().__init__()
        self.side, self.stride, self.pool = pool.kernel_size, pool.stride, nn.MaxPool2d(pool.kernel_size)

    def forward(self, given: Tensor) -> Tensor:
        """The maxima of the windows."""
        assert all((size - self.side) % self.stride == 0 for size in given.shape[2:])
        windows = given.unfold(2, self.side, self.stride).unfold(3, self.side, self.stride)
        return self.pool(windows.transpose(3, 4).flatten(4, 5).flatten(2, 3))


def deep_lift(asked: Asked, baseline: Tensor) -> Tensor:
    """Captum's, with pools whose windows lie apart.

    In single precision, as ours: plain baselines give windows of equal values, and which of these is the maximum is
    left to rounding. On photographs with a black one Captum in double precision has a rank correlation of 0.95 and more
    with itself in single.
    """
    from captum.attr import DeepLift

    module = deepcopy(asked.module)
    for name, part in list(module.named_modules()):
        if isinstance(part, nn.MaxPool2d):
            above, _, last = name.rpartition(".")
            setattr(module.get_submodule(above), last, Apart(part))
    with warnings.catch_warnings(action="ignore"):
        found = DeepLift(module).attribute(asked.pixels, baseline, target=asked.target)
    return found[0].detach().sum(dim=0)


def rectified(asked: Asked, name: Literal["GuidedBackprop", "Deconvolution"]) -> Tensor:
    """Captum's, which meets ReLUs that are modules, and no others."""
    import captum.attr

    with warnings.catch_warnings(action="ignore"):
        found = getattr(captum.attr, name)(asked.module).attribute(asked.leaf(), target=asked.target)
    return found[0].detach().sum(dim=0)


def grad_cam(asked: Asked) -> Tensor:
    """Captum's, at the layer's own size."""
    from captum.attr import LayerGradCam

    found = LayerGradCam(asked.module, asked.place).attribute(asked.leaf(), asked.target, relu_attributions=True)
    return found[0, 0].detach()


def guided_grad_cam(asked: Asked) -> Tensor:
    """Captum's, summed over colours."""
    from captum.attr import GuidedGradCam

    with warnings.catch_warnings(action="ignore"):
        explain = GuidedGradCam(asked.module, asked.place)
        found = explain.attribute(asked.leaf(), asked.target, interpolate_mode="bilinear")
    return found[0].detach().sum(dim=0)


def lrp(asked: Asked, composite: str, canonizers: Sequence[object] = ()) -> Tensor:
    """Zennit's relevance at the normalized pixels, summed over colours, begun with the logit.

    In composites that end in -no-bias its biases take nothing.
    """
    from zennit import composites

    normalize, network = asked.module.normalize, asked.module.network
    low, high = (normalize(torch.full((1, asked.pixels.shape[1], 1, 1), value)) for value in (0.0, 1.0))
    how = {"canonizers": list(canonizers), "zero_params": "bias" if composite.endswith("-no-bias") else None}
    made = {
        "epsilon-plus-flat": lambda: composites.EpsilonPlusFlat(**how),
        "epsilon-alpha2-beta1": lambda: composites.EpsilonAlpha2Beta1(**how),
        "epsilon-gamma-box": lambda: composites.EpsilonGammaBox(low, high, **how),
    }[composite.removesuffix("-no-bias")]()
    inputs = normalize(asked.pixels).requires_grad_()
    network.requires_grad_(True)
    try:
        with made.context(network) as modified:
            output = modified(inputs)
            seed = torch.zeros_like(output)
            seed[:, asked.target] = output[:, asked.target].detach()
            (found,) = torch.autograd.grad(output, inputs, seed)
    finally:
        network.requires_grad_(False)
    return found[0].detach().sum(dim=0)


def activation(asked: Asked) -> Tensor:
    """What the layer gives for the picture."""
    taken: list[Tensor] = []
    handle = asked.place.register_forward_hook(lambda module, inputs, output: taken.append(output.clone()))
    with torch.no_grad():
        asked.module(asked.pixels)
    handle.remove()
    return taken[-1]


def cam(asked: Asked, kind: str, scale: float = 1.0) -> Tensor:
    """Pytorch-grad-cam's map of that name, at the layer's own size.

    Grad-CAM++'s weights stay the same when gradients grow and activations shrink by the same `scale`, and what the
    peer adds to their denominator then no longer counts.
    """
    import pytorch_grad_cam
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    pixels = asked.leaf()
    with getattr(pytorch_grad_cam, kind)(asked.module, [asked.place]) as peer:
        peer(pixels, [ClassifierOutputTarget(asked.target)])
        taken = peer.activations_and_grads
        activations = taken.activations[0].numpy()
        gradients = activations * 0 if kind == "EigenCAM" else taken.gradients[0].numpy()
        found = peer.get_cam_image(pixels, asked.place, [asked.target], activations / scale, gradients * scale, False)
    found = torch.as_tensor(found[0])
    # The sign of a principal component is left to chance: that of the mean activation decides.
    if kind == "EigenCAM" and (found * torch.as_tensor(activations[0].mean(axis=0))).sum() < 0:
        found = -found
    return found.relu()


def reshaped_grad_cam(
    classifier: Classifier, pixels: Tensor, target: int, reshape: Callable[[Tensor], Tensor] | None
) -> Tensor:
    """Pytorch-grad-cam's at the default layer, `reshape` making maps of what that gives, at the layer's own size."""
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    place = classifier.module.get_submodule(f"network.{classifier.last_spatial_layer.name}")
    given = pixels.clone().requires_grad_()
    with GradCAM(classifier.module, [place], reshape_transform=reshape) as peer:
        peer(given, [ClassifierOutputTarget(target)])
        taken = peer.activations_and_grads
        activations, gradients = taken.activations[0].numpy(), taken.gradients[0].numpy()
        found = peer.get_cam_image(given, place, [target], activations, gradients, False)
    return torch.as_tensor(found[0]).relu()


def score_cam(asked: Asked, *, aligned: bool) -> Tensor:
    """Pytorch-grad-cam's, at the layer's own size.

    It multiplies what its model is given by masks, which are normalized pixels for the network; it enlarges masks with
    align_corners=True, where the authors' code, and ours, has False.
    """
    from pytorch_grad_cam import ScoreCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    def enlarging(size: tuple[int, int]) -> nn.Module:
        return nn.Upsample(size, mode="bilinear", align_corners=aligned)

    grids = activation(asked).numpy()
    with (
        patch.object(nn, "UpsamplingBilinear2d", enlarging),
        ScoreCAM(asked.module.get_submodule("network"), [asked.place]) as peer,
    ):
        peer.batch_size = 8
        given = asked.module.get_submodule("normalize")(asked.pixels)
        found = peer.get_cam_image(given, asked.place, [ClassifierOutputTarget(asked.target)], grids, grids)
    return torch.as_tensor(found[0]).relu()


def ablation_cam(asked: Asked) -> Tensor:
    """Pytorch-grad-cam's, at the layer's own size."""
    from pytorch_grad_cam import AblationCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    grids = activation(asked).numpy()
    with AblationCAM(asked.module, [asked.place], batch_size=8) as peer:
        target = ClassifierOutputTarget(asked.target)
        found = peer.get_cam_image(asked.pixels, asked.place, [target], grids, grids)
    return torch.as_tensor(found[0]).relu()


def occlusion(asked: Asked, window: int, stride: int, fill: Tensor) -> Tensor:
    """Captum's."""
    from captum.attr import Occlusion

    found = Occlusion(asked.module).attribute(
        asked.pixels,
        (asked.pixels.shape[1], window, window),
        strides=(asked.pixels.shape[1], stride, stride),
        baselines=fill.expand_as(asked.pixels),
        target=asked.target,
        perturbations_per_eval=8,
    )
    return found[0, 0]


def rise_masks(grids: Tensor, shifts: Tensor, size: tuple[int, int]) -> np.ndarray:
    """The grids enlarged to one cell more than the picture by scikit-image, and cut out at their shifts."""
    from skimage.transform import resize

    cells = grids.shape[-1]
    large = tuple((cells + 1) * -(-side // cells) for side in size)
    cut = [
        resize(grid, large, order=1, mode="edge", anti_aliasing=False)[down : down + size[0], across : across + size[1]]
        for grid, (down, across) in zip(grids.numpy(), shifts.tolist(), strict=True)
    ]
    return np.stack(cut)


def rise(asked: Asked, masks: np.ndarray, fill: Tensor) -> Tensor:
    """The mean of the scores weighted by how much of a pixel each mask shows, minus the mean score."""
    shown = torch.as_tensor(masks).float()[:, None].split(IN_A_BATCH)
    scores = torch.cat([asked.score(part * asked.pixels + (1 - part) * fill) for part in shown]).double().numpy()
    weighted = np.einsum("m,mhw->hw", scores, masks) / masks.sum(axis=0)
    return torch.as_tensor(weighted - scores.mean()).float()
