"""Whether a map points at what people have marked: the pointing game, the attribution inside, and the overlap."""

from __future__ import annotations

from collections.abc import Mapping
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


@dataclass(frozen=True, eq=False)
class Overlap:
    """How a map's largest values, as many pixels as the annotation has, overlap with it.

    `iou` is |A ∩ B| / |A ∪ B|, 0 to 1; `chance` is that of as many pixels that know nothing, a / (2 − a) for an
    annotation of the share a of the picture. Images without an annotation are not `counted`; their `iou` is 0.
    """

    iou: Float[Tensor, " n"]
    chance: Float[Tensor, " n"]
    counted: Bool[Tensor, " n"]


@dataclass(frozen=True, eq=False)
class Located:
    """All that is measured of one method's maps beside annotations."""

    name: str
    pointing: Pointing
    energy: EnergyInside
    overlap: Overlap


def located(maps: Mapping[str, Heatmaps], annotations: Bool[Tensor, "n h w"]) -> tuple[Located, ...]:
    """The pointing game, the share of attribution inside, and the overlap, of the maps of many methods of one batch.

    Raises `ValueError` as `pointing` does.
    """
    near = _grown(annotations.detach().cpu(), _tolerance(annotations))
    return tuple(
        Located(
            name,
            _pointing(heatmaps, annotations, near),
            energy_inside(heatmaps, annotations),
            overlap(heatmaps, annotations),
        )
        for name, heatmaps in maps.items()
    )


def pointing(
    heatmaps: Heatmaps, annotations: Bool[Tensor, "n h w"], *, tolerance: float | int | None = None
) -> Pointing:
    """The pointing game of Zhang et al. 2016: whether the largest value lies inside the annotation, or close to it.

    `tolerance` is the distance in pixels, from centre to centre, up to which a point beside the annotation still
    hits; None is 15 pixels at 224 pixels, scaled with the shorter side. Where the largest value occurs more than once,
    all of its places must hit, so that a constant map, which points nowhere, hits only what lies everywhere.
    Raises `ValueError` for annotations of another shape than the maps, and for a negative tolerance.
    """
    radius = _tolerance(annotations) if tolerance is None else tolerance
    if radius < 0:
        raise ValueError(f"A tolerance of {radius} pixels is not possible: it is a distance, from 0.")
    return _pointing(heatmaps, annotations, _grown(annotations.detach().cpu(), radius))


def _pointing(heatmaps: Heatmaps, annotations: Bool[Tensor, "n h w"], near: Bool[Tensor, "n h w"]) -> Pointing:
    inside, values = _fitting(heatmaps, annotations)
    largest = values == values.amax(dim=(1, 2), keepdim=True)
    counted = inside.flatten(1).any(dim=1)
    return Pointing(~(largest & ~near).flatten(1).any(dim=1) & counted, counted)


def _tolerance(annotations: Bool[Tensor, "n h w"]) -> float:
    return TOLERANCE * min(annotations.shape[1:])


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


def overlap(heatmaps: Heatmaps, annotations: Bool[Tensor, "n h w"]) -> Overlap:
    """The intersection over union of the annotation and as many pixels with the map's largest values.

    Signed maps by their signed values, as in the pointing game. Where equal values stand across the border, the
    intersection is the one expected if chance took as many of them as are needed: so a constant map has what chance
    has. Raises `ValueError` for annotations of another shape than the maps.
    """
    inside, values = _fitting(heatmaps, annotations)
    flat, marked = values.flatten(1), inside.flatten(1)
    count = marked.sum(dim=1)
    ordered = flat.sort(dim=1, descending=True).values
    border = ordered.gather(1, (count - 1).clamp(min=0)[:, None])
    above, level = flat > border, flat == border
    wanted = (count - above.sum(dim=1)) / level.sum(dim=1)
    shared = (above & marked).sum(dim=1) + wanted * (level & marked).sum(dim=1)
    share = count / flat.shape[1]
    return Overlap(torch.where(count > 0, shared / (2 * count - shared), 0.0), share / (2 - share), count > 0)


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
