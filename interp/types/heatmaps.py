"""What attribution methods give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from interp.types.digests import Fingerprinted
from interp.types.targets import Target


@dataclass(frozen=True, eq=False)
class Heatmaps(Fingerprinted):
    """What an attribution method gives: one map for each image, raw, never normalized.

    `values` is at the size of the model's input, signed where `signed` says so. `coarse` is what a layer method gave
    before it was enlarged. `residual` is, where the method promises a sum (Integrated Gradients: completeness), the
    sum minus what it should be, in logits. `passes` counts forward and backward passes of one image, the cost.
    `precision` is that of the passes.
    """

    values: Float[Tensor, "n h w"]
    signed: bool
    targets: tuple[Target, ...]
    coarse: Float[Tensor, "n u v"] | None = None
    residual: Float[Tensor, " n"] | None = None
    passes: float = 0.0
    seconds: float = 0.0
    precision: Literal["float32", "bfloat16"] = "float32"

    def __len__(self) -> int:
        return len(self.values)
