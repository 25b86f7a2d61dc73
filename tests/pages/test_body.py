"""What is chosen in a page's body draws the body alone, unless the frame has to do with it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pages.parts.frame import layout
from pages.parts.kit import pickers


class Again(Exception):
    """The whole page is drawn again."""


@pytest.fixture
def body(monkeypatch: pytest.MonkeyPatch):
    """Draws a body; `.alone` says whether as a fragment, and `.sets`, `.model` and `.files` can be changed."""
    now = SimpleNamespace(alone=True, sets=("scenes",), model=("digits",), files=False, drawn=0)

    def again() -> None:
        raise Again

    def draw(selection) -> None:
        now.drawn += 1

    def run() -> None:
        selection = SimpleNamespace(photos=SimpleNamespace(changed=lambda: now.files), scope=None, classifier=None)
        layout._body.__wrapped__(draw, selection, (("digits",), ("scenes",)))

    context = SimpleNamespace(fragment_ids_this_run=["body"])
    monkeypatch.setattr(layout, "get_script_run_ctx", lambda: context if now.alone else SimpleNamespace(
        fragment_ids_this_run=None))  # fmt: skip
    monkeypatch.setattr(layout.over_set, "expect_features", lambda *given: None)
    monkeypatch.setattr(layout.classifiers, "state", lambda: now.model)
    monkeypatch.setattr(layout.image_sets, "state", lambda: now.sets)
    monkeypatch.setattr(layout.waiting, "begin", lambda: None)
    monkeypatch.setattr(layout.st, "rerun", again)
    now.run = run
    return now


def test_a_body_is_drawn_alone_where_nothing_of_the_frame_has_changed(body) -> None:
    body.run()
    assert body.drawn == 1


@pytest.mark.parametrize(("what", "value"), [("sets", ("selected",)), ("model", ("other",)), ("files", True)])
def test_the_whole_page_is_drawn_where_the_frame_has_to_do_with_it(body, what: str, value: object) -> None:
    setattr(body, what, value)
    with pytest.raises(Again):
        body.run()
    assert not body.drawn


def test_with_the_frame_a_body_is_drawn_whatever_has_changed_meanwhile(body) -> None:
    body.alone, body.files = False, True
    body.run()
    assert body.drawn == 1


def test_a_button_that_makes_a_set_leads_on_to_its_page_once(monkeypatch: pytest.MonkeyPatch) -> None:
    state: dict[str, object] = {}
    gone: list[str] = []
    monkeypatch.setattr(pickers.st, "session_state", state)
    monkeypatch.setattr(pickers.st, "switch_page", gone.append)
    monkeypatch.setattr(pickers.image_sets, "subset", lambda photos, positions: ("part", positions))
    pickers.keep(object(), [4, 7], 7, "pages/embeddings.py")  # type: ignore[arg-type]
    assert state["image"] == 1 and state["images"] == pickers.SELECTED and state[pickers.SELECTED] == ("part", [4, 7])
    pickers.go_on()
    pickers.go_on()
    pickers.keep(object(), [4, 7], 3)  # type: ignore[arg-type]
    pickers.go_on()
    assert gone == ["pages/embeddings.py"]
