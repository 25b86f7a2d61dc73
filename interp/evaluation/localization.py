"""Whether a map points at what people have marked: the pointing game, and the share of attribution inside."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import conv2d

from interp.types import Heatmaps

TOLERANCE = 15 / 224
"""Of the shorter side: Zhang et al. 2016 allow 15 pixels, here understood at 224 pixels."""


@dataclass(frozen=True, eq=False)
class Pointing:
    """Which maps hit the annotation. Images without an annotation are no hits, and are not `counted`."""

    hit: Bool[Tensor, " n"]
    counted: Bool[Tensor, " n"]

    @property
    def accuracy(self) -> float | None:
        """Hits as a share of the counted images; None where none counts."""
        counted = int(self.counted.sum())
        return int(self.hit.sum()) / counted if counted else None


@dataclass(frozen=True, eq=False)
class EnergyInside:
    """The share of a map's |S| inside the annotation, beside what a map that knows nothing would have there.

    `inside` is 0 to 1, `chance` the annotation's share of the picture. Images without an annotation and maps that
    are zero are not `counted`; their `inside` is 0.
    """

    inside: Float[Tensor, " n"]
    chance: Float[Tensor, " n"]
    counted: Bool[Tensor, " n"]


def pointing(
    heatmaps: Heatmaps, annotations: Bool[Tensor, "n h w"], *, tolerance: float | int | None = None
) -> Pointing:
    """The pointing game of Zhang et al. 2016: whether the largest value lies inside the annotation, or close to it.

    `tolerance` is the distance in pixels, from centre to centre, up to which a point beside the annotation still
    hits; None is 15 pixels at 224 pixels, scaled with the shorter side. Where the largest value occurs more than once,
    all of its places must hit, so that a constant map, which points nowhere, hits only what lies everywhere.
    Raises `ValueError` for annotations of another shape than the maps, and for a negative tolerance.
    """
    inside, values = _fitting(heatmaps, annotations)
    radius = TOLERANCE * min(inside.shape[1:]) if tolerance is None else tolerance
    if radius < 0:
        raise ValueError(f"A tolerance of {radius} pixels is not possible: it is a distance, from 0.")
    largest = values == values.amax(dim=(1, 2), keepdim=True)
    counted = inside.flatten(1).any(dim=1)
    return Pointing(~(largest & ~_grown(inside, radius)).flatten(1).any(dim=1) & counted, counted)


def energy_inside(heatmaps: Heatmaps, annotations: Bool[Tensor, "n h w"]) -> EnergyInside:
    """Σ|S| inside the annotation over Σ|S| (the energy-based pointing game of Wang et al. 2020, with |S| for signs).

    Raises `ValueError` for annotations of another shape than the maps.
    """
    inside, values = _fitting(heatmaps, annotations)
    energy = values.abs().double()
    total = energy.sum(dim=(1, 2))
    share = (energy * inside).sum(dim=(1, 2)) / torch.where(total > 0, total, 1.0)
    counted = (total > 0) & inside.flatten(1).any(dim=1)
    return EnergyInside(share.float(), inside.float().mean(dim=(1, 2)), counted)


def _fitting(heatmaps: Heatmaps, annotations: Bool[Tensor, "n h w"]) -> tuple[Tensor, Tensor]:
    values = heatmaps.values.detach().cpu()
    if annotations.shape != values.shape:
        raise ValueError(
            f"The annotations have the shape {list(annotations.shape)}, and the maps {list(values.shape)}: carry the "
            "annotations into what the model sees with classifier.prepare_annotations."
        )
    if not bool(values.isfinite().all()):
        raise ValueError("A map has values that are not finite, so it points nowhere.")
    return annotations.detach().cpu(), values


def _grown(inside: Bool[Tensor, "n h w"], radius: float | int) -> Bool[Tensor, "n h w"]:
    """Every pixel whose centre is at most `radius` pixels from that of a pixel inside."""
    reach = int(radius)
    offsets = torch.arange(-reach, reach + 1)
    disc = (offsets[:, None] ** 2 + offsets**2 <= radius**2).float()
    return conv2d(inside[:, None].float(), disc[None, None], padding=reach)[:, 0] > 0.5
