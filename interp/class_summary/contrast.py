"""Which channels stand out in one class's images more often than in another's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from interp.class_summary.counted import ClassCounts
from interp.class_summary.graph import check_counts
from interp.types import Fingerprinted


@dataclass(frozen=True, eq=False)
class ChannelContrast(Fingerprinted):
    """How two classes differ in the channels of a layer.

    `log_odds` is the log of the odds ratio of standing out, positive where the first class has more; `errors` its
    standard errors.
    """

    log_odds: Float[np.ndarray, " k"]
    errors: Float[np.ndarray, " k"]

    @property
    def z(self) -> Float[np.ndarray, " k"]:
        """Log odds in units of their standard error; beyond 2 in size for 1 in 20 channels that do not differ."""
        return self.log_odds / self.errors


def contrast(first: ClassCounts, second: ClassCounts) -> Mapping[str, ChannelContrast]:
    """By layer, log[(a + ½)(m − b + ½) / ((n − a + ½)(b + ½))] of each channel.

    a of the first class's n images have it among those that stand out, and b of the second's m. The halves (Haldane
    1956, Anscombe 1956) keep it finite at 0 and at all images; without images of a class nothing but the halves is
    left, and the error is large. The standard error is the root of the sum of the four reciprocals (Woolf 1955 with
    the same halves). Many channels are compared at once: of 500 that do not differ, 25 reach |z| = 2.

    Raises `ValueError` for counts that do not fit together or classes of different layers or channels.
    """
    for counts in (first, second):
        check_counts(counts)
    if first.layers != second.layers:
        raise ValueError(
            f"Classes of different layers cannot be compared: {', '.join(first.layers)} and {', '.join(second.layers)}."
        )
    found = {}
    for layer in first.layers:
        a, b = first.counts[layer], second.counts[layer]
        if len(a) != len(b):
            raise ValueError(f"Layer {layer!r} has {len(a)} channels in one class and {len(b)} in the other.")
        cells = np.stack([a, second.images - b, first.images - a, b]) + 0.5
        logs = np.log(cells)
        found[layer] = ChannelContrast(logs[0] + logs[1] - logs[2] - logs[3], np.sqrt((1 / cells).sum(axis=0)))
    return found
