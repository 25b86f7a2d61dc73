"""What every unit of a layer does for one picture: the maps of a live wall (Yosinski et al. 2015)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from interp.models import hooks
from interp.passes.grids import on_grid
from interp.types import Classifier, Fingerprinted, Images
from interp.units.as_target import units_of
from interp.units.exceeding import Centres, exceeding

WallScale = Literal["set", "picture", "alike"]
"""Where a unit's colour scale ends: at its largest activation in the set, in the picture, or at all units' largest."""


@dataclass(frozen=True, eq=False)
class ChannelMaps(Fingerprinted):
    """The activations of k units of a layer for one picture, as the layer gives them."""

    layer: str
    maps: Float[np.ndarray, "k u v"]

    @property
    def signed(self) -> bool:
        """Whether an activation is below zero."""
        return bool((self.maps < 0).any())

    @property
    def largest(self) -> Float[np.ndarray, " k"]:
        """Each unit's largest activation."""
        return self.maps.max(axis=(1, 2))

    @property
    def magnitude(self) -> Float[np.ndarray, " k"]:
        """Each unit's largest activation, whatever its sign."""
        return np.abs(self.maps).max(axis=(1, 2))

    def ends(self, scale: WallScale, of_set: Float[np.ndarray, " k"] | None = None) -> Float[np.ndarray, " k"]:
        """The activation at which each unit's colour scale ends, 0 for one that is silent.

        `of_set` are the units' largest activations in the set. A unit that is nowhere above zero in the set, and of a
        layer with negative activations one that is stronger below zero in this picture than it is above zero anywhere,
        has its magnitude in this picture in their place. Raises `ValueError` for a scale by the set without them.
        """
        if scale == "picture":
            return self.magnitude
        if scale == "alike":
            return np.full(len(self.maps), self.magnitude.max(initial=0), np.float32)
        if of_set is None:
            raise ValueError("What is largest in the set is not given: choose another scale, or give a tally's values.")
        below = -self.maps.min(axis=(1, 2))
        return np.where(of_set > 0, np.maximum(of_set, below), self.magnitude).astype(np.float32)

    def brightest(self, ends: Float[np.ndarray, " k"]) -> Int[np.ndarray, " k"]:
        """The units in the order of their largest share of their scale, of equal ones of their magnitude."""
        share = np.divide(self.magnitude, ends, out=np.zeros_like(ends), where=ends > 0)
        return np.lexsort((-self.magnitude, -share.clip(max=1)))


def channel_maps(classifier: Classifier, images: Images, layer: str) -> ChannelMaps:
    """The maps of all units for the first of the images: one pass, which ends at the layer.

    The first call for a layer costs another pass (`units_of`). Raises `ValueError` as that does, and for activations
    that are not numbers.
    """
    network, place, taken = units_of(classifier, layer).module, classifier.layer(layer), []

    def take(output: Tensor) -> None:
        taken[:] = [on_grid(output.detach(), place)[0].float().cpu()]

    with torch.no_grad(), hooks.observed(classifier, {layer: take}):
        network(images.pixels[:1])
    if not bool(taken[0].isfinite().all()):
        raise ValueError(f"{classifier.name} gives activations at {layer} that are not numbers for {images.names[0]}.")
    return ChannelMaps(layer, np.ascontiguousarray(taken[0].numpy()))


def between_centres(
    maps: Float[np.ndarray, "*n u v"], centres: Centres, size: tuple[int, int]
) -> Float[np.ndarray, "*n h w"]:
    """Maps at the picture's size, bilinear between the centres of their positions, as dissection enlarges them.

    What is beyond the outermost centres has the value of the nearest one (`interp.units.exceeding`).
    """
    down, across = (_weights(one, pixels) for one, pixels in zip(centres, size, strict=True))
    return (down @ maps @ across.T).astype(np.float32)


def over_threshold(
    map_: Float[np.ndarray, "u v"], threshold: float, centres: Centres, size: tuple[int, int]
) -> Bool[np.ndarray, "h w"]:
    """A unit's mask in a picture: where its map, enlarged between the centres of positions, exceeds the threshold."""
    mask = np.zeros(size[0] * size[1], bool)
    maps = torch.from_numpy(np.ascontiguousarray(map_, np.float32))[None, None]
    for found in exceeding(maps, torch.tensor([threshold], dtype=torch.float32), centres, size):
        mask[found.pixels] = True
    return mask.reshape(size)


def _weights(centres: tuple[float, ...], pixels: int) -> Float[np.ndarray, "pixels positions"]:
    """How much of each position is in each pixel; the middle of pixel i is at i + 0.5."""
    at, one_each = np.arange(pixels) + 0.5, np.eye(len(centres))
    return np.stack([np.interp(at, centres, one) for one in one_each], axis=1)
