"""What a layer's positions add to the classes' scores: activation times gradient, summed over channels."""

from __future__ import annotations

from collections.abc import Sequence
from weakref import WeakKeyDictionary

import torch
from jaxtyping import Float, Int
from torch import Tensor, fx

from interp.models import hooks, probes
from interp.passes import heads, splitting
from interp.passes.grids import on_grid
from interp.types import Classifier, Layer

EVERY_CLASS = 32
"""Of so many classes each is followed backward, where the layer's gradients have no closed form."""
CONSIDERED = 8
"""Of more classes these, an image's most probable ones; what a sample adds to the others is not known, and 0."""

_AFTER: WeakKeyDictionary[Classifier, dict[str, fx.GraphModule | None]] = WeakKeyDictionary()


def considered(classifier: Classifier, layer: str) -> int:
    """For how many classes of each image it is computed at a layer what positions add to them."""
    classes = len(classifier.labels)
    return classes if classes <= EVERY_CLASS or linear_after(classifier, layer) is not None else CONSIDERED


def added(
    classifier: Classifier,
    layer: Layer,
    after: fx.GraphModule | None,
    activations: Tensor,
    logits: Tensor,
    places: Int[Tensor, "n s"],
) -> Float[Tensor, "n s c"]:
    """What some positions of each image add to the classes that are considered; 0 for the others.

    `logits` were computed from `activations`, whose graph is there; `after` is what `linear_after` gave, which runs the
    classifier and is therefore asked before. In closed form where there is one, which is checked against automatic
    differentiation in each image; else by a backward pass for each class.
    """
    found = logits.new_zeros(*places.shape, len(classifier.labels))
    if not classifier.labels:
        return found
    head = None if after is None else heads.checked_each(after, activations, logits)
    if head is not None:
        return _in_closed_form(head, activations.detach(), places)
    order = logits.detach().argsort(dim=1, descending=True, stable=True)
    chosen = order[:, : considered(classifier, layer.name)]
    for classes in chosen.split(1, dim=1):
        # Kept for other layers' samples.
        (slopes,) = torch.autograd.grad(logits.gather(1, classes).sum(), activations, retain_graph=True)
        brought = on_grid(activations.detach() * slopes, layer).sum(dim=1, keepdim=True)
        found.scatter_(2, classes[:, None].expand(-1, places.shape[1], -1), at_places(brought, places))
    return found


def at_places(grids: Float[Tensor, "n k u v"], places: Int[Tensor, "n s"]) -> Float[Tensor, "n s k"]:
    """What a grid holds at some positions of each image, counted row by row."""
    flat = grids.flatten(2)
    return flat.gather(2, places[:, None].expand(-1, flat.shape[1], -1)).transpose(1, 2)


def linear_after(classifier: Classifier, layer: str) -> fx.GraphModule | None:
    """What follows the layer, where it is one linear map between channels, to classes; None else.

    Tried on noise, once, since in lower precision the closed form is not what automatic differentiation gives.
    """
    if not classifier.labels:
        return None
    of_layers = _AFTER.setdefault(classifier, {})
    if layer not in of_layers:
        of_layers[layer] = None
        split = splitting.split(classifier, layer) if classifier.layer(layer).kind == "spatial" else None
        if split is not None:
            pixels = probes.noise(classifier.preprocessing, 1).to(classifier.device)
            with torch.inference_mode(False), torch.enable_grad(), hooks.activations(classifier, [layer]) as taken:
                logits = classifier.module(pixels.clone())
                if heads.checked_each(split.after, taken[layer], logits) is not None:
                    of_layers[layer] = split.after
    return of_layers[layer]


def _in_closed_form(
    each: Sequence[heads.Head], activations: Float[Tensor, "n c u v"], places: Int[Tensor, "n s"]
) -> Float[Tensor, "n s k"]:
    found = []
    for head, grid, at in zip(each, activations.flatten(2), places, strict=True):
        entering = grid[:, at] * (head.gain[:, at] if head.gain.shape[1] > 1 else head.gain)
        slope = head.slope[:, at] if head.slope.shape[1] > 1 else head.slope
        found.append(((head.weight @ entering) * slope).T)
    return torch.stack(found)
