"""Where a visitor asks: pages and views let go of each other's work, and each kind of work has its queue."""

from __future__ import annotations

import pytest

import cache
from cache import Queue, Scope, Slot, Visitor
from tests.cache import questions


def names(visitor: Visitor) -> set[str]:
    return {slot.name for slot in visitor.slots if isinstance(slot, Slot)}


@pytest.fixture
def visitor():
    one = Visitor()
    page = Scope(one, "Shared Interest")
    for number, scope in enumerate([page.shared, page, page.at("Scores"), page.at("Draw"), Scope(one, "Saliency")]):
        scope.draw(f"{scope.page or 'shared'} {scope.view}".strip(), questions.square, number)
    yield one
    one.close()


def test_entering_a_view_lets_go_of_other_views_and_other_pages(visitor: Visitor) -> None:
    scope = Scope(visitor, "Shared Interest").at("Draw").enter()
    assert scope.view == "Draw"
    assert names(visitor) == {"shared", "Shared Interest", "Shared Interest Draw"}


def test_entering_a_page_keeps_what_its_views_have_asked_for(visitor: Visitor) -> None:
    Scope(visitor, "Shared Interest").enter()
    assert names(visitor) == {"shared", "Shared Interest", "Shared Interest Scores", "Shared Interest Draw"}


def test_a_view_has_slots_of_its_own(visitor: Visitor) -> None:
    page = Scope(visitor, "Saliency")
    jobs = [scope.draw("maps", questions.square, number) for number, scope in enumerate([page, page.at("A")])]
    assert [job.wait(5) and job.value for job in jobs] == [0, 1]
    page.at("A").release("maps")
    assert visitor.slots[Slot("Saliency", "", "maps")] is jobs[0]
    assert Slot("Saliency", "A", "maps") not in visitor.slots


@pytest.mark.parametrize(
    ("way", "queue", "disk"),
    [
        ("compute", "cpu", True),
        ("gather", "cpu", False),
        ("read", Queue.READING, False),
        ("survey", Queue.READING, True),
        ("draw", Queue.FIGURES, False),
        ("look_up", Queue.LISTS, False),
    ],
)
def test_the_way_to_ask_says_where_work_stands_and_whether_it_is_kept(way: str, queue: str, disk: bool) -> None:
    visitor = Visitor()
    call = cache.call(questions.square, float(len(way)))
    job = getattr(Scope(visitor, "P"), way)("one", call)
    assert job.wait(5) and job.value == float(len(way)) ** 2
    cache.forget()
    again = Visitor().ask("again", call)
    assert (job.device, again.state == "done") == (queue, disk)
    assert again.wait(5)


def test_what_a_job_has_so_far_and_all_of_it_in_the_end() -> None:
    job = Scope(Visitor(), "P").gather("parts", questions.parts, "of a job", 3)
    assert job.wait(5) and job.parts == job.latest() == job.value == tuple(f"of a job{one}" for one in range(3))
    waiting = cache.Job(cache.call(questions.square, 1.0), device="cpu", disk=False, ahead=lambda job: 0)
    assert waiting.parts == () and waiting.latest("nothing") == "nothing"
