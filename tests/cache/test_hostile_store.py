"""Stores that others spoil, share, fill and take away: every question is answered all the same, and rightly."""

from __future__ import annotations

import errno
import logging
import multiprocessing
import os
import shutil
import time
from pathlib import Path

import pytest

import cache
from cache import Visitor, call, get, store
from cache.__main__ import main
from cache.memory import MISSING
from tests import unprivileged
from tests.cache import questions


def answered(number: float) -> bool:
    cache.forget()
    return get(call(questions.square, number)) == number**2


def entry(folder: Path, number: float) -> Path:
    return folder / f"{call(questions.square, number).key}.loupe"


@pytest.mark.parametrize("kind", ["pipe", "link to a device", "link to itself", "link to a folder", "link to nothing"])
def test_what_is_no_file_is_neither_followed_nor_waited_for(folder: Path, tmp_path: Path, kind: str) -> None:
    folder.mkdir()
    path = entry(folder, 3.0)
    (tmp_path / "other").mkdir()
    targets = {"device": "/dev/zero", "itself": str(path), "folder": str(tmp_path / "other"), "nothing": "/nowhere/x"}
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(targets[kind.split()[-1]])
    assert [one.path for one in store.default().damaged()] == [path]
    assert main(["list"]) == 0 and main(["verify"]) == 1
    assert answered(3.0) and path.is_file() and not path.is_symlink()
    assert (tmp_path / "other").is_dir() and answered(3.0)


def test_a_link_out_of_the_store_leaves_what_it_leads_to_alone(folder: Path, tmp_path: Path) -> None:
    assert answered(4.0)
    outside = tmp_path / "outside.loupe"
    entry(folder, 4.0).rename(outside)
    os.utime(outside, (1, 1))
    entry(folder, 4.0).symlink_to(outside)
    whole = outside.read_bytes()
    assert answered(4.0)
    assert outside.read_bytes() == whole and outside.stat().st_mtime == 1
    assert entry(folder, 4.0).is_file() and not entry(folder, 4.0).is_symlink()


def test_a_folder_in_an_entrys_place_is_let_be_and_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    precious = entry(folder, 5.0) / "precious"
    precious.mkdir(parents=True)
    assert answered(5.0) and entry(folder, 5.0).name in (cache.trouble() or "")
    assert main(["clear"]) == 0 and "0 results removed" in capsys.readouterr().out
    assert main(["verify", "--repair"]) == 1
    assert precious.is_dir()


def test_an_entry_that_claims_more_than_the_store_may_hold_is_not_read(folder: Path) -> None:
    folder.mkdir()
    with entry(folder, 6.0).open("wb") as file:
        file.truncate(1 << 40)
    start = time.perf_counter()
    assert answered(6.0) and time.perf_counter() - start < 5
    assert entry(folder, 6.0).stat().st_size < 10_000


def test_that_nothing_is_kept_is_said_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with caplog.at_level(logging.WARNING, "loupe"):
        jobs = [Visitor().ask("", call(questions.square, float(number))) for number in range(5)]
        assert all(job.wait(5) and job.value == number**2 for number, job in enumerate(jobs))
    assert not any(job.remarks for job in jobs)
    assert len(caplog.records) == 1 and "the disk is full" in caplog.text and str(folder) in caplog.text
    assert "LOUPE_CACHE_MB" in (cache.trouble() or "") and not list(folder.iterdir())
    monkeypatch.undo()


def test_where_it_is_kept_again_nothing_is_said(folder: Path) -> None:
    folder.write_text("in the way")
    assert answered(7.0) and "no folder" in (cache.trouble() or "")
    folder.unlink()
    assert answered(7.0) and cache.trouble() is None


def test_a_store_that_is_taken_away_comes_again(folder: Path) -> None:
    for number in range(4):
        assert answered(float(number)) and answered(8.0)
        shutil.rmtree(folder)
    assert answered(8.0) and cache.trouble() is None and entry(folder, 8.0).is_file()


def test_one_of_anothers_that_must_stay_does_not_cost_the_new_one(folder: Path, monkeypatch) -> None:
    kept = store.Store(folder, limit=4000)
    kept.put("old", bytes(2000), "f")
    unlink = Path.unlink

    def guarded(path: Path, missing_ok: bool = False) -> None:
        if path.name == "old.loupe":
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", guarded)
    for name in "abc":
        kept.keep(name, bytes(1000), "f")
    assert kept.trouble is None and kept.get("old") == bytes(2000)


def test_a_store_that_can_only_be_read_serves_what_it_has(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    kept = store.default()
    for name in "abc":
        kept.keep(name, bytes(10), "f")
    folder.chmod(0o555)
    with unprivileged.modes_hold(), caplog.at_level(logging.WARNING, "loupe"):
        assert [kept.get(name) for name in "abcd"] == [bytes(10)] * 3 + [MISSING]
        kept.keep("d", bytes(10), "f")
        kept.keep("e", bytes(10), "f")
        assert kept.get("d") is MISSING and "may not be written to" in (kept.trouble or "")
        # What cannot be read, too.
        (folder / "a.loupe").chmod(0)
        assert kept.get("a") is MISSING and main(["list"]) == 0 and main(["clear"]) == 1
    assert len(caplog.records) == 1
    folder.chmod(0o755)


def test_a_store_that_cannot_be_looked_into_answers_all_the_same(folder: Path) -> None:
    kept = store.default()
    kept.keep("a", bytes(10), "f")
    folder.chmod(0)
    with unprivileged.modes_hold():
        assert kept.get("a") is MISSING and not kept.entries()
        kept.keep("a", bytes(10), "f")
        assert kept.trouble is not None
    folder.chmod(0o755)
    assert kept.get("a") == bytes(10)


@pytest.mark.slow
def test_two_servers_and_one_who_clears_share_a_store(folder: Path) -> None:
    processes = multiprocessing.get_context("forkserver")
    heard = processes.Queue()
    asking = [processes.Process(target=questions.ask_for, args=(folder, 3.0, heard), daemon=True) for _ in range(2)]
    for one in asking:
        one.start()
    cleared = checks = 0
    while any(one.is_alive() for one in asking) and checks < 2000:
        checks += 1
        cleared += store.default().clear()
        assert not store.default().damaged()
        time.sleep(0.005)
    found = [heard.get(timeout=30) for _ in asking]
    for one in asking:
        one.join(30)
    assert [one.exitcode for one in asking] == [0, 0] and cleared > 20
    assert all(wrong == 0 and trouble is None for _, _, wrong, trouble in found), found
    # Some were found on disk, and some had to be computed.
    assert all(asked > computed > 20 for asked, computed, _, _ in found), found
    assert not list(folder.glob(".*.tmp"))
    assert store.default().get("nothing") is MISSING
