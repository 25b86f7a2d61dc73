"""A list stands at its default until something is chosen, also where what is shown changes the default."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest


def page() -> None:
    import streamlit as st

    from pages.parts.kit import controls

    default = st.text_input("Default", "b", key="which")
    controls.listed("Letter", "letter", ["a", "b", "c", "d"], default=default)


@pytest.fixture
def letters() -> AppTest:
    return AppTest.from_function(page)


def at(app: AppTest, default: str) -> str:
    app.text_input(key="which").set_value(default).run()
    assert not app.exception
    return app.selectbox(key="letter").value


def test_what_nobody_has_chosen_follows_its_default(letters: AppTest) -> None:
    letters.run()
    assert letters.selectbox(key="letter").value == "b"
    assert at(letters, "c") == "c" and "letter" not in letters.query_params
    assert at(letters, "a") == "a"


def test_what_was_chosen_stays(letters: AppTest) -> None:
    letters.run()
    letters.selectbox(key="letter").set_value("d").run()
    assert at(letters, "c") == "d" and letters.query_params["letter"] == "d"


def test_what_the_address_names_stays(letters: AppTest) -> None:
    letters.query_params["letter"] = "d"
    letters.run()
    assert at(letters, "c") == "d"
