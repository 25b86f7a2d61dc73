"""What each place of a walk through the layers is made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

import cache
from interp import channels
from interp.channels import Between, Groups
from interp.types import Layer
from pages.parts.channels.subject import Subject
from pages.parts.channels.walk import Walk

FOR_CLASS, FOR_UNIT = "For the class", "For the unit itself"


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


def of_class(about: Subject) -> Level:
    """The class, made of the channels of the layer that is explained."""
    found = about.found
    return Level(about.layer, found.scores, found.values, found.by_position, found.gradients)


def level(found: Between, layer: str) -> Level:
    """A unit, made of the channels of a layer. Raises `ValueError` where that does not feed the unit."""
    here = found.at(layer)
    return Level(here.layer, found.scores, here.values, here.by_position, here.gradients)


def ask(
    about: Subject, above: Level, path: Walk, number: int, after: str, found: Groups | None, follow: str
) -> cache.Job:
    """The job that takes one step of the walk apart in the layer after it."""
    step = path[number]
    if step.channel is not None:
        unit: int | Tensor = step.channel
        weights = above.gradients[:, step.channel].contiguous() if follow == FOR_CLASS else None
    else:
        assert found is not None and step.group is not None
        unit = found.directions[step.group]
        weights = _of_group(about, found, step.group, above.gradients if follow == FOR_CLASS else None)
    return about.scope.compute(
        f"between-{number}",
        channels.between,
        about.classifier,
        about.batch,
        step.layer,
        unit,
        layers=(after,),
        weights=weights,
    )


def _of_group(
    about: Subject, found: Groups, group: int, gradients: Float[Tensor, "n k u v"] | None
) -> Float[Tensor, "n u v"]:
    """How much each position counts, so that the sum over them is the group's attribution, or the mean of its map."""
    direction, maps = found.directions[group], found.maps[:, group]
    along = torch.einsum("nkuv,k->nuv", about.found.activations, direction)
    part = torch.where(along > 0, maps / along.where(along > 0, 1), 0)
    if gradients is None:
        return part / maps[0].numel()
    return part * torch.einsum("nkuv,k->nuv", gradients, direction)
