"""Where single numbers of a recorded pass come from: through calls that only move numbers, or treat each by itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Int
from torch.utils._pytree import tree_leaves, tree_map

from interp.passes import operations
from interp.passes.recorded import CallResult

MOVING = frozenset({
    "cat", "concat", "concatenate", "view", "reshape", "flatten", "unflatten", "permute", "transpose", "swapaxes", "t",
    "chunk", "split", "split_with_sizes", "tensor_split", "narrow", "select", "getitem", "unbind", "stack", "squeeze",
    "unsqueeze", "expand", "contiguous", "clone", "detach", "roll", "flip", "pixel_shuffle", "pixel_unshuffle",
    "channel_shuffle", "movedim", "index_select", "hsplit", "vsplit", "dsplit", "pad",
})  # fmt: skip
"""Operations that give numbers as they were given them, in other places."""

UNCHANGED = frozenset(
    {"dropout", "dropout1d", "dropout2d", "alpha_dropout", "feature_dropout", "to", "float", "type_as"}
)
"""Operations that change no number of a network that only answers."""

EACH = frozenset(getattr(one, "__name__", "").rstrip("_") for one in operations.ELEMENTWISE)
POOLS = frozenset({"max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "adaptive_max_pool2d"})


class Origins(NamedTuple):
    """Some numbers of a result, by their places in it, flat; `rows` says which of those asked for they are."""

    result: CallResult
    rows: Int[np.ndarray, " m"]
    places: Int[np.ndarray, " m"]


def before(asked: Origins) -> list[Origins] | None:
    """Where numbers that a call moved were before it; None for a call that does something else.

    The call is done again on the numbers of places. Places that it filled with zeros are left out.
    """
    result = asked.result
    if result.name in UNCHANGED and len(result.given) == 1:
        return [Origins(result.given[0], asked.rows, asked.places)]
    filled = result.name == "pad" and result.argument(3, "value")
    if result.name not in MOVING or result.operation is None or filled:
        return None
    given, first = list(dict.fromkeys(result.given)), 1
    numbered: dict[CallResult, torch.Tensor] = {}
    starts = []
    for one in given:
        count = math.prod(one.shape)
        numbered[one] = torch.arange(first, first + count).reshape(one.shape)
        starts.append(first)
        first += count

    def stand_in(one: Any) -> Any:
        # What does not depend on the picture has no place.
        constant = isinstance(one, torch.Tensor) and one.is_floating_point()
        if isinstance(one, CallResult):
            return numbered[one]
        return torch.zeros_like(one, dtype=torch.int64) if constant else one

    arguments, keywords = tree_map(
        stand_in,
        (result.arguments, result.keywords),
        is_leaf=lambda one: isinstance(one, CallResult),
    )
    try:
        output = result.operation(*arguments, **keywords)
    except (RuntimeError, TypeError):
        return None
    moved = [one for one in tree_leaves(output) if isinstance(one, torch.Tensor)][result.output]
    if moved.dtype != torch.int64 or tuple(moved.shape) != result.shape:
        return None
    numbers = moved.reshape(-1).numpy()[asked.places]
    owner = np.searchsorted(starts, numbers, side="right") - 1
    return [
        Origins(one, asked.rows[owner == place], numbers[owner == place] - starts[place])
        for place, one in enumerate(given)
        if (owner == place).any()
    ]


def pooled(asked: Origins) -> Origins | None:
    """A number that each pooled number was made of, of the same channel; None for another call, or other shapes.

    Which one of the window does not matter to who asks for channels.
    """
    result = asked.result
    averaged = result.name == "mean" and not _mixes_channels(result)
    if (result.name not in POOLS and not averaged) or len(result.given) != 1:
        return None
    [source] = result.given
    index = np.array(np.unravel_index(asked.places, result.shape))
    if averaged and len(result.shape) < len(source.shape):
        index = np.concatenate([index, np.zeros((len(source.shape) - len(result.shape), index.shape[1]), int)])
    if len(source.shape) != len(index):
        return None
    index = np.minimum(index, np.array(source.shape)[:, None] - 1)
    return Origins(source, asked.rows, np.asarray(np.ravel_multi_index(tuple(index), source.shape)))


def alone(asked: Origins) -> Origins | None:
    """The numbers that a function of each number by itself was given; None for another call."""
    result = asked.result
    if result.name not in EACH or len(result.given) != 1 or result.given[0].shape != result.shape:
        return None
    return Origins(result.given[0], asked.rows, asked.places)


def named(
    asked: Origins, knows: Callable[[CallResult], bool]
) -> Iterator[tuple[Origins | None, Origins, tuple[str, ...]]]:
    """The nearest results that are known by name from which numbers come, and what each went through on the way.

    Gives the results with what was asked for of them, or None with what it stopped at, where a call mixes numbers.
    """
    ahead: list[tuple[Origins, tuple[str, ...]]] = [(asked, ())]
    while ahead:
        one, through = ahead.pop(0)
        if knows(one.result) or not one.result.operation:
            yield one, one, through
        elif (moved := before(one)) is not None:
            ahead += [(part, through) for part in moved]
        elif (next_ := alone(one) or pooled(one) or _normalized(one)) is not None:
            ahead.append((next_, (*through, one.result.name)))
        else:
            yield None, one, through


def _normalized(asked: Origins) -> Origins | None:
    result = asked.result
    if result.operation not in operations.BATCH_NORMS or len(result.given) != 1:
        return None
    return Origins(result.given[0], asked.rows, asked.places)


def _mixes_channels(result: CallResult) -> bool:
    """Whether a mean is over more than the last dimensions, those of positions."""
    [source] = result.given or [None]
    dims: Any = result.argument(1, "dim", result.keywords.get("axis"))
    if source is None or dims is None:
        return True
    dims = [dims] if isinstance(dims, int) else list(dims)
    return any(dim % len(source.shape) < 2 for dim in dims) or len(source.shape) != 4
