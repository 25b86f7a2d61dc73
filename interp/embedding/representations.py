"""What a classifier makes of an image, as one vector: where it is read, how it is pooled, and the rows of a set."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from interp.images import Problem
from interp.types import Classifier, Fingerprinted, Layer

Pooling = Literal["mean", "max", "flat", "positions", "class_token"]
POOLINGS: tuple[Pooling, ...] = ("mean", "max", "flat", "positions", "class_token")
LOGITS = "logits"
PIXELS = "pixels"
# The baseline's pictures: what is finer than this, only the classifier can tell.
PIXEL_SIDE = 32
LARGEST = 2_000_000_000


@dataclass(frozen=True)
class Representation:
    """Which features are read: at a layer, or "logits", or "pixels", the baseline that no classifier has seen.

    `layer` None stands for the classifier's last spatial layer. `pooling` says what becomes of a map (k, u, v): its
    "mean" or "max" over the positions (k features), all of it "flat" (k·u·v), or one row of k features for each of the
    "positions", row by row of the map. Tokens are the map of their grid; "class_token" takes the one before it. A flat
    layer and the logits are taken as they are. Pixels are averaged over areas to at most 32 × 32, in each colour, or
    in grey. Raises `ValueError` for a pooling that there is not.
    """

    layer: str | None = None
    pooling: Pooling = "mean"

    def __post_init__(self) -> None:
        if self.pooling not in POOLINGS:
            raise ValueError(f"There is no pooling {self.pooling!r}. Choose one of: {', '.join(POOLINGS)}.")

    def resolved(self, classifier: Classifier) -> Representation:
        """The same, with the layer by its name; one of all that mean the same for this classifier.

        Raises `ValueError` for a layer that the classifier does not have, or a pooling that the layer does not allow.
        """
        layer = self._layer(classifier)
        name = self.layer if layer is None else layer.name
        if self.pooling == "class_token" and (layer is None or layer.prefix == 0):
            raise ValueError(f"{name!r} has no class token: choose the pooling mean or max.")
        if layer is not None and layer.kind != "flat":
            return Representation(name, self.pooling)
        if self.pooling == "positions":
            raise ValueError(f"{name!r} has one vector for each image and no positions: choose the pooling flat.")
        return Representation(name, "flat")

    def shape(self, classifier: Classifier) -> tuple[int, int]:
        """How many rows each image has, and how many features a row. Raises `ValueError` as `resolved` does."""
        one = self.resolved(classifier)
        layer = one._layer(classifier)
        if one.layer == PIXELS:
            height, width = classifier.input_size
            return 1, classifier.channels * min(PIXEL_SIDE, height) * min(PIXEL_SIDE, width)
        if layer is None:
            return 1, len(classifier.labels)
        if layer.kind == "flat" or one.pooling in ("mean", "max", "class_token"):
            return 1, layer.channels
        positions = layer.height * layer.width
        return (1, layer.channels * positions) if one.pooling == "flat" else (positions, layer.channels)

    def size(self, classifier: Classifier, images: int) -> int:
        """The bytes that the features of so many images take. Raises `ValueError` as `resolved` does."""
        rows, width = self.shape(classifier)
        return images * rows * width * np.dtype(np.float32).itemsize

    def _layer(self, classifier: Classifier) -> Layer | None:
        """The layer; None for logits and pixels."""
        if self.layer == LOGITS:
            classifier.require_head(f"The representation {LOGITS!r}")
        if self.layer in (LOGITS, PIXELS):
            return None
        names = [layer.name for layer in classifier.layers]
        if self.layer is not None and self.layer not in names:
            near = difflib.get_close_matches(self.layer, [*names, LOGITS, PIXELS], 3)
            meant = (
                f"Did you mean {', '.join(near)}?"
                if near
                else f"Choose {LOGITS}, {PIXELS}, or a layer such as {', '.join(names[-3:])}."
            )
            raise ValueError(f"{classifier.name} has no layer {self.layer!r}. {meant}")
        return classifier.layer(self.layer)


@dataclass(frozen=True, eq=False)
class Features(Fingerprinted):
    """The features of n rows of a set: one row for each image, or for each position of each image.

    `indices` are the images' positions in the set, one for each row. `problems` names the images that could not be
    read; they have no rows.
    """

    representation: Representation
    values: Float[np.ndarray, "n d"]
    indices: Int[np.ndarray, " n"]
    problems: tuple[Problem, ...] = ()

    def __len__(self) -> int:
        return len(self.values)


def refuse_large(classifier: Classifier, representations: Sequence[Representation], images: int) -> None:
    """Raise `ValueError` where the features of so many images would take more than 2 GB."""
    needed = sum(one.size(classifier, images) for one in representations)
    if needed <= LARGEST:
        return
    most = images * LARGEST // needed
    pooled = all(one.pooling in ("mean", "max", "class_token") for one in representations)
    what = ", ".join(f"{one.layer} ({one.pooling})" for one in representations)
    raise ValueError(
        f"The features {what} of {images:,} images take {needed / 1e9:,.1f} GB; the limit is {LARGEST / 1e9:.0f} GB. "
        f"Choose {'' if pooled else 'the pooling mean or max, or '}at most {most:,} images."
    )
