"""Measuring and judging the maps of the saliency page, through Streamlit's own test driver."""

from __future__ import annotations

import pytest

from pages.parts.saliency import verdicts


@pytest.fixture
def opened(app):
    app.query_params["methods"] = "Gradient,Grad-CAM"
    app.session_state["trust"] = True
    app.switch_page("pages/saliency.py").run()
    return reopened(app)


def reopened(app):
    app.session_state["trust"] = True
    app.run()
    assert not app.exception and not app.error
    return app


def view(app, name: str):
    app.segmented_control(key="evidence").set_value(name).run()
    assert not app.exception and not app.error
    return app


def said(app) -> str:
    return " ".join(one.value for one in (*app.markdown, *app.caption)).replace("\\", "")


def table(app, column: str):
    return next(one.value for one in app.dataframe if column in one.value.columns)


def test_nothing_is_measured_before_it_is_asked_for_and_the_cost_is_said(opened) -> None:
    assert not opened.toggle(key="judging").value
    assert "Judging takes up to " in said(opened) and "passes, about" in said(opened)
    assert "Turn on 'Judge these maps'" in said(opened)
    assert "re-initialized the map" not in said(opened)


def test_all_maps_are_judged_with_their_numbers_and_the_control_fails(opened) -> None:
    opened.toggle(key="judging").set_value(True).run()
    assert not opened.exception and not opened.error
    found = table(opened, "verdict").set_index("method")
    assert list(found.index) == ["Gradient", "Grad-CAM", "Random"]
    assert found["verdict"].isin(["supported", "mixed", "not supported", "unknown"]).all()
    assert found.loc["Random", "verdict"] == "not supported"
    assert found.loc["Random", "randomization"] == pytest.approx(1)
    assert "is judged by the same rules: **not supported**" in said(opened)
    # Each map carries its verdict, in the figure.
    figure = opened.get("plotly_chart")[0].proto.spec
    assert figure.count("not supported") >= 1
    assert opened.query_params["judging"] == "1"
    # The reasons stand in the panel.
    opened.selectbox(key="judged-method").set_value("Grad-CAM").run()
    assert "**Grad-CAM**: :" in said(opened) and "With more than half of the layers" in said(opened)


def test_several_photographs_are_judged_together_and_looked_at_one_by_one(app) -> None:
    app.query_params.update(model="digits", images="digits", methods="Gradient")
    app.session_state["trust"] = True
    opened = reopened(app.switch_page("pages/saliency.py"))
    opened.multiselect(key="beside").set_value([3, 5]).run()
    opened.toggle(key="judging").set_value(True).run()
    assert not opened.exception and not opened.error
    found = table(opened, "verdict")
    assert len(found) == 6 and found["image"].nunique() == 3
    reopened(opened)
    names = list(found["image"][:3])
    opened.selectbox(key="evidence-of").set_value(2).run()
    first = said(opened)
    opened.selectbox(key="evidence-of").set_value(0).run()
    assert first != said(opened)
    view(opened, "Shift and residual")
    assert list(table(opened, "share")["method"]) == ["Gradient", "Random"]
    assert len(set(names)) == 3


def test_a_verdict_that_is_not_ready_is_left_open() -> None:
    from interp.evaluation import Evidence, JudgedMethod

    (row,) = verdicts.rows(("a.png",), (JudgedMethod("Gradient", (Evidence(residual=0.1),)),))
    assert row["verdict"] is None and row["residual"] == 0.1 and row["deletion"] is None


def test_curves_stand_beside_the_control(opened) -> None:
    view(opened, "Deletion and insertion")
    opened.toggle(key="curved").set_value(True).run()
    assert not opened.exception and not opened.error
    areas = table(opened, "insertion")
    assert list(areas["method"]).count("Random") == 5
    assert {"Gradient", "Grad-CAM"} <= set(areas["method"])
    assert ((areas["deletion"] > 0) & (areas["insertion"] < 1)).all()


def test_agreement_is_drawn_at_once(opened) -> None:
    view(opened, "Agreement")
    assert "share of methods" in said(opened)


def test_the_film_of_forgetting(opened) -> None:
    view(opened, "Randomization")
    opened.toggle(key="forgetting").set_value(True).run()
    assert not opened.exception and not opened.error
    assert "have forgotten what they learned" in said(opened)


def test_the_shift_is_seen_without_a_verdict(opened) -> None:
    view(opened, "Shift and residual")
    assert "difference" not in table(opened, "share").columns
    opened.toggle(key="shifted").set_value(True).run()
    assert not opened.exception and not opened.error
    found = table(opened, "difference").set_index("method")
    assert found.loc["Gradient", "difference"] < 1e-3 < 0.3 < found.loc["Random", "difference"]
    assert found.loc["Random", "another draw"] == pytest.approx(found.loc["Random", "difference"], abs=0.1)


def test_annotations_are_measured_for_all_methods_at_once(opened) -> None:
    view(opened, "Annotations")
    # The scenes that the app opens with have masks of their objects.
    found = table(opened, "pointing")
    assert list(found["method"]) == ["Gradient", "Grad-CAM", "Random"]
    assert found["pointing"].isin(["hit", "miss"]).all()
    assert (found["overlap, chance"] < found["energy, chance"]).all()
    assert found.set_index("method").loc["Random", "overlap"] == pytest.approx(found["overlap, chance"][0], abs=0.05)


def test_without_annotations_it_says_how_to_bring_some(app) -> None:
    app.query_params.update(model="digits", images="digits", methods="Gradient")
    app.session_state["trust"] = True
    app.switch_page("pages/saliency.py").run()
    view(reopened(app), "Annotations")
    assert "Nobody has marked anything" in said(app)
