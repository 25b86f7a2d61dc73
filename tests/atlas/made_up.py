"""Samples whose numbers are drawn, and classifiers that samples are taken of, for tests of atlases."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import nn

from interp.atlas import PositionSamples
from interp.types import Classifier, Fingerprinted, digest
from tests import networks


class AtlasStore(dict):
    """Keeps values by their calls; fails when so many are kept, as a process that is killed."""

    room = 1_000

    def find(self, function, /, *arguments) -> tuple:
        return (self[digest(*arguments)],) if digest(*arguments) in self else ()

    def keep(self, value, function, /, *arguments) -> None:
        if len(self) == self.room:
            raise KeyboardInterrupt
        self[digest(*arguments)] = value

    def counts(self, function, /, *arguments, items):
        raise NotImplementedError


def samples_of(count: int = 400, channels: int = 6, classes: int = 4, seed: int = 0) -> PositionSamples:
    """Four positions of each of some images, on a grid of 5 rows and 7 columns."""
    random = np.random.default_rng(seed)
    images = np.repeat(np.arange(-(-count // 4)), 4)[:count]
    return PositionSamples(
        "layer",
        (5, 7),
        images,
        random.integers(0, 35, count),
        random.gamma(1.0, 1.0, (count, channels)).astype(np.float32),
        (random.normal(0, 1, (count, classes)) - 0.4).astype(np.float32),
        classes,
    )


def same(one: Fingerprinted, other: Fingerprinted) -> bool:
    """Whether two are alike bit for bit."""
    return one.fingerprint == other.fingerprint


@cache
def tokens(kind: str) -> Classifier:
    """A small transformer of torchvision: a vision transformer of 4 × 4 patches, or a Swin."""
    from torchvision.models import VisionTransformer
    from torchvision.models.swin_transformer import SwinTransformer

    with torch.random.fork_rng():
        torch.manual_seed(0)
        network: nn.Module
        if kind == "vit":
            network = VisionTransformer(32, 8, 2, 2, 8, 16, num_classes=5)
        else:
            network = SwinTransformer([2, 2], 8, [1, 2], [2, 2], [3, 3], num_classes=5)
        for parameter in network.parameters():
            parameter.data.add_(0.2 * torch.randn(parameter.shape))
    return networks.described(network, 32, 5)
