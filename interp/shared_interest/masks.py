"""What is scored: binary pictures and heatmaps, checked, and taken in parts that stay in the processor's cache."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Bool, Float, Num
from torch import Tensor

# The two of a call must have one shape, n h w; that is checked here, with words that say what would be right.
Masks = Num[Tensor, "_ _ _"] | Bool[Tensor, "_ _ _"] | Num[np.ndarray, "_ _ _"] | Bool[np.ndarray, "_ _ _"]
"""Binary pictures, n h w: boolean, or numbers that are all 0 or 1."""

MapArray = Num[Tensor, "_ _ _"] | Num[np.ndarray, "_ _ _"] | Bool[np.ndarray, "_ _ _"]
"""Heatmaps, n h w."""

Scores = Float[np.ndarray, " n"]

# As many as stay in the processor's cache from one step to the next: three times as fast as all at once.
_PIXELS_AT_ONCE = 1 << 19


def tensor(maps: MapArray) -> Tensor:
    """The maps on the processor, in single or double precision."""
    values = maps.detach().cpu() if isinstance(maps, Tensor) else torch.from_numpy(np.ascontiguousarray(maps))
    return values if values.dtype in (torch.float32, torch.float64) else values.float()


def scaled(rows: Float[Tensor, "m d"]) -> tuple[Float[Tensor, "m d"], Float[Tensor, "m 1"]]:
    """Each row in double precision and of a size that can be squared and summed, and what it was divided by.

    What was in single precision is as it was, else a row's largest magnitude is 1. The mean of equal values is their
    value exactly.
    """
    if rows.dtype != torch.float64:
        return rows.double(), torch.ones(len(rows), 1, dtype=torch.float64)
    largest = torch.linalg.vector_norm(rows, torch.inf, dim=1, keepdim=True)
    largest = torch.where(largest > 0, largest, 1.0)
    return rows / largest, largest


def binary(masks: Masks, what: str) -> Bool[Tensor, "n h w"]:
    """The masks as booleans on the processor. Raises `ValueError`, saying `what` holds them, for other numbers."""
    values = masks.detach().cpu() if isinstance(masks, Tensor) else torch.from_numpy(np.ascontiguousarray(masks))
    if values.dtype == torch.bool:
        return values
    found = values != 0
    if not torch.equal(found.to(values.dtype), values):
        other = values[(values != 0) & (values != 1)].flatten()[0].item()
        raise ValueError(f"The {what} holds {other:g}, and must be binary: booleans, or numbers that are all 0 or 1.")
    return found


def matching(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """The two as they are. Raises `ValueError` where their shapes differ."""
    if first.shape != second.shape:
        raise ValueError(
            f"The annotation has the shape {list(first.shape)} and the saliency {list(second.shape)}: carry the "
            "annotation into what the model sees with classifier.prepare_annotations."
        )
    return first, second


def slices(images: Tensor) -> Iterator[slice]:
    """Consecutive parts of some images, few enough at once for the processor's cache."""
    rows = max(1, _PIXELS_AT_ONCE // max(1, images[0].numel())) if len(images) else 1
    return (slice(start, start + rows) for start in range(0, len(images), rows))
