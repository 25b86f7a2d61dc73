"""Where in an image a channel responds."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from interp.attribution.cams import on_grid
from interp.feature_visualization.objectives import check_channel
from interp.models import hooks
from interp.types import Classifier, Images


def map_of(classifier: Classifier, images: Images, layer: str, channel: int) -> Float[Tensor, "n u v"]:
    """The activation of one channel at each position, for each image. Raises `ValueError` for one that there is not."""
    check_channel(classifier, layer, channel)
    kept: list[Tensor] = []
    with classifier.lock, torch.no_grad(), hooks.observed(classifier, {layer: kept.append}):
        classifier.module(images.pixels.to(classifier.device))
    return on_grid(kept[0], classifier.layer(layer))[:, channel].float().cpu().clone()
