"""How the channels of one layer reach those of a later one: through which kernels, and which channels these read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

ELSEWHERE = -1
"""Stands for what does not come from the lower layer."""


@dataclass(frozen=True, eq=False)
class Kernels:
    """Kernels that make some channels of a joint (`rows`) of what the result of this number holds.

    `weights` have what the result is multiplied by in them; row j reads the g channels of the result from `first[j]`
    on, which are the candidates of the joint from `start + first[j]` on. Of a linear layer kernels are 1 × 1. `shape`
    is that of the result for one image.
    """

    rows: Int[np.ndarray, " j"]
    reads: int
    shape: tuple[int, ...]
    weights: Float[np.ndarray, "j g a b"]
    first: Int[np.ndarray, " j"]
    start: int
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    dilation: tuple[int, int] = (1, 1)
    axis: int = 1


@dataclass(frozen=True, eq=False)
class Carried:
    """Channels that are added to some of a joint (`rows`) as they are, times `factors`, as by a skip connection.

    They are those of the result of this number, and the candidates of the joint from `start` on. `shape` is that of the
    result for one image.
    """

    rows: Int[np.ndarray, " j"]
    reads: int
    shape: tuple[int, ...]
    channels: Int[np.ndarray, " j"]
    factors: Float[np.ndarray, " j"]
    start: int
    axis: int = 1


@dataclass(frozen=True, eq=False)
class Joint:
    """Where influences meet: a layer, or within, what a convolution or a sum of several gives.

    Its candidates are the channels that its terms read: candidate c is channel `channels[c]` of the joint number
    `joints[c]` of the wiring (`ELSEWHERE`: of nothing that the lower layer reaches). Within, where a batch
    normalization of negative factor reads some of k channels, `width` is 2k: channel k + i is channel i with its sign
    turned round.
    """

    name: str
    width: int
    terms: tuple[Kernels | Carried, ...]
    joints: Int[np.ndarray, " c"]
    channels: Int[np.ndarray, " c"]


@dataclass(frozen=True, eq=False)
class Wiring:
    """The joints from one layer to another, each behind those that it reads: the first is the lower layer.

    `left_out` names operations that mix channels by themselves, such as the products of attention: what goes through
    them is not followed. `reaches` says whether anything of the lower layer reaches the upper one otherwise.
    """

    before: str
    after: str
    joints: tuple[Joint, ...]
    left_out: tuple[str, ...]

    @property
    def reaches(self) -> bool:
        """Whether any channel of the lower layer is followed to the upper one."""
        reached = {0}
        for number, joint in enumerate(self.joints):
            if number and reached & set(joint.joints.tolist()):
                reached.add(number)
        return len(self.joints) - 1 in reached

    @property
    def starts(self) -> Int[np.ndarray, " joints"]:
        """Where the channels of each joint begin, with those of all joints but the first in one row; and their sum."""
        return np.cumsum([0, 0, *(joint.width for joint in self.joints[1:])])
