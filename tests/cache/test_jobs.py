from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import cache
from cache import Visitor, call, get
from tests.cache import questions


@pytest.fixture(autouse=True)
def clean():
    questions.log.clear()
    questions.gate.clear()
    yield
    questions.gate.set()


def until(condition, seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.002)


def test_a_result_is_computed_once_however_many_ask() -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: get(call(questions.slow_square, 3.0)), range(64)))
    assert answers == [9.0] * 64
    assert questions.log == ["square 3.0"]


def test_a_result_survives_the_memory_on_disk() -> None:
    get(call(questions.square, 4.0))
    cache.forget()
    assert get(call(questions.square, 4.0)) == 16.0
    assert questions.log == ["square 4.0"]


def test_without_disk_it_is_computed_again() -> None:
    get(call(questions.square, 5.0), disk=False)
    cache.forget()
    get(call(questions.square, 5.0), disk=False)
    assert len(questions.log) == 2


def test_what_has_no_form_on_disk_stays_in_memory() -> None:
    first = get(call(questions.unstorable, "x"))
    assert get(call(questions.unstorable, "x")) is first
    assert questions.log == ["unstorable"]


def test_partial_results_progress_and_the_value_of_a_generator() -> None:
    visitor = Visitor()
    job = visitor.ask("a", call(questions.parts, "p", 5, pause=0.03), device="test-partial")
    until(lambda: len(job.partial) >= 2)
    assert job.state == "running" and job.partial[:2] == ("p0", "p1")
    assert job.progress.total == 5 and job.progress.what == "Counting"
    with pytest.raises(RuntimeError, match="running"):
        _ = job.value
    assert job.wait(5)
    assert job.value == ("p0", "p1", "p2", "p3", "p4")
    assert get(call(questions.summed, 5)) == 10


def test_visitors_take_turns_and_the_newest_question_of_each_comes_first() -> None:
    one, other = Visitor(), Visitor()
    gate = Visitor()
    first = gate.ask("g", call(questions.gated, "g", 1), device="test-fair")
    until(lambda: first.state == "running")
    jobs = [
        one.ask("old", call(questions.parts, "old", 3), device="test-fair"),
        one.ask("new", call(questions.parts, "new", 3), device="test-fair"),
        other.ask("x", call(questions.parts, "x", 3), device="test-fair"),
    ]
    assert jobs[0].ahead == 3
    questions.gate.set()
    assert all(job.wait(5) for job in jobs)
    steps = [entry for entry in questions.log if entry[0] != "g" and not entry.endswith("over")]
    assert steps.index("x2") < steps.index("old0")
    assert steps.index("new2") < steps.index("old0")
    assert steps[:2] in (["new0", "x0"], ["x0", "new0"])


def test_a_job_that_nobody_waits_for_stops_at_its_next_step_and_cleans_up() -> None:
    visitor = Visitor()
    job = visitor.ask("a", call(questions.endless, "e"), device="test-stop")
    until(lambda: job.state == "running")
    visitor.release("a")
    assert job.wait(5) and job.state == "cancelled"
    assert questions.log == ["e over"]
    many = visitor.ask("b", call(questions.parts, "q", 10_000, pause=0.001), device="test-stop")
    until(lambda: len(many.partial) > 1)
    visitor.close()
    assert many.wait(5) and many.state == "cancelled" and questions.log[-1] == "q over"


def test_another_question_in_the_slot_releases_the_one_before() -> None:
    visitor = Visitor()
    before = visitor.ask("a", call(questions.endless, "before"), device="test-slot")
    until(lambda: before.state == "running")
    after = visitor.ask("a", call(questions.square, 6.0), device="test-slot")
    assert before.wait(5) and before.state == "cancelled"
    assert after.wait(5) and after.value == 36.0


def test_a_job_goes_on_while_anybody_waits_for_it() -> None:
    one, other = Visitor(), Visitor()
    question = call(questions.parts, "s", 40, pause=0.005)
    job = one.ask("a", question, device="test-shared")
    assert other.ask("b", question, device="test-shared") is job
    one.close()
    assert job.wait(5) and job.state == "done" and len(job.value) == 40


def test_who_asks_again_while_it_is_being_cancelled_gets_an_answer() -> None:
    for _ in range(60):
        visitor = Visitor()
        question = call(questions.parts, "r", 4, pause=0.0005)
        visitor.ask("a", question, disk=False, device="test-race")
        time.sleep(0.001)
        visitor.release("a")
        job = visitor.ask("a", question, disk=False, device="test-race")
        assert job.wait(5) and job.value == ("r0", "r1", "r2", "r3")
        visitor.close()
        cache.forget()


def test_a_failure_reaches_who_asked_and_the_next_one_computes_again() -> None:
    with pytest.raises(ValueError, match="no good"):
        get(call(questions.fails, "no good"))
    with pytest.raises(ValueError, match="no good"):
        get(call(questions.fails, "no good"))
    assert questions.log == ["fails", "fails"]
    assert get(call(questions.square, 7.0)) == 49.0


def test_a_page_drawn_again_does_not_fail_again_until_the_failure_is_forgotten() -> None:
    visitor = Visitor()
    question = call(questions.fails, "once")
    job = visitor.ask("a", question)
    assert job.wait(5) and job.state == "failed"
    assert visitor.ask("a", question) is job
    visitor.forget(job)
    again = visitor.ask("a", question)
    assert again.wait(5) and again is not job
    assert questions.log == ["fails", "fails"]


def test_too_little_memory_is_said_in_words() -> None:
    with pytest.raises(MemoryError, match="too little memory"):
        get(call(questions.out_of_memory))


def test_remarks_stay_with_the_job() -> None:
    visitor = Visitor()
    job = visitor.ask("a", call(questions.remarks, "halved"))
    assert job.wait(5) and job.remarks == ("halved",)


def test_an_unwritable_store_costs_a_remark(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    monkeypatch.setenv("LOUPE_CACHE", str(blocked))
    visitor = Visitor()
    job = visitor.ask("a", call(questions.square, 8.0))
    assert job.wait(5) and job.value == 64.0
    assert "could not be kept on disk" in job.remarks[0]


def test_python_exits_while_a_worker_is_busy() -> None:
    script = (
        "from cache import Visitor, call; from tests.cache import questions;"
        "job = Visitor().ask('a', call(questions.endless, 'e'));"
        "import time; time.sleep(0.2); print(job.state)"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0 and ended.stdout.strip() == "running", ended.stderr
