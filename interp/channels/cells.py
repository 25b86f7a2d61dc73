"""One image as a grid of cells: what a layer sees in each of them, and what each adds to the score."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import pad

from interp.channels.attribution import ChannelAttribution
from interp.types import Fingerprinted, Layer, Target

Order = Literal["activation", "for", "against"]
MOST = 14
"""So many cells a side are shown at most; of finer grids blocks of positions are joined."""

NO_CHANNEL = -1


@dataclass(frozen=True, eq=False)
class Strongest:
    """The strongest channels of each cell, the strongest first, with their activations or attributions.

    Where a cell has fewer such channels than were asked for, the rest are `NO_CHANNEL` with the value 0.
    """

    channels: Int[Tensor, "count u v"]
    values: Float[Tensor, "count u v"]


@dataclass(frozen=True, eq=False)
class CellGrid(Fingerprinted):
    """A semantic dictionary of one image (Olah et al. 2018): activations and attributions of each cell of a grid.

    A cell is a position of the layer, or a block of `block` × `block` positions (smaller at the right and lower edge
    where they do not come out even). `activations` are means over a cell's positions, and `by_channel`, a_kuv in
    logits, sums over them, so that what all cells add up to does not depend on the block. `positions` are the layer's
    rows and columns.
    """

    layer: Layer
    target: Target
    activations: Float[Tensor, "k u v"]
    by_channel: Float[Tensor, "k u v"]
    block: int
    positions: tuple[int, int]

    @property
    def shape(self) -> tuple[int, int]:
        """How many rows and columns of cells there are."""
        return self.activations.shape[1], self.activations.shape[2]

    @cached_property
    def norms(self) -> Float[Tensor, "u v"]:
        """The Euclidean length of each cell's activation vector, at least 0."""
        return self.activations.norm(dim=0)

    @cached_property
    def attribution(self) -> Float[Tensor, "u v"]:
        """What each cell adds to the score, in logits: the sum over its channels."""
        return self.by_channel.sum(dim=0)

    def strongest(self, order: Order, count: int = 3) -> Strongest:
        """The channels with the largest activation above 0, or the largest attribution for or against the target.

        Attributions against keep their sign, so they are negative. Raises `ValueError` for another order, and for
        fewer than one channel.
        """
        if order not in get_args(Order):
            raise ValueError(f"There is no order {order!r}: take one of {', '.join(get_args(Order))}.")
        if count < 1:
            raise ValueError(f"{count} channels of each cell are none: ask for 1 or more.")
        sign = -1 if order == "against" else 1
        of = sign * (self.activations if order == "activation" else self.by_channel)
        found = of.topk(min(count, len(of)), dim=0)
        there = found.values > 0
        return Strongest(torch.where(there, found.indices, NO_CHANNEL), torch.where(there, sign * found.values, 0.0))

    def window(self, row: int, column: int, size: tuple[int, int]) -> tuple[slice, slice]:
        """Rows and columns of the pixels, of a picture of that height and width, that lie under a cell.

        Not what the cell's activations depend on: in deep layers that is most of the picture. Raises `ValueError` for
        a cell that there is not.
        """
        rows, columns = self.shape
        if not (0 <= row < rows and 0 <= column < columns):
            raise ValueError(f"There is no cell {row}, {column}: {rows} rows and {columns} columns count from 0.")
        [down], [across] = self.edges(size[0], 0)[row : row + 1], self.edges(size[1], 1)[column : column + 1]
        return slice(*down), slice(*across)

    def edges(self, length: int, axis: Literal[0, 1]) -> list[tuple[int, int]]:
        """Where each row (`axis` 0) or column (1) of cells begins and ends, in pixels of a picture of that length."""
        return edges(self.positions[axis], self.block, length)


def cells(found: ChannelAttribution, row: int = 0, *, most: int = MOST) -> CellGrid:
    """One image of a channel attribution as cells, at most `most` a side: positions are joined where there are more.

    Raises `ValueError` for an image that there is not, and for fewer than one cell.
    """
    if not 0 <= row < len(found):
        raise ValueError(f"There is no image {row}: the attribution has {len(found)}, counted from 0.")
    if most < 1:
        raise ValueError(f"A grid of {most} cells a side has no cell: ask for 1 or more.")
    rows, columns = found.activations.shape[2:]
    block = block_of(rows, columns, most)
    counts = _joined(torch.ones(1, rows, columns), block)
    activations = _joined(found.activations[row], block) / counts
    by_channel = _joined(found.by_position[row], block)
    return CellGrid(found.layer, found.targets[row], activations, by_channel, block, (rows, columns))


def block_of(rows: int, columns: int, most: int = MOST) -> int:
    """How many positions are joined each way, so that there are at most `most` cells a side."""
    return -(-max(rows, columns) // most)


def edges(positions: int, block: int, length: int) -> list[tuple[int, int]]:
    """Where each block of so many positions in a row begins and ends, in pixels of a picture of that length."""
    ends = [min(one * block, positions) * length // positions for one in range(-(-positions // block) + 1)]
    return [(start, max(stop, start + 1)) for start, stop in zip(ends[:-1], ends[1:], strict=True)]


def _joined(maps: Float[Tensor, "k rows columns"], block: int) -> Float[Tensor, "k u v"]:
    """The sums over blocks of positions; those at the right and lower edge may be smaller."""
    rows, columns = maps.shape[1:]
    even = pad(maps, (0, -columns % block, 0, -rows % block))
    return even.unflatten(2, (-1, block)).unflatten(1, (-1, block)).sum(dim=(2, 4))
