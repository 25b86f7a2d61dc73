"""One image's map of every class, from one forward pass: only what follows the layer is run for each class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from interp.attribution.cams import EigenCam, GradCam, TappedCam
from interp.batches import batched, out_of_memory
from interp.models import hooks
from interp.passes import heads, splitting
from interp.passes.grids import enlarged, on_grid
from interp.types import Classifier, Images

NUMBERS = 2**18
"""How many numbers of the gradients are held at once: 1 MB, which stays in the processor's cache."""

AT_ONCE = 32
"""How many classes go backward through the head at once, where it has no closed form."""


@dataclass(frozen=True, eq=False)
class ClassMaps:
    """The maps of one image for all classes, at the layer's own size, and what they cost.

    `coarse` and `enlarged` are what `Heatmaps` calls so. `backward` counts the backward passes, none of which went
    below the layer: a few where the gradients of all classes have a closed form (`closed`), else one for each class
    and none more. `below` is the share of a pass's multiplications that they were spared.
    """

    method: TappedCam
    layer: str
    coarse: Float[Tensor, "k u v"]
    logits: Float[Tensor, " k"]
    probabilities: Float[Tensor, " k"]
    size: tuple[int, int]
    backward: int
    closed: bool
    below: float

    def enlarged(self, classes: slice | list[int]) -> Float[Tensor, "m h w"]:
        """The maps of some classes at the size of the model's input."""
        return enlarged(self.coarse[classes], self.size)


def class_maps(classifier: Classifier, images: Images, method: TappedCam | None = None) -> ClassMaps:
    """The map of each class for the first image of a batch, equal to what `attribute` gives for them one by one.

    The image runs up to the logits once. From the layer on, the gradients of all classes are known in closed form
    where one linear layer mixes the channels and all else treats each for itself (`heads.Head`): pooling and a linear
    layer, as in ResNet, or a convolution of one pixel, as in SqueezeNet. They are checked against automatic
    differentiation for the first and the last of the classes by probability. Elsewhere each class goes backward
    through the head, many at a time. `method` None is Grad-CAM at the last spatial layer.
    Raises `ValueError` for a method whose map does not depend on the class, a layer without a map, and logits that are
    not finite.
    """
    method = GradCam() if method is None else method
    if isinstance(method, EigenCam):
        raise ValueError("Eigen-CAM gives every class the same map: choose a method that depends on the class.")
    method.check(classifier)
    layer = classifier.layer(method.layer)
    with torch.inference_mode(False), torch.enable_grad(), hooks.activations(classifier, [layer.name]) as taken:
        logits = classifier.module(images.pixels[:1].detach().clone())
        activations = taken[layer.name]
        if not bool(logits.isfinite().all()):
            raise ValueError(f"{classifier.name} gave logits for {images.names[0]!r} that are not finite.")
        split = splitting.split(classifier, layer.name)
        head = None if split is None else heads.checked(split.after, activations, logits)
    gradients = _by_class(classifier, activations, logits) if head is None else _in_closed_form(head, activations)
    grid = on_grid(activations.detach(), layer)

    def maps(part: slice) -> Tensor:
        slopes = on_grid(gradients(part), layer)
        return method.coarse(grid.expand(len(slopes), *grid.shape[1:]), slopes)

    classes = logits.shape[1]
    size = max(1, NUMBERS // activations[0].numel()) if head is not None else AT_ONCE
    coarse = torch.cat(list(batched(maps, classes, size=size, what="the maps of all classes")))
    return ClassMaps(
        method=method,
        layer=layer.name,
        coarse=coarse.cpu(),
        logits=logits[0].detach().float().cpu(),
        probabilities=classifier.linked(logits.detach().float())[0].cpu(),
        size=classifier.input_size,
        backward=classes if head is None else 4,
        closed=head is not None,
        below=1 - splitting.share_after(classifier, layer.name),
    )


Gradients = Callable[[slice], Tensor]


def _in_closed_form(head: heads.Head, activations: Tensor) -> Gradients:
    return lambda part: head.gradients(part).unflatten(2, activations.shape[2:])


def _by_class(classifier: Classifier, activations: Tensor, logits: Tensor) -> Gradients:
    """Backward through the head for each class, all of a part at once where its operations allow that."""

    def one_by_one(classes: range) -> Tensor:
        slopes = [torch.autograd.grad(logits[0, one], activations, retain_graph=True)[0] for one in classes]
        return torch.cat(slopes)

    def gradients(part: slice) -> Tensor:
        classes = range(part.start, part.stop)
        with classifier.lock, torch.inference_mode(False):
            chosen = torch.zeros(len(classes), *logits.shape, device=logits.device, dtype=logits.dtype)
            chosen[range(len(classes)), 0, classes] = 1
            try:
                (slopes,) = torch.autograd.grad(logits, activations, chosen, retain_graph=True, is_grads_batched=True)
            except RuntimeError as error:
                # Operations that a network brings along may not be made for several at once.
                if out_of_memory(error):
                    raise
                return one_by_one(classes)
            return slopes[:, 0]

    return gradients
