"""Batch normalization while a network learns, and none in what is kept: convolutions with biases instead."""

from __future__ import annotations

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from interp.models.scenes.network import Convolution


def insert(network: nn.Module) -> None:
    """Put a batch normalization behind every `Convolution`."""
    for part in network.modules():
        if isinstance(part, Convolution) and isinstance(part.conv, nn.Conv2d):
            part.conv = nn.Sequential(part.conv, nn.BatchNorm2d(part.conv.out_channels))


def merge(network: nn.Module) -> None:
    """Merge what `insert` has put there into the convolutions, exactly, for a network in eval mode."""
    for part in network.modules():
        if isinstance(part, Convolution) and isinstance(part.conv, nn.Sequential):
            part.conv = fuse_conv_bn_eval(*part.conv)  # pyright: ignore[reportArgumentType]
