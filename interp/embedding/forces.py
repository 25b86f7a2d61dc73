"""The forces of t-SNE: attraction along the neighbour graph, repulsion between all pairs of points.

With w = 1 / (1 + d²) and Z = Σ w over all pairs, the gradient of KL(P‖Q) is, up to the factor 4 that the learning
rate takes in, Σ_j p w (yᵢ − yⱼ) − Σ_j w² (yᵢ − yⱼ) / Z. The second sum is found by a tree (Barnes-Hut), or for many
points in the plane by interpolation on a grid: Linderman, Rachh, Hoskins, Steinerberger and Kluger, "Fast
interpolation-based t-SNE for improved visualization of single-cell RNA-seq data" (2019).
"""

from __future__ import annotations

import functools
import math

import numpy as np
import scipy
import torch
from jaxtyping import Float, Int
from torch import Tensor

GRID_FROM = 4000
"""From so many points in the plane on, the grid is faster than the tree."""

SPACING = 1 / 3
"""The grid's step, or a half, a quarter … of it while the map is small.

With four nodes a side the forces on 20,000 points are off by 1% (against the sum over all pairs), against 2% for the
tree at its usual angle and for openTSNE's grid.
"""

NODES = 4
ANGLE = 0.5


def gradient(
    points: Float[np.ndarray, "n m"],
    affinities: scipy.sparse.csr_matrix,
    exaggeration: float,
    *,
    with_divergence: bool,
) -> tuple[Float[np.ndarray, "n m"], float | None]:
    """The gradient with attraction multiplied by `exaggeration`, and KL(P‖Q) itself without, where asked for."""
    pull, attraction = _attraction(points, points, affinities, with_divergence)
    push, total = _repulsion(points)
    divergence = None
    if with_divergence:
        divergence = attraction + float(affinities.data.sum()) * float(np.log(max(total, 1e-300)))
    return exaggeration * pull + push, divergence


def _repulsion(points: Float[np.ndarray, "n m"]) -> tuple[Float[np.ndarray, "n m"], float]:
    if points.shape[1] == 2 and len(points) >= GRID_FROM:
        sums = repulsion_by_grid(torch.from_numpy(points).float()).double().numpy()
        # Each point meets itself on the grid, at w = 1.
        total = float(sums[0].sum()) - len(points)
        return -sums[1:].T / total, total
    return _Tree(points).repulsion(points)


class Anchored:
    """Points that stay, and the forces they exert on others, which do not feel each other."""

    def __init__(self, points: Float[np.ndarray, "n m"]) -> None:
        self._points = points
        self._tree = _Tree(points)

    def gradient(
        self, points: Float[np.ndarray, "q m"], affinities: scipy.sparse.csr_matrix, exaggeration: float
    ) -> Float[np.ndarray, "q m"]:
        """The gradient for each new point by itself; each row of the affinities sums to 1."""
        pull, _ = _attraction(points, self._points, affinities, False)
        return exaggeration * pull + self._tree.repulsion(points, paired=False)[0]


class _Tree:
    def __init__(self, points: Float[np.ndarray, "n m"]) -> None:
        from openTSNE.quad_tree import QuadTree  # pyright: ignore[reportMissingImports]

        self._tree = QuadTree(points)

    def repulsion(
        self, points: Float[np.ndarray, "q m"], paired: bool = True
    ) -> tuple[Float[np.ndarray, "q m"], float]:
        """−Σ w² (y − yⱼ) / Z, with Z over all pairs (`paired`) or over each point's own, and Z."""
        from openTSNE import _tsne  # pyright: ignore[reportAttributeAccessIssue]

        push = np.zeros_like(points)
        total = _tsne.estimate_negative_gradient_bh(
            self._tree, points, push, theta=ANGLE, dof=1, num_threads=threads(), pairwise_normalization=paired
        )
        return push, float(total)


def _attraction(
    points: Float[np.ndarray, "q m"],
    others: Float[np.ndarray, "n m"],
    affinities: scipy.sparse.csr_matrix,
    with_divergence: bool,
) -> tuple[Float[np.ndarray, "q m"], float]:
    from openTSNE import _tsne  # pyright: ignore[reportAttributeAccessIssue]

    pull = np.zeros_like(points)
    _, divergence = _tsne.estimate_positive_gradient_nn(
        affinities.indices,
        affinities.indptr,
        affinities.data,
        points,
        others,
        pull,
        1,
        num_threads=threads(),
        should_eval_error=with_divergence,
    )
    return pull, float(divergence)


def threads() -> int:
    """As many threads as PyTorch takes, so that one setting rules both; the forces do not depend on it."""
    return torch.get_num_threads()


def repulsion_by_grid(points: Float[Tensor, "n 2"]) -> Float[Tensor, "3 n"]:
    """Σ_j w, Σ_j w² (x − xⱼ) and Σ_j w² (y − yⱼ) at each point, over all points with itself.

    Each point is spread over the 4 × 4 grid nodes around it by cubic Lagrange weights, the three kernels are applied
    to the grid as convolutions, and their values are read back with the same weights.
    """
    spacing = _spacing(points)
    weights, nodes, shape = _spread(points, spacing)
    charges = torch.bincount(nodes.flatten(), weights.flatten(), shape[0] * shape[1]).to(points.dtype).view(shape)
    # Twice the grid, so that the convolution does not wrap around.
    padded = (_fast(2 * shape[0] - 1), _fast(2 * shape[1] - 1))
    spectrum = torch.fft.rfft2(charges, s=padded)
    fields = torch.fft.irfft2(spectrum * _kernels(*padded, spacing), s=padded)[:, : shape[0], : shape[1]].reshape(3, -1)
    return (fields[:, nodes.flatten()].view(3, *nodes.shape) * weights).sum(dim=2)


def _fast(side: int) -> int:
    """The next side that Fourier transforms are fast for."""
    return int(scipy.fft.next_fast_len(side, real=True))  # pyright: ignore[reportArgumentType]


def _spacing(points: Float[Tensor, "n 2"]) -> float:
    """Fine enough for 50 steps across the map; by halves, so that the kernels can be kept for some time."""
    extent = max(float((points.amax(dim=0) - points.amin(dim=0)).max()), 1e-6)
    return SPACING * 2.0 ** min(0, math.floor(math.log2(extent / (50 * SPACING))))


def _spread(
    points: Float[Tensor, "n 2"], spacing: float
) -> tuple[Float[Tensor, "n 16"], Int[Tensor, "n 16"], tuple[int, int]]:
    """For each point its weights, the nodes they belong to, and the grid's shape."""
    places = (points - points.min(dim=0).values) / spacing + 1
    first = places.floor() - 1
    inside = places - first
    shape = tuple(int(side) + NODES + 1 for side in first.max(dim=0).values)
    sides = torch.ones(len(points), NODES, 2, dtype=points.dtype)
    for node in range(NODES):
        for other in range(NODES):
            if node != other:
                sides[:, node] *= (inside - other) / (node - other)
    weights = (sides[:, :, None, 0] * sides[:, None, :, 1]).flatten(1)
    along = first.long()[:, None, :] + torch.arange(NODES)[:, None]
    nodes = (along[:, :, None, 0] * shape[1] + along[:, None, :, 1]).flatten(1)
    return weights, nodes, (shape[0], shape[1])


@functools.lru_cache(maxsize=4)
def _kernels(height: int, width: int, spacing: float) -> Tensor:
    """The transforms of w, w² Δx and w² Δy on a grid that wraps around."""
    down, across = (torch.fft.fftfreq(side, 1 / side, dtype=torch.float64) * spacing for side in (height, width))
    x, y = down[:, None], across[None, :]
    w = 1 / (1 + x * x + y * y)
    return torch.fft.rfft2(torch.stack([w, x * w * w, y * w * w]).float())
