"""How wide a picture is taken to be, and how many panels that makes; how it looks is tested in a browser."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pages.parts.kit import screens
from pages.parts.saliency import explained


@pytest.fixture
def visitor(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    visitor = SimpleNamespace(session_state={}, context=SimpleNamespace(headers={}))
    monkeypatch.setattr(screens, "st", visitor)
    return visitor


def test_before_the_browser_has_said_a_width_its_kind_tells(visitor: SimpleNamespace) -> None:
    assert screens.width() == screens.USUAL
    visitor.context.headers["User-Agent"] = "Mozilla/5.0 (iPhone) Mobile/15E148"
    assert screens.width() == screens.PHONE


@pytest.mark.parametrize(("said", "taken"), [(358, 360), (341.5, 360), (1093, 1080), (100, 80)])
def test_widths_are_taken_in_steps(visitor: SimpleNamespace, said: float, taken: int) -> None:
    screens.measured(said)
    assert screens.width() == taken


@pytest.mark.parametrize("said", [None, "358", -3, 0, 10**9, float("nan"), [358]])
def test_what_is_no_width_is_passed_over(visitor: SimpleNamespace, said: object) -> None:
    screens.measured(said)
    assert screens.width() == screens.USUAL


@pytest.mark.parametrize(
    ("photographs", "methods", "width", "columns"),
    [
        (1, 5, 360, 2),
        (1, 5, 640, 3),
        (1, 5, 1600, 3),
        (1, 8, 640, 4),
        (1, 24, 1600, 6),
        (1, 1, 1600, 2),
        (4, 8, 360, 4),
    ],
)
def test_as_many_panels_stand_side_by_side_as_there_is_room_for(
    photographs: int, methods: int, width: int, columns: int
) -> None:
    comparison = SimpleNamespace(batch=range(photographs), results=range(methods), width=width)
    assert explained.columns(comparison) == columns
