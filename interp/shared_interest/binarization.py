"""From a heatmap to a binary saliency: where its values are large, by one of three rules."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from interp.shared_interest.masks import MapArray, Masks, binary, matching, scaled, slices, tensor
from interp.shared_interest.scores import overlap


@dataclass(frozen=True)
class Deviations:
    """S is where the map is above its mean by more than `count` standard deviations; the paper's rule, with 1."""

    count: float | int = 1.0


@dataclass(frozen=True)
class Percentile:
    """S is where the map is at or above this percentile of its own values, interpolated linearly as NumPy does.

    As in the authors' code, but for a percentile that is the map's least value, as in a map that is zero almost
    everywhere: theirs marks the whole picture then, and here S is what is above the least value.
    """

    percent: float | int = 90.0


@dataclass(frozen=True)
class Area:
    """S is the largest values on a share of the picture; None: on as many pixels as the annotation has."""

    share: float | int | None = None


Rule = Deviations | Percentile | Area


def binarize(maps: MapArray, rule: Rule, *, annotation: Masks | None = None) -> Bool[np.ndarray, "n h w"]:
    """The binary saliency of each map: where its values are large, by one of three rules.

    A constant map singles out nothing, so its saliency is empty under each rule; for `Area` so are values that tie with
    the largest one left out. The map's sign counts, its unit does not: for magnitudes give |map|. In the authors' code
    values that lie on a limit exactly are salient by the first two rules, here by `Percentile` only.
    Raises `ValueError` for values that are not finite, for a rule out of range, and for `Area()` without an annotation.
    """
    values = tensor(maps)
    found = limits(values, rule, annotation)
    salient = torch.zeros(values.shape, dtype=torch.bool)
    for part in slices(values):
        torch.gt(values[part], found(part)[:, None, None], out=salient[part])
    return salient.numpy()


def limits(
    values: Float[Tensor, "n h w"], rule: Rule, annotation: Masks | None
) -> Callable[[slice], Float[Tensor, " m"]]:
    """The value that each map must exceed to be salient, for some of the maps.

    Raises `ValueError` as `binarize` does, for values that are not finite when called for them.
    """
    flat = values.flatten(1)
    size = flat.shape[1]
    if isinstance(rule, Deviations):
        return lambda part: _deviated(flat[part], rule.count)
    if isinstance(rule, Percentile):
        if not 0 <= rule.percent < 100:
            raise ValueError(f"A percentile of {rule.percent} is not possible: take 0 to below 100.")
        # No value lies between the interpolated percentile and the next one in order.
        rank = 1 + math.ceil(rule.percent * (size - 1) / 100)
        return lambda part: _reached(flat[part], rank)
    if rule.share is not None:
        if not 0 < rule.share < 1:
            raise ValueError(f"An area of {rule.share} is not possible: it is a share of the picture, between 0 and 1.")
        below = torch.full((len(flat),), size - max(1, round(rule.share * size)))
    elif annotation is not None:
        inside, _ = matching(binary(annotation, "annotation"), values)
        below = size - torch.from_numpy(overlap(inside, inside).annotated)
    else:
        raise ValueError("Area() makes the saliency as large as the annotation: give the annotation, or a share.")
    return lambda part: _ranked(flat[part], below[part].clamp(1, size).tolist())


def _deviated(rows: Float[Tensor, "m d"], count: float | int) -> Float[Tensor, " m"]:
    values, scale = scaled(rows)
    mean = values.mean(dim=1, keepdim=True)
    if not bool(mean.isfinite().all()):
        raise ValueError("A map has values that are not finite: compute it again.")
    centred = values - mean
    spread = torch.linalg.vecdot(centred, centred).div(rows.shape[1]).sqrt()
    limit = (mean[:, 0] + count * spread) * scale[:, 0]
    # The greatest number of the maps' precision up to the limit: the same values are above it.
    nearest = limit.to(rows.dtype)
    return torch.where(nearest.double() > limit, _just_below(nearest), nearest)


def _reached(rows: Float[Tensor, "m d"], rank: int) -> Float[Tensor, " m"]:
    """What the value of that rank in each row just exceeds; that value itself where it is the least."""
    values = _ranked(rows, [rank] * len(rows))
    return torch.where(values > rows.amin(dim=1), _just_below(values), values)


def _just_below(values: Float[Tensor, " m"]) -> Float[Tensor, " m"]:
    return torch.nextafter(values, torch.full_like(values, -torch.inf))


def _ranked(rows: Float[Tensor, "m d"], ranks: Sequence[int]) -> Float[Tensor, " m"]:
    """The value of that rank in each row, counted from 1, the smallest."""
    values = rows.numpy()
    if not np.isfinite(values).all():
        raise ValueError("A map has values that are not finite: compute it again.")
    return torch.tensor(
        [np.partition(row, place - 1)[place - 1] for row, place in zip(values, ranks, strict=True)], dtype=rows.dtype
    )
