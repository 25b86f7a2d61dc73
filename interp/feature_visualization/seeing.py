"""Where in an image a channel responds, and which images of a set a picture is most like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn.functional import cosine_similarity

from interp.feature_visualization.objectives import check_channel
from interp.images import pixels_of
from interp.models import hooks
from interp.passes.grids import on_grid
from interp.types import Classifier, Images


def map_of(classifier: Classifier, images: Images, layer: str, channel: int) -> Float[Tensor, "n u v"]:
    """The activation of one channel at each position, for each image. Raises `ValueError` for one that there is not."""
    check_channel(classifier, layer, channel)
    kept: list[Tensor] = []
    with classifier.lock, torch.no_grad(), hooks.observed(classifier, {layer: kept.append}):
        classifier.module(images.pixels.to(classifier.device))
    return on_grid(kept[0], classifier.layer(layer))[:, channel].float().cpu().clone()


@dataclass(frozen=True)
class Near:
    """The row that is most like a picture, and the cosine of both, in [-1, 1]."""

    row: int
    cosine: float


def nearest(
    classifier: Classifier,
    pictures: Sequence[UInt8[np.ndarray, "h w 3"]],
    layer: str,
    means: Float[np.ndarray, "n k"],
) -> tuple[Near, ...]:
    """For each picture the row of `means` with the largest cosine to its own means over the layer's positions.

    `means` are those of a set's images, such as `embedding.features(…, pooling="mean")` gives. Pictures may be of
    different sizes. Raises `ValueError` for no rows, or rows of another length than the layer has channels.
    """
    channels = classifier.layer(layer).channels
    if not len(means) or means.shape[1] != channels:
        raise ValueError(f"{len(means)} rows of {means.shape[1]} features: give 1 or more, of {layer}'s {channels}.")
    rows = torch.from_numpy(means)
    found = []
    for picture in pictures:
        kept: list[Tensor] = []
        with classifier.lock, torch.no_grad(), hooks.observed(classifier, {layer: kept.append}):
            classifier.module(pixels_of(picture, classifier.channels)[None].to(classifier.device))
        own = on_grid(kept[0], classifier.layer(layer)).float().mean(dim=(2, 3)).cpu()
        cosines = cosine_similarity(rows, own, dim=1)
        row = int(cosines.argmax())
        found.append(Near(row, float(cosines[row])))
    return tuple(found)
