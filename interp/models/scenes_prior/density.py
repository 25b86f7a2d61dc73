"""How likely a picture's patches are among those of scenes: a Gaussian mixture, differentiable in the pixels."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

PATCH = 6
COLOURS = 3
VALUES = COLOURS * PATCH * PATCH
CONTRASTS = VALUES - 1
# So many patches at a time: their distances to all components take about 100 MB.
BLOCK = 8192


class PatchMixture(nn.Module):
    """A mixture of Gaussians with full covariances over the contrasts of 6 × 6 patches.

    A patch's contrasts are its 108 values without their mean, in an orthonormal basis of the 107 dimensions that
    remain. `roots` are the factors C of the precisions, C Cᵀ = Σ⁻¹, each upper triangular as scikit-learn has them.
    """

    means: Float[Tensor, "k 107"]
    roots: Float[Tensor, "k 107 107"]
    log_weights: Float[Tensor, " k"]
    basis: Float[Tensor, "107 108"]

    def __init__(self, components: int) -> None:
        super().__init__()
        self.register_buffer("means", torch.zeros(components, CONTRASTS))
        self.register_buffer("roots", torch.eye(CONTRASTS).repeat(components, 1, 1))
        self.register_buffer("log_weights", torch.full((components,), -math.log(components)))
        self.register_buffer("basis", contrast_basis(), persistent=False)

    def forward(self, pixels: Float[Tensor, "n 3 h w"], stride: int = 1) -> Float[Tensor, " n"]:
        """The mean over an image's patches of log Σ_k π_k N(p; μ_k, Σ_k), in nats; see `log_density`."""
        contrasts = self.contrasts(pixels, stride)
        blocks = contrasts.flatten(0, 1).split(BLOCK)
        # The distances are computed anew for the gradient: kept, they would take 160 MB for each image.
        scores = torch.cat([checkpoint(self.score, block, use_reentrant=False) for block in blocks])
        return scores.unflatten(0, contrasts.shape[:2]).mean(dim=1)

    def contrasts(self, pixels: Float[Tensor, "n 3 h w"], stride: int = 1) -> Float[Tensor, "n l 107"]:
        """The contrasts of every `stride`-th patch of each image, in each direction."""
        if stride < 1:
            raise ValueError(f"A stride of {stride} is not possible: give 1 for all patches, or more.")
        if pixels.shape[1] != COLOURS or min(pixels.shape[2:]) < PATCH:
            shape = " × ".join(str(length) for length in pixels.shape[1:])
            raise ValueError(f"Pixels of {shape} have no patches: give 3 × h × w with h and w of at least {PATCH}.")
        return nn.functional.unfold(pixels, PATCH, stride=stride).transpose(1, 2) @ self.basis.T

    def score(self, contrasts: Float[Tensor, "m 107"]) -> Float[Tensor, " m"]:
        """The log density of each patch's contrasts, in nats: what scikit-learn's `score_samples` gives."""
        constants = self.log_weights + self.roots.diagonal(dim1=1, dim2=2).log().sum(dim=1)
        squares = [
            ((contrasts - mean) @ root).square().sum(dim=1) for mean, root in zip(self.means, self.roots, strict=True)
        ]
        exponents = constants - 0.5 * torch.stack(squares, dim=1)
        return exponents.logsumexp(dim=1) - 0.5 * CONTRASTS * math.log(2 * math.pi)


def contrast_basis() -> Float[Tensor, "107 108"]:
    """Helmert's matrix: orthonormal rows, each orthogonal to a patch of one grey."""
    rows = torch.arange(1, VALUES, dtype=torch.float64)[:, None]
    columns = torch.arange(VALUES)[None, :]
    signs = (columns < rows).double() - rows * (columns == rows)
    return (signs / (rows * (rows + 1)).sqrt()).float()


def packed(roots: Float[Tensor, "k 107 107"]) -> Float[Tensor, "k t"]:
    """The upper triangles in rows, half of what the matrices take."""
    rows, columns = torch.triu_indices(CONTRASTS, CONTRASTS)
    return roots[:, rows, columns].contiguous()


def unpacked(triangles: Float[Tensor, "k t"]) -> Float[Tensor, "k 107 107"]:
    """The matrices of `packed` triangles."""
    rows, columns = torch.triu_indices(CONTRASTS, CONTRASTS)
    roots = triangles.new_zeros(len(triangles), CONTRASTS, CONTRASTS)
    roots[:, rows, columns] = triangles
    return roots
