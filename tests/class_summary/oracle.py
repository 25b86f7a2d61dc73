"""Influences written down once more, for each architecture from its own modules: channel by channel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from interp.types import Classifier

Table = np.ndarray
"""Counts, classes × channels × inputs."""


class Reads:
    """What each module of a network is given, and gives, for some pixels."""

    def __init__(self, classifier: Classifier, pixels: Tensor) -> None:
        self.given: dict[nn.Module, Tensor] = {}
        self.gave: dict[nn.Module, Tensor] = {}
        handles = []
        for part in classifier.module.modules():
            handles.append(part.register_forward_pre_hook(self._take))
            handles.append(part.register_forward_hook(self._give))
        with torch.no_grad():
            classifier.module(pixels)
        for handle in handles:
            handle.remove()

    def _take(self, part: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        self.given[part] = inputs[0].clone()

    def _give(self, part: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        self.gave[part] = output.clone()


def convolved(conv: Any, given: Tensor, norm: Any = None) -> np.ndarray:
    """L by image, channel and input: −inf where the channel does not read the input."""
    scale = torch.ones(conv.out_channels)
    if norm is not None:
        scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    found = np.full((len(given), conv.out_channels, conv.in_channels), -np.inf)
    width, each = conv.in_channels // conv.groups, conv.out_channels // conv.groups
    for channel in range(conv.out_channels):
        first = channel // each * width
        kernel = (conv.weight[channel] * scale[channel])[:, None]
        alone = functional.conv2d(
            given[:, first : first + width], kernel, None, conv.stride, conv.padding, conv.dilation, width
        )
        found[:, channel, first : first + width] = alone.amax(dim=(2, 3)).numpy()
    return found


def carried(maps: Tensor) -> np.ndarray:
    """L of channels that are added as they are."""
    found = np.full((len(maps), maps.shape[1], maps.shape[1]), -np.inf)
    every = np.arange(maps.shape[1])
    found[:, every, every] = maps.amax(dim=(2, 3)).numpy()
    return found


def tables(labels: Sequence[int], classes: int, *terms: np.ndarray) -> list[Table]:
    """In how many images of each class each input is among the five largest above 0, of all inputs of all terms."""
    together = np.concatenate(terms, axis=2)
    counts = np.zeros((classes, *together.shape[1:]), np.int16)
    for image, label in enumerate(labels):
        best = np.argsort(-together[image], axis=1, kind="stable")[:, :5]
        for channel, places in enumerate(best):
            counts[label, channel, places] += together[image, channel, places] > 0
    return np.split(counts, np.cumsum([one.shape[2] for one in terms])[:-1], axis=2)


def through(inner: Table, outer: Table) -> Table:
    """Of two steps the weaker counts, and of the ways through the inner channels the strongest."""
    found = np.zeros((len(inner), outer.shape[1], inner.shape[2]), np.int16)
    for channel in range(inner.shape[1]):
        found = np.maximum(found, np.minimum(outer[:, :, channel, None], inner[:, None, channel, :]))
    return found


class Oracle:
    """The influences on a block, by class, inputs × channels, for images of these labels."""

    def __init__(self, classifier: Classifier, pixels: Tensor, labels: Sequence[int]) -> None:
        self.reads, self.labels, self.classes = Reads(classifier, pixels), labels, len(classifier.labels)
        self._hops: dict[nn.Module, np.ndarray] = {}

    def of(self, block: Any) -> Table:
        """Those of a block on the layer that it reads."""
        made = getattr(self, type(block).__name__.lower())(block)
        return made.transpose(0, 2, 1)

    def values(self, block: Any) -> np.ndarray:
        """The five largest L of each channel of a block over all that its last step reads, 0 for what is less."""
        parts = getattr(self, f"last_{type(block).__name__.lower()}")(block)
        parts = [np.pad(one, ((0, 0), (0, 0), (0, 5)), constant_values=0) for one in parts]
        return np.concatenate([-np.sort(-one.clip(min=0), axis=2)[:, :, :5] for one in parts], axis=1)

    def hop(self, conv: Any, norm: Any = None) -> np.ndarray:
        """L of a convolution."""
        if conv not in self._hops:
            self._hops[conv] = convolved(conv, self.reads.given[conv], norm)
        return self._hops[conv]

    def table(self, *terms: np.ndarray) -> list[Table]:
        """Counts."""
        return tables(self.labels, self.classes, *terms)

    def fire(self, block: Any) -> Table:
        [inner] = self.table(self.hop(block.squeeze))
        outer = [self.table(one)[0] for one in self.last_fire(block)]
        return np.concatenate([through(inner, one) for one in outer], axis=1)

    def last_fire(self, block: Any) -> list[np.ndarray]:
        return [self.hop(block.expand1x1), self.hop(block.expand3x3)]

    def inception(self, block: Any) -> Table:
        found = []
        for branch in (block.branch1, block.branch2, block.branch3, block.branch4):
            basics = [one for one in branch.modules() if hasattr(one, "conv")]
            steps = [self.table(self.hop(one.conv, one.bn))[0] for one in basics]
            found.append(steps[0] if len(steps) == 1 else through(*steps))
        return np.concatenate(found, axis=1)

    def last_inception(self, block: Any) -> list[np.ndarray]:
        last = [block.branch1, block.branch2[1], block.branch3[1], block.branch4[1]]
        return [self.hop(one.conv, one.bn) for one in last]

    def basicblock(self, block: Any) -> Table:
        [inner] = self.table(self.hop(block.conv1, block.bn1))
        outer, beside = self.table(*self._residual(block, self.hop(block.conv2, block.bn2)))
        return np.maximum(through(inner, outer), beside)

    def last_basicblock(self, block: Any) -> list[np.ndarray]:
        return [np.concatenate(self._residual(block, self.hop(block.conv2, block.bn2)), axis=2)]

    def bottleneck(self, block: Any) -> Table:
        [first] = self.table(self.hop(block.conv1, block.bn1))
        [second] = self.table(self.hop(block.conv2, block.bn2))
        outer, beside = self.table(*self._residual(block, self.hop(block.conv3, block.bn3)))
        return np.maximum(through(through(first, second), outer), beside)

    def last_bottleneck(self, block: Any) -> list[np.ndarray]:
        return [np.concatenate(self._residual(block, self.hop(block.conv3, block.bn3)), axis=2)]

    def _residual(self, block: Any, added: np.ndarray) -> list[np.ndarray]:
        if block.downsample is not None:
            return [added, self.hop(block.downsample[0], block.downsample[1])]
        return [added, carried(self.reads.given[block])]

    def invertedresidual(self, block: Any) -> Table:
        steps = [one for one in block.block if type(one).__name__ == "Conv2dNormActivation"]
        found: Table | None = None
        for one in steps[:-1]:
            [own] = self.table(self.hop(one[0], one[1]))
            found = own if found is None else through(found, own)
        assert found is not None
        outer, *beside = self.table(*self._project(block))
        return np.maximum(through(found, outer), beside[0] if beside else 0)

    def last_invertedresidual(self, block: Any) -> list[np.ndarray]:
        return [np.concatenate(self._project(block), axis=2)]

    def _project(self, block: Any) -> list[np.ndarray]:
        last = block.block[-1]
        return [self.hop(last[0], last[1])] + [carried(self.reads.given[block])] * block.use_res_connect
