"""The features of an image set, batch by batch: the next images are decoded while the classifier runs on these."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from functools import partial

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from interp import progress
from interp.batches import read_ahead
from interp.embedding.representations import LOGITS, PIXEL_SIDE, PIXELS, Features, Pooling, Representation, Rows
from interp.images import ImageSet
from interp.models import hooks, inputs
from interp.models.inputs import Input
from interp.passes.grids import on_grid
from interp.types import Classifier, Images

# On a processor larger batches leave its caches; on a graphics card smaller ones leave it idle.
PROCESSOR_BATCH, DEVICE_BATCH = 16, 64

Positions = Sequence[int] | np.ndarray | None


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
    Raises `ValueError` as `extract` does.
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

    Raises `ValueError` as `extract` does.
    """
    representations = tuple(Representation(layer, pooling) for layer in layers)
    steps = extract(classifier, photos, representations, positions)
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            found: tuple[Features, ...] = stop.value
            break
    if found and found[0].problems:
        named = ", ".join(problem.name for problem in found[0].problems[:3])
        progress.remark(f"{len(found[0].problems):,} images could not be read, and their features are nan: {named}.")
    chosen = chosen_positions(photos, positions)
    rows = [one.shape(classifier)[0] for one in representations]
    return {
        layer: _in_place(one, np.repeat(chosen, each)) for layer, one, each in zip(layers, found, rows, strict=True)
    }


def extract(
    classifier: Classifier,
    photos: ImageSet,
    representations: Sequence[Representation],
    positions: Positions = None,
    *,
    batch_size: int | None = None,
) -> Generator[tuple[Features, ...], None, tuple[Features, ...]]:
    """The features of images in several representations, from one pass: yields all so far again and again.

    Each time it yields, and at the end returns, one `Features` for each representation, in their order. Beside these
    rows, whose size `Representation.size` tells before, two batches of images are held, however large the set. Nothing
    is locked between two batches. An image that cannot be read becomes a problem, and the rest goes on.
    Raises `ValueError` for a layer or pooling that there is not, positions outside the set, features of more than
    2 GB, or features that are not numbers.
    """
    chosen = chosen_positions(photos, positions)
    resolved = tuple(one.resolved(classifier) for one in representations)
    rows = Rows(classifier, resolved, len(chosen))
    size = batch_size or (PROCESSOR_BATCH if classifier.device.type == "cpu" else DEVICE_BATCH)

    def read(number: int) -> Input:
        return inputs.attempt(classifier, photos, int(chosen[number]))

    def run(pictures: Sequence[Input]) -> tuple[Features, ...]:
        return _of_batch(classifier, resolved, pictures)

    batches = read_ahead(read, run, len(chosen), size=size, what="Reading features")
    with closing(batches):
        for parts in batches:
            rows.add(parts)
            yield rows.so_far
    return rows.so_far


def chosen_positions(photos: ImageSet, positions: Positions) -> Int[np.ndarray, " n"]:
    """The positions as an array, None being all of them. Raises `ValueError` for one that the set does not have."""
    if positions is None:
        return np.arange(len(photos))
    given = np.asarray(positions) if len(positions) else np.zeros(0, np.int64)
    if not np.issubdtype(given.dtype, np.integer):
        raise ValueError(f"Positions of type {given.dtype} name no images: give whole numbers from 0.")
    outside = given[(given < 0) | (given >= len(photos))]
    if len(outside):
        raise ValueError(f"Image {outside[0]} does not exist: {photos.name} has {len(photos)}, numbered from 0.")
    return given.astype(np.int64)


def _of_batch(
    classifier: Classifier, representations: Sequence[Representation], pictures: Sequence[Input]
) -> tuple[Features, ...]:
    images, positions, problems = inputs.readable(classifier, pictures)
    if images is None:
        nothing = np.zeros(0, np.int32)
        widths = [one.shape(classifier)[1] for one in representations]
        blank = [np.zeros((0, width), np.float32) for width in widths]
        return tuple(Features(one, none, nothing, problems) for one, none in zip(representations, blank, strict=True))
    rows = _rows(classifier, images, representations)
    parts = []
    for one in representations:
        values = rows[one].cpu().numpy()
        each = len(values) // len(images)
        finite = np.isfinite(values).all(axis=1)
        if not finite.all():
            raise _not_finite(classifier, one, images.names[int(finite.argmin()) // each])
        parts.append(Features(one, values, np.repeat(np.array(positions, np.int32), each), problems))
    return tuple(parts)


def _rows(
    classifier: Classifier, images: Images, representations: Sequence[Representation]
) -> dict[Representation, Float[Tensor, "_ _"]]:
    """The rows of features of a batch, from one pass, or none where pixels are all that is asked for."""
    rows: dict[Representation, Tensor] = {}

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
    return rows


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
