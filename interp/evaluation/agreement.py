"""Whether methods agree with each other on one picture: pair by pair, and all together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from interp.attribution import Random
from interp.evaluation.similarity import SHARE, constant, iou, local_moments, standardized_ranks, top


@dataclass(frozen=True, eq=False)
class Agreement:
    """How alike the maps of m methods are, for each image and each pair of methods; 1 on the diagonal.

    `spearman` is the rank correlation of the values, −1 to 1; `topk_iou` the overlap |A ∩ B| / |A ∪ B| of the pixels
    with the largest values, 0 to 1; `ssim` the structural similarity of the maps as drawn, −1 to 1.
    """

    names: tuple[str, ...]
    spearman: Float[Tensor, "n m m"]
    topk_iou: Float[Tensor, "n m m"]
    ssim: Float[Tensor, "n m m"]


def agreement(maps: Mapping[str, Float[Tensor, "n h w"]], *, share: float = SHARE) -> Agreement:
    """Compare every pair of maps of the same image, by name; values count as they are, with their sign.

    `share` is the share of pixels that `topk_iou` takes from each map, by default 5%. A constant map has no order and
    no top: with any other map its rank correlation and IoU are 0, with another constant map 1; see `similarity.ssim`
    for how maps are scaled. Agreement is no proof: methods that share a weakness agree, too.
    Raises `ValueError` for no maps, maps of different shapes, values that are not finite, and an impossible share.
    """
    names, stacked = _stacked(maps)
    flat = stacked.flatten(0, 1)
    count, methods = stacked.shape[:2]
    ranks = standardized_ranks(flat).unflatten(0, (count, methods))
    level = constant(flat).unflatten(0, (count, methods))
    both_level = level[:, :, None] & level[:, None, :]
    correlation = (ranks @ ranks.transpose(1, 2)).clamp(-1, 1).float()
    tops = top(flat, share).unflatten(0, (count, methods))
    moments = [local_moments(stacked[:, i]) for i in range(methods)]
    overlap, structure = (torch.ones(count, methods, methods) for _ in range(2))
    for i in range(methods):
        for j in range(i + 1, methods):
            overlap[:, i, j] = overlap[:, j, i] = iou(tops[:, i], tops[:, j])
            structure[:, i, j] = structure[:, j, i] = moments[i].ssim(moments[j])
    exact = torch.eye(methods, dtype=torch.bool)
    return Agreement(names, torch.where(both_level | exact, 1.0, correlation), overlap, structure)


def consensus(
    maps: Mapping[str, Float[Tensor, "n h w"]], *, share: float = SHARE, control: str = Random.title
) -> Float[Tensor, "n h w"]:
    """The share of methods that put a pixel among their top `share` of pixels: 0 (none) to 1 (all of them).

    Maps under the name of the control have no vote. A constant map puts no pixel at its top.
    Raises `ValueError` as `agreement` does, and where nothing but the control is given.
    """
    voting = {name: values for name, values in maps.items() if name != control}
    _, stacked = _stacked(voting)
    tops = top(stacked.flatten(0, 1), share).unflatten(0, stacked.shape[:2])
    return tops.float().mean(dim=1)


def _stacked(maps: Mapping[str, Tensor]) -> tuple[tuple[str, ...], Float[Tensor, "n m h w"]]:
    if not maps:
        raise ValueError("No maps to compare were given: give those of at least one method besides the control.")
    shapes = {name: tuple(values.shape) for name, values in maps.items()}
    if len(set(shapes.values())) > 1:
        raise ValueError(f"The maps have different shapes ({shapes}): all must be maps of the same images.")
    return tuple(maps), torch.stack([values.detach().cpu() for values in maps.values()], dim=1)
