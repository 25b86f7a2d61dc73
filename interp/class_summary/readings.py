"""What the kernels of a joint read in a pass, in the form that their results are sought in."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt16, UInt64
from torch import Tensor
from torch.nn.functional import pad

from interp.class_summary.device_inputs import DeviceReading, strongest_multiplied
from interp.class_summary.joints import Carried, Kernels


@dataclass(frozen=True, eq=False)
class InputReading:
    """The largest and smallest value of each of g channels of some images where kernels read, zeros around them too.

    `planes` hold the channels' values in such an order that each weight of a kernel meets its values from one offset
    on: result y, x is the sum of the weights times the values at `offsets` + y · `step` + x. None for kernels of one
    weight, of which the extremes tell all. `outside` is far below 0 where y · `step` + x is no result's.
    """

    high: Float[np.ndarray, "n g"]
    low: Float[np.ndarray, "n g"]
    planes: Float[np.ndarray, "n g p"] | None = None
    offsets: UInt64[np.ndarray, " t"] | None = None
    outside: Float[np.ndarray, " l"] | None = None


def reading(values: Float[Tensor, ...], term: Kernels | Carried) -> InputReading | DeviceReading:
    """What a term reads of the values of the result that it reads; that of larger kernels stays on a graphics card."""
    maps = as_maps(values, term.axis, term.shape)
    if isinstance(term, Carried) or not _many(term):
        rows, columns = (1, 1) if isinstance(term, Carried) else term.stride
        used = maps[:, :, ::rows, ::columns].flatten(2)
        # Where the channels lie side by side, and are few, extremes over positions take longer than a copy.
        used = used if used.shape[1] >= 64 else used.contiguous()
        return InputReading(*(one.float().cpu().numpy() for one in (used.amax(dim=2), used.amin(dim=2))))
    if not _on_processor(values):
        top, bottom, left, right = term.padding
        return DeviceReading(pad(maps.float(), (left, right, top, bottom)))
    (rows, columns), (height, width) = term.stride, term.weights.shape[2:]
    top, bottom, left, right = term.padding
    size = (maps.shape[2] + top + bottom, maps.shape[3] + left + right)
    down, across = (-(-side // step) * step for side, step in zip(size, term.stride, strict=True))
    padded = pad(maps.float(), (left, across - maps.shape[3] - left, top, down - maps.shape[2] - top))
    split = padded.unflatten(3, (-1, columns)).unflatten(2, (-1, rows)).permute(0, 1, 3, 5, 2, 4)
    step, plane = split.shape[5], split.shape[4] * split.shape[5]
    y, x = np.meshgrid(*(np.arange(side) * one for side, one in zip((height, width), term.dilation, strict=True)),
                       indexing="ij")  # fmt: skip
    offsets = (y % rows * columns + x % columns) * plane + y // rows * step + x // columns
    shape = tuple(
        (side - one * (kernel - 1) - 1) // stride + 1
        for side, one, kernel, stride in zip(size, term.dilation, (height, width), term.stride, strict=True)
    )
    planes = split.flatten(2).contiguous()
    high, low = planes.amax(dim=2).numpy(), planes.amin(dim=2).numpy()
    places = np.arange((shape[0] - 1) * step + shape[1])
    outside = np.where(places % step < shape[1], 0, -1e30).astype(np.float32)
    return InputReading(high, low, planes.numpy(), offsets.ravel().astype(np.uintp), outside)


def as_maps(values: Float[Tensor, ...], axis: int, shape: tuple[int, ...]) -> Float[Tensor, "n g u v"]:
    """A result with its channels behind the images, and then two axes of positions; `shape` is that for one image.

    Images may stand on another axis than the first, as tokens do in attention, or be cut into windows on it.
    """
    images = values.numel() // math.prod(shape)
    place = next((one for one, size in enumerate(shape) if values.shape[one] != size), 0)
    apart = values.detach().unflatten(place, (images, shape[place]))
    moved = apart.movedim((place, axis + (axis > place)), (0, 1))
    return moved.flatten(2, -2) if moved.ndim > 3 else moved[..., None]


def how_read(term: Kernels | Carried) -> tuple[object, ...]:
    """What terms that need the same reading have in common."""
    if isinstance(term, Kernels) and _many(term):
        return term.reads, term.axis, term.stride, term.padding, term.dilation, term.weights.shape[2:]
    return term.reads, term.axis, term.stride if isinstance(term, Kernels) else (1, 1)


def strongest_inputs(
    term: Kernels | Carried,
    read: InputReading | DeviceReading,
    values: Float[np.ndarray, "n j s"],
    candidates: UInt16[np.ndarray, "n j s"],
) -> None:
    """Take a term's inputs in among the strongest of each channel of a joint, by what each brings alone at most."""
    from interp.class_summary import influence_loops as loops

    images = len(read.maps if isinstance(read, DeviceReading) else read.high)
    if images != len(values):
        raise ValueError(
            f"What is computed between the layers is of {images} images where {len(values)} were given: choose "
            "other layers."
        )
    if isinstance(read, DeviceReading):
        assert isinstance(term, Kernels)
        strongest_multiplied(term, read, values, candidates)
        return
    if isinstance(term, Carried):
        ends = (read.high.shape[1], np.arange(len(term.rows)))
        loops.strongest_scaled(
            read.high[:, term.channels], read.low[:, term.channels],
            term.factors.astype(np.float32)[:, None], term.rows, ends[1], term.start, values, candidates,
        )  # fmt: skip
        return
    flat = term.weights.reshape(*term.weights.shape[:2], -1)
    if read.planes is None:
        weights = np.ascontiguousarray(flat[:, :, 0])
        loops.strongest_scaled(read.high, read.low, weights, term.rows, term.first, term.start, values, candidates)
        return
    above, below = flat.clip(min=0).sum(axis=2), flat.clip(max=0).sum(axis=2)
    loops.strongest_convolved(
        read.planes, read.high, read.low, np.ascontiguousarray(flat), above, below, read.offsets, read.outside,
        term.rows, term.first, term.start, values, candidates,
    )  # fmt: skip


def _on_processor(values: Tensor) -> bool:
    return values.device.type == "cpu"


def _many(term: Kernels) -> bool:
    return term.weights.shape[2] * term.weights.shape[3] > 1 or any(term.padding)
