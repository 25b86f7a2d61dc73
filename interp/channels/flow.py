"""One photograph as a flow: groups of channels in a few layers, what each brings to the next ones, and to classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from interp import progress
from interp.channels.attribution import ChannelAttribution, summed
from interp.channels.groups import Groups, groups
from interp.feature_visualization.reading import LOGITS, counted_runs, prefix
from interp.passes.grids import off_grid, on_grid
from interp.passes.target_score import TargetScore
from interp.types import Classifier, Fingerprinted, Images, Layer, Targets


@dataclass(frozen=True, eq=False)
class FlowColumn(Fingerprinted):
    """The groups of one layer; `values` is what each brings to the score, and last what is in none of them, in logits.

    `residual` is what the values do not sum to: what biases, and what is not linear, above the layer give or take.
    """

    groups: Groups
    values: Float[Tensor, " g1"]
    residual: float


@dataclass(frozen=True, eq=False)
class Flow(Fingerprinted):
    """What the groups of some layers, the lowest first, bring to each other and to the score of one photograph.

    `bands` has, for each layer but the last, what each group brings by way of each of the next layer's (g × h, each
    with the rest last), in logits: bands of one group sum to its value, but for `past`, what does not go through the
    next layer. What bands into a group do not sum to is `given`: biases and what is not linear in between give it, or
    take it. `to_classes` is what the last layer's groups bring to the logit of each of `classes`, and `class_given`
    what is left of the logit.
    """

    score: float
    columns: tuple[FlowColumn, ...]
    bands: tuple[Float[Tensor, "g1 h1"], ...]
    past: tuple[Float[Tensor, " g1"], ...]
    given: tuple[Float[Tensor, " h1"], ...]
    classes: tuple[int, ...]
    logits: Float[Tensor, " c"]
    to_classes: Float[Tensor, "g1 c"]
    class_given: Float[Tensor, " c"]


def flow(
    classifier: Classifier,
    image: Images,
    target: Targets,
    layers: Sequence[str],
    count: int = 6,
    classes: Sequence[int] = (),
    *,
    seed: int = 0,
) -> Flow:
    """Follow one photograph through groups of channels in some layers, in the network's order, to its classes.

    Each layer's activation A is split into `count` groups by non-negative matrix factorization, and the rest (Olah et
    al. 2018, The building blocks of interpretability). A group's value is Σ A_g · ∂s/∂A, the sum over its part A_g. Its
    band to a group h of the next layer is Σ A_g · ∂s_h/∂A, where s_h = Σ A′ · c_h is what h brings to the score, with
    c_h held fixed: h's part of the gradient there. As the c_h of all groups and the rest sum to the gradient, bands
    sum to values. All is to first order.

    One forward and one backward pass give all layers; each pair of layers costs one more forward pass, and a backward
    pass between the two for each group. Raises `ValueError` for more than one image, fewer than two layers, layers
    without a map or in another order, and more groups than a layer has channels or positions.
    """
    if len(image) != 1:
        raise ValueError(f"A flow is of one photograph, and {len(image)} were given.")
    places = [classifier.layer(name) for name in layers]
    _check_order(classifier, places)
    target_score = TargetScore.of(classifier, image, target)
    split = _split(target_score, places, count, seed)
    columns, bands, past, given = [], [], [], []
    for at, one in enumerate(split):
        columns.append(FlowColumn(one.groups, one.values, float(split[-1].score - one.values.sum())))
        if at + 1 < len(split):
            progress.report(at, len(split), "following groups from layer to layer")
            band = _bands(target_score, one, split[at + 1])
            bands.append(band)
            past.append(one.values - band.sum(dim=1))
            given.append(split[at + 1].values - band.sum(dim=0))
    wanted = tuple(classes) or tuple(split[-1].logits.topk(min(3, len(split[-1].logits))).indices.tolist())
    classifier.targets(list(wanted), len(wanted))
    to_classes = _to_classes(target_score, split[-1], wanted)
    logits = split[-1].logits[list(wanted)]
    return Flow(
        split[-1].score,
        tuple(columns),
        tuple(bands),
        tuple(past),
        tuple(given),
        wanted,
        logits,
        to_classes,
        logits - to_classes.sum(dim=0),
    )


@dataclass(frozen=True, eq=False)
class _Split:
    """A layer's groups, and the gradient of the score there, in the shape in which the layer gives it."""

    layer: Layer
    score: float
    logits: Float[Tensor, " classes"]
    groups: Groups
    gradient: Tensor
    values: Float[Tensor, " g1"]

    def parts(self, own: Tensor) -> list[Tensor]:
        """What of an activation each group holds, and the rest."""
        grids = torch.einsum("guv,gk->gkuv", self.groups.maps[0], self.groups.directions).to(own)
        held = [off_grid(one[None], own, self.layer) for one in grids]
        return [*held, own - sum(held, torch.zeros_like(own))]

    def coefficients(self, own: Tensor) -> list[Tensor]:
        """For each group, and the rest, what the activation is multiplied by to give what it brings."""
        grid, slopes = on_grid(own, self.layer), on_grid(self.gradient.to(own), self.layer)
        found = []
        for maps, direction in zip(self.groups.maps[0].to(own), self.groups.directions.to(own), strict=True):
            along = torch.einsum("kuv,k->uv", grid[0], direction)
            part = torch.where(along > 0, maps / along.where(along > 0, 1), 0)
            weight = part * torch.einsum("kuv,k->uv", slopes[0], direction)
            found.append(off_grid((weight * direction[:, None, None])[None], own, self.layer))
        gradient = self.gradient.to(own)
        return [*found, gradient - sum(found, torch.zeros_like(own))]


def _split(target_score: TargetScore, places: Sequence[Layer], count: int, seed: int) -> list[_Split]:
    names = tuple(one.name for one in places)
    tapped = target_score.tapped(target_score.images.pixels, torch.zeros(1, dtype=torch.long), rules=(), layers=names)
    assert tapped.logits is not None
    logits = tapped.logits.detach().float().cpu()
    found = []
    for place in places:
        own, slopes = tapped.activations[place.name].detach(), tapped.gradients[place.name].detach()
        grids = (on_grid(own, place).float().cpu(), on_grid(slopes, place).float().cpu())
        attribution = ChannelAttribution(
            place, target_score.targets, *grids, summed(own * slopes, place).float().cpu(), logits
        )
        held = groups(attribution, (0,), count, seed=seed)
        whole = float((own * slopes).sum())
        values = torch.cat([held.values[0], whole - held.values[0].sum().reshape(1)])
        found.append(_Split(place, float(attribution.scores[0]), logits[0], held, slopes, values))
    return found


def _bands(target_score: TargetScore, lower: _Split, upper: _Split) -> Float[Tensor, "g1 h1"]:
    classifier, pixels = target_score.classifier, target_score.images.pixels
    names = [lower.layer.name, upper.layer.name]
    runs = counted_runs(classifier, names, pixels)
    with torch.inference_mode(False), torch.enable_grad(), classifier.lock:
        taken = prefix(classifier, pixels.detach().clone(), runs)
        own, above = taken[names[0]], taken[names[1]]
        parts = lower.parts(own.detach())
        columns = []
        for coefficient in upper.coefficients(above.detach()):
            (slope,) = torch.autograd.grad(
                above, own, coefficient, retain_graph=True, allow_unused=True, materialize_grads=True
            )
            columns.append(torch.stack([(part * slope).sum() for part in parts]))
    return torch.stack(columns, dim=1).detach().float().cpu()


def _to_classes(target_score: TargetScore, last: _Split, classes: Sequence[int]) -> Float[Tensor, "g1 c"]:
    classifier, pixels = target_score.classifier, target_score.images.pixels
    name = last.layer.name
    runs = counted_runs(classifier, [name, LOGITS], pixels)
    with torch.inference_mode(False), torch.enable_grad(), classifier.lock:
        taken = prefix(classifier, pixels.detach().clone(), runs | {LOGITS: None})
        own, logits = taken[name], taken[LOGITS]
        parts = last.parts(own.detach())
        columns = []
        for one in classes:
            (slope,) = torch.autograd.grad(logits[0, one], own, retain_graph=True, materialize_grads=True)
            columns.append(torch.stack([(part * slope).sum() for part in parts]))
    return torch.stack(columns, dim=1).detach().float().cpu()


def _check_order(classifier: Classifier, places: Sequence[Layer]) -> None:
    if len(places) < 2:
        raise ValueError("A flow goes from layer to layer: give two of them at least.")
    order = [classifier.layers.index(one) for one in places]
    if order != sorted(set(order)):
        names = ", ".join(one.name for one in places)
        raise ValueError(f"Layers must be in the network's order, each once: {names} are not.")
    for one in places:
        if one.kind == "flat":
            raise ValueError(f"{one.name} has no map, so it has no groups of positions: choose a layer with one.")
