"""Where a rectified channel comes from, for what drives it down is only seen before the rectifier."""

from __future__ import annotations

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from interp.feature_visualization.objectives import Channel
from interp.feature_visualization.reading import prefix
from interp.models import hooks
from interp.models.precision import noise_pictures
from interp.passes.grids import on_grid
from interp.types import Classifier

CLOSE = 1e-5
SUMS = 4
"""By how many numbers channels are told apart: of a thousand channels some agree in one number by chance."""


def before_rectifier(classifier: Classifier, layer: str) -> tuple[Channel | None, ...]:
    """For each channel of a layer one that goes below 0 and that this one is the positive part of.

    That is the channel itself where it goes below 0. None where there is nothing of the kind among the classifier's
    layers, or where the channel is 0 on the pictures tried. A channel that is never below 0 cannot be driven down:
    a picture of its opposite is one that makes the channel before the rectifier small.
    Found by two passes of noise pictures. Raises `ValueError` for a layer that there is not.
    """
    there = classifier.layer(layer)
    pixels = noise_pictures(classifier).pixels
    with torch.inference_mode(False), torch.no_grad():
        maps = on_grid(prefix(classifier, pixels, {layer: None})[layer], there)
        size = (SUMS, maps.shape[0], *maps.shape[2:])
        marks = torch.rand(size, generator=torch.Generator().manual_seed(0)).to(maps)
        found: list[Channel | None] = [
            Channel(layer, number) if below else None
            for number, below in enumerate((maps.amin(dim=(0, 2, 3)) < 0).tolist())
        ]
        wanted = _sums(maps, marks)

        def compare(name: str, activation: Tensor) -> None:
            before = on_grid(activation, classifier.layer(name)).float()
            if before.shape[2:] != maps.shape[2:]:
                return
            signed = before.amin(dim=(0, 2, 3)) < 0
            gaps = (_sums(before.relu(), marks)[None] - wanted[:, None]).abs()
            same = (gaps <= CLOSE * wanted[:, None]).all(dim=2)
            for number, source in (same & signed[None] & (wanted > 0).any(dim=1)[:, None]).nonzero().tolist():
                found[number] = found[number] or Channel(name, source)

        names = [one.name for one in classifier.layers if one.kind == there.kind and one.name != layer]
        with hooks.observed(classifier, {name: partial(compare, name) for name in names}):
            classifier.module(pixels)
    return tuple(found)


def _sums(maps: Float[Tensor, "n k u v"], marks: Float[Tensor, "m n u v"]) -> Float[Tensor, "k m"]:
    """A few numbers for each channel, which tell channels apart: sums of its activations with random weights."""
    return torch.einsum("nkuv,mnuv->km", maps, marks)
