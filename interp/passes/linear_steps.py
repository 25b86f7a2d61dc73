"""What numbers of a recorded pass were before a call that multiplies them, adds to them, or is a function of each."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp.passes import operations, origins
from interp.passes.origins import Origins
from interp.passes.recorded import CallResult

Index = tuple[int, ...]


def fixed(at: Origins) -> tuple[Origins, Float[np.ndarray, " m"], Float[np.ndarray, " m"]] | None:
    """For numbers that others were multiplied by and added to: the others, and these two of each."""
    result, given = at.result, at.result.given
    if len(given) != 1:
        return None
    source = Origins(given[0], at.rows, at.places)
    if result.operation in operations.BATCH_NORMS and not result.argument(5, "training", False):
        channels = indices_of(result, at.places)[1]
        mean, variance, weight, bias = (
            numbers(result.argument(place, name), channels, default)
            for place, name, default in (
                (1, "running_mean", 0.0),
                (2, "running_var", 1.0),
                (3, "weight", 1.0),
                (4, "bias", 0.0),
            )
        )
        factor = weight / (variance + float(result.argument(7, "eps", 1e-5))) ** 0.5
        return source, factor, bias - factor * mean
    if result.name not in ("mul", "div", "truediv", "add", "sub") or result.shape != given[0].shape:
        return None
    left, right = result.argument(0, "input"), result.argument(1, "other")
    constant = _broadcast(right if left is given[0] else left, at)
    if constant is None or "alpha" in result.keywords:
        return None
    ones, zeros = np.ones(len(constant)), np.zeros(len(constant))
    if result.name == "mul":
        return source, constant, zeros
    if result.name == "add":
        return source, ones, constant
    if left is not given[0]:
        return (source, -ones, constant) if result.name == "sub" else None
    return (source, ones, -constant) if result.name == "sub" else (source, 1 / constant, zeros)


def operands(at: Origins) -> list[tuple[Origins, float]] | None:
    """The numbers that a sum of two results adds, and by what it multiplies them."""
    result = at.result
    left, right = result.argument(0, "input"), result.argument(1, "other")
    both = [one for one in (left, right) if isinstance(one, CallResult)]
    if result.name not in ("add", "sub") or len(both) != 2:
        return None
    sign = -1.0 if result.name == "sub" else 1.0
    factor = sign * float(result.keywords.get("alpha", 1))
    indices = indices_of(result, at.places)
    return [(_at(one, indices, at.rows), weight) for one, weight in zip(both, (1.0, factor), strict=True)]


def step(at: Origins) -> tuple[Origins, str] | None:
    """What a number was before a function of it alone, a pooling, or a factor that depends on the picture."""
    if (source := origins.alone(at) or origins.pooled(at)) is not None:
        return source, at.result.name
    given = [one for one in at.result.given if one.shape == at.result.shape]
    if at.result.name == "mul" and len(at.result.given) == 2 and len(given) == 1:
        return Origins(given[0], at.rows, at.places), "gate"
    return None


def _at(one: CallResult, indices: Int[np.ndarray, "d m"], rows: Int[np.ndarray, " m"]) -> Origins:
    """The numbers of an operand, broadcast as it may be, that are added at indices of the sum."""
    own = indices[len(indices) - len(one.shape) :]
    own = np.minimum(own, np.array(one.shape)[:, None] - 1)
    return Origins(one, rows, np.asarray(np.ravel_multi_index(tuple(own), one.shape)))


def _broadcast(value: object, at: Origins) -> Float[np.ndarray, " m"] | None:
    if isinstance(value, int | float):
        return np.full(len(at.places), float(value))
    if not isinstance(value, Tensor):
        return None
    indices = tuple(torch.from_numpy(one) for one in indices_of(at.result, at.places))
    return value.expand(at.result.shape)[indices].double().cpu().numpy()


def numbers(values: object, places: Int[np.ndarray, " m"], default: float) -> Float[np.ndarray, " m"]:
    """Some of a constant's numbers; the default where there is none."""
    if not isinstance(values, Tensor):
        return np.full(len(places), default)
    return values.detach().double().cpu().numpy()[places]


def indices_of(result: CallResult, places: Int[np.ndarray, " m"]) -> Int[np.ndarray, "d m"]:
    """The indices of numbers by their places in a result, flat."""
    return np.array(np.unravel_index(places, result.shape))


def index_of(result: CallResult, place: int) -> Index:
    """The index of one number by its place in a result, flat."""
    return tuple(int(one) for one in np.unravel_index(place, result.shape))
