"""Work on many things, each kept by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from cache import each
from interp.types import Classifier
from tests.cache import questions
from tests.steps import finished


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOUPE_CACHE", str(tmp_path))
    return tmp_path


def test_what_was_computed_for_some_is_not_computed_again_for_more(tiny: Classifier) -> None:
    questions.SQUARED.clear()
    seen, found = finished(each.each(questions.squares, tiny, (10,), (3, 1, 2), 2))
    assert found == (19, 11, 14) and questions.SQUARED == [(3, 1), (2,)]
    # What is not final comes first, by its place, and is replaced.
    assert seen[0] == {} and {0: -3} in seen and {0: 19, 1: 11, 2: -2} in seen
    seen, found = finished(each.each(questions.squares, tiny, (10,), (2, 5, 3), 2))
    assert found == (14, 35, 19) and questions.SQUARED == [(3, 1), (2,), (5,)]
    assert seen[0] == {0: 14, 2: 19}
    # Another context is another question.
    assert finished(each.each(questions.squares, tiny, (11,), (3,), 2))[1] == (20,)


def test_an_interruption_loses_only_the_group_that_was_under_way(tiny: Classifier) -> None:
    questions.SQUARED.clear()
    steps = each.each(questions.squares, tiny, (20,), (1, 2, 3, 4), 2)
    for so_far in steps:
        if so_far.get(2) == -3:
            break
    steps.close()
    assert questions.SQUARED == [(1, 2), (3, 4)]
    assert finished(each.each(questions.squares, tiny, (20,), (1, 2, 3, 4), 2))[1] == (21, 24, 29, 36)
    assert questions.SQUARED == [(1, 2), (3, 4), (3, 4)]


def test_an_error_is_passed_on_and_what_was_done_stays(tiny: Classifier) -> None:
    questions.SQUARED.clear()
    with pytest.raises(ValueError, match="no square"):
        finished(each.each(questions.squares, tiny, (0,), (6, -1), 1))
    assert finished(each.each(questions.squares, tiny, (0,), (6,), 1))[1] == (36,)
    assert questions.SQUARED == [(6,), (-1,)]
