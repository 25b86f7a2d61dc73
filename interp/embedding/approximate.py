"""Nearest neighbours of many images, nearly all of them right: first within cells, then among neighbours' neighbours.

Exact search takes all n² distances, 100 seconds for 100,000 images of 320 features. Here each image is first compared
with the cells of images around it (k-means), and then with the neighbours of its neighbours until few change: Dong,
Charikar and Li, "Efficient k-nearest neighbor graph construction for generic similarity measures" (2011).
umap-learn searches in a like way, by random trees; its library compiles half a minute in each new process and starts
threads that stay.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from interp import progress
from interp.embedding.checks import usable
from interp.embedding.compiling import fast
from interp.embedding.neighbours import Metric, Neighbours, Space, nearest

EXACT_UP_TO = 20_000
"""Up to so many images all distances cost no more than the rest of a map."""

MOST = 30
"""More neighbours than these have too many neighbours of their own, so that comparing all costs less."""

CELL = 400
"""How many images a cell has, on average."""

PROBES = 2
"""In how many cells an image's first neighbours are looked for."""

MEANS = 5
"""How often the cells' centres are moved, by 50 images for each."""

WIDTH = 20
"""The search holds at least so many neighbours of each image, so that it gets about."""

ROUNDS = 6
SETTLED = 0.002
"""The search ends when fewer than this share of all neighbours changed in a round."""

CHECKED = 500
"""How many images are compared with all others, to say how many neighbours were found."""


def nearly_nearest(
    features: Float[np.ndarray, "n d"],
    count: int,
    *,
    metric: Metric = "euclidean",
    device: torch.device | str = "cpu",
) -> Neighbours:
    """The `count` nearest others of each image: exactly for few images, else nearly all of them, which a remark says.

    Exact up to 20,000 images, and for more than 30 neighbours. Else some true neighbours are missed, and farther ones
    are in their places; the remark says how many in a hundred were found, by a comparison of 500 images with all.
    The same call gives the same neighbours. Distances are as `nearest` gives them, and errors too.
    """
    if len(features) <= EXACT_UP_TO or count > MOST:
        return nearest(features, count, metric=metric, device=device)
    space = Space.of(usable(features), metric, device)
    order, indices = _in_cells(space, max(count, WIDTH), np.random.default_rng(0))
    indices = _joined(space, order, indices)[:, :count]
    parts = torch.from_numpy(indices).to(space.points.device).long().split(CELL)
    starts = range(0, len(indices), CELL)
    found = [_measured(space, start, part) for start, part in zip(starts, parts, strict=True)]
    near, far = (torch.cat([one[place] for one in found]).cpu().numpy() for place in (0, 1))
    neighbours = Neighbours(near.astype(np.int32), far, metric)
    progress.remark(
        f"Of the {count} nearest neighbours of each image, {100 * recall(space, neighbours):.1f}% were found: among "
        f"{len(features):,} images they were searched for without comparing all with all."
    )
    return neighbours


def recall(space: Space, neighbours: Neighbours) -> float:
    """The share of true neighbours that was found, 0 to 1, by comparing 500 images, spread evenly, with all."""
    rows = torch.linspace(0, len(space.points) - 1, CHECKED, dtype=torch.float64).round().long()
    shares = []
    for part, block in space.own_blocks("how many neighbours were found", rows.unique().to(space.points.device)):
        true, _ = space.nearest(space.points[part], block, neighbours.count)
        given = torch.from_numpy(neighbours.indices[part.cpu().numpy()]).to(true)
        shares.append((true[:, :, None] == given[:, None, :]).any(dim=2).double().mean(dim=1))
    return float(torch.cat(shares).mean())


def _measured(space: Space, start: int, indices: Int[Tensor, "m k"]) -> tuple[Int[Tensor, "m k"], Float[Tensor, "m k"]]:
    """Indices and distances of some rows, in order."""
    points = space.points[start : start + len(indices)]
    products = torch.bmm(space.points[indices], points[:, :, None])[:, :, 0]
    if space.metric == "cosine":
        return space.ordered(points, 1 - products, indices)
    own = space.squares[start : start + len(indices), None]
    return space.ordered(points, space.squares[indices] + own - 2 * products, indices)


def _in_cells(
    space: Space, count: int, random: np.random.Generator
) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, "n k"]]:
    """The images in the order of their cells, and each one's first neighbours, nearest first."""
    points, images = space.points, len(space.points)
    cells = max(PROBES, images // CELL)
    nearby = _assigned(points, _centres(points, cells, random), PROBES)
    order = nearby[:, 0].argsort(stable=True)
    members = order.split(torch.bincount(nearby[:, 0], minlength=cells).tolist())
    asking = nearby.flatten().argsort(stable=True).split(torch.bincount(nearby.flatten(), minlength=cells).tolist())
    # Where cells are small, others fill what is missing: any image is better than none.
    values = torch.full((images * PROBES, count), torch.inf, device=points.device)
    indices = torch.arange(images, device=points.device).repeat_interleave(PROBES)[:, None]
    indices = (indices + 1 + torch.arange(count, device=points.device)) % images
    for cell, who in progress.steps(list(zip(members, asking, strict=True)), "nearest neighbours, first within cells"):
        if len(cell) == 0:
            continue
        part = who // PROBES
        block = _offsets(space)[cell] - 2 * points[part] @ points[cell].T
        block[part[:, None] == cell] = torch.inf
        kept = min(count, len(cell))
        found, places = block.topk(kept, dim=1, largest=False)
        values[who, :kept] = found
        indices[who, :kept] = torch.where(found < torch.inf, cell[places], indices[who, :kept])
    best, places = values.view(images, -1).topk(count, dim=1, largest=False)
    chosen = indices.view(images, -1).gather(1, places)
    return order.cpu().numpy(), chosen.cpu().numpy()


def _offsets(space: Space) -> Float[Tensor, " n"]:
    """What makes −2 x·y order as the distance does, from one point to all."""
    return torch.zeros_like(space.squares) if space.metric == "cosine" else space.squares


def _centres(points: Float[Tensor, "n d"], cells: int, random: np.random.Generator) -> Float[Tensor, "c d"]:
    chosen = points[torch.from_numpy(random.permutation(len(points))[: 50 * cells]).to(points.device)]
    centres = chosen[:cells].clone()
    for _ in range(MEANS):
        nearby = _assigned(chosen, centres, 1)[:, 0]
        counts = torch.bincount(nearby, minlength=cells)[:, None]
        means = torch.zeros_like(centres).index_add_(0, nearby, chosen) / counts.clamp(min=1)
        centres = torch.where(counts > 0, means, centres)
    return centres


def _assigned(points: Float[Tensor, "n d"], centres: Float[Tensor, "c d"], count: int) -> Int[Tensor, "n p"]:
    squares = (centres * centres).sum(dim=1)
    blocks = (torch.addmm(squares, part, centres.T, alpha=-2) for part in points.split(8192))
    return torch.cat([block.topk(count, dim=1, largest=False).indices for block in blocks])


def _joined(space: Space, order: Int[np.ndarray, " n"], indices: Int[np.ndarray, "n k"]) -> Int[np.ndarray, "n k"]:
    """Better neighbours, from neighbours of neighbours; worked on in the order of cells, where memory is near."""
    images, count = indices.shape
    rank = np.empty(images, dtype=np.int32)
    rank[order] = np.arange(images, dtype=np.int32)
    points = np.ascontiguousarray(space.points.cpu().numpy()[order], dtype=np.float32)
    offsets = _offsets(space).cpu().numpy().astype(np.float32)[order]
    now = rank[indices[order]]
    values = np.full((images, count), np.inf, dtype=np.float32)
    fresh = np.ones((images, count), dtype=np.bool_)
    fast(first_values)(points, offsets, now, values)
    for done in range(ROUNDS):
        progress.report(done, ROUNDS, "nearest neighbours, from neighbours of neighbours")
        back = now.ravel().argsort(kind="stable").astype(np.int32)
        starts = np.concatenate([[0], np.bincount(now.ravel(), minlength=images).cumsum()]).astype(np.int32)
        before, was_fresh = now.copy(), fresh.copy()
        fresh[:] = False
        changed = fast(join)(points, offsets, before, was_fresh, back, starts, now, values, fresh)
        if changed < SETTLED * now.size:
            break
    progress.report(ROUNDS, ROUNDS, "nearest neighbours, from neighbours of neighbours")
    found = np.empty_like(now)
    found[order] = order[now]
    return found


def first_values(
    points: Float[np.ndarray, "n d"],
    offsets: Float[np.ndarray, " n"],
    indices: Int[np.ndarray, "n k"],
    values: Float[np.ndarray, "n k"],
) -> None:
    """Fill in what orders each row's neighbours, and sort them by it; for a compiler."""
    for row in range(len(points)):
        for place in range(indices.shape[1]):
            other = indices[row, place]
            product = np.float32(0.0)
            for axis in range(points.shape[1]):
                product += points[row, axis] * points[other, axis]
            value = offsets[other] - np.float32(2.0) * product
            free = place
            while free > 0 and values[row, free - 1] > value:
                values[row, free], indices[row, free] = values[row, free - 1], indices[row, free - 1]
                free -= 1
            values[row, free], indices[row, free] = value, other


def join(
    points: Float[np.ndarray, "n d"],
    offsets: Float[np.ndarray, " n"],
    before: Int[np.ndarray, "n k"],
    was_fresh: Bool[np.ndarray, "n k"],
    back: Int[np.ndarray, " e"],
    starts: Int[np.ndarray, " n1"],
    indices: Int[np.ndarray, "n k"],
    values: Float[np.ndarray, "n k"],
    fresh: Bool[np.ndarray, "n k"],
) -> int:
    """Look, for each row, among its neighbours' neighbours, and say how many came in; for a compiler.

    `before` are the neighbours of the round before and `was_fresh` those that came in it: of two that were there long
    before, all was seen. `back` holds the places of `before` at which a row occurs, from `starts` on.
    """
    images, count = before.shape
    seen = np.full(images, -1, dtype=np.int32)
    changed = 0
    for row in range(images):
        seen[row] = row
        for place in range(count):
            seen[indices[row, place]] = row
        reverse = min(count, starts[row + 1] - starts[row])
        for step in range(count + reverse):
            if step < count:
                via, new = before[row, step], was_fresh[row, step]
            else:
                edge = back[starts[row] + step - count]
                via, new = edge // count, was_fresh[edge // count, edge % count]
            for place in range(-1, count):
                other = via if place < 0 else before[via, place]
                if seen[other] == row or not (new or (place >= 0 and was_fresh[via, place])):
                    continue
                seen[other] = row
                product = np.float32(0.0)
                for axis in range(points.shape[1]):
                    product += points[row, axis] * points[other, axis]
                value = offsets[other] - np.float32(2.0) * product
                if value >= values[row, count - 1]:
                    continue
                free = count - 1
                while free > 0 and values[row, free - 1] > value:
                    values[row, free], indices[row, free] = values[row, free - 1], indices[row, free - 1]
                    fresh[row, free] = fresh[row, free - 1]
                    free -= 1
                values[row, free], indices[row, free], fresh[row, free] = value, other, True
                changed += 1
    return changed
