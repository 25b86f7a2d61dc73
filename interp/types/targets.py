"""What an explanation explains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Target:
    """What an explanation explains: a class's logit, or the contrast of two, `f_positive - f_negative`."""

    positive: int
    negative: int | None = None

    def title(self, labels: Sequence[str]) -> str:
        """The class, or both where one is set against another, by their labels."""
        return labels[self.positive] + ("" if self.negative is None else f" over {labels[self.negative]}")


Targets = int | Target | Sequence[int | Target]
"""One class for all images, one target, or one of these for each image."""


def scores(logits: Float[Tensor, "n k"], targets: Sequence[Target]) -> Float[Tensor, " n"]:
    """What each image's explanation explains: its target's logit, or the difference of two."""
    rows = torch.arange(len(logits), device=logits.device)
    positive = logits[rows, [target.positive for target in targets]]
    # Without a second class the second term is the first one times zero, so that one gather serves both.
    negative = logits[rows, [target.positive if target.negative is None else target.negative for target in targets]]
    contrast = torch.tensor([float(target.negative is not None) for target in targets], device=logits.device)
    return positive - contrast * negative
