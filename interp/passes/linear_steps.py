"""What a number of a recorded pass was before a call that multiplies it, adds to it, or is a function of it alone."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from interp.passes import operations, origins
from interp.passes.origins import Origins
from interp.passes.recorded import CallResult

Index = tuple[int, ...]


def fixed(at: Origins) -> tuple[Origins, float, float] | None:
    """For a number that another was multiplied by and added to: the other, and these two."""
    result, given = at.result, at.result.given
    if len(given) != 1:
        return None
    index = index_of(result, int(at.places[0]))
    if result.operation in operations.BATCH_NORMS and not result.argument(5, "training", False):
        channel = index[1]
        mean, variance, weight, bias = (
            number(result.argument(place, name), channel, default)
            for place, name, default in (
                (1, "running_mean", 0.0),
                (2, "running_var", 1.0),
                (3, "weight", 1.0),
                (4, "bias", 0.0),
            )
        )
        factor = weight / (variance + float(result.argument(7, "eps", 1e-5))) ** 0.5
        return Origins(given[0], at.rows, at.places), factor, bias - factor * mean
    if result.name not in ("mul", "div", "truediv", "add", "sub") or result.shape != given[0].shape:
        return None
    left, right = result.argument(0, "input"), result.argument(1, "other")
    other = right if left is given[0] else left
    constant = _broadcast(other, result.shape, index)
    if constant is None or "alpha" in result.keywords:
        return None
    source = Origins(given[0], at.rows, at.places)
    if result.name == "mul":
        return source, constant, 0.0
    if result.name == "add":
        return source, 1.0, constant
    if left is not given[0]:
        return (source, -1.0, constant) if result.name == "sub" else None
    return (source, 1.0, -constant) if result.name == "sub" else (source, 1 / constant, 0.0)


def operands(at: Origins) -> list[tuple[Origins, float]] | None:
    """The numbers that a sum of two results adds."""
    result = at.result
    left, right = result.argument(0, "input"), result.argument(1, "other")
    both = [one for one in (left, right) if isinstance(one, CallResult)]
    if result.name not in ("add", "sub") or len(both) != 2:
        return None
    sign = -1.0 if result.name == "sub" else 1.0
    factor = sign * float(result.keywords.get("alpha", 1))
    index = index_of(result, int(at.places[0]))
    return [(_at(one, index, at.rows), weight) for one, weight in zip(both, (1.0, factor), strict=True)]


def step(at: Origins) -> tuple[Origins, str] | None:
    """What a number was before a function of it alone, a pooling, or a factor that depends on the picture."""
    if (source := origins.alone(at) or origins.pooled(at)) is not None:
        return source, at.result.name
    given = [one for one in at.result.given if one.shape == at.result.shape]
    if at.result.name == "mul" and len(at.result.given) == 2 and len(given) == 1:
        return Origins(given[0], at.rows, at.places), "gate"
    return None


def _at(one: CallResult, index: Index, rows: np.ndarray) -> Origins:
    """The number of an operand, broadcast as it may be, that is added at an index of the sum."""
    own = index[len(index) - len(one.shape) :]
    place = np.ravel_multi_index(tuple(min(at, size - 1) for at, size in zip(own, one.shape, strict=True)), one.shape)
    return Origins(one, rows, np.array([place]))


def _broadcast(value: object, shape: tuple[int, ...], index: Index) -> float | None:
    if isinstance(value, int | float):
        return float(value)
    if not isinstance(value, Tensor):
        return None
    return float(value.expand(shape)[index])


def number(values: object, place: int, default: float) -> float:
    """One of a constant's numbers; the default where there is none."""
    return float(values[place]) if isinstance(values, Tensor) else default


def index_of(result: CallResult, place: int) -> Index:
    """The index of a number by its place in a result, flat."""
    return tuple(int(one) for one in np.unravel_index(place, result.shape))
