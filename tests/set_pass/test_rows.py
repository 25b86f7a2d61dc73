"""Rows as they come in: nothing is copied twice, and what was handed out stays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from interp.images import Problem
from interp.set_pass import Collected, Growing, merged


@dataclass(frozen=True, eq=False)
class Some:
    """What only some images have."""

    step: int
    values: np.ndarray


@dataclass(frozen=True, eq=False)
class Table:
    name: str
    size: tuple[int, int]
    rows: np.ndarray
    some: Some | None = None
    problems: tuple[Problem, ...] = ()


DAMAGED = Problem("a.png", "damaged"), Problem("b.png", "gone")


def table(rows: list[int], some: list[int], *problems: Problem) -> Table:
    return Table("part", (3, 4), np.array(rows, np.int32), Some(2, np.array(some, np.float32)), problems)


def test_rows_are_written_behind_those_that_were_handed_out() -> None:
    growing = Growing(table([], []), 4, {"some": 2})
    assert len(growing.so_far.rows) == 0
    growing.add(table([1, 2, 3], [1], DAMAGED[0]))
    first = growing.so_far
    assert growing.so_far is first
    growing.add(table([], [], DAMAGED[1]))
    growing.add(table([4], [3]))
    last = growing.so_far
    assert first.rows.tolist() == [1, 2, 3] and last.rows.tolist() == [1, 2, 3, 4]
    assert first.some is not None and last.some is not None
    assert first.some.values.tolist() == [1] and last.some.values.tolist() == [1, 3]
    assert np.shares_memory(first.rows, last.rows) and np.shares_memory(first.some.values, last.some.values)
    assert first.problems == DAMAGED[:1] and last.problems == DAMAGED
    assert (last.name, last.size, last.some.step) == ("part", (3, 4), 2)
    assert last.rows.base.nbytes == 16 and last.some.values.base.nbytes == 8
    with pytest.raises(ValueError, match="Row 5 of rows came in, and there is room for 4"):
        growing.add(table([5], [5]))


def test_what_has_no_rows_need_not_know_their_form() -> None:
    wide, none = Table("a", (1, 1), np.ones((2, 5), np.float32)), Table("a", (1, 1), np.zeros((0, 9), np.float16))
    growing = Growing(none, 2)
    growing.add(none)
    growing.add(wide)
    for found in (growing.so_far, merged([none, wide]), merged([wide, none])):
        assert found.rows.shape == (2, 5) and found.rows.dtype == np.float32 and found.some is None
    assert merged([none, none]).rows.shape == (0, 9)


def test_merging_copies_and_keeps_the_order() -> None:
    one, other = table([1], [1], DAMAGED[0]), table([2, 3], [], DAMAGED[1])
    found = merged([one, other])
    assert found.rows.tolist() == [1, 2, 3] and found.some is not None and found.some.values.tolist() == [1]
    assert found.problems == DAMAGED and found.size == (3, 4) and not np.shares_memory(found.rows, one.rows)
    with pytest.raises(ValueError, match="nothing to put together"):
        merged([])


def test_each_item_has_its_own_and_may_have_several() -> None:
    inner = [Collected([Growing(table([], []), 4) for _ in range(2)]) for _ in range(3)]
    whole = Collected(inner, lambda part: (part, merged([part, part])))
    whole.add([table([number], []) for number in range(3)])
    assert [[one.rows.tolist() for one in item] for item in whole.so_far] == [[[n], [n, n]] for n in range(3)]
    with pytest.raises(ValueError, match="shorter"):
        whole.add([table([1], [])])
