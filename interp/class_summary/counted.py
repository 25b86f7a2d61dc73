"""What was counted of a class: in how many of its images each channel stands out, and each influences the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from interp.types import Fingerprinted

LayerPair = tuple[str, str]
"""A layer and the next one after it, of those that are summed up."""


@dataclass(frozen=True, eq=False)
class ClassCounts(Fingerprinted):
    """Counts over `images` images, as a rule of one class (Hohman et al. 2019, Summit).

    `layers` stand in the network's order. `counts` is A: by layer, in how many images each of its k channels is among
    those that make up most of the layer's activation. `influences` is I: by pair of consecutive layers, in how many
    images channel i of the first is among the strongest inputs of channel j of the second.
    """

    images: int
    layers: tuple[str, ...]
    counts: Mapping[str, Int[np.ndarray, " k"]]
    influences: Mapping[LayerPair, Int[np.ndarray, "i j"]]

    @property
    def pairs(self) -> tuple[LayerPair, ...]:
        """The pairs of consecutive layers, the lowest first."""
        return tuple(zip(self.layers, self.layers[1:], strict=False))
