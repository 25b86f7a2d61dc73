"""Where a layer's maps, enlarged to the picture, exceed a threshold: computed only where they can."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import pad

from interp.passes.receptive_fields import receptive_fields
from interp.types import Classifier

AT_ONCE = 2**22
"""How many pixels are looked at together: 16 MB."""


class Exceeding(NamedTuple):
    """Pixels at which enlarged maps exceed their thresholds: of each the row, the channel, the place in the picture."""

    rows: Int[np.ndarray, " m"]
    channels: Int[np.ndarray, " m"]
    pixels: Int[np.ndarray, " m"]


Centres = tuple[tuple[float, ...], tuple[float, ...]]
"""Where the positions of a layer are in the picture, in pixels: those of its rows, and of its columns."""


def centres(classifier: Classifier, layer: str) -> Centres:
    """Where the positions of a layer are in the picture, in pixels, rows and columns: the centres of receptive fields.

    Those of positions that see the whole picture are spread evenly.
    """
    fields = receptive_fields(classifier, layer)
    return tuple(fields.centres_y.tolist()), tuple(fields.centres_x.tolist())


def exceeding(
    maps: Float[Tensor, "n k u v"], thresholds: Float[Tensor, " k"], centres: Centres, size: tuple[int, int]
) -> Iterator[Exceeding]:
    """The pixels at which each map, enlarged bilinearly between the centres of its positions, exceeds its threshold.

    A pixel beyond the outermost centres has the value of the nearest one (Bau et al. 2017). Between four positions
    nothing exceeds what none of them does: so of a map of which one position in 200 is over the threshold, only few
    pixels are computed.
    """
    which, units = (maps.amax(dim=(2, 3)) > thresholds).nonzero().cpu().unbind(1)
    if not len(which):
        return
    corners = pad(maps[which, units].cpu(), (1, 1, 1, 1), mode="replicate")
    limits = thresholds.cpu()[units]
    above = corners > limits[:, None, None]
    above = above[:, 1:] | above[:, :-1]
    found = (above[..., 1:] | above[..., :-1]).nonzero()
    down, across = _axis(centres[0], size[0]), _axis(centres[1], size[1])
    each = down.pixels.shape[1] * across.pixels.shape[1]
    for some in found.split(max(1, AT_ONCE // each)):
        one, i, j = some.unbind(1)
        across_shares, down_shares = across.shares[j], down.shares[i]
        upper = torch.lerp(corners[one, i, j, None], corners[one, i, j + 1, None], across_shares)
        lower = torch.lerp(corners[one, i + 1, j, None], corners[one, i + 1, j + 1, None], across_shares)
        values = torch.lerp(upper[:, None], lower[:, None], down_shares[:, :, None])
        over = (values > limits[one][:, None, None]) & down.there[i][:, :, None] & across.there[j][:, None]
        spot, y, x = over.nonzero().unbind(1)
        pixels = down.pixels[i[spot], y] * size[1] + across.pixels[j[spot], x]
        owner = one[spot]
        yield Exceeding(which[owner].numpy(), units[owner].numpy(), pixels.numpy())


class _Axis(NamedTuple):
    """The pixels between two neighbouring centres, and how near each is to the second; filled up to equal length."""

    pixels: Int[Tensor, "gaps most"]
    shares: Float[Tensor, "gaps most"]
    there: Tensor


@lru_cache(maxsize=64)
def _axis(centres: tuple[float, ...], pixels: int) -> _Axis:
    """The gaps along an axis, those before the first centre and behind the last among them; pixel i is at i + 0.5."""
    at = np.arange(pixels) + 0.5
    edges = np.array(centres)
    gaps = np.searchsorted(edges, at, side="right")
    most = max(1, int(np.bincount(gaps).max()))
    table, shares = np.zeros((len(edges) + 1, most), np.int64), np.zeros((len(edges) + 1, most))
    there = np.zeros(table.shape, bool)
    for gap in range(len(edges) + 1):
        inside = np.flatnonzero(gaps == gap)
        table[gap, : len(inside)], there[gap, : len(inside)] = inside, True
        if 0 < gap < len(edges):
            shares[gap, : len(inside)] = (at[inside] - edges[gap - 1]) / (edges[gap] - edges[gap - 1])
    return _Axis(torch.from_numpy(table), torch.from_numpy(shares).float(), torch.from_numpy(there))
