"""Where a layer's maps, enlarged to the picture, exceed a threshold: computed only where they can."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

from interp.passes.receptive_fields import receptive_fields
from interp.types import Classifier


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

    A pixel beyond the outermost centres has the value of the nearest one (Bau et al. 2017). Of each map that has any.
    """
    from interp.units.loops import pixels_over

    own, found = _Candidates(maps, thresholds), np.empty(size[0] * size[1], np.int64)
    down, across = _axis(centres[0], size[0]), _axis(centres[1], size[1])
    for row, channel, one, limit in zip(own.rows, own.channels, own.maps, own.limits, strict=True):
        count = pixels_over(one, limit, *down, *across, found)
        yield Exceeding(np.full(count, row), np.full(count, channel), found[:count].copy())


def count_exceeding(
    maps: Float[Tensor, "n k u v"],
    thresholds: Float[Tensor, " k"],
    centres: Centres,
    size: tuple[int, int],
    places: tuple[Int[np.ndarray, "n pixels"], ...],
    counts: tuple[Int[np.ndarray, "k _"], ...],
) -> None:
    """Add to `counts`, by channel and place, the pixels that `exceeding` gives.

    There are as many `counts` as `places`, which say of each image where in them each of its pixels is counted.
    """
    from interp.units.loops import add_up

    own = _Candidates(maps, thresholds)
    down, across = _axis(centres[0], size[0]), _axis(centres[1], size[1])
    found = np.empty(size[0] * size[1], np.int64)
    add_up(own.maps, own.rows, own.channels, own.limits, *down, *across, found, places, counts)


class _Candidates:
    """The maps that exceed their threshold somewhere: of each the row (image), the channel, the threshold."""

    def __init__(self, maps: Float[Tensor, "n k u v"], thresholds: Float[Tensor, " k"]) -> None:
        if maps.device.type == "cpu":
            # In the calling thread alone, as others count other layers.
            values, limits = maps.numpy(), thresholds.numpy()
            self.rows, self.channels = (values.reshape(*values.shape[:2], -1).max(axis=2) > limits).nonzero()
            self.maps, self.limits = values[self.rows, self.channels], limits[self.channels]
            return
        which, units = (maps.amax(dim=(2, 3)) > thresholds).nonzero().unbind(1)
        self.maps = np.ascontiguousarray(maps[which, units].cpu().numpy())
        self.limits = thresholds[units].cpu().numpy()
        self.rows, self.channels = which.cpu().numpy(), units.cpu().numpy()


class _Axis(NamedTuple):
    """The first pixel of each gap between two neighbouring centres, and how near each pixel is to the second."""

    first: Int[np.ndarray, " gaps_and_end"]
    shares: Float[np.ndarray, " pixels"]


@lru_cache(maxsize=64)
def _axis(centres: tuple[float, ...], pixels: int) -> _Axis:
    """The gaps along an axis, those before the first centre and behind the last among them; pixel i is at i + 0.5."""
    at = np.arange(pixels) + 0.5
    edges = np.array(centres)
    gaps = np.searchsorted(edges, at, side="right")
    shares = np.zeros(pixels)
    inside = (gaps > 0) & (gaps < len(edges))
    before, after = edges[gaps[inside] - 1], edges[gaps[inside]]
    shares[inside] = (at[inside] - before) / (after - before)
    return _Axis(np.searchsorted(gaps, np.arange(len(edges) + 2)), shares.astype(np.float32))
