"""A part that was drawn without a result gets it, however the job and the page race."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


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
