"""The prior of scenes, as it is loaded: pictures from codes, codes of pictures, and how likely a picture is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from interp.models import checkpoint
from interp.models.devices import choose_device
from interp.models.scenes_prior.density import PatchMixture, packed, unpacked
from interp.models.scenes_prior.network import COLOURS, SIZE, Autoencoder
from interp.types import digest

WEIGHTS = Path(__file__).parent.parent / "weights" / "scenes-prior.safetensors"
ROOTS, TRIANGLES = "expert.roots", "expert.triangles"


@dataclass(frozen=True, eq=False)
class Prior:
    """What pictures of scenes look like: a generator x = g(z) with its encoder, and a density expert log p(x).

    The codes of scenes have mean 0, variance 1 in each dimension and no correlation, so that -||z||² / 2 is about
    their log density; all modules are in eval mode, their parameters without gradients. `figures` were measured when
    the prior was trained, on scenes that it has not seen.
    """

    autoencoder: Autoencoder
    expert: PatchMixture
    device: torch.device
    figures: Mapping[str, float]

    @property
    def size(self) -> int:
        """Height and width of the pictures, in pixels."""
        return SIZE

    @property
    def dimensions(self) -> int:
        """How many numbers a code has."""
        return len(self.autoencoder.code.deviations)

    @cached_property
    def fingerprint(self) -> str:
        """A digest of all weights: priors with the same fingerprint compute the same."""
        return digest(self.autoencoder.state_dict(), self.expert.state_dict())

    def decode(self, codes: Float[Tensor, "n d"]) -> Float[Tensor, "n 3 112 112"]:
        """The pictures g(z), RGB in [0, 1]; differentiable.

        Raises `ValueError` for codes of another number of dimensions.
        """
        if codes.ndim != 2 or codes.shape[1] != self.dimensions:
            raise ValueError(f"Codes of shape {tuple(codes.shape)} are none: give (n, {self.dimensions}).")
        return self.autoencoder(codes.to(self.device))

    def encode(self, pixels: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n d"]:
        """The codes of pictures of 112 × 112 pixels, RGB in [0, 1]; linear in the pixels, and differentiable.

        Raises `ValueError` for pictures of another size.
        """
        if tuple(pixels.shape[1:]) != (COLOURS, SIZE, SIZE):
            raise ValueError(f"Pixels of shape {tuple(pixels.shape)} have no code: give (n, 3, {SIZE}, {SIZE}).")
        return self.autoencoder.code(pixels.to(self.device))

    def log_density(self, pixels: Float[Tensor, "n 3 h w"], *, stride: int = 1) -> Float[Tensor, " n"]:
        """The expected patch log likelihood (Zoran & Weiss 2011) of pictures of any size, RGB in [0, 1].

        The mean over all 6 × 6 patches of the log density of their contrasts, in nats; higher is likelier, and smooth
        pictures are the likeliest. Differentiable. A `stride` of s takes every s-th patch in each direction, at 1/s²
        of the cost. Raises `ValueError` for pictures smaller than a patch, and for a stride under 1.
        """
        return self.expert(pixels.to(self.device), stride)

    def sample(self, count: int, seed: int) -> Float[Tensor, "n d"]:
        """`count` codes z ~ N(0, I), the same on every device. Raises `ValueError` for a negative count."""
        if count < 0:
            raise ValueError(f"{count} codes cannot be drawn: give 0 or more.")
        generator = torch.Generator().manual_seed(seed)
        return torch.randn(count, self.dimensions, generator=generator).to(self.device)


def load(device: str = "cpu") -> Prior:
    """The bundled prior; asked again for the same device, the same one.

    Raises `ValueError` for a device that is not there, and `FileNotFoundError` where the weights are missing.
    """
    return _bundled(str(choose_device(device)))


@lru_cache(maxsize=4)
def _bundled(device: str) -> Prior:
    return read(WEIGHTS, torch.device(device))


def read(path: Path, device: torch.device) -> Prior:
    """The prior of a file that `write` has written."""
    from safetensors.torch import load_file

    if not path.is_file():
        raise FileNotFoundError(f"There is no prior at {path}: python -m interp.models.scenes train writes it.")
    state = {name: tensor.float() for name, tensor in load_file(path).items()}
    state[ROOTS] = unpacked(state.pop(TRIANGLES))
    with torch.device("meta"):
        autoencoder = Autoencoder(len(state["autoencoder.code.deviations"]))
    expert = PatchMixture(len(state["expert.log_weights"]))
    for name, module in (("autoencoder", autoencoder), ("expert", expert)):
        own = {key.removeprefix(f"{name}."): value for key, value in state.items() if key.startswith(f"{name}.")}
        module.load_state_dict(own, assign=True)
        module.to(device).eval().requires_grad_(False)
    return Prior(autoencoder, expert, device, checkpoint.figures(path))


def write(path: Path, autoencoder: Autoencoder, expert: PatchMixture, figures: Mapping[str, float]) -> None:
    """Both modules in one file: the autoencoder in half precision, the triangles of the mixture in single."""
    state = {f"autoencoder.{name}": tensor.half() for name, tensor in autoencoder.state_dict().items()}
    state |= {f"expert.{name}": tensor for name, tensor in expert.state_dict().items()}
    state[TRIANGLES] = packed(state.pop(ROOTS))
    checkpoint.save(path, state, {name: round(value, 6) for name, value in figures.items()})
