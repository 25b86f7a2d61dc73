"""What is kept in memory stays within its bytes, and the least recently used goes first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import nn

from cache.memory import MISSING, Memory, megabytes, size_of
from interp.least_recent import LeastRecent
from tests.conftest import tiny_classifier

KB = 1000


def test_the_least_recently_used_goes_first() -> None:
    memory = Memory(limit=3500)
    for name in "abc":
        memory.put(name, np.zeros(KB, np.uint8))
    assert memory.get("a") is not MISSING
    memory.put("d", np.zeros(KB, np.uint8))
    assert memory.get("b") is MISSING
    assert all(memory.get(name) is not MISSING for name in "acd")


def test_the_newest_is_kept_even_where_it_alone_passes_the_limit() -> None:
    memory = Memory(limit=10)
    memory.put("a", np.zeros(KB))
    memory.put("b", np.zeros(KB))
    assert memory.get("a") is MISSING
    assert memory.get("b") is not MISSING


def test_without_any_room_the_newest_is_kept() -> None:
    memory = Memory(limit=0)
    for name in "abc":
        memory.put(name, np.zeros(KB))
    assert [memory.get(name) is not MISSING for name in "abc"] == [False, False, True]
    memory.clear()
    assert memory.get("c") is MISSING


def test_what_is_small_may_take_the_place_of_what_is_too_large() -> None:
    memory = Memory(limit=2500)
    memory.put("large", np.zeros(KB))
    memory.put("a", np.zeros(KB, np.uint8))
    memory.put("b", np.zeros(KB, np.uint8))
    assert [memory.get(name) is not MISSING for name in ("large", "a", "b")] == [False, True, True]


def test_bytes_are_counted_as_they_are_said() -> None:
    shares = LeastRecent(100, lambda one: one.nbytes)
    for number in range(10):
        shares.put(number, np.full(5, number, np.float32))
    assert [number for number in range(10) if shares.get(number) is not None] == [5, 6, 7, 8, 9]


def test_threads_do_not_lose_count() -> None:
    memory = Memory(limit=20_000)

    def work(seed: int) -> None:
        for number in np.random.default_rng(seed).integers(0, 100, 2000).tolist():
            memory.put(str(number), np.zeros(KB, np.uint8))
            memory.get(str(number // 2))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    kept = [number for number in range(100) if memory.get(str(number)) is not MISSING]
    assert 10 <= len(kept) <= 20


def test_put_again_counts_once() -> None:
    memory = Memory(limit=2500)
    memory.put("a", np.zeros(KB, np.uint8))
    for _ in range(5):
        memory.put("b", np.zeros(KB, np.uint8))
    assert memory.get("a") is not MISSING


def test_values_are_handed_out_uncopied() -> None:
    memory = Memory(limit=10**6)
    value = torch.zeros(3)
    memory.put("a", value)
    assert memory.get("a") is value


@pytest.mark.parametrize(
    ("value", "least"),
    [
        (torch.zeros(1000), 4000),
        (torch.zeros(1000)[:1], 4000),
        (np.zeros(1000), 8000),
        (np.zeros(1000)[:1], 8000),
        ("x" * 5000, 5000),
        ({"a": [(torch.zeros(1000),)]}, 4000),
        (nn.Linear(100, 100), 40400),
        (tiny_classifier(), 6 * 4 * 9 * 4),
    ],
)
def test_size_counts_what_is_inside(value, least: int) -> None:
    assert least <= size_of(value) <= least + 20_000


def test_the_same_array_twice_counts_once_and_a_cycle_ends() -> None:
    array = np.zeros(10_000)
    assert size_of([array, array]) < 90_000
    cycle: list = [array]
    cycle.append(cycle)
    assert size_of(cycle) < 90_000


def test_a_plotly_figure_counts_its_arrays() -> None:
    figure = pytest.importorskip("plotly.graph_objects").Figure()
    figure.add_heatmap(z=np.zeros((200, 200)))
    assert size_of(figure) >= 320_000


@pytest.mark.parametrize("text", ["", "much", "inf", "nan", "-5", "0.0001", "1e99"])
def test_a_bad_limit_counts_as_not_set(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("LOUPE_MEMORY_MB", text)
    assert megabytes("LOUPE_MEMORY_MB") == 2048 * 2**20


def test_a_limit_is_in_megabytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOUPE_MEMORY_MB", "1.5")
    assert megabytes("LOUPE_MEMORY_MB") == 3 * 2**19
    monkeypatch.setenv("LOUPE_MEMORY_MB", "0")
    assert megabytes("LOUPE_MEMORY_MB") == 0
    monkeypatch.delenv("LOUPE_MEMORY_MB")
    assert megabytes("LOUPE_MEMORY_MB") == 2048 * 2**20
