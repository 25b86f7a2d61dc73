"""Attention, and other operations of several steps, taken apart into those that have rules."""

from __future__ import annotations

import inspect
import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from interp.passes.operations import Operation


def scaled_dot_product(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float | int = 0.0,
    is_causal: bool = False,
    scale: float | int | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """softmax(q kᵀ · scale + mask) v, as `torch.nn.functional.scaled_dot_product_attention` says what it does.

    Raises `ValueError` for dropout, which is a part of training.
    """
    _require_no_dropout(dropout_p)
    if enable_gqa:
        key, value = (one.repeat_interleave(query.size(-3) // one.size(-3), dim=-3) for one in (key, value))
    if is_causal:
        places = torch.ones(query.size(-2), key.size(-2), dtype=torch.bool, device=query.device)
        attn_mask = places.tril()
    return _attended(query, key, value, attn_mask, scale)[0]


def multi_head(*arguments: Any, **keywords: Any) -> tuple[Tensor, Tensor | None]:
    """As `torch.nn.functional.multi_head_attention_forward`: its result, and the weights where they are asked for.

    Raises `ValueError` for dropout, which is a part of training.
    """
    call = inspect.signature(functional.multi_head_attention_forward).bind(*arguments, **keywords)
    call.apply_defaults()
    given = call.arguments
    _require_no_dropout(given["dropout_p"] if given["training"] else 0.0)
    single = given["query"].ndim == 2
    if single:
        given.update({name: given[name].unsqueeze(1) for name in ("query", "key", "value")})
    length, batch = given["query"].shape[:2]
    query, key, value = _by_head(given, batch)
    output, weights = _attended(query, key, value, _mask(given, batch, length, key), None)
    output = output.permute(2, 0, 1, 3).reshape(length, batch, -1)
    output = functional.linear(output, given["out_proj_weight"], given["out_proj_bias"])
    if given["average_attn_weights"]:
        weights = weights.mean(dim=1)
    if single:
        output, weights = output.squeeze(1), weights.squeeze(0)
    return output, weights if given["need_weights"] else None


def _attended(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, scale: float | int | None
) -> tuple[Tensor, Tensor]:
    likeness = (query * (1 / math.sqrt(query.size(-1)) if scale is None else scale)) @ key.transpose(-2, -1)
    if mask is not None:
        hidden = mask.dtype == torch.bool
        likeness = likeness.masked_fill(mask.logical_not(), -math.inf) if hidden else likeness + mask
    weights = functional.softmax(likeness, dim=-1)
    return weights @ value, weights


def _by_head(given: dict[str, Any], batch: int) -> list[Tensor]:
    """Query, key and value after their projections, (batch, heads, positions, channels)."""
    if given["use_separate_proj_weight"]:
        weights = [given[f"{one}_proj_weight"] for one in "qkv"]
    else:
        weights = given["in_proj_weight"].chunk(3)
    biases = [None] * 3 if given["in_proj_bias"] is None else given["in_proj_bias"].chunk(3)
    signals = [given[name] for name in ("query", "key", "value")]
    projected = [functional.linear(*one) for one in zip(signals, weights, biases, strict=True)]
    for place, name in ((1, "bias_k"), (2, "bias_v")):
        if given[name] is not None:
            projected[place] = torch.cat([projected[place], given[name].repeat(1, batch, 1)])
    heads = given["num_heads"]
    split = [one.reshape(len(one), batch, heads, -1).permute(1, 2, 0, 3) for one in projected]
    for place, name in ((1, "static_k"), (2, "static_v")):
        if given[name] is not None:
            split[place] = given[name].reshape(batch, heads, *given[name].shape[1:])
    if given["add_zero_attn"]:
        split[1:] = [functional.pad(one, (0, 0, 0, 1)) for one in split[1:]]
    return split


def _mask(given: dict[str, Any], batch: int, length: int, key: Tensor) -> Tensor | None:
    """What is added to the attention matrices, (batch, heads, queries, keys), or something that expands to it."""
    positions = key.shape[2]
    attention, padding = given["attn_mask"], given["key_padding_mask"]
    if given["is_causal"] and padding is None and not given["need_weights"]:
        # torch drops the mask then, and counts from the first key, the added ones included.
        return _additive(torch.ones(length, positions, dtype=torch.bool, device=key.device).triu(1), key.dtype)
    if attention is not None and attention.ndim == 3:
        attention = attention.view(batch, -1, *attention.shape[1:])
    if padding is not None:
        padding = padding.view(batch, 1, 1, -1)
    total = None
    for mask in (attention, padding):
        if mask is not None:
            # Keys that were added behind the picture's are seen by all.
            one = functional.pad(_additive(mask, key.dtype), (0, positions - mask.shape[-1]))
            total = one if total is None else total + one
    return total


def _additive(mask: Tensor, dtype: torch.dtype) -> Tensor:
    """In multi-head attention, other than in the scaled dot product, true means hidden."""
    return torch.zeros_like(mask, dtype=dtype).masked_fill(mask, -math.inf) if mask.dtype == torch.bool else mask


def _require_no_dropout(share: float | int) -> None:
    if share:
        raise ValueError(
            f"The attention drops {share:.0%} of its weights at random, which belongs to training: pass dropout only "
            "where self.training is set."
        )


def _product_added(
    input: Tensor, one: Tensor, other: Tensor, *, beta: float | int = 1, alpha: float | int = 1
) -> Tensor:
    return torch.add(input * beta, torch.matmul(one, other) * alpha)


def _elementwise_product_added(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: float | int = 1) -> Tensor:
    return torch.add(input, tensor1 * tensor2 * value)


def _difference(input: Any, other: Any, *, alpha: float | int = 1) -> Tensor:
    less = other if alpha == 1 else other * alpha
    return torch.add(input, torch.neg(less) if isinstance(less, Tensor) else -less)


def quotient(one: Any, other: Any) -> Tensor:
    """One over the other, as the product of the one and the other's reciprocal."""
    return one * (torch.reciprocal(other) if isinstance(other, Tensor) else 1 / other)


def _power(input: Any, exponent: Any) -> Any:
    """A number's power is a constant: where the exponent depends on the picture, `support` says no."""
    return input.pow(exponent) if isinstance(input, Tensor) else Tensor.__rpow__(exponent, input)


def _length(
    input: Tensor, p: float | int | str | None = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None
) -> Tensor:
    if p not in ("fro", None, 2):
        raise ValueError(f"There are rules for the length of a vector (p = 2), not for a norm with p = {p}.")
    return torch.sqrt(torch.sum(torch.square(input), dim=dim, keepdim=keepdim))


def _variance(
    input: Tensor,
    dim: Any = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | int | None = None,
) -> Tensor:
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    dims = tuple(range(input.ndim)) if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    squares = torch.square(input - input.mean(dim=dims, keepdim=True))
    count = math.prod(input.shape[one] for one in dims)
    less = correction if correction is not None else int(unbiased)
    return torch.sum(squares, dim=dims, keepdim=keepdim) / max(0, count - less)


APART: dict[Operation, Operation] = {
    functional.scaled_dot_product_attention: scaled_dot_product,
    functional.multi_head_attention_forward: multi_head,
    Tensor.__rmatmul__: lambda own, other: torch.matmul(other, own),
    torch.addmm: _product_added,
    torch.baddbmm: _product_added,
    torch.addcmul: _elementwise_product_added,
    torch.sub: _difference,
    Tensor.sub: _difference,
    Tensor.__sub__: _difference,
    Tensor.__rsub__: lambda own, other: _difference(other, own),
    Tensor.__rtruediv__: lambda own, other: torch.reciprocal(own) * other,
    torch.pow: _power,
    Tensor.__pow__: _power,
    torch.norm: _length,
    Tensor.norm: _length,
    torch.var: _variance,
    Tensor.var: _variance,
}
"""Operations of several steps, and functions that do the same in steps for which there are rules."""

WHOLE: frozenset[Operation] = frozenset(
    {functional.scaled_dot_product_attention, functional.multi_head_attention_forward}
)
"""Attention as one operation."""
