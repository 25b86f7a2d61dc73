"""The order of work on a clock of its own: nothing sleeps, and every step says how long it takes."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

import pytest

from cache import call, jobs, order
from cache.jobs import Job
from cache.order import PATIENCE, SHARE, Turns
from interp import progress


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


clock = Clock()


@pytest.fixture(autouse=True)
def simulated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "monotonic", clock)
    monkeypatch.setattr(order, "monotonic", clock)


def steps(name: str, seconds: tuple[float, ...], told: bool) -> Iterator[int]:
    for number, each in enumerate(seconds):
        if told:
            progress.report(number, len(seconds), "Steps")
        clock.now += each
        yield number


def whole(name: str, seconds: float) -> str:
    clock.now += seconds
    return name


def asked(name: str, *seconds: float, told: bool = True) -> Job:
    question = call(whole, name, seconds[0]) if len(seconds) == 1 else call(steps, name, seconds, told)
    return Job(question, device="simulated", disk=False, ahead=lambda job: 0)


class Run:
    """What a worker does, and when each job had its steps, from the moment that the run began."""

    def __init__(self, *waiting: tuple[object, Job]) -> None:
        self.begun = clock.now
        self.turns = Turns()
        self.ends: dict[Job, list[float]] = {}
        self.over: dict[Job, float] = {}
        for visitor, job in waiting:
            self.turns.add(visitor, job)

    def step(self) -> Job:
        job = self.turns.take().begin()
        over = job.advance()
        self.ends.setdefault(job, []).append(clock.now - self.begun)
        if over:
            self.over[job] = clock.now - self.begun
            for visitor in list(self.turns._turns):
                self.turns.drop(visitor, job)
        return job

    def to_the_end(self) -> Run:
        while self.turns:
            self.step()
        return self


def test_fifteen_equal_questions_are_begun_for_all_and_then_finished_one_after_the_other() -> None:
    class_ = [asked(f"q{number}", 0.05, 0.15, 0.4, 0.7, 1.4, 1.4) for number in range(15)]
    run = Run(*enumerate(class_)).to_the_end()
    ends = [run.over[job] for job in class_]
    assert max(ends) == pytest.approx(15 * 4.1)
    assert max(run.ends[job][0] for job in class_) == pytest.approx(15 * 0.05)
    assert statistics.median(ends) <= 0.6 * max(ends)
    # Turns to the end, as was done before, and one after the other, which no order is better than.
    assert statistics.median(ends_of_turns(15, (0.05, 0.15, 0.4, 0.7, 1.4, 1.4))) > 0.8 * max(ends)
    assert statistics.median(ends) < 1.15 * 8 * 4.1


def ends_of_turns(count: int, seconds: tuple[float, ...]) -> list[float]:
    before = count * sum(seconds[:-1])
    return [before + seconds[-1] * (place + 1) for place in range(count)]


@pytest.mark.parametrize("told", [True, False])
def test_everybody_gets_a_first_part_before_anybody_gets_the_next(told: bool) -> None:
    some = [asked(f"f{number}", 1.0, 2.0, 2.0, told=told) for number in range(6)]
    run = Run(*enumerate(some))
    assert [run.step() for _ in some] == some


def test_what_is_soon_done_goes_before_what_is_long_however_late_it_came() -> None:
    long, short = asked("long", *[1.0] * 100), asked("short", 0.2, 0.2, 0.2)
    run = Run((1, long))
    for _ in range(3):
        run.step()
    run.turns.add(2, short)
    while short not in run.over:
        run.step()
    assert len(run.ends[long]) == 3


def test_equal_questions_do_not_overtake_each_other_where_the_pace_changes() -> None:
    slowing = [asked(f"s{number}", 0.1, *(0.5 + 0.25 * step for step in range(9))) for number in range(5)]
    run = Run(*enumerate(slowing)).to_the_end()
    done = sorted(run.over.values())
    # By the time left alone the first would be over at 0.43.
    assert done[0] <= 0.38 * done[-1] and statistics.median(done) <= 0.7 * done[-1]


def test_a_question_of_one_step_waits_for_no_more_than_the_step_that_runs() -> None:
    long, other = asked("long", *[1.0] * 100), asked("other", *[1.0] * 50)
    run = Run((1, long), (2, other))
    for _ in range(9):
        run.step()
    small = asked("small", 0.1)
    run.turns.add(3, small)
    assert run.step() is small


def test_of_one_visitor_the_newest_question_comes_first() -> None:
    old, new = asked("old", 1.0, 1.0), asked("new", 9.0, 9.0)
    run = Run((1, old), (1, new)).to_the_end()
    assert run.over[new] < run.ends[old][0]


def test_a_visitor_with_many_questions_does_not_keep_another_from_a_first_part() -> None:
    many = [asked(f"m{number}", 1.0) for number in range(10)]
    one = asked("one", 1.0, 1.0)
    run = Run(*((1, job) for job in many), (2, one)).to_the_end()
    assert run.ends[one][0] == pytest.approx(2.0)


def test_a_long_job_goes_on_while_short_ones_never_end() -> None:
    long, step = asked("long", *[2.0] * 100), 2.0
    run = Run((0, long))
    for number in range(2000):
        if len(run.turns) < 4:
            run.turns.add(1 + number, asked(f"s{number}", 0.5, 0.5, 0.5))
        run.step()
    taken = [after - before for before, after in zip(run.ends[long], run.ends[long][1:], strict=False)]
    assert max(taken) <= max(PATIENCE, step / SHARE) + step + 0.5
    given = step * len(taken) / (run.ends[long][-1] - run.ends[long][0])
    assert given == pytest.approx(SHARE, abs=0.02)


def test_all_that_wait_get_a_step_within_a_bound_though_one_is_always_shorter() -> None:
    crowd = [asked(f"c{number}", *[1.0] * 200) for number in range(5)]
    ahead = asked("ahead", *[0.5] * 390)
    run = Run(*enumerate(crowd), (9, ahead))
    while ahead not in run.over:
        run.step()
    for job in crowd:
        gaps = [after - before for before, after in zip(run.ends[job], run.ends[job][1:], strict=False)]
        assert gaps and max(gaps) <= len(crowd) * (1.0 / SHARE + 0.5) + PATIENCE


def test_who_says_nothing_of_the_time_left_is_taken_to_need_as_long_again() -> None:
    silent, told = asked("silent", *[0.5] * 20, told=False), asked("told", *[1.0] * 5)
    run = Run((1, silent), (2, told))
    for _ in range(2):
        run.step()
    # 0.5 s so far against 4 s left, then 1 s, 2 s; from 4 s on the other is the shorter.
    while told not in run.over:
        run.step()
    assert 6 <= len(run.ends[silent]) <= 9


def test_a_job_that_two_wait_for_counts_once_and_leaves_with_the_last() -> None:
    shared, turns = asked("shared", 1.0, 1.0), Turns()
    turns.add(1, shared)
    turns.add(2, shared)
    assert turns.expected() == [shared, shared] and len(turns) == 2
    turns.drop(1, shared)
    assert turns.take() is shared
    turns.drop(2, shared)
    assert not turns and not turns._served and not turns._fresh


def test_seconds_in_which_others_work_are_neither_taken_nor_left() -> None:
    job = asked("own", *[1.0] * 5)
    for _ in range(3):
        job.advance()
    before = (job.worked, job.remaining, job.progress.seconds_left)
    clock.now += 100
    assert before == (job.worked, job.remaining, job.progress.seconds_left) == (3.0, 2.0, 2.0)
