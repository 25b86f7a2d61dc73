"""Sums over images that parts add up to, the same bits in any grouping; what they say of each class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import reduce
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from interp.images import Problem
from interp.types import Classifier, Fingerprinted, Images
from interp.units.ablation_removal import Removal

DIGITS = 24
UNIT = 2.0**-DIGITS
"""Real numbers are rounded to multiples of this for each image, so that their sums are exact in any order."""

BOUND = 2.0**20
"""Numbers beyond are not summed: so 500,000 images of any kind fit into 64 bits."""


@dataclass(frozen=True, eq=False)
class AblationSums(Fingerprinted):
    """What becomes of c classes when each of k units is removed alone: sums over images, which parts add up to.

    By the class of the images' labels: how many `images`, how many of them are `right`, and how many images of any
    label are `predicted` as it; `logit` and `probability` are sums of those of each image's own class, in multiples
    of 2⁻²⁴, rounded for each image. The arrays of changes are the same without the unit, minus these.
    """

    removal: Removal
    images: Int[np.ndarray, " c"]
    right: Int[np.ndarray, " c"]
    predicted: Int[np.ndarray, " c"]
    logit: Int[np.ndarray, " c"]
    probability: Int[np.ndarray, " c"]
    right_change: Int[np.ndarray, "k c"]
    predicted_change: Int[np.ndarray, "k c"]
    logit_change: Int[np.ndarray, "k c"]
    probability_change: Int[np.ndarray, "k c"]

    def balanced(self) -> tuple[Float[np.ndarray, " c"], Float[np.ndarray, "k c"]]:
        """Each class's balanced accuracy before, and without each unit; nan where no image has the label."""
        right, predicted = self.right + self.right_change, self.predicted + self.predicted_change
        return balanced(self.images, self.right, self.predicted), balanced(self.images, right, predicted)

    def recall(self) -> tuple[Float[np.ndarray, " c"], Float[np.ndarray, "k c"]]:
        """The share of each class's images that are right before, and without each unit; nan without an image."""
        count = np.where(self.images > 0, self.images, np.nan)
        return self.right / count, (self.right + self.right_change) / count

    def accuracy(self) -> tuple[float, Float[np.ndarray, " k"]]:
        """The share of all images that are right before, and without each unit; nan without an image."""
        count = float(self.images.sum()) or np.nan
        return float(self.right.sum() / count), (self.right.sum() + self.right_change.sum(axis=1)) / count

    def order(self, target: int) -> Int[np.ndarray, " k"]:
        """The units whose removal lowers a class's balanced accuracy most first; of equal ones by its mean logit."""
        return np.lexsort((self.logit_change[:, target], self.balanced()[1][:, target]))

    def mean_changes(self) -> tuple[Float[np.ndarray, "k c"], Float[np.ndarray, "k c"]]:
        """By class, the mean change of the own class's logit, and of its probability; nan without an image."""
        count = np.where(self.images > 0, self.images, np.nan)
        return self.logit_change * UNIT / count, self.probability_change * UNIT / count


def balanced(
    images: Int[np.ndarray, " c"], right: Int[np.ndarray, "*v c"], predicted: Int[np.ndarray, "*v c"]
) -> Float[np.ndarray, "*v c"]:
    """Balanced accuracy by class: the mean of recall and true-negative rate; nan where one of them has no image."""
    others = images.sum() - images
    with np.errstate(divide="ignore", invalid="ignore"):
        found = (right / images + 1 - (predicted - right) / others) / 2
    return np.where((images > 0) & (others > 0), found, np.nan)


def added(parts: Sequence[Any]) -> Any:
    """Sums of several parts as one, in whatever grouping. Raises `ValueError` where there is none."""
    if not parts:
        raise ValueError("No parts are given: there is nothing to add up.")
    changed: dict[str, Any] = {}
    for field in fields(parts[0]):
        values = [getattr(part, field.name) for part in parts]
        if isinstance(values[0], np.ndarray):
            changed[field.name] = reduce(np.add, values)
        elif field.name == "problems":
            changed[field.name] = tuple(problem for one in values for problem in one)
    return replace(parts[0], **changed)


def left_out(
    classifier: Classifier, images: Images, numbers: Sequence[Float[np.ndarray, "n _"]]
) -> tuple[Bool[np.ndarray, " n"], tuple[Problem, ...]]:
    """Which images have only numbers that can be summed, and the others as problems."""
    kept = np.ones(len(images), bool)
    for values in numbers:
        kept &= np.all(np.abs(values) <= BOUND, axis=1)
    reason = (
        f"{classifier.name} gave numbers that are not finite, or beyond a million, for it or for it without a unit."
    )
    return kept, tuple(Problem(images.names[int(row)], reason) for row in np.flatnonzero(~kept))


def by_class(classes: int, labels: Int[np.ndarray, " n"], values: Int[np.ndarray, "n ..."]) -> Int[np.ndarray, "c ..."]:
    """The rows of each class added up."""
    sums = np.zeros((classes, *values.shape[1:]), np.int64)
    np.add.at(sums, labels, values)
    return sums


def read_of(
    classifier: Classifier, logits: Float[Tensor, "m c"], own: Int[Tensor, " m"]
) -> tuple[Int[Tensor, " m"], Float[Tensor, " m"], Float[Tensor, " m"]]:
    """Of each row the predicted class, and the logit and the probability of its own class."""
    logits = logits.float()
    shares = classifier.linked(logits)
    rows = torch.arange(len(own), device=own.device)
    return logits.argmax(dim=1), logits[rows, own], shares[rows, own]
