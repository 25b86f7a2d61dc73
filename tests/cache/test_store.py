from __future__ import annotations

import multiprocessing
import os
import random
import time
from pathlib import Path

import numpy as np
import pytest
import torch

import cache
from cache import call, get, store
from cache.__main__ import main
from cache.encoding import Unstorable, decode, encode
from cache.memory import MISSING, Memory, size_of
from interp.attribution import GradCam
from tests.cache import questions

ROOT = Path(__file__).resolve().parents[2]

VALUES = [
    None, True, 3, -1.5, float("inf"), "text ✓", b"\0\xff", (1, [2.0, ("x",)]), {"a": {"b": None}}, [], (),
    torch.arange(6.0).reshape(2, 3).T, torch.tensor([True, False]), torch.zeros(0, 3), torch.tensor(2.5),
    torch.ones(3, dtype=torch.bfloat16), np.arange(4, dtype=np.int32), np.float32(1.5), torch.device("cpu"),
    GradCam(layer="conv2"),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_what_is_stored_comes_back(value: object) -> None:
    back = decode(encode(value, {}))
    assert type(back) is type(value)
    if isinstance(value, torch.Tensor | np.ndarray):
        assert back.dtype == value.dtype and back.shape == value.shape
        assert bool((back == value).all())
    else:
        assert back == value


def test_heatmaps_come_back_whole() -> None:
    value = questions.heatmaps(1)
    back = decode(encode(value, {}))
    assert torch.equal(back.values, value.values) and torch.equal(back.residual, value.residual)
    assert (back.signed, back.targets, back.coarse, back.passes) == (True, value.targets, None, 1 / 3)


def test_nan_comes_back_as_nan() -> None:
    assert np.isnan(decode(encode(float("nan"), {})))


@pytest.mark.parametrize("value", [object(), {1.5: "a"}, {"a", "b"}, np.array(["text"]), torch.nn.ReLU()])
def test_what_has_no_form_on_disk_says_so(value: object) -> None:
    with pytest.raises(Unstorable):
        encode(value, {})


def test_no_class_from_outside_the_library_is_restored() -> None:
    content = encode(GradCam(), {}).replace(b"interp.attribution.cams:GradCam", b"subprocess.attribution:PopenXX")
    with pytest.raises(ValueError, match="not an entry"):
        decode(content)


def test_a_damaged_entry_is_removed_not_served(folder: Path) -> None:
    kept = store.default()
    kept.put("k", questions.heatmaps(2), "f")
    path = folder / "k.loupe"
    whole = path.read_bytes()
    rng = random.Random(0)
    cuts = [whole[:length] for length in (0, 1, 31, 32, 40, len(whole) // 2, len(whole) - 1)]
    flips = []
    for _ in range(60):
        spoiled = bytearray(whole)
        spoiled[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        flips.append(bytes(spoiled))
    for content in [*cuts, *flips, whole + b"\0", b"PK\x03\x04" * 100]:
        path.write_bytes(content)
        assert kept.get("k") is MISSING
        assert not path.exists()
    path.write_bytes(whole)
    assert torch.equal(kept.get("k").values, questions.heatmaps(2).values)


def test_another_keys_file_under_this_name_is_not_served(folder: Path) -> None:
    kept = store.default()
    kept.put("one", 1, "f")
    os.rename(folder / "one.loupe", folder / "two.loupe")
    assert kept.get("two") is MISSING


def test_a_folder_in_the_place_of_an_entry_costs_nothing_but_the_entry(folder: Path) -> None:
    question = call(questions.square, 9.0)
    (folder / f"{question.key}.loupe").mkdir(parents=True)
    assert get(question) == 81.0


def test_the_least_recently_used_goes_first(folder: Path) -> None:
    kept = store.Store(folder, limit=9000)
    for number, name in enumerate("abcdef"):
        kept.put(name, np.zeros(400), "f")
        os.utime(folder / f"{name}.loupe", (number, number)) if name in "ab" else None
        kept.get("a")
    left = {entry.path.stem for entry in kept.entries()}
    assert "a" in left and "f" in left and "b" not in left
    assert sum(entry.size for entry in kept.entries()) <= 9000


def test_memory_keeps_the_newest_within_its_limit() -> None:
    memory = Memory(limit=5000)
    for name in "abc":
        memory.put(name, np.zeros(250))
        memory.get("a")
    assert memory.get("b") is MISSING and memory.get("a") is not MISSING and memory.get("c") is not MISSING
    memory.put("large", np.zeros(10_000))
    assert memory.get("large") is not MISSING and memory.get("a") is MISSING


def test_sizes_count_what_is_nested() -> None:
    assert 8000 <= size_of((np.zeros(500), {"a": torch.zeros(1000)})) <= 8500
    assert 4 * (1000 + 10) <= size_of(torch.nn.Linear(100, 10)) <= 4 * (1000 + 10) + 200


def test_the_command_line_lists_verifies_and_clears(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    get(call(questions.square, 10.0))
    get(call(questions.square, 11.0))
    assert main(["list"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("questions.square") == 2 and "2 results" in printed
    assert main(["verify"]) == 0
    one = next(folder.glob("*.loupe"))
    one.write_bytes(one.read_bytes()[:-1])
    assert main(["list"]) == 0
    assert main(["verify"]) == 1
    assert f"damaged: {one}" in capsys.readouterr().out
    assert main(["verify", "--repair"]) == 0 and not one.exists()
    assert main(["clear"]) == 0
    assert "1 result removed" in capsys.readouterr().out and not list(folder.glob("*.loupe"))


@pytest.mark.slow
def test_killed_while_writing_nothing_wrong_is_served(folder: Path) -> None:
    # A writer starts without this process's threads.
    processes = multiprocessing.get_context("forkserver")
    rng = random.Random(1)
    served = 0
    for _ in range(20):
        started = processes.Event()
        writer = processes.Process(target=questions.write_for_ever, args=(folder, started), daemon=True)
        writer.start()
        assert started.wait(60)
        time.sleep(rng.uniform(0.005, 0.1))
        writer.kill()
        writer.join()
        kept = store.Store(folder, 1 << 40)
        for name in range(7):
            value = kept.get(f"k{name}")
            if value is not MISSING:
                served += 1
                assert value.shape == (200_000,) and (value == value[0]).all() and value[0] % 7 == name
    assert served > 20


def test_two_processes_may_write_the_same_key(folder: Path) -> None:
    processes = multiprocessing.get_context("forkserver")
    writers = [processes.Process(target=questions.write_the_same, args=(folder,), daemon=True) for _ in range(2)]
    for writer in writers:
        writer.start()
    kept = store.Store(folder, 1 << 40)
    while any(writer.is_alive() for writer in writers):
        value = kept.get("same")
        assert value is MISSING or (value == np.arange(5000)).all()
        # The writers need the processor too.
        time.sleep(0.005)
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert (kept.get("same") == np.arange(5000)).all()
    assert not list(folder.glob(".*.tmp"))
    cache.forget()
