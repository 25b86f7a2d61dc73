"""What a unit of one layer is made of in the layers before it: attribution between layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from interp.batches import batched
from interp.channels.attribution import ChannelAttribution, summed
from interp.feature_visualization.objectives import check_channel
from interp.feature_visualization.reading import counted_runs, prefix
from interp.models import hooks
from interp.passes.grids import on_grid
from interp.passes.target_score import TargetScore
from interp.types import Classifier, Fingerprinted, Images, Layer

_POOLINGS = (nn.modules.pooling._MaxPoolNd, nn.modules.pooling._AvgPoolNd, nn.Dropout, nn.Identity)
_SAME_CHANNELS = (nn.ReLU, nn.GELU, nn.SiLU, nn.Hardswish, nn.modules.batchnorm._BatchNorm)


@dataclass(frozen=True, eq=False)
class Contributions(Fingerprinted):
    """What the channels of one layer bring to a unit further up, to first order, in the unit's own measure.

    `by_position` is a_kuv = A_kuv · ∂s′/∂A_kuv and `values` its sum over all positions of a channel (of tokens the
    class token too). `residuals` is s′ minus the sum of the values: what biases and nonlinearity between the two layers
    take or give, 0 where there are only rectifiers, poolings and linear operations without biases.
    """

    layer: Layer
    activations: Float[Tensor, "n k u v"]
    gradients: Float[Tensor, "n k u v"]
    values: Float[Tensor, "n k"]
    residuals: Float[Tensor, " n"]

    @cached_property
    def by_position(self) -> Float[Tensor, "n k u v"]:
        """What each channel brings at each position."""
        return self.activations * self.gradients


@dataclass(frozen=True, eq=False)
class Level:
    """What a place of the walk is made of: `values` and `by_position` of all channels of `layer`, and what they sum to.

    `score` is s′, of which the values are parts: at the class the score that is explained.
    """

    layer: Layer
    score: Float[Tensor, " n"]
    values: Float[Tensor, "n k"]
    by_position: Float[Tensor, "n k u v"]
    gradients: Float[Tensor, "n k u v"]

    @property
    def mean(self) -> Float[np.ndarray, " k"]:
        """Each channel's part, the mean over the photographs."""
        return self.values.mean(dim=0).numpy()

    def ends(self, adding: int, taking: int) -> tuple[list[int], list[int]]:
        """The channels that add most, and those that take away most."""
        mean = self.mean
        order = np.argsort(-mean, kind="stable")
        most = [int(k) for k in order[:adding] if mean[k] > 0]
        return most, [int(k) for k in order[::-1][:taking] if mean[k] < 0]

    @property
    def whole(self) -> float:
        """What shares are shares of: the score's magnitude, the mean over the photographs."""
        return abs(float(self.score.mean())) or 1.0


def level_of_class(found: ChannelAttribution) -> Level:
    """The class, made of the channels of the layer that is explained."""
    return Level(found.layer, found.scores, found.values, found.by_position, found.gradients)


@dataclass(frozen=True, eq=False)
class Between:
    """A unit of the layer `upper`, how strong it is in each image (`scores`, s′), and what it is made of below."""

    upper: Layer
    scores: Float[Tensor, " n"]
    lower: tuple[Contributions, ...]

    def at(self, layer: str) -> Contributions:
        """What it is made of in one layer. Raises `ValueError` for one that was not read, or does not feed it."""
        for one in self.lower:
            if one.layer.name == layer:
                return one
        offered = ", ".join(one.layer.name for one in self.lower) or "none"
        raise ValueError(f"{layer!r} is not among the layers that were read and feed {self.upper.name}: {offered}.")

    def level(self, layer: str) -> Level:
        """The unit, made of the channels of one layer. Raises `ValueError` as `at` does."""
        here = self.at(layer)
        return Level(here.layer, self.scores, here.values, here.by_position, here.gradients)


def between(
    classifier: Classifier,
    images: Images,
    upper: str,
    unit: int | Float[Tensor, " k"],
    layers: Sequence[str] | None = None,
    *,
    weights: Float[Tensor, "n u v"] | None = None,
) -> Between:
    """Attribute a unit to the channels of the layers before it: s′ = Σ_uv w_uv · ⟨direction, A_uv⟩, a = A · ∂s′/∂A.

    `unit` is a channel of the layer `upper`, or a direction of its channels, such as a group's. `weights` says how much
    each position counts, in each image; None is the mean over all. With a channel's own gradients ∂s/∂A_kuv of a class
    as weights, s′ is the channel's attribution for the class, which is thus followed downwards.

    `layers` None are all before it in `classifier.layers`; those that do not feed it, in a parallel branch, are left
    out. One forward pass up to the unit and one backward pass give all of them; a pass without gradients finds where
    to end. Positions are those of the grid: a unit of tokens is read there, without the class token. Raises
    `ValueError` for a layer or channel that there is not, a layer that does not come before the unit's, and a
    direction or weights of another shape or not finite.
    """
    place = classifier.layer(upper)
    below = _below(classifier, place, layers)
    direction = _direction(classifier, unit, place)
    target_score = TargetScore.of(classifier, images, 0)
    _check_weights(weights, (len(images), max(place.height, 1), max(place.width, 1)))
    pixels = target_score.images.pixels
    runs = counted_runs(classifier, [*below, place.name], pixels[:1])

    def run(part: slice) -> tuple[Tensor, dict[str, tuple[Tensor, Tensor]]]:
        with torch.inference_mode(False), torch.enable_grad(), classifier.lock:
            # A copy, for pixels that were made under inference mode cannot take part in a graph.
            taken = prefix(classifier, pixels[part].detach().clone(), runs)
            along = torch.einsum("nkuv,k->nuv", on_grid(taken[place.name], place), direction.to(classifier.device))
            counted = along.mean(dim=(1, 2)) if weights is None else (along * weights[part].to(along)).sum(dim=(1, 2))
            inputs = [taken[one] for one in below]
            slopes = torch.autograd.grad(counted.sum(), inputs, allow_unused=True) if inputs else ()
        found = zip(below, slopes, strict=True)
        return counted.detach().cpu(), {
            name: (taken[name].detach().cpu(), slope.cpu()) for name, slope in found if slope is not None
        }

    parts = list(batched(run, len(images), size=target_score.batch_size, what=f"from {upper} down"))
    scores = torch.cat([one for one, _ in parts])
    if not bool(scores.isfinite().all()):
        raise ValueError(f"The unit of {upper} is not a finite number in each image: there is nothing to attribute.")
    joined = {
        name: tuple(torch.cat([given[name][side] for _, given in parts]) for side in (0, 1)) for name in parts[0][1]
    }
    return Between(
        place,
        scores,
        tuple(_contributions(classifier.layer(name), scores, *both) for name, both in joined.items()),
    )


def _contributions(layer: Layer, scores: Tensor, own: Tensor, slopes: Tensor) -> Contributions:
    values = summed(own * slopes, layer)
    residuals = scores - values.sum(dim=1)
    return Contributions(layer, on_grid(own, layer), on_grid(slopes, layer), values, residuals)


def _below(classifier: Classifier, upper: Layer, layers: Sequence[str] | None) -> list[str]:
    """The names of the layers to read, each before the upper one."""
    before = [layer.name for layer in classifier.layers[: classifier.layers.index(upper)]]
    if layers is None:
        return before
    for name in layers:
        if classifier.layer(name).name not in before:
            offered = ", ".join(before) or "none, as it is the first"
            raise ValueError(f"Layer {name!r} does not come before {upper.name!r}. Those that do: {offered}.")
    return list(dict.fromkeys(layers))


def _direction(classifier: Classifier, unit: int | Tensor, layer: Layer) -> Float[Tensor, " k"]:
    if isinstance(unit, Tensor):
        if unit.shape != (layer.channels,):
            raise ValueError(f"The direction has {len(unit)} numbers, and {layer.name} has {layer.channels} channels.")
        if not bool(unit.isfinite().all()):
            raise ValueError("The direction points nowhere: give finite numbers.")
        return unit.float()
    check_channel(classifier, layer.name, unit)
    return torch.eye(layer.channels)[unit]


def _check_weights(weights: Tensor | None, shape: tuple[int, int, int]) -> None:
    if weights is None:
        return
    if tuple(weights.shape) != shape:
        given, right = (" × ".join(map(str, one)) for one in (weights.shape, shape))
        raise ValueError(f"The weights have the shape {given}, and the images' positions are {right}.")
    if not bool(weights.isfinite().all()):
        raise ValueError("Some weights are not finite numbers: give one number for each position.")


def stations(classifier: Classifier) -> tuple[Layer, ...]:
    """The layers worth stepping through, in forward order: those whose channels mean something new.

    Of nested layers the outermost, and the ends of blocks. Poolings are left out, and what the next layer only
    normalizes or rectifies, since their channels are the next one's or the last one's; so are layers without a map.
    """
    mapped = [layer for layer in classifier.layers if layer.kind != "flat" and layer.height * layer.width > 1]
    names = {layer.name for layer in mapped}
    outermost = [
        layer
        for layer in mapped
        if layer.block_end or not any(layer.name.startswith(f"{name}.") for name in names - {layer.name})
    ]
    modules = [hooks.submodule(classifier, layer.name) for layer in outermost]
    following = [*modules[1:], None]
    return tuple(
        layer
        for layer, own, following in zip(outermost, modules, following, strict=True)
        if not isinstance(own, _POOLINGS) and (layer.block_end or not isinstance(following, _SAME_CHANNELS))
    )
