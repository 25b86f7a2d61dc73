"""Methods that add up gradients on the way from a baseline to the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp.attribution import baselines
from interp.attribution.method import Maps, Method
from interp.batches import batched
from interp.passes.target_score import FORWARD, TargetScore, require_seen
from interp.types import Classifier, Images


@dataclass(frozen=True)
class IntegratedGradients(Method):
    """(x − x′) · ∫₀¹ ∂s/∂x (x′ + α(x − x′)) dα, summed over the colours: signed, in logits.

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

    def maps(self, target_score: TargetScore) -> Maps:
        """The mean gradient times what differs from the baseline, with the residual of completeness."""
        pixels = target_score.images.pixels
        baseline = baselines.images(pixels, self.baseline, self.seed)
        values = ((pixels - baseline) * self._mean_gradient(target_score, baseline)).sum(dim=1)
        drop = each_score(target_score, pixels) - each_score(target_score, baseline)
        return Maps(values, residual=values.sum(dim=(1, 2)) - drop)

    def _mean_gradient(self, target_score: TargetScore, baseline: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """∫₀¹ ∂s/∂x dα along the straight way from the baseline to the image."""
        pixels = target_score.images.pixels
        points, weights = np.polynomial.legendre.leggauss(self.steps)  # on −1 to 1
        alphas, weights = torch.as_tensor((points + 1) / 2).to(pixels), torch.as_tensor(weights / 2).to(pixels)
        total = torch.zeros_like(pixels)

        def run(part: slice) -> tuple[Tensor, Tensor]:
            pairs = torch.arange(len(pixels) * self.steps)[part]
            rows, steps = pairs // self.steps, pairs % self.steps
            start, alpha = baseline[rows], alphas[steps, None, None, None]
            gradient = target_score.gradients(start + alpha * (pixels[rows] - start), rows)
            return rows, gradient * weights[steps, None, None, None]

        for rows, gradient in batched(run, len(pixels) * self.steps, size=target_score.batch_size, what=self.title):
            total.index_add_(0, rows.to(total.device), gradient)
        return total


@dataclass(frozen=True)
class GradientShap(Method):
    """Expected gradients: Integrated Gradients averaged over baselines, signed, in logits, summed over the colours.

    E over baselines x′ and α uniform in [0, 1] of (x − x′) · ∂s/∂x (x′ + α(x − x′)), from `samples` pairs. The α are
    stratified: one in each of `samples` equal parts of [0, 1], in random order, which halves the error at no cost.
    `references` are the baselines, such as pictures of the image set; each is used equally often. None draws a plain
    colour for each sample. Completeness: the map's mean sum is s(x) minus the mean score of the baselines; `residual`
    is the sum minus that. Lundberg's own code adds noise to the picture, which the papers do not; here there is none.
    """

    samples: int = 50
    references: Images | None = None
    seed: int = 0

    title = "Gradient SHAP"
    signed = True
    summary = "How much each pixel adds to the score, compared with many other pictures in place of one baseline."
    formula = (
        r"\mathbb{E}_{x', \alpha} \Bigl[ (x - x') \cdot "
        r"\frac{\partial s}{\partial x}\bigl(x' + \alpha (x - x')\bigr) \Bigr]"
    )
    source = (
        "Lundberg and Lee 2017, A unified approach; Erion et al. 2021, Improving performance with attribution priors"
    )
    pitfalls = (
        "It compares with whatever the baselines show: parts that they share with the picture get little. The average "
        "is taken over few samples, so the map is noisy, and another seed gives another one."
    )

    def __post_init__(self) -> None:
        if self.samples < 1:
            raise ValueError(f"Gradient SHAP with {self.samples} samples has nothing to average: take at least 1.")
        if self.references is not None and len(self.references) == 0:
            raise ValueError("Gradient SHAP was given an empty set of references: give at least one picture, or None.")

    def check(self, classifier: Classifier) -> None:
        """Raise `ValueError` for references of another size than the classifier sees, or of other colours."""
        if self.references is not None:
            require_seen(classifier, self.references, "references")

    def cost(self, classifier: Classifier) -> float:
        """A forward and a backward pass for each sample; the scores of picture and baselines for the residual."""
        baselines_scored = self.samples if self.references is None else min(self.samples, len(self.references))
        return self.samples + FORWARD * (1 + baselines_scored)

    def maps(self, target_score: TargetScore) -> Maps:
        """The mean over drawn baselines and places on the way, with the residual of completeness."""
        pixels = target_score.images.pixels
        draws = [self._draw(image) for image in pixels]
        values = pixels.new_zeros(len(pixels), *pixels.shape[2:])

        def run(part: slice) -> tuple[Tensor, Tensor]:
            pairs = torch.arange(len(pixels) * self.samples)[part]
            rows, samples = pairs // self.samples, pairs % self.samples
            chosen = zip(rows.tolist(), samples.tolist(), strict=True)
            start = torch.stack([draws[row].baselines[draws[row].which[sample]] for row, sample in chosen]).to(pixels)
            alpha = torch.stack([draws[row].alphas for row in rows.tolist()])
            alpha = alpha[torch.arange(len(rows)), samples].to(pixels)[:, None, None, None]
            difference = pixels[rows] - start
            gradient = target_score.gradients(start + alpha * difference, rows)
            return rows, (difference * gradient).sum(dim=1) / self.samples

        for rows, products in batched(run, len(pixels) * self.samples, size=target_score.batch_size, what=self.title):
            values.index_add_(0, rows.to(values.device), products)
        expected = torch.stack([self._mean_score(target_score, row, draw) for row, draw in enumerate(draws)])
        drop = each_score(target_score, pixels) - expected.to(pixels)
        return Maps(values, residual=values.sum(dim=(1, 2)) - drop)

    def _draw(self, image: Float[Tensor, "c h w"]) -> _Draw:
        """The baselines of one picture, which of them each sample takes, and where on the way it stands."""
        generator = baselines.generator(image, self.seed)
        strata = torch.randperm(self.samples, generator=generator)
        alphas = (strata + torch.rand(self.samples, generator=generator)) / self.samples
        if self.references is None:
            colours = torch.rand(self.samples, len(image), 1, 1, generator=generator)
            return _Draw(colours.expand(-1, -1, *image.shape[1:]), torch.arange(self.samples), alphas)
        order = torch.randperm(len(self.references), generator=generator)
        which = order.repeat(-(-self.samples // len(order)))[: self.samples]
        return _Draw(self.references.pixels, which, alphas)

    def _mean_score(self, target_score: TargetScore, row: int, draw: _Draw) -> Float[Tensor, ""]:
        """The mean score, for the target of a row, of the baselines that its samples take."""
        used, times = draw.which.unique(return_counts=True)

        def run(part: slice) -> Tensor:
            pixels = draw.baselines[used[part].to(draw.baselines.device)].to(target_score.images.pixels)
            return target_score.scores(pixels, torch.full((len(pixels),), row))

        scores = torch.cat(list(batched(run, len(used), size=target_score.batch_size, what="scores of the baselines")))
        return (scores * times.to(scores)).sum() / self.samples


@dataclass(frozen=True, eq=False)
class _Draw:
    baselines: Float[Tensor, "b c h w"]
    which: Int[Tensor, " samples"]
    alphas: Float[Tensor, " samples"]


def each_score(target_score: TargetScore, pixels: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
    """The score of each image when it has these pixels."""

    def run(part: slice) -> Tensor:
        return target_score.scores(pixels[part], torch.arange(len(pixels))[part])

    return torch.cat(list(batched(run, len(pixels), size=target_score.batch_size, what="scores")))
