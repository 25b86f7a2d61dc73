"""What follows a layer, where it is one linear map between channels: the gradients of all classes in closed form."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, fx, nn
from torch.nn import functional

TOLERANCE = 1e-4
"""How far a gradient in closed form may be off, as a share of the largest."""

_MODULES = (
    *(nn.AdaptiveAvgPool2d, nn.AvgPool2d, nn.AdaptiveMaxPool2d, nn.MaxPool2d, nn.BatchNorm2d, nn.Flatten, nn.Identity),
    *(nn.Dropout, nn.Dropout2d, nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.GELU, nn.SiLU, nn.Hardswish, nn.Sigmoid, nn.Tanh),
)
_FUNCTIONS = frozenset(
    {
        *(torch.flatten, torch.mean, torch.squeeze, torch.relu, functional.relu, functional.gelu, functional.silu),
        *(functional.adaptive_avg_pool2d, functional.avg_pool2d, functional.max_pool2d, functional.dropout),
    }
)
_METHODS = frozenset({"flatten", "mean", "squeeze", "view", "reshape", "contiguous", "relu"})


@dataclass(frozen=True, eq=False)
class Head:
    """What the gradients ∂f_k/∂A_cuv of all classes k are made of: slope_kuv · weight_kc · gain_cuv.

    A's channels are first treated each for itself (pooled, rectified: `gain`), then mixed by one linear layer
    (`weight`), whose outputs are again treated each for itself (`slope`). Where the linear layer has no positions any
    more, slope has one.
    """

    weight: Float[Tensor, "k c"]
    slope: Float[Tensor, "k p"]
    gain: Float[Tensor, "c d"]

    def gradients(self, classes: slice | list[int]) -> Float[Tensor, "m c d"]:
        """∂f_k/∂A_c of some of the classes, positions in one row."""
        return self.weight[classes, :, None] * self.slope[classes, None] * self.gain


def closed(after: fx.GraphModule, activations: Float[Tensor, "1 c u v"]) -> Head | None:
    """The head of a network's operations after a layer, by two backward passes; None where it has another form.

    The operations are judged by their kinds and by the sizes that come out of them: whoever relies on the gradients
    checks some of them against what automatic differentiation gives.
    """
    found = closed_each(after, activations)
    return None if found is None else found[0]


def closed_each(after: fx.GraphModule, activations: Float[Tensor, "n c u v"]) -> tuple[Head, ...] | None:
    """As `closed` for each image of a batch, by two backward passes for all of them."""
    mixing = _only_mixing(after)
    if mixing is None:
        return None
    point = activations.detach().clone().requires_grad_()
    watched = _Watched(after, mixing)
    logits = watched.run(point.clone())
    if not _by_channel(watched, activations, logits):
        return None
    weight = after.get_submodule(str(mixing.target)).weight
    assert isinstance(weight, Tensor)
    (slope,) = torch.autograd.grad(logits.sum(), watched.left, retain_graph=True)
    (gain,) = torch.autograd.grad(watched.entered.sum(), point)
    weight, slopes = weight.detach().flatten(1), slope.reshape(*logits.shape[:2], -1)
    return tuple(Head(weight, one, other) for one, other in zip(slopes, gain.flatten(2), strict=True))


def checked(after: fx.GraphModule, activations: Tensor, logits: Tensor) -> Head | None:
    """As `closed` for the first image, where that gives for two classes what automatic differentiation gives.

    `logits` were computed from `activations`, whose graph is there.
    """
    head = closed(after, activations[:1]) if activations.ndim == 4 else None
    if head is None:
        return None
    order = logits[0].argsort()
    for index in (int(order[-1]), int(order[0])):
        (expected,) = torch.autograd.grad(logits[0, index], activations, retain_graph=True)
        if not _agrees(head.gradients(slice(index, index + 1))[0], expected[0]):
            return None
    return head


def checked_each(after: fx.GraphModule, activations: Tensor, logits: Tensor) -> tuple[Head, ...] | None:
    """As `closed_each`, where that gives for each image what automatic differentiation gives, in one backward pass.

    What is compared is the gradient of the sum of an image's largest and smallest logit. `logits` were computed from
    `activations`, whose graph is there.
    """
    found = closed_each(after, activations) if activations.ndim == 4 else None
    if found is None:
        return None
    ends = torch.stack([logits.argmax(dim=1), logits.argmin(dim=1)], dim=1)
    (expected,) = torch.autograd.grad(logits.gather(1, ends).sum(), activations, retain_graph=True)
    for head, classes, gradient in zip(found, ends.tolist(), expected, strict=True):
        own = head.gradients(classes).sum(dim=0)
        if not _agrees(own, gradient):
            return None
    return found


def _agrees(found: Float[Tensor, "c d"], expected: Float[Tensor, "c u v"]) -> bool:
    if found.numel() != expected.numel():
        return False
    away = (found - expected.flatten(1)).abs().max()
    return bool(away <= TOLERANCE * expected.abs().max())


def for_classes(after: fx.GraphModule, classes: Sequence[int]) -> fx.GraphModule | None:
    """The same operations for the logits of some classes, in that order; None where no last linear layer is found.

    What makes the logits must be a linear layer, or a convolution of one pixel, behind which each class is treated for
    itself. As with `closed`, whoever relies on it checks what it gives.
    """
    (node,) = (node for node in after.graph.nodes if node.op == "output")
    while node.op == "output" or _each_for_itself(after, node):
        if len(node.all_input_nodes) != 1 or len(node.all_input_nodes[0].users) != 1:
            return None
        (node,) = node.all_input_nodes
    if not _mixes(after, node):
        return None
    graph = fx.Graph()
    copies: dict[fx.Node, fx.Node] = {}
    for one in after.graph.nodes:
        copies[one] = graph.node_copy(one, copies.__getitem__)
    copies[node].target = "of_some_classes"
    root = fx.GraphModule(after, after.graph)
    root.add_module("of_some_classes", _rows(after.get_submodule(str(node.target)), classes))
    return fx.GraphModule(root, graph)


def _rows(module: nn.Module, classes: Sequence[int]) -> nn.Module:
    """A linear layer, or a convolution, that gives some of its channels only."""
    small = copy.copy(module)
    small._parameters = {
        name: None if values is None else nn.Parameter(values.detach()[list(classes)], requires_grad=False)
        for name, values in module._parameters.items()
    }
    return small


@dataclass(frozen=True, eq=False)
class LinearMix:
    """One image's activation at the one linear layer that follows: what each channel brings, and what comes of all.

    What enters it minus what would enter from an activation of zeros, or of what stands instead, is what a channel
    `brought`. Without some channels `left`, what comes out, lacks weight · brought: a channel costs no pass through the
    linear layer.
    """

    weight: Float[Tensor, "k c"]
    brought: Float[Tensor, "c p"]
    left: Tensor
    rest: fx.GraphModule

    def without(self, channels: Int[Tensor, " m"]) -> Float[Tensor, "m k"]:
        """The logits without each of these channels."""
        missing = self.weight[:, channels].T[:, :, None] * self.brought[channels][:, None]
        return self.rest.forward(self.left - missing.view(len(channels), *self.left.shape[1:]))


def mixture(
    after: fx.GraphModule, activations: Float[Tensor, "1 c u v"], instead: Float[Tensor, "c u v"] | None = None
) -> LinearMix | None:
    """What one linear layer after a layer is made of, by two forward passes; None where there is another form.

    A channel that is missing is zero, or what is given `instead`. As with `closed`, whoever relies on it checks some of
    what it gives.
    """
    mixing = _only_mixing(after)
    if mixing is None:
        return None
    present, absent = _Watched(after, mixing), _Watched(after, mixing)
    logits = present.run(activations.clone())
    absent.run(torch.zeros_like(activations) if instead is None else instead[None].clone())
    if not _by_channel(present, activations, logits):
        return None
    weight = after.get_submodule(str(mixing.target)).weight
    assert isinstance(weight, Tensor)
    brought = (present.entered - absent.entered).reshape(activations.shape[1], -1)
    return LinearMix(weight.detach().flatten(1), brought, present.left, _from(after, mixing))


def _by_channel(watched: _Watched, activations: Tensor, logits: Tensor) -> bool:
    """Whether, by their sizes, channels enter the linear layer and classes leave it, each with its positions."""
    entered, left = watched.entered, watched.left
    positions = left[0, 0].numel() if left.ndim in (2, 4) else 0
    channels = activations.shape[1]
    return (
        positions in (1, activations[0, 0].numel())
        and entered.shape[1] == channels
        and entered[0].numel() == channels * positions
        and left.shape[1] == logits.shape[1]
    )


def _from(after: fx.GraphModule, mixing: fx.Node) -> fx.GraphModule:
    """The operations that follow one of a chain."""
    graph = fx.Graph()
    copies = {mixing: graph.placeholder("left")}
    passed = False
    for node in after.graph.nodes:
        if passed:
            copies[node] = graph.node_copy(node, copies.__getitem__)
        passed = passed or node is mixing
    return fx.GraphModule(after, graph)


def _only_mixing(after: fx.GraphModule) -> fx.Node | None:
    """The linear layer, or convolution of one pixel, of a chain of operations that has no other that mixes channels."""
    found: list[fx.Node] = []
    before: fx.Node | None = None
    for node in after.graph.nodes:
        if before is not None and (before not in node.all_input_nodes or len(before.users) != 1):
            return None
        if len(node.all_input_nodes) > 1 or (node.op == "placeholder" and before is not None):
            return None
        if node.op in ("placeholder", "output"):
            pass
        elif _mixes(after, node):
            found.append(node)
        elif not _each_for_itself(after, node):
            return None
        before = node
    return found[0] if len(found) == 1 else None


def _each_for_itself(after: fx.GraphModule, node: fx.Node) -> bool:
    """Whether an operation is known to treat each channel for itself."""
    if node.op == "call_module":
        return isinstance(after.get_submodule(str(node.target)), _MODULES)
    known = {"call_function": _FUNCTIONS, "call_method": _METHODS}
    return node.op in known and node.target in known[node.op]


def _mixes(after: fx.GraphModule, node: fx.Node) -> bool:
    """Whether an operation is a linear layer, or a convolution of one pixel."""
    if node.op != "call_module":
        return False
    module = after.get_submodule(str(node.target))
    if isinstance(module, nn.Conv2d):
        plain = module.stride == (1, 1) and module.padding in ((0, 0), "valid") and module.groups == 1
        return module.kernel_size == (1, 1) and plain
    return isinstance(module, nn.Linear)


class _Watched(fx.Interpreter):
    """Runs the operations one by one, and keeps what goes into one of them and what comes out."""

    entered: Tensor
    left: Tensor

    def __init__(self, module: fx.GraphModule, node: fx.Node) -> None:
        super().__init__(module)
        self.node = node

    def run_node(self, n: fx.Node) -> Any:
        """What the operation gives."""
        result = super().run_node(n)
        if n is self.node.all_input_nodes[0]:
            self.entered = result
        if n is self.node:
            self.left = result
            # What follows may work in place, on a copy.
            return result.clone()
        return result
