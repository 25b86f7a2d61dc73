"""Which channels of a layer, and where, argue for a class: activation times gradient."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from interp.batches import batched
from interp.passes.grids import on_grid
from interp.passes.target_score import TargetScore
from interp.types import Classifier, Fingerprinted, Images, Layer, Target, Targets, scores


@dataclass(frozen=True, eq=False)
class ChannelAttribution(Fingerprinted):
    """What each channel of a layer adds to each image's score, to first order, all in logits and on the processor.

    `by_position` is a_kuv = A_kuv · ∂s/∂A_kuv (Olah et al. 2018), and `values` its sum over all positions of a
    channel: positive speaks for the target, negative against it. Of tokens the sum holds the class token too, which
    has no place on the grid of positions; a flat layer has one position. `activations` is A and `gradients` ∂s/∂A, on
    the same grid; `logits` are those of all classes, `scores` the targets'.
    """

    layer: Layer
    targets: tuple[Target, ...]
    activations: Float[Tensor, "n k u v"]
    gradients: Float[Tensor, "n k u v"]
    values: Float[Tensor, "n k"]
    logits: Float[Tensor, "n classes"]

    def __len__(self) -> int:
        return len(self.targets)

    @cached_property
    def scores(self) -> Float[Tensor, " n"]:
        """The score of each image's target: a logit, or the difference of two."""
        return scores(self.logits, self.targets)

    @cached_property
    def by_position(self) -> Float[Tensor, "n k u v"]:
        """What each channel adds at each position: its activation times the gradient there."""
        return self.activations * self.gradients


def attribute(classifier: Classifier, images: Images, targets: Targets, layer: str | None = None) -> ChannelAttribution:
    """The attribution of each channel of a layer for each image's target: one forward pass and the rest of a backward.

    `layer` None is the last with a map. The backward pass ends at the layer. At a layer that is followed by average
    pooling and a linear layer alone, the values of an image sum to its logit minus its bias. Raises `ValueError` for a
    layer or class that there is not, images of a wrong size, and numbers that are not finite.
    """
    place = classifier.layer(layer)
    target_score = TargetScore.of(classifier, images, targets)

    def run(part: slice) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        rows = torch.arange(len(target_score.images))[part]
        tapped = target_score.tapped(target_score.images.pixels[part], rows, rules=(), layers=(place.name,))
        own, slopes = tapped.activations[place.name], tapped.gradients[place.name]
        grids = (on_grid(own, place), on_grid(slopes, place))
        sums = summed(own * slopes, place)
        assert tapped.logits is not None
        return tuple(one.detach().float().cpu() for one in (*grids, sums, tapped.logits))  # pyright: ignore

    parts = list(batched(run, len(target_score.images), size=target_score.batch_size, what="Attributing channels"))
    own, slopes, sums, logits = (torch.cat(one) for one in zip(*parts, strict=True))
    return ChannelAttribution(place, target_score.targets, own, slopes, sums, logits)


def summed(products: Tensor, layer: Layer) -> Float[Tensor, "n k"]:
    """What each channel comes to over all positions, of tokens over all of them, the class token too."""
    positions = [axis for axis in range(1, products.ndim) if axis != layer.channel_axis]
    return products.sum(dim=positions) if positions else products
