"""Methods that look at the gradient of many noisy copies of a picture; one set of copies serves all three."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor

from interp.attribution import baselines
from interp.attribution.method import Maps, Method, SharingMethod
from interp.batches import batched
from interp.passes.target_score import TargetScore
from interp.types import Classifier


@dataclass(frozen=True, eq=False)
class Moments:
    """The mean of the noisy gradients, and of their squares, for each colour of each pixel."""

    mean: Float[Tensor, "n c h w"]
    square: Float[Tensor, "n c h w"]
    variance: Float[Tensor, "n c h w"]


@dataclass(frozen=True)
class _Smoothing(SharingMethod):
    samples: int = 25
    noise: float | int = 0.15
    seed: int = 0

    def __post_init__(self) -> None:
        if self.samples < 1:
            raise ValueError(f"{self.title} with {self.samples} samples has nothing to average: take at least 1.")
        if self.noise < 0:
            raise ValueError(f"A noise of {self.noise} is not possible: it is a share of the brightness range, from 0.")

    def cost(self, classifier: Classifier) -> float:
        """A forward and a backward pass for each noisy copy."""
        return float(self.samples)

    def sharing(self) -> Hashable:
        """Methods with the same noise read the same passes."""
        return (_Smoothing, self.samples, self.noise, self.seed)

    @classmethod
    def together(cls, target_score: TargetScore, methods: Sequence[Method]) -> list[Maps]:
        """One set of noisy passes for all the methods."""
        readers = cast(Sequence[_Smoothing], methods)
        moments = readers[0].moments(target_score)
        return [method.read(moments) for method in readers]

    @abstractmethod
    def read(self, moments: Moments) -> Maps:
        """The map, from what the passes brought."""

    def moments(self, target_score: TargetScore) -> Moments:
        """Mean, mean square and variance of the gradient over the noisy copies, in one run through them."""
        pixels = target_score.images.pixels
        count = len(pixels)
        spread = pixels.flatten(1).max(dim=1).values - pixels.flatten(1).min(dim=1).values
        seeds = [baselines.generator(image, self.seed).initial_seed() for image in pixels]
        mean, deviations = torch.zeros_like(pixels), torch.zeros_like(pixels)

        def run(part: slice) -> tuple[Tensor, Tensor]:
            pairs = torch.arange(count * self.samples)[part]
            rows, samples = pairs // self.samples, pairs % self.samples
            chosen = zip(rows.tolist(), samples.tolist(), strict=True)
            noise = torch.stack([_noise(seeds[row] + sample, pixels[row]) for row, sample in chosen])
            sigma = (self.noise * spread[rows.to(pixels.device)])[:, None, None, None]
            return rows, target_score.gradients(pixels[rows] + sigma * noise, rows)

        seen = [0] * count
        for rows, gradients in batched(run, count * self.samples, size=target_score.batch_size, what="noisy gradients"):
            for row, gradient in zip(rows.tolist(), gradients, strict=True):
                # Welford's update: the variance of nearly equal gradients is not the difference of two large numbers.
                seen[row] += 1
                step = gradient - mean[row]
                mean[row] += step / seen[row]
                deviations[row] += step * (gradient - mean[row])
        variance = deviations / self.samples
        return Moments(mean, variance + mean.square(), variance)


@dataclass(frozen=True)
class SmoothGrad(_Smoothing):
    """The mean of ∂s/∂x over `samples` noisy copies, summed over the colours: signed, in logits per unit of brightness.

    The noise is Gaussian, its deviation the share `noise` of the picture's largest minus its smallest value; pixels
    are not cut off at 0 and 1. With one sample and no noise it is the gradient.
    """

    title = "SmoothGrad"
    signed = True
    summary = "The gradient, averaged over many noisy copies of the picture."
    formula = (
        r"\frac{1}{m} \sum_{i=1}^{m} \frac{\partial s}{\partial x}(x + \epsilon_i), \quad "
        r"\epsilon_i \sim \mathcal{N}\bigl(0, \sigma^2 (\max x - \min x)^2\bigr)"
    )
    source = "Smilkov, Thorat, Kim, Viégas and Wattenberg 2017, SmoothGrad: removing noise by adding noise"
    pitfalls = (
        "It looks cleaner, but a clean map is not a faithful one. The copies are pictures that the model has never "
        "seen, and more noise gives another map, not a better estimate of the same one."
    )

    def read(self, moments: Moments) -> Maps:
        """The mean, summed over colours."""
        return Maps(moments.mean.sum(dim=1))


@dataclass(frozen=True)
class SmoothGradSquared(_Smoothing):
    """The mean of (∂s/∂x)² over `samples` noisy copies, summed over the colours: never negative.

    The noise is that of SmoothGrad.
    """

    title = "SmoothGrad²"
    signed = False
    summary = "How strongly the score reacts to a pixel, averaged over many noisy copies of the picture."
    formula = r"\frac{1}{m} \sum_{i=1}^{m} \Bigl(\frac{\partial s}{\partial x}(x + \epsilon_i)\Bigr)^2"
    source = "Smilkov et al. 2017; named and measured by Hooker et al. 2019, A benchmark for interpretability methods"
    pitfalls = (
        "What speaks for the class and what speaks against it are drawn alike. Squares are dominated by the few copies "
        "with the largest gradients."
    )

    def read(self, moments: Moments) -> Maps:
        """The mean square, summed over colours."""
        return Maps(moments.square.sum(dim=1))


@dataclass(frozen=True)
class VarGrad(_Smoothing):
    """The variance of ∂s/∂x over `samples` noisy copies, summed over the colours: never negative.

    The noise is that of SmoothGrad; the variance divides by `samples`. It is SmoothGrad² minus SmoothGrad's square,
    colour by colour.
    """

    title = "VarGrad"
    signed = False
    summary = "How much a pixel's gradient varies from one noisy copy of the picture to another."
    formula = (
        r"\frac{1}{m} \sum_{i=1}^{m} \Bigl(\frac{\partial s}{\partial x}(x + \epsilon_i) - "
        r"\overline{\frac{\partial s}{\partial x}}\Bigr)^2"
    )
    source = (
        "Adebayo, Gilmer, Goodfellow and Kim 2018, Local explanation methods for deep neural networks lack sensitivity"
    )
    pitfalls = (
        "It is independent of the gradient itself to a large part (Seo et al. 2018): it tells where the model is "
        "sensitive to noise, and not for which class a pixel speaks."
    )

    def read(self, moments: Moments) -> Maps:
        """The variance, summed over colours."""
        return Maps(moments.variance.sum(dim=1))


def _noise(seed: int, image: Float[Tensor, "c h w"]) -> Float[Tensor, "c h w"]:
    return torch.randn(image.shape, generator=torch.Generator().manual_seed(seed)).to(image)
