"""Objectives of whole maps: like a given one (inversion, caricature), or unlike one another (diversity)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import cosine_similarity, interpolate, normalize

from interp.feature_visualization.objective import Evaluation, OfLayer, Term
from interp.feature_visualization.objectives import LEAST_COSINE, check_power
from interp.feature_visualization.reading import prefix
from interp.passes.grids import on_grid
from interp.types import Classifier, Images


@dataclass(frozen=True, eq=False)
class Match(OfLayer):
    """How far a layer's map A goes towards a given map T: mean over positions of A·T, times cos(A, T)^p.

    Dot product and cosine are those of the whole maps, so the picture keeps where things are. With `cosine_power` 0 it
    only grows along T, which exaggerates; larger powers invert. T is enlarged or shrunk bilinearly to the picture's
    grid. Cosines below 0.1 count as 0.1.
    """

    activation: Float[Tensor, "k u v"] = field(repr=False)
    cosine_power: float | int = 2

    def check(self, classifier: Classifier) -> None:
        """Raise `ValueError` where the layer is not there, or has other channels than the map."""
        channels = classifier.layer(self.layer).channels
        if len(self.activation) != channels:
            raise ValueError(f"The map has {len(self.activation)} channels, and {self.layer} has {channels}.")
        if not bool(self.activation.isfinite().all()) or not bool(self.activation.any()):
            raise ValueError("There is nothing to match in the map: give finite numbers, not all of them 0.")
        check_power(self.cosine_power)

    @classmethod
    def together(cls, terms: Sequence[Term], rows: Int[Tensor, " m"], copies: int) -> Evaluation:
        """One map each."""
        matches = [cast(Match, term) for term in terms]
        powers = torch.tensor([float(one.cosine_power) for one in matches], device=rows.device)
        wanted: dict[tuple[int, int], Tensor] = {}

        def evaluate(maps: Tensor) -> Tensor:
            grid = (maps.shape[2], maps.shape[3])
            if grid not in wanted:
                resized = [_resized(one.activation.float(), grid) for one in matches]
                wanted[grid] = torch.stack(resized).to(rows.device)
            chosen, target = maps[rows].flatten(1), wanted[grid].flatten(1)
            dot = (chosen * target).sum(dim=1) / (grid[0] * grid[1])
            return dot * cosine_similarity(chosen, target, dim=1).clamp(min=LEAST_COSINE) ** powers

        return evaluate

    def __str__(self) -> str:
        return f"a given map of {self.layer}"


@dataclass(frozen=True)
class Diversity(OfLayer):
    """Minus the mean cosine between a picture's Gram matrix and those of the other pictures of the same objective.

    G = A Aᵀ over positions tells which channels of the layer occur together: textures that look different differ in
    it. In [-1, 0] for rectified layers. Needs two copies of each objective or more (Olah et al. 2017).
    """

    @classmethod
    def together(cls, terms: Sequence[Term], rows: Int[Tensor, " m"], copies: int) -> Evaluation:
        """The mean cosines of each run of `copies` pictures. Raises `ValueError` for a single copy."""
        if copies < 2:
            raise ValueError("Diversity compares pictures of the same objective, and there is one: ask for copies.")

        def evaluate(maps: Tensor) -> Tensor:
            flat = maps[rows].flatten(2)
            grams = normalize((flat @ flat.transpose(1, 2)).flatten(1), dim=1).unflatten(0, (-1, copies))
            cosines = grams @ grams.transpose(1, 2)
            others = cosines.sum(dim=2) - cosines.diagonal(dim1=1, dim2=2)
            return -others.flatten() / (copies - 1)

        return evaluate

    def __str__(self) -> str:
        return f"diversity at {self.layer}"


def caricature(
    classifier: Classifier, images: Images, layer: str, *, cosine_power: float | int = 2
) -> tuple[Match, ...]:
    """The objectives of pictures that show, exaggerated, what a layer sees in each image (Carter et al. 2019).

    Raises `ValueError` for a layer that there is not.
    """
    there = classifier.layer(layer)
    with torch.no_grad():
        maps = on_grid(prefix(classifier, images.pixels.to(classifier.device), {layer: None})[layer], there).cpu()
    return tuple(Match(layer, one, cosine_power) for one in maps)


def _resized(activation: Float[Tensor, "k u v"], grid: tuple[int, int]) -> Float[Tensor, "k y x"]:
    if tuple(activation.shape[1:]) == grid:
        return activation
    return interpolate(activation[None], size=grid, mode="bilinear", antialias=True)[0]
