"""Parts of maps that differ from those of an unchanged picture, and how an operation carries them on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Boxes:
    """Places in maps, all of one size, one for each variant."""

    tops: tuple[int, ...]
    lefts: tuple[int, ...]
    height: int
    width: int


@dataclass(frozen=True, eq=False)
class Patch:
    """What maps hold where they differ from those of the unchanged picture."""

    values: Float[Tensor, "m k p q"]
    boxes: Boxes


@dataclass(frozen=True)
class Slide:
    """A convolution or pooling along one side of a map: `reach` is how many inputs one output sees."""

    reach: int
    stride: int
    padding: int
    size: int
    outputs: int

    def count(self, length: int) -> int:
        """How many outputs, at most, see something of so many neighbouring inputs."""
        return min(self.outputs, (length + self.reach - 2) // self.stride + 1)

    def first(self, start: int, length: int) -> int:
        """The first of `count` outputs among which are all that see something of the inputs from `start` on."""
        sees = -((self.reach - 1 - start - self.padding) // self.stride)
        return min(max(0, sees), self.outputs - self.count(length))

    @property
    def after(self) -> int:
        """How much padding the last output sees."""
        return max(0, (self.outputs - 1) * self.stride + self.reach - self.padding - self.size)


def slides(module: nn.Module, inputs: Tensor, outputs: Tensor) -> tuple[Slide, Slide] | None:
    """How a convolution or pooling goes down and across; None for other modules, and kinds that are not known here."""
    if isinstance(module, nn.Conv2d):
        if module.padding_mode != "zeros" or isinstance(module.padding, str):
            return None
        dilation = module.dilation
    elif isinstance(module, nn.MaxPool2d) and not module.return_indices:
        dilation = module.dilation
    elif isinstance(module, nn.AvgPool2d) and not module.ceil_mode and module.padding in (0, (0, 0)):
        dilation = 1
    else:
        return None
    given = (module.kernel_size, module.stride, module.padding, dilation)
    each = [_of_both_sides(one) for one in given]  # pyright: ignore[reportArgumentType] (a word as padding is refused)
    down, across = (
        Slide(apart * (kernel - 1) + 1, stride, padding, size, count)
        for kernel, stride, padding, apart, size, count in zip(*each, inputs.shape[2:], outputs.shape[2:], strict=True)
    )
    return down, across


def _of_both_sides(value: int | tuple[int, ...]) -> tuple[int, ...]:
    return (value, value) if isinstance(value, int) else value


def unpadded(module: nn.Module, inputs: Tensor) -> Tensor:
    """What a convolution or pooling gives where its padding is part of its inputs already."""
    if isinstance(module, nn.Conv2d):
        return functional.conv2d(inputs, module.weight, module.bias, module.stride, 0, module.dilation, module.groups)
    if isinstance(module, nn.MaxPool2d):
        return functional.max_pool2d(inputs, module.kernel_size, module.stride, 0, module.dilation)
    assert isinstance(module, nn.AvgPool2d)
    return functional.avg_pool2d(inputs, module.kernel_size, module.stride, divisor_override=module.divisor_override)


def around(spans: Sequence[tuple[tuple[int, ...], int]], size: int) -> tuple[tuple[int, ...], int]:
    """Along one side: where spans of one length begin that hold, variant by variant, all of these; and the length."""
    begins = [min(starts) for starts in zip(*(starts for starts, _ in spans), strict=True)]
    ends = [max(of) for of in zip(*([start + length for start in starts] for starts, length in spans), strict=True)]
    length = max(end - begin for begin, end in zip(begins, ends, strict=True))
    return tuple(min(begin, size - length) for begin in begins), length


def cut(whole: Tensor, patch: Patch, offset: tuple[int, int], boxes: Boxes) -> Tensor:
    """The maps of all variants inside the boxes: `whole`, in which the patch stands `offset` further on."""
    channels_last = whole.is_contiguous(memory_format=torch.channels_last)
    maps = torch.empty(
        (len(patch.values), whole.shape[1], boxes.height, boxes.width),
        dtype=whole.dtype,
        device=whole.device,
        memory_format=torch.channels_last if channels_last else torch.contiguous_format,
    )
    for i, (top, left) in enumerate(zip(boxes.tops, boxes.lefts, strict=True)):
        maps[i] = whole[0, :, top : top + boxes.height, left : left + boxes.width]
        down, up = _overlap(patch.boxes.tops[i] + offset[0] - top, patch.boxes.height, boxes.height)
        across, back = _overlap(patch.boxes.lefts[i] + offset[1] - left, patch.boxes.width, boxes.width)
        maps[i, :, down, across] = patch.values[i, :, up, back]
    return maps


def _overlap(start: int, length: int, size: int) -> tuple[slice, slice]:
    """Where something that begins at `start` stands within 0 to `size`, and which part of it that is."""
    begin, end = max(0, start), max(0, start, min(size, start + length))
    return slice(begin, end), slice(begin - start, end - start)


def put(whole: Tensor, patch: Patch) -> Tensor:
    """The whole maps of all variants."""
    nowhere = (0,) * len(patch.values)
    return cut(whole, patch, (0, 0), Boxes(nowhere, nowhere, whole.shape[2], whole.shape[3]))
