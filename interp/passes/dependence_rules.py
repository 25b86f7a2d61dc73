"""How the operations of torch carry on what their results depend on: a rule for each, from tables to a table.

A rule takes the arguments of a call by name, what gives the table of any of them (None where an argument has nothing to
do with the picture), and the shape of the result. It raises `LookupError` for a call that it does not know.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from interp.passes.dependence_tables import CLIPPED, NOTHING, UNCLIPPED, PixelTable, extended, joined, union, windowed

TableOf = Callable[[Any], PixelTable | None]
TableRule = Callable[[dict[str, Any], TableOf, tuple[int, ...]], PixelTable]


def _given(of: dict[str, Any], tables: TableOf, name: str) -> PixelTable:
    """The table of an argument. Raises `LookupError` where something else is what depends on the picture."""
    table = tables(of[name])
    others = [other for key, other in of.items() if key != name and tables(other) is not None]
    if table is None or others:
        raise LookupError(f"only {name} may depend on the picture")
    return table


def _convolution(of: dict[str, Any], tables: TableOf, shape: tuple[int, ...]) -> PixelTable:
    table, weight, groups = _given(of, tables, "input"), of["weight"], of["groups"]
    table = table.unflatten(2, (groups, -1)).amin(3)
    sides = zip(weight.shape[2:], of["stride"], of["padding"], of["dilation"], strict=True)
    for axis, (kernel, stride, padding, dilation) in enumerate(sides, start=2 - weight.ndim):
        if of["transposed"]:
            taps = _spread_taps(shape[axis], kernel, stride, padding, dilation)
        else:
            taps = _sliding_taps(shape[axis], kernel, stride, padding, dilation)
        table = windowed(table, axis, taps)
    return table.repeat_interleave(shape[1] // groups, dim=2)


def _sliding_taps(outputs: int, kernel: int, stride: int, padding: int, dilation: int) -> Int[Tensor, "o t"]:
    return torch.arange(outputs)[:, None] * stride - padding + torch.arange(kernel) * dilation


def _spread_taps(outputs: int, kernel: int, stride: int, padding: int, dilation: int) -> Int[Tensor, "o t"]:
    """Those of a transposed convolution."""
    places = torch.arange(outputs)[:, None] + padding - torch.arange(kernel) * dilation
    return (places // stride).where(places % stride == 0, NOTHING)


def _pooling(of: dict[str, Any], tables: TableOf, shape: tuple[int, ...]) -> PixelTable:
    table, kernel = _given(of, tables, "self"), of["kernel_size"]
    stride = of.get("stride") or kernel
    sides = [_each(one, len(kernel)) for one in (kernel, stride, of.get("padding", 0), of.get("dilation", 1))]
    for axis, side in enumerate(zip(*sides, strict=True), start=-len(kernel)):
        table = windowed(table, axis, _sliding_taps(shape[axis], *side))
    return table


def _each(value: int | Sequence[int], count: int) -> list[int]:
    values = [value] if isinstance(value, int) else list(value)
    return values * count if len(values) == 1 else values


def _adaptive_pooling(of: dict[str, Any], tables: TableOf, shape: tuple[int, ...]) -> PixelTable:
    table = _given(of, tables, "self")
    for axis in range(-len(of["output_size"]), 0):
        inputs, outputs = table.shape[axis], shape[axis]
        bounds = [(i * inputs // outputs, -(-(i + 1) * inputs // outputs)) for i in range(outputs)]
        longest = max(stop - start for start, stop in bounds)
        taps = [[min(start + tap, stop - 1) for tap in range(longest)] for start, stop in bounds]
        table = windowed(table, axis, torch.tensor(taps))
    return table


def enlarging(function: Callable[..., Any]) -> TableRule:
    """The rule of an interpolation, whose weights are read off: those of each single input by itself."""

    def rule(of: dict[str, Any], tables: TableOf, shape: tuple[int, ...]) -> PixelTable:
        table = _given(of, tables, "self")
        others = {name: value for name, value in of.items() if name != "self"}
        sides = table.ndim - 3
        for axis in range(-sides, 0):
            count = table.shape[axis]
            alone = torch.eye(count, dtype=torch.float64)
            alone = alone.view(1, count, *[count if one == axis else 1 for one in range(-sides, 0)])
            weights = function(alone, **others)[0].movedim(axis, 1).reshape(count, shape[axis], -1)[:, :, 0].T
            most = int((weights != 0).sum(dim=1).max())
            order = (weights != 0).int().argsort(dim=1, descending=True, stable=True)[:, :most]
            table = windowed(table, axis, order.where(weights.gather(1, order) != 0, NOTHING))
        return table

    return rule


def _constant_padding(of: dict[str, Any], tables: TableOf, shape: tuple[int, ...]) -> PixelTable:
    table, widths = _given(of, tables, "self"), of["pad"]
    for place in range(len(widths) // 2):
        table = extended(table, -1 - place, *widths[2 * place : 2 * place + 2])
    return table


def repeating(mirrored: bool) -> TableRule:
    """The rule of a padding that repeats what is inside the border: mirrored at the outermost number, or that alone."""

    def rule(of: dict[str, Any], tables: TableOf, shape: tuple[int, ...]) -> PixelTable:
        table, widths = _given(of, tables, "self"), of["padding"]
        for place in range(len(widths) // 2):
            axis, (before, after) = -1 - place, widths[2 * place : 2 * place + 2]
            last = table.shape[axis] - 1
            places = torch.arange(-before, last + 1 + after)
            places = last - (last - places.abs()).abs() if mirrored else places.clamp(0, last)
            inside = table.index_select(axis, places.to(table.device))
            table = torch.cat([inside[CLIPPED], extended(table, axis, before, after)[UNCLIPPED]])
        return table

    return rule


def _reduction(of: dict[str, Any], tables: TableOf, shape: tuple[int, ...]) -> PixelTable:
    table = _given(of, tables, "self")
    return joined(table, _axes(table, of.get("dim"))).reshape(8, *shape)


def _axes(table: PixelTable, given: int | Sequence[int] | None) -> list[int]:
    """Axes counted from the last; all where none is given."""
    count = table.ndim - 1
    if given is None or given == []:
        return list(range(-count, 0))
    return [one % count - count for one in ([given] if isinstance(given, int) else given)]


def along(name: str, axes: Callable[[dict[str, Any], PixelTable], Sequence[int]]) -> TableRule:
    """The rule of what keeps its shape and looks at all numbers along some axes, such as a softmax."""

    def rule(of: dict[str, Any], tables: TableOf, shape: tuple[int, ...]) -> PixelTable:
        table = _given(of, tables, name)
        looked = axes(of, table)
        return _looking_at(table, joined(table, looked)) if looked else table

    return rule


def _looking_at(table: PixelTable, everything: PixelTable) -> PixelTable:
    """What stays in its place, and depends on something more."""
    more = torch.minimum(table[CLIPPED], everything[CLIPPED])
    return torch.cat([more.expand_as(table[CLIPPED]), table[UNCLIPPED]])


def _group_normalization(of: dict[str, Any], tables: TableOf, shape: tuple[int, ...]) -> PixelTable:
    table = _given(of, tables, "input")
    parts = table.reshape(8, of["N"], of["group"], -1)
    return _looking_at(parts, joined(parts, (-1,))).reshape(table.shape)


def _batch_axes(of: dict[str, Any], table: PixelTable) -> list[int]:
    """What a batch normalization looks at: nothing but the number itself, once it is trained."""
    count = table.ndim - 1
    return [axis for axis in range(-count, 0) if axis != 1 - count] if of.get("training") else []


def product(first: str, second: str, added: str = "") -> TableRule:
    """The rule of a matrix product, to which something may be added."""

    def rule(of: dict[str, Any], tables: TableOf, shape: tuple[int, ...]) -> PixelTable:
        left, right = tables(of[first]), tables(of[second])
        terms = [joined(left, (-1,))] if left is not None else []
        terms += [joined(right, (-2,))] if right is not None else []
        terms = [union([term], shape) for term in terms]
        result = union(terms, shape).clone() if terms else None
        if result is not None and left is not None and right is not None:
            result[UNCLIPPED] = NOTHING
        more = tables(of[added]) if added else None
        given = [one for one in (result, more) if one is not None]
        return union(given, shape)

    return rule


def _attention(of: dict[str, Any], tables: TableOf, shape: tuple[int, ...]) -> PixelTable:
    """Each query sees all keys and values; what a mask leaves out counts, too."""
    axes = {"query": (-1,), "key": (-2, -1), "value": (-2,)}
    given = {name: tables(of[name]) for name in axes}
    result = union([joined(one, axes[name]) for name, one in given.items() if one is not None], shape).clone()
    result[UNCLIPPED] = NOTHING
    return result


def _halves(of: dict[str, Any], tables: TableOf, shape: tuple[int, ...]) -> PixelTable:
    """A gated linear unit: one half of the channels times a gate from the other."""
    table = _given(of, tables, "self")
    (axis,) = _axes(table, of.get("dim", -1))
    return union([half for half in table.chunk(2, dim=axis)], shape)


def moving(function: Callable[..., Any]) -> TableRule:
    """The rule of an operation that only puts numbers elsewhere: the same is done with their tables."""

    def rule(of: dict[str, Any], tables: TableOf, shape: tuple[int, ...]) -> PixelTable:
        first, value = next(iter(of.items()))
        others = {name: one for name, one in of.items() if name != first}
        if isinstance(value, Tensor):
            table = _given(of, tables, first)
            return torch.stack([function(one, **others) for one in table])
        # What is joined may be a constant.
        found = [tables(one) for one in value]
        rows = [torch.full((8, *one.shape), NOTHING, dtype=torch.int32, device=one.device) for one in value]
        rows = [row if table is None else table for row, table in zip(rows, found, strict=True)]
        return torch.stack([function([row[i] for row in rows], **others) for i in range(8)])

    return rule


# Of torch's own operations, which all others are made of, by their names.
SLIDING: dict[str, TableRule] = {
    "convolution": _convolution,
    "_convolution": _convolution,
    "max_pool2d": _pooling,
    "max_pool2d_with_indices": _pooling,
    "max_pool3d_with_indices": _pooling,
    "avg_pool1d": _pooling,
    "avg_pool2d": _pooling,
    "avg_pool3d": _pooling,
    "_adaptive_avg_pool2d": _adaptive_pooling,
    "_adaptive_avg_pool3d": _adaptive_pooling,
    "adaptive_max_pool2d": _adaptive_pooling,
    "adaptive_max_pool3d": _adaptive_pooling,
}
"""Those that look at a neighbourhood."""

JOINING: dict[str, TableRule] = {
    **dict.fromkeys(
        ("mean", "sum", "nansum", "amax", "amin", "max", "min", "prod", "var", "var_mean", "std", "std_mean", "any",
         "all", "norm", "linalg_vector_norm", "logsumexp", "argmax", "argmin"), _reduction,
    ),
    **dict.fromkeys(
        ("_softmax", "_log_softmax", "cumsum", "cumprod"), along("self", lambda of, table: _axes(table, of["dim"]))
    ),
    **dict.fromkeys(
        ("native_layer_norm", "_fused_rms_norm"),
        along("input", lambda of, table: range(-len(of["normalized_shape"]), 0)),
    ),
    **dict.fromkeys(
        ("native_batch_norm", "_native_batch_norm_legit", "_native_batch_norm_legit_no_training", "cudnn_batch_norm",
         "miopen_batch_norm"), along("input", _batch_axes),
    ),
    "native_group_norm": _group_normalization,
    "linear": lambda of, tables, shape: union([joined(_given(of, tables, "input"), (-1,))], shape),
    "mm": product("self", "mat2"),
    "bmm": product("self", "mat2"),
    "addmm": product("mat1", "mat2", "self"),
    "baddbmm": product("batch1", "batch2", "self"),
}  # fmt: skip
"""Those that may look at everything."""

MOVING = frozenset({
    "cat", "stack", "roll", "flip", "repeat", "index", "index_select", "gather", "pixel_shuffle", "pixel_unshuffle",
    "channel_shuffle", "native_channel_shuffle", "_unsafe_view", "_reshape_copy", "view_copy", "rot90",
    "tril", "triu",
})  # fmt: skip

POINTWISE = frozenset({
    "clone", "_to_copy", "lift_fresh_copy", "hardswish", "_prelu_kernel", "log_sigmoid_forward", "rrelu_with_noise",
    "native_dropout", "_fused_dropout", "rsub", "masked_fill", "bernoulli",
})  # fmt: skip
"""Functions of each number by itself that torch does not mark as such."""


def rule_of(function: Any, name: str) -> TableRule | None:
    """The rule of an operation of torch that gives something new; None where there is none for it."""
    if name in SLIDING or name in JOINING:
        return SLIDING.get(name) or JOINING[name]
    if name.startswith(("upsample_", "_upsample_")):
        return enlarging(function)
    if name.startswith(("reflection_pad", "replication_pad")):
        return repeating(name.startswith("reflection"))
    if name.startswith("_scaled_dot_product"):
        return _attention
    if name in MOVING:
        return moving(function)
    return {"constant_pad_nd": _constant_padding, "glu": _halves}.get(name)


def joins(name: str, table: PixelTable) -> bool:
    """Whether an operation that gives numbers with this table is one that may look at everything at once."""
    return name in JOINING or name.startswith("_scaled") or (name in SLIDING and math.prod(table.shape[3:]) == 1)


def word(name: str) -> str:
    """An operation's name for people."""
    return "scaled_dot_product_attention" if name.startswith("_scaled_dot_product") else name.strip("_")


def pointwise(function: Any, name: str) -> bool:
    """Whether an operation works on each number by itself, in place or not."""
    return torch.Tag.pointwise in function.tags or name.removesuffix("_") in POINTWISE
