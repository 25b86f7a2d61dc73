"""The one place where hooks are set on a module.

Every name is resolved before anything is registered, everything is removed in `finally`, and the classifier's lock is
held in between, since threads that share a module corrupt each other's hooks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from interp.types import Classifier


@contextmanager
def activations(classifier: Classifier, names: Sequence[str]) -> Iterator[dict[str, Tensor]]:
    """What the named layers give during the forward passes inside the `with` block, by layer name.

    Each activation is part of the graph, so `torch.autograd.grad(score, activation)` works, also where the input needs
    no gradient: then the graph begins at the first named layer, and the layers below it cost a forward pass only.
    A module that runs more than once in a forward pass keeps its last activation.
    Raises `ValueError` for a name that the classifier does not have.
    """
    with classifier.lock:
        modules = {name: submodule(classifier, name) for name in names}
        taken: dict[str, Tensor] = {}
        handles = [module.register_forward_hook(_taker(taken, name)) for name, module in modules.items()]
        try:
            yield taken
        finally:
            for handle in handles:
                handle.remove()


@contextmanager
def observed(classifier: Classifier, observers: Mapping[str, Callable[[Tensor], None]]) -> Iterator[None]:
    """Inside the `with` block each observer sees what the layer of its name gives, each time that it runs.

    Nothing is copied, and what follows may change the tensor in place: an observer keeps what it derives from it.
    Raises `ValueError` for a name that the classifier does not have.
    """

    def observer(function: Callable[[Tensor], None]):
        def observe(module: nn.Module, inputs: tuple[object, ...], output: Tensor) -> None:
            # What an observer computes is no call of the network's, to who follows these.
            with torch._C.DisableTorchFunction():
                function(output)

        return observe

    with classifier.lock:
        modules = [(submodule(classifier, name), function) for name, function in observers.items()]
        handles = [module.register_forward_hook(observer(function)) for module, function in modules]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()


@contextmanager
def normalized(classifier: Classifier, function: Callable[[Tensor], None]) -> Iterator[None]:
    """Inside the `with` block `function` sees the normalized pixels each time that the classifier runs."""

    def observe(module: nn.Module, inputs: tuple[object, ...], output: Tensor) -> None:
        with torch._C.DisableTorchFunction():
            function(output)

    with classifier.lock:
        handle = classifier.module.get_submodule("normalize").register_forward_hook(observe)
        try:
            yield
        finally:
            handle.remove()


@contextmanager
def replaced(classifier: Classifier, name: str, function: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Inside the `with` block `function` of what the named layer gives stands in its place, each time that it runs.

    Raises `ValueError` for a name that the classifier does not have.
    """

    def replace(module: nn.Module, inputs: tuple[object, ...], output: Tensor) -> Tensor:
        return function(output)

    with classifier.lock:
        handle = submodule(classifier, name).register_forward_hook(replace)
        try:
            yield
        finally:
            handle.remove()


def plain_gradients(module: nn.Module) -> None:
    """From now on hand the gradient of what batch normalizations give back to them in plain order of memory.

    PyTorch's own kernel for a processor (up to 2.14 at least) takes a turned one of a batch of one image for another.
    """

    def plain(part: nn.Module, inputs: tuple[object, ...], output: Tensor) -> None:
        if output.requires_grad:
            output.register_hook(lambda gradient: gradient.contiguous())

    for part in module.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            part.register_forward_hook(plain)


def submodule(classifier: Classifier, name: str) -> nn.Module:
    """The module under a layer's dotted name. Raises `ValueError` where there is none."""
    try:
        return classifier.module.get_submodule(f"network.{name}")
    except AttributeError:
        raise ValueError(f"{classifier.name} has no layer {name!r}; its `layers` lists those it has.") from None


def _taker(taken: dict[str, Tensor], name: str):
    def take(module: nn.Module, inputs: tuple[object, ...], output: Tensor) -> Tensor:
        if torch.is_grad_enabled() and not output.requires_grad:
            output = output.detach().requires_grad_()
        # Single precision at least: what is computed from an activation has no part in a network's bfloat16.
        taken[name] = output.to(torch.promote_types(output.dtype, torch.float32))
        # What follows may be an in-place operation: it gets a copy, and what was taken stays as it was.
        return taken[name].to(output.dtype, copy=True)

    return take
