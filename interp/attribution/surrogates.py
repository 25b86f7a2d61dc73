"""Linear models that stand in for the classifier near one picture: LIME and Kernel SHAP, read off the same forwards."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from interp.attribution import baselines
from interp.attribution.method import Maps, Method, SharingMethod
from interp.attribution.superpixels import coalitions, segments
from interp.batches import batched
from interp.passes.target_score import FORWARD, TargetScore
from interp.types import Classifier


@dataclass(frozen=True, eq=False)
class Perturbed:
    """What the forwards of one picture brought: which segments each perturbed copy shows, and its score.

    The first shows all segments, the second none.
    """

    labels: Int[Tensor, "h w"]
    present: Bool[Tensor, "m d"]
    scores: Float[Tensor, " m"]

    def weights(self, of_size: Float[Tensor, " sizes"]) -> Float[Tensor, " m"]:
        """A weight for each copy, from the weight of all coalitions of 0, 1, ..., d segments together.

        Those of one size that were drawn stand for all of that size.
        """
        sizes = self.present.sum(dim=1)
        return (of_size / sizes.bincount(minlength=len(of_size)))[sizes]


@dataclass(frozen=True)
class _Surrogate(SharingMethod):
    samples: int = 200
    segments: int = 20
    baseline: baselines.Baseline = "mean"
    seed: int = 0

    signed = True

    def __post_init__(self) -> None:
        if self.segments < 1:
            raise ValueError(f"{self.title} with segments={self.segments} has nothing to weigh: take at least 1.")
        needed = 2 * self.segments + 2
        if self.samples < needed:
            raise ValueError(
                f"{self.samples} samples are too few for {self.title} to tell {self.segments} segments apart: take at "
                f"least {needed}, or fewer segments."
            )
        baselines.check(self.baseline)

    def cost(self, classifier: Classifier) -> float:
        """A forward pass for each sample, the picture and its baseline among them; fewer for very few segments."""
        return FORWARD * self.samples

    def sharing(self) -> Hashable:
        """Methods that perturb the same segments in the same way read the same passes."""
        return (_Surrogate, self.samples, self.segments, self.baseline, self.seed)

    @classmethod
    def together(cls, target_score: TargetScore, methods: Sequence[Method]) -> list[Maps]:
        """One set of perturbed forwards for all the methods."""
        readers = cast(Sequence[_Surrogate], methods)
        perturbed = readers[0].perturbed(target_score, " and ".join(method.title for method in readers))
        return [method.read(perturbed) for method in readers]

    def perturbed(self, target_score: TargetScore, what: str) -> list[Perturbed]:
        """The scores of the perturbed copies of each picture, made in the batch that they run in."""
        pixels = target_score.images.pixels
        fill = baselines.images(pixels, self.baseline, self.seed)
        labels = [segments(image, self.segments) for image in pixels]
        present = [coalitions(int(one.max()) + 1, self.samples, self.seed) for one in labels]
        counts = torch.tensor([len(one) for one in present])
        owner = torch.arange(len(pixels)).repeat_interleave(counts)
        within = torch.cat([torch.arange(len(one)) for one in present])

        def run(part: slice) -> Tensor:
            rows = owner[part]
            chosen = zip(rows.tolist(), within[part].tolist(), strict=True)
            shown = torch.stack([present[row][copy].to(pixels.device)[labels[row]] for row, copy in chosen])
            return target_score.scores(torch.where(shown[:, None], pixels[rows], fill[rows]), rows)

        scores = (
            torch.cat(list(batched(run, len(owner), size=target_score.forward_batch_size, what=what))).cpu().double()
        )
        parts = zip(labels, present, scores.split(counts.tolist()), strict=True)
        return [Perturbed(*part) for part in parts]

    def read(self, perturbed: Sequence[Perturbed]) -> Maps:
        """The maps, from what the forwards brought."""
        return Maps(torch.stack([_painted(self.coefficients(one), one.labels) for one in perturbed]))

    @abstractmethod
    def coefficients(self, perturbed: Perturbed) -> Float[Tensor, " d"]:
        """What each segment of one picture gets, in logits."""


@dataclass(frozen=True)
class Lime(_Surrogate):
    """The coefficients of a ridge regression of the score on which superpixels are shown: signed, in logits.

    The regression has an intercept and `alpha` as its penalty. Each segment is shown with a probability of one half,
    and a copy that shows k of d segments weighs exp(−D² / (2 · kernel_width²)), D = 1 − √(k/d) its cosine distance to
    the whole picture, as in the authors' package; there the score is a probability and here the target's logit, which
    a contrast can be taken of. The copies are those of `superpixels.coalitions`, which serve Kernel SHAP too, and are
    weighted back to coin flips, with weights that sum to what `samples` coin flips' sum to, so that `alpha` means the
    same. `segments` is about how many SLIC makes (`superpixels.segments`), where the package takes quickshift; ten
    samples for each keep the map nearly the same under another seed (correlation 0.99; 0.8 with four for each). A
    hidden segment gets the `baseline`, see `baselines.images`, by default the picture's mean colour; the package takes
    each segment's own, under which plain segments cannot be hidden at all. A picture of a single segment has nothing
    to compare: it gets the whole difference s(x) − s(baseline).

    Each pixel carries its segment's whole coefficient, not divided by the segment's area.
    """

    kernel_width: float | int = 0.25
    alpha: float | int = 1.0

    title = "LIME"
    summary = "What a linear model, fitted to copies of the picture with segments hidden, gives each segment."
    formula = (
        r"\arg\min_{\beta} \sum_z \pi(z) \bigl( s(x_z) - \beta_0 - \beta^\top z \bigr)^2 + \alpha \lVert\beta\rVert^2, "
        r"\quad \pi(z) = e^{-D(z)^2 / 2\sigma^2}"
    )
    source = "Ribeiro, Singh and Guestrin 2016, “Why should I trust you?” Explaining the predictions of any classifier"
    pitfalls = (
        "Another seed, another kernel width or other segments give another map. The classifier is not linear, and the "
        "map does not say how badly the linear model fits. Pictures with half of their segments hidden are unlike any "
        "that the model has learned from."
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kernel_width <= 0:
            raise ValueError(f"A kernel width of {self.kernel_width} weighs nothing: it must be above 0.")
        if self.alpha < 0:
            raise ValueError(f"A penalty alpha={self.alpha} is not possible: it must be 0 or above.")

    def coefficients(self, perturbed: Perturbed) -> Float[Tensor, " d"]:
        """The ridge regression's, without the intercept."""
        parts = perturbed.present.shape[1]
        scores = perturbed.scores - perturbed.scores[1]
        if parts == 1:
            return scores[:1]
        sizes = torch.arange(parts + 1, dtype=torch.float64)
        flips = torch.distributions.Binomial(parts, torch.tensor(0.5, dtype=torch.float64)).log_prob(sizes)
        distances = 1 - (sizes / parts).sqrt()
        weights = perturbed.weights(self.samples * (flips - distances.square() / (2 * self.kernel_width**2)).exp())
        weights = weights[:, None]
        shown = perturbed.present.double()
        shown = shown - (weights * shown).sum(dim=0) / weights.sum()
        # With √alpha · I below it the regression is a plain one, of least norm where alpha is 0 and samples are few.
        rows = torch.cat([weights.sqrt() * shown, self.alpha**0.5 * torch.eye(parts, dtype=torch.float64)])
        mean = (weights[:, 0] * scores).sum() / weights.sum()
        wanted = torch.cat([weights[:, 0].sqrt() * (scores - mean), torch.zeros(parts, dtype=torch.float64)])
        return torch.linalg.lstsq(rows, wanted[:, None], driver="gelsd").solution[:, 0]


@dataclass(frozen=True)
class KernelShap(_Surrogate):
    """Estimated Shapley values of superpixels, whose players are shown or hidden: signed, in logits.

    A coalition of k of d segments weighs (d − 1) / (C(d, k) · k · (d − k)), and the values sum to s(x) − s(baseline)
    exactly, since the picture and the baseline would weigh infinitely much; `residual` is the segments' sum minus
    that. Where 2ᵈ ≤ `samples` all coalitions are computed and the values are exact; otherwise those of
    `superpixels.coalitions` stand for the rest. Segments, baseline and samples are LIME's, and so are the forwards.
    Another seed gave maps with a correlation of 0.99 at ten samples for each segment, and of 0.6 at four.

    Each pixel carries its segment's whole value, not divided by the segment's area: it is the segments that sum to
    s(x) − s(baseline), not the pixels.
    """

    title = "Kernel SHAP"
    summary = "What each segment adds to the score, averaged over the orders in which segments could be uncovered."
    formula = (
        r"\arg\min_{\phi} \sum_z \frac{d - 1}{\binom{d}{|z|}\, |z|\, (d - |z|)} "
        r"\bigl( s(x_z) - s(x') - \phi^\top z \bigr)^2, \quad \textstyle\sum_i \phi_i = s(x) - s(x')"
    )
    source = "Lundberg and Lee 2017, A unified approach to interpreting model predictions"
    pitfalls = (
        "With more than a few segments the values are estimates from a small share of all combinations, and another "
        "seed gives others. They depend on how the picture was cut, and on what hides a segment. Segments that matter "
        "only together share what they bring."
    )

    def read(self, perturbed: Sequence[Perturbed]) -> Maps:
        """The maps; and how far the segments' sum is from the difference that it should be."""
        values = [self.coefficients(one) for one in perturbed]
        residual = [value.sum() - (one.scores[0] - one.scores[1]) for value, one in zip(values, perturbed, strict=True)]
        painted = [_painted(value, one.labels) for value, one in zip(values, perturbed, strict=True)]
        return Maps(torch.stack(painted), residual=torch.stack(residual).to(painted[0]))

    def coefficients(self, perturbed: Perturbed) -> Float[Tensor, " d"]:
        """The constrained regression's: an equal share of the difference each, and deviations that sum to zero."""
        parts = perturbed.present.shape[1]
        sizes = torch.arange(parts + 1, dtype=torch.float64)
        kernel = (parts - 1) / (sizes * (parts - sizes))
        kernel[[0, -1]] = 0
        weights = perturbed.weights(kernel).sqrt()[:, None]
        present = perturbed.present.double()
        share = present.mean(dim=1, keepdim=True)
        scores = (perturbed.scores - perturbed.scores[1])[:, None]
        difference = scores[0]
        # Rows that sum to zero have solutions of least norm that do, so the constraint needs no elimination.
        solution = torch.linalg.lstsq(
            weights * (present - share), weights * (scores - share * difference), driver="gelsd"
        ).solution
        return solution[:, 0] + difference / parts


def _painted(coefficients: Float[Tensor, " d"], labels: Int[Tensor, "h w"]) -> Float[Tensor, "h w"]:
    """Each pixel with its segment's coefficient."""
    return coefficients.float().to(labels.device)[labels]
