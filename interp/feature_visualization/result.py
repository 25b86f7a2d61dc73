"""What an optimization gives: frames on the way, and the pictures with what they achieve."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from interp.feature_visualization.objective import Objective


@dataclass(frozen=True, eq=False)
class Frame:
    """The pictures after `step` of `steps` steps, RGB or grey in [0, 1], on the processor.

    `values` are the objectives of these pictures as they are, without transforms or penalties. `curve` is what each
    step so far has seen, under that step's transforms.
    """

    step: int
    steps: int
    pixels: Float[Tensor, "n c h w"]
    values: Float[Tensor, " n"]
    curve: Float[Tensor, "s n"]


@dataclass(frozen=True, eq=False)
class Visualization:
    """Pictures made for objectives, one for each copy of each objective, copies side by side.

    `pixels` are RGB or grey in [0, 1], `values` the objectives of these pictures as they are, without transforms or
    penalties, and `curve` what each step has seen under that step's transforms. `dead` pictures are grey: nothing that
    was tried brought the objective above 0, and at the end no gradient led there. `passes` counts forward and backward
    passes of one picture (a forward pass alone is 1/3), each to the deepest layer that was read.
    """

    objectives: tuple[Objective, ...]
    pixels: Float[Tensor, "n c h w"]
    values: Float[Tensor, " n"]
    dead: Bool[Tensor, " n"]
    frames: tuple[Frame, ...]
    curve: Float[Tensor, "s n"]
    passes: float
    seconds: float

    def __len__(self) -> int:
        return len(self.objectives)


def joined(parts: tuple[Visualization, ...]) -> Visualization:
    """Several as one, in their order; all were made in as many steps, at one size.

    Raises `ValueError` for none.
    """
    if not parts:
        raise ValueError("There are no visualizations to join.")
    if len(parts) == 1:
        return parts[0]
    return Visualization(
        objectives=tuple(objective for part in parts for objective in part.objectives),
        pixels=torch.cat([part.pixels for part in parts]),
        values=torch.cat([part.values for part in parts]),
        dead=torch.cat([part.dead for part in parts]),
        frames=tuple(_frame(frames) for frames in zip(*(part.frames for part in parts), strict=True)),
        curve=torch.cat([part.curve for part in parts], dim=1),
        passes=parts[0].passes,
        seconds=sum(part.seconds for part in parts),
    )


def _frame(frames: tuple[Frame, ...]) -> Frame:
    return Frame(
        frames[0].step,
        frames[0].steps,
        torch.cat([frame.pixels for frame in frames]),
        torch.cat([frame.values for frame in frames]),
        torch.cat([frame.curve for frame in frames], dim=1),
    )
