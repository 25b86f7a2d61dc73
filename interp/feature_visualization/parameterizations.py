"""What stands behind the pixels: the pixels themselves, Fourier coefficients, or a generator's code."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate

from interp.feature_visualization.colours import IMAGENET, INDEPENDENT, Colours
from interp.models.scenes_prior import Prior
from interp.types import Classifier

LEAST = 1 / 512
"""Half of the step between two of 256 brightnesses: where 0 and 1 begin, which the sigmoid never reaches."""

AMPLITUDE = 0.25
SMALLEST = 8

Decode = Callable[[Tensor], Float[Tensor, "n c h w"]]


class Parameterization(ABC):
    """How pictures depend on the numbers that the optimization changes; each picture has its own."""

    deviation: ClassVar[float]
    """That of the noise that a picture begins with."""

    learning_rate: ClassVar[float]
    """What suits these parameters under Adam."""

    @abstractmethod
    def resolution(self, classifier: Classifier) -> tuple[int, int]:
        """Height and width of the pictures."""

    @abstractmethod
    def neutral(self, count: int, classifier: Classifier) -> Tensor:
        """The parameters of `count` pictures without any content."""

    @abstractmethod
    def parameters(self, pixels: Float[Tensor, "n c h w"], classifier: Classifier) -> Tensor:
        """The parameters of given pictures, so that they decode to these, or to what is nearest."""

    @abstractmethod
    def decoder(self, classifier: Classifier) -> Decode:
        """From parameters to RGB, or grey, in [0, 1], differentiable, on the classifier's device."""

    def penalty(self, parameters: Tensor) -> Float[Tensor, " n"] | None:
        """What is taken from each picture's objective for its parameters; None where nothing is."""
        return None


@dataclass(frozen=True)
class Pixels(Parameterization):
    """The pixels themselves, through a sigmoid. `size` None is what the classifier was trained on.

    Without correlation between neighbours the gradient's high frequencies win, and pictures look like noise.
    """

    size: int | None = None
    colours: Colours = INDEPENDENT

    deviation: ClassVar[float] = 0.01
    learning_rate: ClassVar[float] = 0.05

    def __post_init__(self) -> None:
        _check_size(self.size)

    def resolution(self, classifier: Classifier) -> tuple[int, int]:
        """Height and width."""
        return _resolution(self.size, classifier)

    def neutral(self, count: int, classifier: Classifier) -> Tensor:
        """Zeros: the mean colour."""
        return torch.zeros(count, classifier.channels, *self.resolution(classifier), device=classifier.device)

    def parameters(self, pixels: Float[Tensor, "n c h w"], classifier: Classifier) -> Tensor:
        """Pixels to uncorrelated colours before the sigmoid."""
        return _uncoloured(_resized(pixels, self.resolution(classifier)).to(classifier.device), self.colours)

    def decoder(self, classifier: Classifier) -> Decode:
        """Colours and sigmoid."""
        return _coloured(self.colours, classifier)


@dataclass(frozen=True)
class Fourier(Parameterization):
    """Fourier coefficients of uncorrelated colours: x = sigmoid(C · F⁻¹(z / f^decay) + mean) (Olah et al. 2017).

    With f, the frequency in cycles a pixel, and decay 1 all scales change at the same pace, as photographs have the
    same contrast at all scales; what an optimizer finds steepest is then no longer the finest grain. `size` None is
    what the classifier was trained on.
    """

    size: int | None = None
    colours: Colours = IMAGENET
    decay: float | int = 1

    deviation: ClassVar[float] = 0.01
    learning_rate: ClassVar[float] = 0.05

    def __post_init__(self) -> None:
        _check_size(self.size)
        if not 0 <= self.decay <= 4:
            raise ValueError(f"A decay of {self.decay} is not possible: take 0 (all frequencies alike) to 4.")

    def resolution(self, classifier: Classifier) -> tuple[int, int]:
        """Height and width."""
        return _resolution(self.size, classifier)

    def neutral(self, count: int, classifier: Classifier) -> Tensor:
        """Zeros: the mean colour."""
        height, width = self.resolution(classifier)
        return torch.zeros(count, classifier.channels, height, width // 2 + 1, 2, device=classifier.device)

    def parameters(self, pixels: Float[Tensor, "n c h w"], classifier: Classifier) -> Tensor:
        """Pixels to coefficients."""
        size = self.resolution(classifier)
        planes = _uncoloured(_resized(pixels, size).to(classifier.device), self.colours)
        return torch.view_as_real(torch.fft.rfft2(planes, norm="ortho")) / self.weights(size, classifier.device)

    def decoder(self, classifier: Classifier) -> Decode:
        """Coefficients to planes, then colours and sigmoid."""
        size = self.resolution(classifier)
        weights, coloured = self.weights(size, classifier.device), _coloured(self.colours, classifier)
        # Of the coefficients that are not stored, being others' conjugates, the gradient comes twice.
        twice = torch.full_like(weights, 2)
        twice[:, 0] = 1
        if size[1] % 2 == 0:
            twice[:, -1] = 1

        def decode(parameters: Tensor) -> Tensor:
            planes: Tensor = _Synthesis.apply(parameters, weights, weights * twice, size[1])
            return coloured(planes)

        return decode

    def weights(self, size: tuple[int, int], device: torch.device) -> Float[Tensor, "h f 2"]:
        """What each coefficient is multiplied by, largest for the lowest frequencies: 1 / f^decay, up to a factor."""
        height, width = size
        down, across = torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None, :]
        frequency = (down.square() + across.square()).sqrt().clamp(min=1 / max(size))
        # Real and imaginary parts alike, in full: a product that spreads one over two is eight times as slow.
        return (AMPLITUDE / frequency ** float(self.decay))[:, :, None].repeat(1, 1, 2).to(device)


@dataclass(frozen=True, eq=False)
class Code(Parameterization):
    """A generator's code z, x = g(z), with λ‖z‖² taken from the objective (Nguyen et al. 2016).

    The pictures stay among those that the generator knows. Codes of its training pictures have variance 1 in each
    dimension, so `weight` λ, in units of the objective, says how far from them a picture may go.
    """

    prior: Prior
    weight: float | int = 0.01

    deviation: ClassVar[float] = 1.0
    learning_rate: ClassVar[float] = 0.05

    def __post_init__(self) -> None:
        if not self.weight >= 0:
            raise ValueError(f"A weight of {self.weight} would drive codes away from the pictures: take 0 or more.")

    def resolution(self, classifier: Classifier) -> tuple[int, int]:
        """Height and width of the generator's pictures."""
        return self.prior.size, self.prior.size

    def neutral(self, count: int, classifier: Classifier) -> Tensor:
        """Zeros: the mean of all codes."""
        return torch.zeros(count, self.prior.dimensions, device=classifier.device)

    def parameters(self, pixels: Float[Tensor, "n c h w"], classifier: Classifier) -> Tensor:
        """The codes of pictures."""
        return self.prior.encode(_resized(pixels, self.resolution(classifier))).to(classifier.device)

    def decoder(self, classifier: Classifier) -> Decode:
        """The generator. Raises `ValueError` where the classifier sees grey, or is on another device than it."""
        if classifier.channels != 3:
            raise ValueError(
                f"The generator makes pictures in colour, and {classifier.name} sees grey: take Fourier()."
            )
        if self.prior.device != classifier.device:
            raise ValueError(
                f"The generator is on {self.prior.device} and {classifier.name} on {classifier.device}: load both on "
                "one device."
            )
        return self.prior.decode

    def penalty(self, parameters: Tensor) -> Float[Tensor, " n"] | None:
        """λ‖z‖²."""
        return self.weight * parameters.square().sum(dim=1) if self.weight else None


class _Synthesis(torch.autograd.Function):
    """Weighted coefficients to planes, as `irfft2` does, in under half of its time forth and back.

    One dimension after the other is faster forwards; backwards it is one transform of real numbers.
    """

    @staticmethod
    def forward(ctx: Any, parameters: Tensor, weights: Tensor, back: Tensor, width: int) -> Tensor:
        ctx.save_for_backward(back)
        rows = torch.fft.ifft(torch.view_as_complex(parameters * weights), dim=-2, norm="ortho")
        return torch.fft.irfft(rows, n=width, norm="ortho")

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        (back,) = ctx.saved_tensors
        return torch.view_as_real(torch.fft.rfft2(gradients[0], norm="ortho")).mul_(back), None, None, None


def _coloured(colours: Colours, classifier: Classifier) -> Decode:
    """From uncorrelated planes to RGB, or from one plane to grey, in [0, 1]."""
    root = colours.correlated(classifier.device, classifier.channels)
    offset = colours.offset(classifier.device, classifier.channels)

    def decode(planes: Tensor) -> Tensor:
        mixed = torch.baddbmm(offset.expand(len(planes), -1, -1), root.expand(len(planes), -1, -1), planes.flatten(2))
        return mixed.sigmoid_().view_as(planes)

    return decode


def _uncoloured(pixels: Float[Tensor, "n c h w"], colours: Colours) -> Float[Tensor, "n c h w"]:
    """The planes that `_coloured` makes these pixels of."""
    channels = pixels.shape[1]
    root, offset = colours.correlated(pixels.device, channels), colours.offset(pixels.device, channels)
    before = pixels.clamp(LEAST, 1 - LEAST).logit().flatten(2) - offset
    return (torch.linalg.inv(root) @ before).view_as(pixels)


def _resized(pixels: Float[Tensor, "n c y x"], size: tuple[int, int]) -> Float[Tensor, "n c h w"]:
    if tuple(pixels.shape[2:]) == size:
        return pixels
    return interpolate(pixels, size=size, mode="bilinear", antialias=True).clamp(0, 1)


def _resolution(size: int | None, classifier: Classifier) -> tuple[int, int]:
    return classifier.input_size if size is None else (size, size)


def _check_size(size: int | None) -> None:
    if size is not None and size < SMALLEST:
        raise ValueError(f"Pictures of {size} × {size} pixels are too small: take {SMALLEST} or more.")
