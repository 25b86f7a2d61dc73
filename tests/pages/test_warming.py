"""Libraries of single views are loaded while nobody asks for anything, and not before."""

from __future__ import annotations

import pytest

from pages.parts.kit import warming


def test_each_library_waits_for_quiet_seconds_one_after_another(monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[str] = []
    seconds = iter("qqbqqq" + "qqq" + "qbbqqq")
    monkeypatch.setattr(warming, "LIBRARIES", ("first", "missing", "last"))

    def idle() -> bool:
        happened.append(next(seconds))
        return happened[-1] == "q"

    def imported(name: str) -> None:
        happened.append(name)
        if name == "missing":
            raise ImportError("there is none")

    monkeypatch.setattr(warming.importlib, "import_module", imported)
    monkeypatch.setattr(warming.gc, "freeze", lambda: happened.append("frozen"))
    warming.load(idle)
    assert happened == [*"qqbqqq", "first", *"qqq", "missing", *"qbbqqq", "last", "frozen"]


def test_work_is_no_quiet_second(monkeypatch: pytest.MonkeyPatch) -> None:
    used = iter((0.0, 0.05, 1.0, 1.5))
    monkeypatch.setattr(warming.time, "process_time", lambda: next(used))
    monkeypatch.setattr(warming.time, "sleep", lambda seconds: None)
    assert warming.quiet_second() and not warming.quiet_second()


def test_without_a_server_nothing_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warming.threading, "Thread", lambda **given: pytest.fail("a thread was started"))
    warming.begin.__wrapped__()
