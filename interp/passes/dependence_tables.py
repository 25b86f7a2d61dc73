"""How operations carry on what their results depend on: rows and columns of pixels, from the first to the last.

A table holds eight numbers for each number of a tensor, so has the tensor's shape behind an axis of 8: the first pixel
row it depends on, minus the row past the last, the same of columns; then these four once more as if maps went on past
their borders, which tell where a field is centred. The table of something made of several things is so the smallest of
their tables; `NOTHING` stands where there is no dependence, and among the last four where there is no centre either.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import torch
from jaxtyping import Int
from torch import Tensor

NOTHING = 2**20
"""Larger than any row or column."""

CLIPPED, UNCLIPPED = slice(0, 4), slice(4, 8)

PixelTable = Int[Tensor, "8 ..."]


def union(tables: Sequence[PixelTable], shape: Sequence[int]) -> PixelTable:
    """The table of what depends on all of these, number by number, broadcast to a shape."""
    return reduce(torch.minimum, [_broadcast(table, shape) for table in tables])


def whole(size: tuple[int, int], shape: Sequence[int], device: torch.device) -> PixelTable:
    """The table of numbers that depend on the whole picture and have no place in it."""
    values = torch.tensor([0, -size[0], 0, -size[1], *[NOTHING] * 4], dtype=torch.int32, device=device)
    return _broadcast(values, shape)


def everywhere(table: PixelTable, size: tuple[int, int]) -> bool:
    """Whether each number depends on the whole picture."""
    bounds = whole(size, table.shape[1:], table.device)[CLIPPED]
    return bool((table[CLIPPED] <= bounds).all())


def joined(table: PixelTable, axes: Sequence[int]) -> PixelTable:
    """The table of sums over some axes, counted from the last (-1), which keep a size of 1.

    Where the axes run along different places, the sum has no centre.
    """
    if not axes:
        return table
    result = table.amin(tuple(axes), keepdim=True)
    for pair in (4, 6):
        none = table[pair] >= NOTHING // 2
        centres = table[pair] - table[pair + 1]
        low = centres.masked_fill(none, 4 * NOTHING).amin(tuple(axes), keepdim=True)
        high = centres.masked_fill(none, -4 * NOTHING).amax(tuple(axes), keepdim=True)
        result[pair : pair + 2].masked_fill_(high > low, NOTHING)
    return result


def windowed(table: PixelTable, axis: int, taps: Int[Tensor, "o t"]) -> PixelTable:
    """The table of windows along one axis, counted from the last: of each the inputs by number, which may be outside.

    What is outside depends on nothing, and is centred as the map would be if it went on. `NOTHING` is no input. One
    window over all of the axis has no centre.
    """
    channels = table.shape[2]
    if channels > 1 and table.ndim + axis > 2 and bool((table == table[:, :, :1]).all()):
        # The channels of a map mostly depend on the same.
        return windowed(table[:, :, :1], axis, taps).repeat_interleave(channels, dim=2)
    size = table.shape[axis]
    present = taps != NOTHING
    inputs = taps[present]
    if len(taps) == 1 and size > 1 and set(range(size)) <= set(inputs.tolist()):
        return joined(table, (axis,))
    before = max(0, -int(inputs.min())) if len(inputs) else 0
    after = max(0, int(inputs.max()) - size + 1) if len(inputs) else 0
    wide = extended(table, axis, before, after)
    parts = []
    for tap, there in zip(taps.unbind(1), present.unbind(1), strict=True):
        part = wide.index_select(axis, (tap.where(there, 0) + before).to(table.device))
        if not there.all():
            missing = (~there).to(table.device).reshape(-1, *[1] * (-axis - 1))
            part = part.masked_fill(missing, NOTHING)
        parts.append(part)
    return reduce(torch.minimum, parts)


def extended(table: PixelTable, axis: int, before: int, after: int) -> PixelTable:
    """The table of a map with padding of constants along an axis, counted from the last; negative cuts off."""
    size = table.shape[axis]
    start, stop = max(0, -before), size - max(0, -after)
    sides = [
        _past(table, axis, place, min(max(neighbour, 0), size - 1), count)
        for place, neighbour, count in ((0, 1, before), (size - 1, size - 2, after))
        if count > 0
    ]
    middle = table.narrow(axis, start, stop - start)
    head = [sides.pop(0).flip(axis)] if before > 0 else []
    return torch.cat([*head, middle, *sides], dim=axis) if head or sides else middle


def _past(table: PixelTable, axis: int, place: int, neighbour: int, count: int) -> PixelTable:
    """What lies past a border, from the inside out: centred as the last steps inside go on."""
    border, inner = table.narrow(axis, place, 1), table.narrow(axis, neighbour, 1)
    known = (border < NOTHING // 2) & (inner < NOTHING // 2)
    step = (border - inner).where(known, 0)
    shape = [count if one == table.ndim + axis else 1 for one in range(table.ndim)]
    result = border + step * torch.arange(1, count + 1, dtype=table.dtype, device=table.device).view(shape)
    result[CLIPPED] = NOTHING
    return result


def _broadcast(table: PixelTable, shape: Sequence[int]) -> PixelTable:
    missing = len(shape) - (table.ndim - 1)
    return table.reshape(8, *[1] * missing, *table.shape[1:]).expand(8, *shape)
