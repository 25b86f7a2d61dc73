from __future__ import annotations

import dataclasses
import random
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

import cache
from cache import Visitor, call, get, queues, trouble
from cache.visitors import device_of
from interp.types import Classifier
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


def test_what_is_yielded_again_is_no_news() -> None:
    job = Visitor().ask("a", call(questions.again, "news"), device="test-again")
    assert job.wait(5)
    assert job.partial == ("news 1", "news 2") and job.value == ("news 1", "news 1", "news 2")


def test_a_worker_without_work_ends_and_the_next_question_begins_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "LINGERING", 0.05)
    name = "loupe test-lingering"
    for question in range(2):
        assert get(call(questions.summed, 50 + question), device="test-lingering") == sum(range(50 + question))
        assert any(one.name == name for one in threading.enumerate())
        until(lambda: all(one.name != name for one in threading.enumerate()))


def test_visitors_take_turns_and_the_newest_question_of_each_comes_first() -> None:
    one, other = Visitor(), Visitor()
    gate = Visitor()
    first = gate.ask("g", call(questions.gated, "g of fair", 1), device="test-fair")
    until(lambda: first.state == "running")
    jobs = [
        one.ask("old", call(questions.parts, "old", 3), device="test-fair"),
        one.ask("new", call(questions.parts, "new", 3), device="test-fair"),
        other.ask("x", call(questions.parts, "x", 3), device="test-fair"),
    ]
    assert jobs[0].ahead == 3
    questions.gate.set()
    assert all(job.wait(5) for job in jobs)
    steps = [entry for entry in questions.log if not entry.startswith("g of") and not entry.endswith("over")]
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


def test_a_failure_is_handed_back_until_somebody_has_heard_of_it() -> None:
    visitor = Visitor()
    question = call(questions.fails, "once")
    job = visitor.ask("a", question)
    until(lambda: job.state == "failed")
    assert visitor.ask("a", question) is job
    assert job.wait(5)
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


def test_an_unwritable_store_costs_no_result(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    monkeypatch.setenv("LOUPE_CACHE", str(blocked))
    visitor = Visitor()
    job = visitor.ask("a", call(questions.square, 8.0))
    assert job.wait(5) and job.value == 64.0
    assert not job.remarks and "no folder" in (trouble() or "")


def test_python_exits_while_a_worker_is_busy() -> None:
    script = (
        "from cache import Visitor, call; from tests.cache import questions;"
        "job = Visitor().ask('a', call(questions.endless, 'e'));"
        "import time; time.sleep(0.2); print(job.state)"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0 and ended.stdout.strip() == "running", ended.stderr


def test_each_job_keeps_its_own_switch_for_gradients() -> None:
    one, other = Visitor(), Visitor()
    gate = Visitor()
    gate.ask("g", call(questions.gated, "g of gradients", 1), device="test-gradients")
    without = one.ask("a", call(questions.without_gradients, 5), device="test-gradients")
    with_them = other.ask("a", call(questions.gradients, "x", 7), device="test-gradients")
    questions.gate.set()
    assert without.wait(5) and with_them.wait(5)
    assert without.value == (False,) * 5
    assert with_them.value == (True,) * 7


@pytest.mark.parametrize("how", ["exit", "interrupt", "generator", "stop"])
def test_the_worker_lives_on_whatever_a_job_raises(how: str) -> None:
    with pytest.raises((RuntimeError, StopIteration)):
        get(call(questions.ends_the_program, how), device="test-lives")
    assert get(call(questions.square, 3.5), device="test-lives") == 12.25


def test_the_worker_lives_on_where_a_result_cannot_be_kept() -> None:
    with pytest.raises(OSError, match="looked into"):
        get(call(questions.spoiled_value, "x"), device="test-keep")
    assert get(call(questions.square, 4.5), device="test-keep") == 20.25


def test_code_that_swallows_exceptions_is_cancelled_all_the_same() -> None:
    visitor = Visitor()
    job = visitor.ask("a", call(questions.swallowing, "s"), device="test-swallow")
    until(lambda: job.state == "running")
    visitor.release("a")
    assert job.wait(5) and job.state == "cancelled"
    assert questions.log == []
    with pytest.raises(RuntimeError, match="cancelled"):
        _ = job.value


def test_a_waiting_job_that_is_released_never_runs() -> None:
    visitor = Visitor()
    first = visitor.ask("g", call(questions.gated, "g of never", 1), device="test-never")
    until(lambda: first.state == "running")
    job = visitor.ask("a", call(questions.square, 1.25), device="test-never")
    visitor.release("a")
    assert (job.wait(0), job.state, first.state) == (True, "cancelled", "running")
    questions.gate.set()
    assert get(call(questions.square, 2.25), device="test-never") == 2.25**2
    assert "square 1.25" not in questions.log


def test_a_suspended_generator_is_closed_though_its_worker_has_nothing_else_to_do() -> None:
    visitor = Visitor()
    job = visitor.ask("a", call(questions.parts, "q", 10_000, pause=0.001), device="test-closed")
    until(lambda: len(job.partial) > 3)
    visitor.release("a")
    assert job.wait(5) and questions.log[-1] == "q over"
    taken = len(job.partial)
    time.sleep(0.05)
    assert len(job.partial) == taken < 10_000


def test_one_key_in_two_slots_is_held_by_either() -> None:
    visitor = Visitor()
    question = call(questions.parts, "t", 30, pause=0.003)
    job = visitor.ask("a", question, device="test-slots")
    assert visitor.ask("b", question, device="test-slots") is job
    assert visitor.ask("a", question, device="test-slots") is job
    visitor.release("a")
    assert list(visitor.slots) == ["b"]
    assert job.wait(5) and job.state == "done"


def test_a_closed_visitor_cannot_ask() -> None:
    visitor = Visitor()
    visitor.close()
    with pytest.raises(ValueError, match="closed"):
        visitor.ask("a", call(questions.square, 1.0))
    assert visitor.slots == {}


def test_a_job_that_would_wait_for_itself_fails_and_says_so() -> None:
    with pytest.raises(RuntimeError, match="wait for itself"):
        get(call(questions.asks_itself, 2.0))


def test_the_time_left_is_measured_from_the_pace() -> None:
    visitor = Visitor()
    job = visitor.ask("a", call(questions.paced, 20, 0.02), device="test-pace")
    until(lambda: job.progress.done >= 5)
    now = job.progress
    left = now.seconds_left
    assert left is not None and 0.5 * 0.02 * (20 - now.done - 1) <= left <= 5 * 0.02 * (20 - now.done)
    assert job.wait(5) and job.progress.done == job.progress.total == 20


def test_a_generator_that_fails_keeps_what_it_gave_for_its_waiters() -> None:
    visitor = Visitor()
    job = visitor.ask("a", call(questions.fails_late, 3), device="test-late")
    assert job.wait(5) and job.state == "failed"
    assert job.partial == (0, 1, 2) and isinstance(job.error, ValueError)
    with pytest.raises(ValueError, match="late"):
        _ = job.value


def test_remarks_are_kept_with_the_value_on_disk() -> None:
    question = call(questions.remarks, "halved twice")
    get(question)
    cache.forget()
    job = Visitor().ask("a", question)
    assert job.state == "done" and job.remarks == ("halved twice",)


def test_small_questions_do_not_wait_for_a_long_job_of_another_visitor() -> None:
    crowd, visitor = Visitor(), Visitor()
    long = crowd.ask("long", call(questions.parts, "long", 100_000, pause=0.001), disk=False, device="test-crowd")
    until(lambda: long.state == "running")
    before = len(long.partial)
    for number in range(10):
        job = visitor.ask("small", call(questions.square, number + 0.125), disk=False, device="test-crowd")
        assert job.wait(5) and job.state == "done"
    assert len(long.partial) - before < 60
    crowd.close()


def test_the_device_is_that_of_the_first_classifier(tiny: Classifier) -> None:
    on_gpu = dataclasses.replace(tiny, device=torch.device("cuda:0"))
    second = dataclasses.replace(tiny, device=torch.device("cuda:1"))
    assert device_of(call(Classifier.logits, 1, on_gpu)) == "cuda"
    assert device_of(call(Classifier.logits, second, on_gpu)) == "cuda:1"
    assert device_of(call(Classifier.logits, images=second)) == "cuda:1"
    assert device_of(call(Classifier.logits, Holder(on_gpu))) == "cuda"
    assert device_of(call(questions.square, 1.0)) == "cpu"


@dataclasses.dataclass(frozen=True)
class Holder:
    classifier: Classifier


def test_many_visitors_who_ask_and_release_at_random_all_get_right_answers() -> None:
    def visit(seed: int) -> bool:
        rng, visitor = random.Random(seed), Visitor()
        for _ in range(25):
            count = rng.randrange(1, 6)
            job = visitor.ask(rng.choice("ab"), call(questions.parts, "m", count), disk=False, device="test-many")
            if rng.random() < 0.5:
                visitor.release(rng.choice("ab"))
            if job in visitor.slots.values():
                assert job.wait(10), "a job hangs"
                if job.state != "done" or job.value != tuple(f"m{i}" for i in range(count)):
                    return False
            if rng.random() < 0.3:
                cache.forget()
        visitor.close()
        return True

    with ThreadPoolExecutor(12) as pool:
        assert all(pool.map(visit, range(24)))
    assert not queues._unfinished and not queues._askers and not queues.queue("test-many")._turns
