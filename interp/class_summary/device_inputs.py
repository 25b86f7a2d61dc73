"""The strongest inputs of larger kernels on a graphics card: products of matrices, where a processor runs loops."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt16
from torch import Tensor
from torch.nn.functional import unfold

from interp.class_summary.joints import Kernels

ROOM = 2**28
"""How many bytes what kernels read, and what they give, take at a time at most: 256 MB each, or one image's row."""


@dataclass(frozen=True, eq=False)
class DeviceReading:
    """The channels of some images where kernels read, with zeros around them, on the device where they were made."""

    maps: Float[Tensor, "n g u v"]


def strongest_multiplied(
    term: Kernels,
    read: DeviceReading,
    values: Float[np.ndarray, "n j s"],
    candidates: UInt16[np.ndarray, "n j s"],
) -> None:
    """As `readings.strongest_inputs`: every input's results at all positions, some images and rows at a time."""
    size = term.weights.shape[2] * term.weights.shape[3]
    each = max(1, ROOM // (4 * read.maps[0].numel() * size))
    for start in range(0, len(read.maps), each):
        images = slice(start, start + each)
        taps = unfold(read.maps[images], term.weights.shape[2:], dilation=term.dilation, stride=term.stride)
        taps = taps.unflatten(1, (-1, size))
        for first in np.unique(term.first):
            own = np.flatnonzero(term.first == first)
            _take(term, own, taps[:, first : first + term.weights.shape[1]], values[images], candidates[images])


def _take(
    term: Kernels,
    own: np.ndarray,
    taps: Float[Tensor, "n g t p"],
    values: Float[np.ndarray, "n j s"],
    candidates: UInt16[np.ndarray, "n j s"],
) -> None:
    """Take in the inputs of rows that read the same channels."""
    from interp.class_summary.influence_loops import insert_found

    weights = torch.from_numpy(term.weights[own]).to(taps.device).flatten(2).transpose(0, 1)
    each = max(1, ROOM // (4 * taps[:, :, 0].numel()))
    for start in range(0, len(own), each):
        results = (weights[:, start : start + each] @ taps).amax(dim=3)
        # Stable: of equal ones the first.
        best, which = results.movedim(1, 2).sort(dim=2, descending=True, stable=True)
        most = values.shape[2]
        named = which[:, :, :most].cpu().numpy() + (term.start + int(term.first[own[0]]))
        insert_found(best[:, :, :most].cpu().numpy(), named, term.rows[own[start : start + each]], values, candidates)
