"""A part that was drawn without a result gets it, however the job and the page race."""

from __future__ import annotations

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext
from streamlit.testing.v1 import AppTest

from pages.parts.kit import waiting


def page() -> None:
    import streamlit as st

    from pages.parts.kit import waiting

    class Job:
        """Its value comes while the page is drawn: after the first look, before the second."""

        key, value, remarks, partial = "late", 7, (), ()
        looks = 0

        @property
        def state(self) -> str:
            return "done" if self.looks > 1 else "running"

        def wait(self, timeout: float) -> None:
            self.looks += 1

    job = st.session_state.setdefault("job", Job())
    waiting.begin()
    st.markdown(f"above: {job.value if waiting.there(job) else 'nothing yet'}")
    if waiting.settled(job):
        st.markdown(f"below: {job.value}")


def test_what_comes_while_the_page_is_drawn_stands_in_all_of_its_parts() -> None:
    app = AppTest.from_function(page).run()
    assert [one.value for one in app.markdown] == ["above: 7", "below: 7"]
    assert app.session_state["job"].looks == 4


@pytest.mark.parametrize(
    ("waited", "ahead", "left", "expected"),
    [
        (0.0, 0, None, 0.4),
        (2.0, 0, 0.1, 0.4),
        (15.0, 0, None, 1.3),
        (300.0, 0, None, 4.0),
        (300.0, 14, 0.5, 4.0),
        (300.0, 0, 0.5, 0.4),
        (300.0, 0, 3.1, 3.0),
        (0.0, 14, None, 1.3),
    ],
)
def test_a_page_asks_more_seldom_the_longer_it_waits_and_the_more_wait(waited, ahead, left, expected) -> None:
    assert waiting.interval(waited, ahead, left) == expected


def test_a_tab_that_waits_a_minute_asks_a_third_as_often_as_every_time() -> None:
    now, asked = 0.0, 0
    while now < 60:
        now += waiting.interval(now, 0, None)
        asked += 1
    assert asked < 60 / 0.4 / 3


def long_page() -> None:
    import streamlit as st

    import cache
    from pages.parts.kit import waiting
    from tests.cache import questions

    visitor = st.session_state.setdefault("visitor", cache.Visitor())
    job = visitor.ask("a", cache.call(questions.parts, "long", 4000, pause=0.01), disk=False, device="test-watched")
    job._asked -= st.session_state.get("before", 0.0)
    if waiting.settled(job):
        st.markdown("done")


def test_how_often_a_part_is_run_is_told_anew_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[float] = []
    enqueue = ScriptRunContext.enqueue

    def heard(context: ScriptRunContext, message: ForwardMsg) -> None:
        if message.WhichOneof("type") == "auto_rerun":
            assert message.auto_rerun.fragment_id
            told.append(round(message.auto_rerun.interval, 1))
        enqueue(context, message)

    monkeypatch.setattr(ScriptRunContext, "enqueue", heard)
    app = AppTest.from_function(long_page).run()
    app.session_state["before"] = 100.0
    app.run()
    app.session_state["visitor"].close()
    assert told == [0.4, 4.0]
