"""How units of a layer are removed, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from interp.passes.ablation import zeroed_at
from interp.passes.resuming import Resumed
from interp.passes.target_score import TargetScore
from interp.types import Classifier, Fingerprinted, Images, Layer


@dataclass(frozen=True, eq=False)
class Removal(Fingerprinted):
    """How units of a layer are removed: set to zero everywhere, or to their `mean`, an array.

    The mean has one number for each unit, which stands at every position, or the shape of what the layer gives for one
    image (`interp.units.ablation_means`).
    """

    layer: str
    to: Literal["zero", "mean"] = "zero"
    mean: Float[np.ndarray, "*k"] | None = None

    def check(self, classifier: Classifier) -> Layer:
        """The layer. Raises `ValueError` for one that there is not, and for a mean that is missing or does not fit."""
        if self.to not in ("zero", "mean"):
            raise ValueError(f"Units cannot be set to {self.to!r}: give 'zero' or 'mean'.")
        if (self.to == "mean") != (self.mean is not None):
            said = "needs the mean of each unit" if self.mean is None else "takes no mean"
            raise ValueError(f"Setting units to {self.to} {said}: give `mean` with to='mean' only.")
        classifier.require_head("Ablation of units")
        layer = classifier.layer(self.layer)
        if self.mean is not None and self.mean.shape not in ((layer.channels,), shape_of(layer)):
            had, right = (" × ".join(map(str, one)) for one in (self.mean.shape, shape_of(layer)))
            raise ValueError(
                f"The mean has the shape {had}: {layer.name} has {layer.channels} units, or with positions {right}."
            )
        return layer

    def resumed(self, classifier: Classifier, images: Images) -> Resumed:
        """The images, run up to the place where units are removed."""
        layer = self.check(classifier)
        place = zeroed_at(classifier, layer) if self.mean is None else layer.name
        return Resumed(TargetScore.of(classifier, images, 0), place)

    def instead(self, classifier: Classifier, resumed: Resumed) -> Tensor | None:
        """What stands instead of the layer's output for one image; None for zero."""
        if self.mean is None:
            return None
        given = torch.from_numpy(self.mean).to(resumed.activations)
        shape = resumed.activations.shape[1:]
        if given.ndim == 1 and len(shape) > 1:
            axis = self.check(classifier).channel_axis - 1
            given = given.view([-1 if i == axis else 1 for i in range(len(shape))])
        return given.expand(shape)


def shape_of(layer: Layer) -> tuple[int, ...]:
    """The shape of what the layer gives for one image."""
    grid = (layer.height, layer.width)
    return {
        "spatial": (layer.channels, *grid),
        "channels_last": (*grid, layer.channels),
        "tokens": (layer.prefix + layer.height * layer.width, layer.channels),
        "flat": (layer.channels,),
    }[layer.kind]


def distinct(
    removed: Bool[np.ndarray, "v k"], active: Bool[np.ndarray, "n k"]
) -> tuple[Int[np.ndarray, " m"], Int[np.ndarray, " m"], Int[np.ndarray, "n v"]]:
    """The pairs of an image and a set that have to run, and which of them each image without each set is.

    A unit that is not active in an image changes nothing there, so that sets which differ in such units alone are one;
    and of few units the same are often drawn again.
    """
    rows, sets, of, count = [], [], np.zeros((len(active), len(removed)), np.int64), 0
    for row, own in enumerate(active):
        missing = np.packbits(removed & own, axis=1)
        _, first, which = np.unique(missing, axis=0, return_index=True, return_inverse=True)
        rows.append(np.full(len(first), row))
        sets.append(first)
        of[row] = count + which.reshape(-1)
        count += len(first)
    return np.concatenate(rows), np.concatenate(sets), of


def whole_logits(resumed: Resumed) -> Float[Tensor, "n c"]:
    """The logits of the images as they are, by the same operations as those of their variants."""
    rows = torch.arange(len(resumed.activations))
    return torch.cat([resumed.logits(resumed.activations[part], part) for part in rows.split(resumed.batch_size)])
