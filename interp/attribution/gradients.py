"""Methods that read the gradient at the pixels: how the score changes as the picture does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from interp.attribution import baselines
from interp.attribution.method import Maps, Method
from interp.attribution.question import FORWARD, Question, Tapped
from interp.attribution.tapped import TappedMethod
from interp.batches import batched
from interp.types import Classifier


@dataclass(frozen=True)
class Gradient(TappedMethod):
    """∂s/∂x with respect to pixels in [0, 1], summed over the three colours: signed, in logits per unit of brightness.

    The sum is the slope of the score as the pixel becomes brighter in all colours alike; positive where that raises
    the score. Simonyan 2013 draws max over colours of |∂s/∂x| instead, which has no sign; here all gradient maps are
    signed alike, and Integrated Gradients, summed in the same way, stays complete.
    """

    title = "Gradient"
    signed = True
    summary = "How much the score would rise if a pixel became a little brighter."
    formula = r"\sum_{\text{colours}} \frac{\partial s}{\partial x}"
    source = "Simonyan, Vedaldi and Zisserman 2013, Deep inside convolutional networks"
    pitfalls = (
        "It tells what a tiny change would do, not what made the score: where the model is saturated, the decisive "
        "parts have a gradient near zero. It is noisy from pixel to pixel."
    )

    def tap(self, classifier: Classifier) -> None:
        """The pixels."""

    def read(self, tapped: Tapped, classifier: Classifier) -> Maps:
        """The gradient at the pixels, summed over colours."""
        assert tapped.pixel_gradient is not None
        return Maps(tapped.pixel_gradient.sum(dim=1))


@dataclass(frozen=True)
class IntegratedGradients(Method):
    """(x − x′) · ∫₀¹ ∂s/∂x (x′ + α(x − x′)) dα, summed over the three colours: signed, in logits.

    Completeness: the map sums to s(x) − s(x′); `residual` is the sum minus that. The integral is taken by the
    Gauss-Legendre rule with `steps` points. `baseline` is x′, see `baselines.images`; `seed` is that of the noise.
    """

    steps: int = 50
    baseline: baselines.Baseline = "black"
    seed: int = 0

    title = "Integrated Gradients"
    signed = True
    summary = "How much each pixel adds to the score on the way from an empty picture to this one."
    formula = r"(x - x') \int_0^1 \frac{\partial s}{\partial x}\bigl(x' + \alpha (x - x')\bigr)\, d\alpha"
    source = "Sundararajan, Taly and Yan 2017, Axiomatic attribution for deep networks"
    pitfalls = (
        "Pixels of the baseline's own colour get nothing, however important: with a black baseline, black objects "
        "vanish. The map follows edges of the picture even where the model does not look."
    )

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError(f"Integrated Gradients with {self.steps} steps has nothing to add up: take at least 1.")
        baselines.check(self.baseline)

    def cost(self, classifier: Classifier) -> float:
        """A forward and a backward pass for each step, and the scores of image and baseline for the residual."""
        return self.steps + 2 * FORWARD

    @classmethod
    def together(cls, question: Question, methods: Sequence[Method]) -> list[Maps]:
        """Each method for itself."""
        return [method._maps(question) for method in methods if isinstance(method, IntegratedGradients)]

    def _maps(self, question: Question) -> Maps:
        pixels = question.images.pixels
        baseline = baselines.images(pixels, self.baseline, self.seed)
        values = ((pixels - baseline) * self._mean_gradient(question, baseline)).sum(dim=1)
        drop = _each_score(question, pixels) - _each_score(question, baseline)
        return Maps(values, residual=values.sum(dim=(1, 2)) - drop)

    def _mean_gradient(self, question: Question, baseline: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
        """∫₀¹ ∂s/∂x dα along the straight way from the baseline to the image."""
        pixels = question.images.pixels
        points, weights = np.polynomial.legendre.leggauss(self.steps)  # on −1 to 1
        alphas, weights = torch.as_tensor((points + 1) / 2).to(pixels), torch.as_tensor(weights / 2).to(pixels)
        total = torch.zeros_like(pixels)

        def run(part: slice) -> tuple[Tensor, Tensor]:
            pairs = torch.arange(len(pixels) * self.steps)[part]
            rows, steps = pairs // self.steps, pairs % self.steps
            start, alpha = baseline[rows], alphas[steps, None, None, None]
            gradient = question.gradients(start + alpha * (pixels[rows] - start), rows)
            return rows, gradient * weights[steps, None, None, None]

        for rows, gradient in batched(run, len(pixels) * self.steps, size=question.batch_size, what=self.title):
            total.index_add_(0, rows.to(total.device), gradient)
        return total


def _each_score(question: Question, pixels: Float[Tensor, "n 3 h w"]) -> Float[Tensor, " n"]:
    def run(part: slice) -> Tensor:
        return question.scores(pixels[part], torch.arange(len(pixels))[part])

    return torch.cat(list(batched(run, len(pixels), size=question.batch_size, what="scores")))
