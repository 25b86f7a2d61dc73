"""The features of an image set, batch by batch: the next images are decoded while the classifier runs on these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from interp import progress
from interp.embedding.representations import (
    LOGITS,
    PIXEL_SIDE,
    PIXELS,
    Features,
    Pooling,
    Representation,
    refuse_large,
)
from interp.images import ImageSet, Problem
from interp.models import hooks, known_shares
from interp.models.inputs import Input, PicturePass, positions_of
from interp.passes.grids import on_grid
from interp.set_pass import Collected, Growing, Positions, chosen_positions, once, returned
from interp.types import Classifier, Images


def features(
    classifier: Classifier,
    photos: ImageSet,
    *,
    layer: str | None = None,
    pooling: Pooling = "mean",
    positions: Positions = None,
) -> Float[np.ndarray, "n d"]:
    """The features of an image set, one row for each image in the set's order.

    `layer` is a layer's name (None: the last spatial one), "logits" or "pixels"; `pooling` is as in `Representation`:
    with "positions" an image has as many rows as its map has cells. `positions` are those of the images in the set, in
    the order wanted; None takes all. An image that cannot be read has nan in its rows, and a remark names it.
    Raises `ValueError` for a layer or pooling that there is not, positions outside the set, features of more than 2 GB,
    or features that are not numbers.
    """
    return features_of_layers(classifier, photos, [layer], pooling=pooling, positions=positions)[layer]


def features_of_layers(
    classifier: Classifier,
    photos: ImageSet,
    layers: Sequence[str | None],
    *,
    pooling: Pooling = "mean",
    positions: Positions = None,
) -> dict[str | None, Float[np.ndarray, "n d"]]:
    """As `features` at several layers, by the names asked for, in one pass over the images.

    Raises `ValueError` as `features` does.
    """
    representations = [Representation(layer, pooling) for layer in layers]
    found = returned(once(FeaturePass(), classifier, photos, representations, positions))
    if found and found[0].problems:
        named = ", ".join(problem.name for problem in found[0].problems[:3])
        progress.remark(f"{len(found[0].problems):,} images could not be read, and their features are nan: {named}.")
    chosen = chosen_positions(photos, positions)
    rows = [one.shape(classifier)[0] for one in representations]
    return {
        layer: _in_place(one, np.repeat(chosen, each)) for layer, one, each in zip(layers, found, rows, strict=True)
    }


@dataclass(frozen=True)
class FeaturePass(PicturePass[Representation, Features]):
    """The features of each image in each representation, from one pass.

    An image that cannot be read becomes a problem, and the rest goes on. Features that are not numbers end it with a
    `ValueError`. The first chunk is small, so that there is soon something to see.
    """

    first: int = 32

    what = "Reading features"

    def checked(self, classifier: Classifier, items: Sequence[Representation]) -> tuple[Representation, ...]:
        """The representations, resolved."""
        return tuple(one.resolved(classifier) for one in items)

    def values(
        self,
        classifier: Classifier,
        items: Sequence[Representation],
        context: None,
        images: Images,
        read: Sequence[Input],
    ) -> Sequence[Features]:
        """The features of some images in each representation."""
        rows, logits = _rows(classifier, images, items)
        if logits is not None and classifier.labels:
            known_shares.note(classifier, read, classifier.linked(logits).float().cpu().numpy())
        parts, positions = [], positions_of(read)
        for one in items:
            values = rows[one].cpu().numpy()
            each = len(values) // len(images)
            finite = np.isfinite(values).all(axis=1)
            if not finite.all():
                raise _not_finite(classifier, one, images.names[int(finite.argmin()) // each])
            parts.append(Features(one, values, np.repeat(positions, each)))
        return parts

    def blank(self, classifier: Classifier, item: Representation, problems: tuple[Problem, ...] = ()) -> Features:
        """The features of no image."""
        width = item.shape(classifier)[1]
        return Features(item, np.zeros((0, width), np.float32), np.zeros(0, np.int32), problems)

    def collecting(self, classifier: Classifier, items: Sequence[Representation], count: int) -> Collected[Features]:
        """The features as they come in. Raises `ValueError` where they would take more than 2 GB."""
        refuse_large(classifier, items, count)
        rows = [count * one.shape(classifier)[0] for one in items]
        return Collected([Growing(self.blank(classifier, one), room) for one, room in zip(items, rows, strict=True)])


def _rows(
    classifier: Classifier, images: Images, representations: Sequence[Representation]
) -> tuple[dict[Representation, Float[Tensor, "_ _"]], Float[Tensor, "n k"] | None]:
    """The rows of features of a batch, and the logits, from one pass; none where pixels are all that is asked."""
    rows: dict[Representation, Tensor] = {}
    logits = None

    def keep(layer: str | None, activation: Tensor) -> None:
        # Maps are pooled as soon as they are there, so that they are neither copied nor held.
        for one in representations:
            if one.layer == layer:
                rows[one] = pooled(activation, one, classifier).float().clone()

    layers = {one.layer for one in representations}
    keep(PIXELS, images.pixels)
    if layers - {PIXELS}:
        observers = {name: partial(keep, name) for name in layers if name is not None and name not in (LOGITS, PIXELS)}
        with torch.no_grad(), hooks.observed(classifier, observers):
            logits = classifier.module(images.pixels)
        keep(LOGITS, logits)
    return rows, logits


def pooled(activation: Tensor, representation: Representation, classifier: Classifier) -> Float[Tensor, "n d"]:
    """The rows of features that a batch's activation gives, in a resolved representation."""
    if representation.layer == PIXELS:
        height, width = activation.shape[2:]
        return adaptive_avg_pool2d(activation, (min(PIXEL_SIDE, height), min(PIXEL_SIDE, width))).flatten(1)
    if representation.layer == LOGITS:
        return activation
    layer = classifier.layer(representation.layer)
    if layer.kind == "flat":
        return activation
    if representation.pooling == "class_token":
        return activation[:, 0]
    grid = on_grid(activation, layer).float()
    match representation.pooling:
        case "mean":
            return grid.mean(dim=(2, 3))
        case "max":
            return grid.amax(dim=(2, 3))
        case "positions":
            return grid.permute(0, 2, 3, 1).flatten(0, 2)
    return grid.flatten(1)


def _not_finite(classifier: Classifier, representation: Representation, name: str) -> ValueError:
    return ValueError(
        f"{classifier.name} gave features at {representation.layer} that are not numbers for {name}: its weights, or "
        "its precision, do not suit this image. Check the weights, or load it with precision float32."
    )


def _in_place(found: Features, asked: Int[np.ndarray, " rows"]) -> Float[np.ndarray, "rows d"]:
    """The rows where the images asked for are, nan where one could not be read; uncopied where all could be."""
    if not found.problems:
        return found.values
    placed = np.full((len(asked), found.values.shape[1]), np.nan, np.float32)
    placed[np.isin(asked, found.indices)] = found.values
    return placed
