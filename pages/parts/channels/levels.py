"""Asking what each place of a walk through the layers is made of."""

from __future__ import annotations

from torch import Tensor

import cache
from interp import channels
from interp.channels import Groups
from interp.channels.between import Level
from pages.parts.channels.subject import Subject
from pages.parts.channels.walk import Walk

FOR_CLASS, FOR_UNIT = "For the class", "For the unit itself"


def ask(
    subject: Subject, above: Level, path: Walk, number: int, after: str, found: Groups | None, follow: str
) -> cache.Job:
    """The job that takes one step of the walk apart in the layer after it."""
    step = path[number]
    if step.channel is not None:
        unit: int | Tensor = step.channel
        weights = above.gradients[:, step.channel].contiguous() if follow == FOR_CLASS else None
    else:
        assert found is not None and step.group is not None
        unit = found.directions[step.group]
        gradients = above.gradients if follow == FOR_CLASS else None
        weights = found.weights(step.group, subject.attribution.activations, gradients)
    return subject.scope.compute(
        f"between-{number}",
        channels.between,
        subject.classifier,
        subject.batch,
        step.layer,
        unit,
        layers=(after,),
        weights=weights,
    )
