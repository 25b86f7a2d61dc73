from __future__ import annotations

from pathlib import Path

import pytest

from cache import call, key
from cache.keys import keys
from interp.types import Classifier, Target
from tests.cache import questions


def test_where_one_argument_ends_and_the_next_begins_counts() -> None:
    assert key("ab", "c") != key("a", "bc") != key("abc")
    assert call(questions.square, 1, 2).key != call(questions.square, (1, 2)).key
    assert call(questions.square, number=1).key != call(questions.square, 1).key
    assert call(questions.square, 1).key != call(questions.fails, 1).key


def test_the_librarys_source_is_part_of_a_calls_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = call(questions.square, 1).key
    monkeypatch.setattr("cache.keys._library", lambda: "another source")
    assert call(questions.square, 1).key != before


def test_keys_that_differ_in_the_last_argument_are_those_of_the_calls(tiny: Classifier) -> None:
    given = (tiny, Target(1), {"a": 1})
    last = [(1,), (2,), None, [(3,)]]
    assert keys(questions.square, *given, last=last) == [call(questions.square, *given, one).key for one in last]
    assert keys(questions.square, last=[7]) == [call(questions.square, 7).key]


def test_functions_of_one_name_in_two_pages_differ(tmp_path: Path) -> None:
    found = []
    for number in (1, 2):
        path = tmp_path / f"page{number}.py"
        path.write_text(f"def draw():\n    return {number}\n")
        scope = {"__name__": "__main__"}
        exec(compile(path.read_text(), str(path), "exec"), scope)
        found.append(call(scope["draw"]).key)
    assert found[0] != found[1]
