"""What each place of a walk through the layers is made of: the class, a channel, or a group of channels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from interp.channels.attribution import ChannelAttribution
from interp.channels.between import Between
from interp.channels.groups import Groups
from interp.types import Layer


@dataclass(frozen=True, eq=False)
class Level:
    """What a place of the walk is made of: `values` and `by_position` of all channels of `layer`, and what they sum to.

    `score` is s′, of which the values are parts: at the class the score that is explained.
    """

    layer: Layer
    score: Float[Tensor, " n"]
    values: Float[Tensor, "n k"]
    by_position: Float[Tensor, "n k u v"]
    gradients: Float[Tensor, "n k u v"]

    @property
    def mean(self) -> Float[np.ndarray, " k"]:
        """Each channel's part, the mean over the photographs."""
        return self.values.mean(dim=0).numpy()

    def ends(self, adding: int, taking: int) -> tuple[list[int], list[int]]:
        """The channels that add most, and those that take away most."""
        mean = self.mean
        order = np.argsort(-mean, kind="stable")
        most = [int(k) for k in order[:adding] if mean[k] > 0]
        return most, [int(k) for k in order[::-1][:taking] if mean[k] < 0]

    @property
    def whole(self) -> float:
        """What shares are shares of: the score's magnitude, the mean over the photographs."""
        return abs(float(self.score.mean())) or 1.0


def of_class(found: ChannelAttribution) -> Level:
    """The class, made of the channels of the layer that is explained."""
    return Level(found.layer, found.scores, found.values, found.by_position, found.gradients)


def of_unit(found: Between, layer: str) -> Level:
    """A unit, made of the channels of a layer. Raises `ValueError` where that does not feed the unit."""
    here = found.at(layer)
    return Level(here.layer, found.scores, here.values, here.by_position, here.gradients)


def group_weights(
    activations: Float[Tensor, "n k u v"], found: Groups, group: int, gradients: Float[Tensor, "n k u v"] | None
) -> Float[Tensor, "n u v"]:
    """How much each position counts, so that the sum over them is the group's attribution, or the mean of its map.

    `gradients` are those of the score with respect to the activations, in the images that the groups are of; without
    them it is the mean of its map.
    """
    direction, maps = found.directions[group], found.maps[:, group]
    along = torch.einsum("nkuv,k->nuv", activations, direction)
    part = torch.where(along > 0, maps / along.where(along > 0, 1), 0)
    if gradients is None:
        return part / maps[0].numel()
    return part * torch.einsum("nkuv,k->nuv", gradients, direction)
