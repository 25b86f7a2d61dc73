"""A small network in the manner of Inception v1 (Szegedy et al. 2015), its layers named as in the literature."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

LAST = 320
MEAN, STD = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)


class Convolution(nn.Module):
    """A convolution that keeps the size (or halves it, for a stride of 2), then a ReLU."""

    conv: nn.Module

    def __init__(self, colours: int, channels: int, size: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(colours, channels, size, stride, padding=size // 2)
        self.relu = nn.ReLU()

    def forward(self, below: Float[Tensor, "n k u v"]) -> Float[Tensor, "n j y x"]:
        """The channels' maps, none below zero."""
        return self.relu(self.conv(below))


class Mixed(nn.Module):
    """Four branches side by side: 1 × 1; 3 × 3 and 5 × 5 each behind a bottleneck; pooling before a 1 × 1."""

    def __init__(self, colours: int, one: int, three: tuple[int, int], five: tuple[int, int], pooled: int) -> None:
        super().__init__()
        self.branch1x1 = Convolution(colours, one, 1)
        self.bottleneck3x3 = Convolution(colours, three[0], 1)
        self.branch3x3 = Convolution(three[0], three[1], 3)
        self.bottleneck5x5 = Convolution(colours, five[0], 1)
        self.branch5x5 = Convolution(five[0], five[1], 5)
        self.pool = nn.MaxPool2d(3, 1, padding=1)
        self.pool_reduce = Convolution(colours, pooled, 1)

    def forward(self, below: Float[Tensor, "n k u v"]) -> Float[Tensor, "n j u v"]:
        """The maps of the four branches, one after another."""
        three = self.branch3x3(self.bottleneck3x3(below))
        five = self.branch5x5(self.bottleneck5x5(below))
        return torch.cat([self.branch1x1(below), three, five, self.pool_reduce(self.pool(below))], dim=1)


class ScenesNetwork(nn.Module):
    """Half of Inception's input (112 pixels), the same three grids of 28, 14 and 7 positions a side, 0.5 M weights."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.conv2d0 = Convolution(3, 24, 5, stride=2)
        self.pool0 = nn.MaxPool2d(3, 2, padding=1)
        self.conv2d1 = Convolution(24, 64, 3)
        self.mixed3a = Mixed(64, 24, (24, 40), (8, 16), 16)
        self.mixed3b = Mixed(96, 40, (32, 48), (8, 24), 16)
        self.pool3 = nn.MaxPool2d(3, 2, padding=1)
        self.mixed4a = Mixed(128, 56, (40, 72), (8, 24), 24)
        self.mixed4b = Mixed(176, 56, (40, 72), (8, 24), 24)
        self.mixed4c = Mixed(176, 64, (48, 96), (8, 24), 24)
        self.pool4 = nn.MaxPool2d(3, 2, padding=1)
        self.mixed5a = Mixed(208, 88, (56, 112), (12, 32), 32)
        self.mixed5b = Mixed(264, 112, (64, 144), (12, 32), 32)
        self.head = nn.Linear(LAST, classes)

    def forward(self, pixels: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n k"]:
        """Normalized pixels to logits: the head reads the mean over the positions of `mixed5b`."""
        below = self.mixed3b(self.mixed3a(self.conv2d1(self.pool0(self.conv2d0(pixels)))))
        below = self.mixed4c(self.mixed4b(self.mixed4a(self.pool3(below))))
        below = self.mixed5b(self.mixed5a(self.pool4(below)))
        return self.head(below.mean(dim=(2, 3)))
