"""The same images scored in several ways, side by side."""

from __future__ import annotations

import numpy as np
import pytest

from interp.attribution import GradCam, Gradient, SmoothGrad
from interp.shared_interest import CASES, Percentile, Scoring, compared
from tests.shared_interest.sets import scored

ALIGNED, CONFUSER, ELSEWHERE = (CASES.index(name) for name in ("human aligned", "confuser", "sufficient context"))
SAME, APART = (100, 100, 90), (100, 100, 0)


def test_images_are_matched_by_their_positions() -> None:
    first = scored([SAME, APART, SAME, SAME], positions=[7, 3, 5, 1], method=Gradient())
    second = scored([SAME, SAME, SAME], labels=[1, 0, 0], predicted=[0, 0, 0], positions=[3, 9, 7], method=GradCam())
    found = compared((first, second))
    assert found.positions.tolist() == [7, 3]
    assert found.cases.tolist() == [[ALIGNED, ELSEWHERE], [ALIGNED, CONFUSER]]
    assert found.titles == ("Gradient", "Grad-CAM")
    assert found.agree.tolist() == [True, False] and found.order.tolist() == [1, 0]


def test_transitions_count_every_image_once() -> None:
    first = scored([SAME, SAME, APART, APART, SAME])
    second = scored([SAME, APART, APART, SAME, APART], method=GradCam())
    moved = compared((first, second)).transitions()
    assert moved.sum() == 5
    assert moved[ALIGNED, ALIGNED] == 1 and moved[ALIGNED, ELSEWHERE] == 2 and moved[ELSEWHERE, ALIGNED] == 1
    assert np.array_equal(compared((second, first)).transitions(), moved.T)
    three = compared((first, second, first))
    assert np.array_equal(three.transitions(1, 2), moved.T) and not three.transitions(0, 2)[ALIGNED, ELSEWHERE]


def test_disputed_images_come_first_and_among_them_those_that_differ_most() -> None:
    first = scored([(100, 100, 80), SAME, (100, 100, 79), (100, 100, 60)])
    second = scored([(100, 100, 70), APART, (100, 100, 79), (100, 100, 40)], method=GradCam())
    found = compared((first, second))
    assert not found.agree[0] and not found.agree[1] and found.agree[2] and found.agree[3]
    assert found.order.tolist() == [1, 0, 3, 2]


def test_titles_say_what_differs() -> None:
    row = [SAME]
    by_classifier = compared((scored(row, classifier="honest"), scored(row, classifier="biased")))
    assert by_classifier.titles == ("honest", "biased")
    by_parameter = compared((scored(row, method=SmoothGrad(samples=4)), scored(row, method=SmoothGrad(samples=8))))
    assert len(set(by_parameter.titles)) == 2 and "samples=8" in by_parameter.titles[1]
    by_rule = compared((scored(row), scored(row, scoring=Scoring(Percentile(80)))))
    assert "Percentile" in by_rule.titles[1]
    assert len(set(compared((scored(row), scored(row))).titles)) == 2


def test_it_takes_two_and_they_may_have_nothing_in_common() -> None:
    with pytest.raises(ValueError, match="two or more"):
        compared((scored([SAME]),))
    empty = compared((scored([SAME], positions=[1]), scored([SAME], positions=[2])))
    assert len(empty.positions) == 0 and empty.transitions().sum() == 0 and empty.order.tolist() == []
