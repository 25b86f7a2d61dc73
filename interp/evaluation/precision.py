"""What bfloat16 does to the maps of each method, so that it is offered only where it leaves them as they are."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

import torch
from jaxtyping import Float
from torch import Tensor

from interp.attribution import Method, attribute
from interp.evaluation.similarity import spearman
from interp.models.precision import Bfloat16, in_bfloat16
from interp.types import Classifier, Images, Target, Targets

CORRELATION = 0.99
"""The least rank correlation to the map in float32 that any of the pictures may have."""

RATIO = 0.7
"""The largest share of the time in float32 that is worth another precision."""


@dataclass(frozen=True, eq=False)
class ReducedPrecision:
    """A method in bfloat16 beside itself in float32, on some images.

    `correlation` is the rank correlation of the two maps of each image; `ratio` the median over the images of the time
    in bfloat16 over that in float32.
    """

    method: Method
    correlation: Float[Tensor, " n"]
    ratio: float

    @property
    def offered(self) -> bool:
        """Whether the maps agree on every image (`CORRELATION`), and it saves time that is worth it (`RATIO`)."""
        return float(self.correlation.min()) >= CORRELATION and self.ratio <= RATIO

    def __str__(self) -> str:
        least = float(self.correlation.min())
        return (
            f"{self.method.title} in bfloat16: rank correlation to float32 at least {least:.3f} on "
            f"{len(self.correlation)} images, in {self.ratio:.2f} of the time"
        )


def reduced(
    classifier: Classifier,
    images: Images,
    targets: Targets,
    methods: Sequence[Method],
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> Iterator[ReducedPrecision]:
    """How far each method's maps in bfloat16 agree with those in float32, and what they cost, as each is measured.

    Every image is explained alone, in float32 and in bfloat16 in turn, so that other work on the machine slows both
    alike. Passes that run around the module's own forward method (LRP's) stay in float32, and gain nothing.
    `clock` gives the time in seconds; `time.process_time` leaves out what other processes take.
    Raises `ValueError` as `attribute` does, and for a classifier that computes in bfloat16 already.
    """
    if isinstance(classifier.module, Bfloat16):
        raise ValueError(f"{classifier.name} computes in bfloat16 already: give the one in float32.")
    chosen = classifier.targets(targets, len(images))
    for method in methods:
        method.check(classifier)
    return _measured(classifier, images, chosen, methods, clock)


def _measured(
    classifier: Classifier,
    images: Images,
    targets: tuple[Target, ...],
    methods: Sequence[Method],
    clock: Callable[[], float],
) -> Iterator[ReducedPrecision]:
    other = in_bfloat16(classifier)
    # A kernel's first run prepares it.
    other.logits(images[:1])
    for method in methods:
        correlations, ratios = [], []
        for row, target in enumerate(targets):
            one = images[row : row + 1]
            start = clock()
            whole = attribute(classifier, one, target, method).values
            middle = clock()
            rounded = attribute(other, one, target, method).values
            ratios.append((clock() - middle) / (middle - start))
            correlations.append(spearman(whole, rounded))
        yield ReducedPrecision(method, torch.cat(correlations), median(ratios))
