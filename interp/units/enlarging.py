"""A layer's maps at the size of the picture, each position where the centre of its receptive field is."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from interp.passes.receptive_fields import receptive_fields
from interp.types import Classifier
from interp.units.exceeding import Centres


def enlarged(maps: Float[Tensor, "k u v"], centres: Centres, size: tuple[int, int]) -> Float[Tensor, "k h w"]:
    """Maps enlarged bilinearly between the centres that their positions have; beyond, as at the nearest one."""
    down, across = (_weights(*one).to(maps) for one in zip(centres, size, strict=True))
    return down @ (maps @ across.T)


def _weights(centres: tuple[float, ...], pixels: int) -> Float[Tensor, "pixels u"]:
    """How much of each position each pixel along an axis takes; pixel i has its middle at i + 0.5."""
    if len(centres) == 1:
        return torch.ones(pixels, 1)
    at = np.interp(np.arange(pixels) + 0.5, centres, np.arange(len(centres), dtype=np.float64))
    low = np.minimum(at.astype(np.int64), len(centres) - 2)
    found = np.zeros((pixels, len(centres)))
    found[np.arange(pixels), low] = 1 - (at - low)
    found[np.arange(pixels), low + 1] += at - low
    return torch.from_numpy(found).float()


def centres(classifier: Classifier, layer: str) -> Centres:
    """Where the positions of a layer are in the picture, in pixels, rows and columns: the centres of receptive fields.

    Those of positions that see the whole picture are spread evenly.
    """
    fields = receptive_fields(classifier, layer)
    return tuple(fields.centres_y.tolist()), tuple(fields.centres_x.tolist())
