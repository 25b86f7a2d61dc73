"""What is likely to be asked next: done while nobody asks for anything, and stopped when somebody does."""

from __future__ import annotations

import time

import pytest

from cache import Scope, Slot, Visitor, call, get, queues
from tests.cache import questions
from tests.cache.test_jobs import until

DEVICE = "test-ahead"


@pytest.fixture(autouse=True)
def resting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOUPE_AHEAD_SECONDS", "0.3")
    # Other tests' visitors may still wait for something.
    monkeypatch.setattr(queues, "_askers", {})
    questions.log.clear()


def expected(visitor: Visitor, number: int, pause: float = 0.05) -> None:
    visitor.expect("ahead", call(questions.parts, f"ahead{number}", 4, pause=pause), device=DEVICE)


def job_of(visitor: Visitor):
    return visitor.slots["ahead"]


def test_it_is_done_after_a_rest_and_then_found_at_once() -> None:
    visitor = Visitor()
    get(call(questions.summed, 90), device=DEVICE)
    expected(visitor, 1)
    begun = time.monotonic()
    assert queues.unfinished() == 0
    until(lambda: job_of(visitor).state == "done")
    assert time.monotonic() - begun > 0.3
    found = visitor.ask("asked", call(questions.parts, "ahead1", 4, pause=0.05), device=DEVICE)
    assert found.state == "done" and found.value[-1] == "ahead13"


def test_it_stops_when_somebody_asks_and_goes_on_after_a_rest() -> None:
    visitor, other = Visitor(), Visitor()
    expected(visitor, 2)
    job = job_of(visitor)
    until(lambda: len(job.partial) >= 1)
    asked = other.ask("a", call(questions.parts, "asked2", 6, pause=0.05), device=DEVICE)
    before = len(job.partial)
    assert asked.wait(5)
    # At most the step that was under way has ended meanwhile.
    assert len(job.partial) <= before + 1 and job.state == "running"
    until(lambda: job.state == "done")


def test_what_is_asked_for_waits_for_no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOUPE_AHEAD_SECONDS", "1000")
    visitor, other = Visitor(), Visitor()
    expected(visitor, 3)
    asked = other.ask("a", call(questions.parts, "ahead3", 4, pause=0.05), device=DEVICE)
    assert asked is job_of(visitor) and asked.wait(5)


def test_who_asked_may_leave_and_it_is_only_expected_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOUPE_AHEAD_SECONDS", "1000")
    visitor, other = Visitor(), Visitor()
    expected(visitor, 4, pause=0.2)
    asked = other.ask("a", call(questions.parts, "ahead4", 4, pause=0.2), device=DEVICE)
    until(lambda: asked.state == "running")
    other.close()
    assert not asked.abandoned and queues.unfinished() == 0
    time.sleep(0.5)
    assert asked.state == "running"
    visitor.close()
    until(lambda: asked.state == "cancelled")


def test_it_is_let_go_of_with_its_page() -> None:
    visitor = Visitor()
    page = Scope(visitor, "Saliency")
    page.expect("pictures", questions.parts, "page", 400, pause=0.05)
    job = visitor.slots[Slot("Saliency", "", "pictures, ahead")]
    Scope(visitor, "Overview").enter()
    until(lambda: job.state == "cancelled")


def test_with_no_rest_allowed_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOUPE_AHEAD_SECONDS", "0")
    visitor = Visitor()
    expected(visitor, 5)
    assert visitor.slots == {}
