"""Measuring the maps of the saliency page, through Streamlit's own test driver."""

from __future__ import annotations

import pytest


@pytest.fixture
def opened(app):
    app.query_params["methods"] = "Gradient,Grad-CAM"
    app.run()
    app.session_state["trust"] = True
    app.switch_page("pages/saliency.py").run()
    app.session_state["trust"] = True
    app.run()
    assert not app.exception and not app.error
    return app


def test_nothing_is_measured_before_it_is_asked_for(opened) -> None:
    assert opened.segmented_control(key="evidence").value == "Verdict"
    assert not opened.toggle(key="judged").value
    assert not any("re-initialized" in markdown.value for markdown in opened.markdown[:-1])


def test_a_verdict_comes_with_its_numbers(opened) -> None:
    opened.selectbox(key="judge").set_value("Grad-CAM").run()
    opened.toggle(key="judged").set_value(True).run()
    assert not opened.exception and not opened.error
    said = " ".join(markdown.value for markdown in opened.markdown)
    assert "**Grad-CAM**: :" in said
    assert "Deletion: area" in said.replace("\\", "") or "Deletion says nothing" in said
    assert "With all layers re" in said.replace("\\", "")


def test_curves_stand_beside_the_control(opened) -> None:
    opened.segmented_control(key="evidence").set_value("Deletion and insertion").run()
    opened.toggle(key="curved").set_value(True).run()
    assert not opened.exception and not opened.error
    areas = opened.dataframe[-1].value
    assert list(areas["method"]).count("Random") == 5
    assert {"Gradient", "Grad-CAM"} <= set(areas["method"])
    assert ((areas["deletion"] > 0) & (areas["insertion"] < 1)).all()


def test_agreement_is_drawn_at_once(opened) -> None:
    opened.segmented_control(key="evidence").set_value("Agreement").run()
    assert not opened.exception and not opened.error
    assert any("share of methods" in caption.value for caption in opened.caption)


def test_the_film_of_forgetting(opened) -> None:
    opened.segmented_control(key="evidence").set_value("Randomization").run()
    opened.toggle(key="forgetting").set_value(True).run()
    assert not opened.exception and not opened.error
    assert any("have forgotten what they learned" in caption.value for caption in opened.caption)
