"""Rows as their parts come in: each number is kept once, and what was handed out goes on to be valid."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, Generic, TypeVar

import numpy as np

from interp.images import Problem

T = TypeVar("T")


class Growing(Generic[T]):
    """A dataclass of arrays with a row for each image, as further rows come in.

    Its arrays, and those of the dataclasses in its fields, are filled row by row; its tuples of `Problem` are joined.
    All else is as in `blank`, which has no rows. Later rows are written behind those that were handed out.
    """

    def __init__(self, blank: T, rows: int, within: Mapping[str, int] | None = None) -> None:
        """Make room for so many rows at most, or, of the dataclass in a field, for as many as `within` says."""
        self._blank = blank
        self._rows = rows
        self._within = dict(within or {})
        self._filled: dict[str, int] = {}
        self._arrays: dict[str, np.ndarray] = {}
        self._parts: dict[str, Growing[Any]] = {}
        self._problems: dict[str, tuple[Problem, ...]] = {}
        self._latest: T | None = None

    def add(self, part: T) -> None:
        """Take in further rows."""
        for field in fields(part):  # pyright: ignore[reportArgumentType]
            name, value = field.name, getattr(part, field.name)
            if isinstance(value, np.ndarray):
                self._append(name, value)
            elif _has_rows(value):
                room = self._within.get(name, self._rows)
                self._parts.setdefault(name, Growing(getattr(self._blank, name), room)).add(value)
            elif _are_problems(value) and value:
                self._problems[name] = self._problems.get(name, getattr(self._blank, name)) + value
        self._latest = None

    def _append(self, name: str, value: np.ndarray) -> None:
        if not len(value):
            return
        if name not in self._arrays:
            # Only now: what has no rows does not always know their form.
            self._arrays[name] = np.empty((self._rows, *value.shape[1:]), value.dtype)
        start = self._filled.get(name, 0)
        end = self._filled[name] = start + len(value)
        if end > self._rows:
            raise ValueError(
                f"Row {end} of {name} came in, and there is room for {self._rows}: this is a fault in Loupe."
            )
        self._arrays[name][start:end] = value

    @property
    def so_far(self) -> T:
        """All that came in, the same object until more does; nothing is copied."""
        if self._latest is None:
            rows: dict[str, Any] = {name: array[: self._filled[name]] for name, array in self._arrays.items()}
            rows |= {name: part.so_far for name, part in self._parts.items()}
            self._latest = replace(self._blank, **rows, **self._problems)  # pyright: ignore[reportArgumentType, reportCallIssue]
        return self._latest  # pyright: ignore[reportReturnType]


class Collected(Generic[T]):
    """The values of several items as their parts come in, each part turned into rows by `rows`, where that is given.

    What collects the values of one item may itself be of this kind, where an item has several values.
    """

    def __init__(self, each: Sequence[Growing[T] | Collected[Any]], rows: Callable[[Any], Any] | None = None) -> None:
        self._each = tuple(each)
        self._rows = rows

    def add(self, parts: Sequence[Any]) -> None:
        """Take in one part for each item."""
        for one, part in zip(self._each, parts, strict=True):
            one.add(part if self._rows is None else self._rows(part))

    @property
    def so_far(self) -> tuple[T, ...]:
        """All that came in, for each item; nothing is copied."""
        return tuple(one.so_far for one in self._each)  # pyright: ignore[reportReturnType]


def merged(parts: Sequence[T]) -> T:
    """Several values as one, in their order; in whatever grouping. Raises `ValueError` where there is none."""
    if not parts:
        raise ValueError("No parts are given: there is nothing to put together.")
    changed: dict[str, Any] = {}
    for field in fields(parts[0]):  # pyright: ignore[reportArgumentType]
        values = [getattr(part, field.name) for part in parts]
        if isinstance(values[0], np.ndarray):
            # What has no rows does not always know their form.
            changed[field.name] = np.concatenate([one for one in values if len(one)] or values[:1])
        elif _has_rows(values[0]):
            changed[field.name] = merged(values)
        elif _are_problems(values[0]):
            changed[field.name] = tuple(problem for one in values for problem in one)
    return replace(parts[0], **changed)  # pyright: ignore[reportArgumentType]


def _has_rows(value: Any) -> bool:
    if not is_dataclass(value) or isinstance(value, type):
        return False
    return any(isinstance(getattr(value, field.name), np.ndarray) for field in fields(value))


def _are_problems(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(one, Problem) for one in value)
