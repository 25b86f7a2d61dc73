"""Normalizations taken apart: layer, group and RMS normalization, and division by the length."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from interp.passes.operations import Operation


@dataclass(frozen=True, eq=False)
class Normalization:
    """y = finish(c · reciprocal(total(c²))) with c = centred(x): linear in x, but for the spread that it divides by."""

    centred: Callable[[Tensor], Tensor]
    total: Callable[[Tensor], Tensor]
    reciprocal: Callable[[Tensor], Tensor]
    finish: Callable[[Tensor], Tensor]

    def held(self, inputs: Tensor) -> Tensor:
        """The normalization, its spread a constant: that is all there is to its derivative."""
        centred = self.centred(inputs)
        return self.finish(centred * self.reciprocal(self.total(centred.square())).detach())


def taken_apart(operation: Operation, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Normalization:
    """The parts of a call of one of `operations.NORMALIZATIONS`."""
    given = {name: value for name, value in keywords.items() if name not in ("input", "out")}
    rest = arguments[1:]
    if operation in (functional.layer_norm, torch.layer_norm):
        return _layer_norm(*rest, **given)
    if operation in (functional.rms_norm, torch.rms_norm):
        return _rms_norm(*rest, **given)
    if operation is functional.normalize:
        return _unit(*rest, **given)
    inputs = arguments[0] if arguments else keywords["input"]
    return _group_norm(inputs.shape, *rest, **given)


def _layer_norm(
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float | int = 1e-5,
    cudnn_enable: bool = True,
) -> Normalization:
    dims = tuple(range(-len(normalized_shape), 0))
    return Normalization(
        partial(_centred, dims=dims),
        partial(torch.mean, dim=dims, keepdim=True),
        lambda variance: (variance + eps).rsqrt(),
        lambda normal: _affine(normal, weight, bias),
    )


def _rms_norm(
    normalized_shape: Sequence[int], weight: Tensor | None = None, eps: float | int | None = None
) -> Normalization:
    dims = tuple(range(-len(normalized_shape), 0))

    def reciprocal(square: Tensor) -> Tensor:
        return (square + (torch.finfo(square.dtype).eps if eps is None else eps)).rsqrt()

    return Normalization(
        lambda inputs: inputs,
        partial(torch.mean, dim=dims, keepdim=True),
        reciprocal,
        lambda normal: _affine(normal, weight, None),
    )


def _group_norm(
    shape: torch.Size,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float | int = 1e-5,
    cudnn_enabled: bool = True,
) -> Normalization:
    def by_channel(values: Tensor | None) -> Tensor | None:
        return None if values is None else values.view(-1, *(1 for _ in shape[2:]))

    return Normalization(
        lambda inputs: _centred(inputs.reshape(shape[0], num_groups, -1), (-1,)),
        partial(torch.mean, dim=-1, keepdim=True),
        lambda variance: (variance + eps).rsqrt(),
        lambda normal: _affine(normal.reshape(shape), by_channel(weight), by_channel(bias)),
    )


def _unit(p: float | int = 2.0, dim: int = 1, eps: float | int = 1e-12) -> Normalization:
    if p != 2:
        raise ValueError(f"There are rules for division by the length (p = 2), not by a norm with p = {p}.")
    return Normalization(
        lambda inputs: inputs,
        partial(torch.sum, dim=dim, keepdim=True),
        lambda square: 1 / square.sqrt().clamp(min=eps),
        lambda normal: normal,
    )


def _centred(inputs: Tensor, dims: tuple[int, ...]) -> Tensor:
    return inputs - inputs.mean(dim=dims, keepdim=True)


def _affine(normal: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    scaled = normal if weight is None else normal * weight
    return scaled if bias is None else scaled + bias
