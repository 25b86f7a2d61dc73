"""The saliency page through Streamlit's own test driver."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
import torch

from interp import attribution, evaluation
from interp.types import Images
from pages.parts.kit import targets
from pages.parts.saliency import closeup


def opened(app):
    app.switch_page("pages/saliency.py").run()
    return app


def test_opens_with_all_methods_and_the_control(app) -> None:
    opened(app)
    assert not app.exception and not app.error
    table = app.dataframe[0].value
    assert set(table["method"]) == {"Gradient", "Integrated Gradients", "Grad-CAM", "Occlusion", "Random"}
    assert (table["seconds"] >= 0).all() and table["passes"].max() > 10


def test_fewer_methods_keep_the_control(app) -> None:
    opened(app)
    app.multiselect(key="methods").set_value(["Gradient"]).run()
    assert not app.exception
    assert list(app.dataframe[0].value["method"]) == ["Gradient", "Random"]


def test_no_method_leaves_the_control(app) -> None:
    opened(app)
    app.multiselect(key="methods").set_value([]).run()
    assert not app.exception
    assert list(app.dataframe[0].value["method"]) == ["Random"]


def gradient_sum(app, **choices: str) -> float:
    opened(app)
    for key, value in {"methods": "Gradient", **choices}.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception
    return float(app.dataframe[0].value.set_index("method")["sum"]["Gradient"])


def test_a_contrast_is_the_difference_of_two_targets(app) -> None:
    three = gradient_sum(app, target="3")
    contrast = gradient_sum(app, target="3", against="8")
    eight = gradient_sum(app, target="8", against="-2")
    assert abs(contrast - (three - eight)) < 1e-3 * max(abs(three), abs(eight), 1)


def test_any_class_can_be_chosen_from_the_whole_list(app) -> None:
    opened(app)
    assert len(app.selectbox(key="target").options) == 7
    app.selectbox(key="target").set_value(targets.OTHER).run()
    app.selectbox(key="target-other").set_value(7).run()
    assert not app.exception
    assert app.query_params["target"] == "7"
    assert any("the score of **teapot**" in caption.value for caption in app.caption)


def test_the_same_view_is_not_computed_twice(app, monkeypatch) -> None:
    opened(app)
    calls = []
    original = attribution.compare

    def counted(*arguments, **keywords):
        calls.append(1)
        yield from original(*arguments, **keywords)

    counted.__module__, counted.__qualname__ = original.__module__, original.__qualname__
    monkeypatch.setattr(attribution, "compare", counted)
    app.segmented_control(key="view").set_value("Heatmap").run()
    app.segmented_control(key="scale").set_value("Shared").run()
    assert not app.exception and calls == []
    app.selectbox(key="image").set_value(5).run()
    assert calls == [1]


def test_how_to_read_names_every_method_with_its_source(app) -> None:
    opened(app)
    text = " ".join(markdown.value for markdown in app.markdown)
    for title in ("Gradient", "Integrated Gradients", "Grad-CAM", "Occlusion", "Random"):
        assert f"**{title}.**" in text
    assert "Sundararajan" in text and "Selvaraju" in text


def test_a_preset_takes_its_methods(app) -> None:
    opened(app)
    assert app.selectbox(key="preset").value == "The classics"
    app.selectbox(key="preset").set_value("Fast: a few passes").run()
    assert not app.exception and not app.error
    assert {"LRP", "DeepLIFT", "Guided Backprop", "Sensitivity"} <= set(app.dataframe[0].value["method"])
    assert "Occlusion" not in set(app.dataframe[0].value["method"])
    app.multiselect(key="methods").set_value(["LRP", "Gradient SHAP"]).run()
    assert not app.exception and not app.error
    assert app.selectbox(key="preset").value is None
    table = app.dataframe[0].value.set_index("method")
    assert "20 references" in table["parameters"]["Gradient SHAP"]
    assert table["residual"].notna()["LRP"]


def test_what_cannot_run_is_not_offered_and_says_why(app, monkeypatch) -> None:
    from interp.attribution import lrp

    def refuse(self, classifier) -> None:
        raise ValueError("LRP has no rule for what this classifier does in torch.fft.")

    monkeypatch.setattr(lrp.Lrp, "check", refuse)
    # A classifier that no other test asks about: answers are kept.
    app.query_params["model"] = "scenes-c"
    opened(app)
    assert "LRP" not in app.multiselect(key="methods").options
    assert any("torch.fft" in text.value for text in app.text)


def test_several_photographs_each_have_their_own_prediction(app) -> None:
    app.query_params["methods"] = "Gradient,Grad-CAM"
    app.query_params["beside"] = "boat-0001|no-such-image|car-0003"
    opened(app)
    assert not app.exception and not app.error
    table = app.dataframe[0].value
    assert len(table) == 3 * 3
    predicted = dict(zip(table["image"], table["class"], strict=True))
    assert predicted["boat-0001"] == "boat" and predicted["car-0003"] == "car" and len(predicted) == 3
    app.selectbox(key="target").set_value(targets.OTHER).run()
    app.selectbox(key="target-other").set_value(7).run()
    assert not app.exception
    assert set(app.dataframe[0].value["class"]) == {"teapot"}
    app.segmented_control(key="scale").set_value("By method").run()
    assert not app.exception


def test_only_what_speaks_against_is_drawn_and_said(app) -> None:
    app.query_params["methods"] = "Gradient"
    opened(app)
    app.segmented_control(key="part").set_value("Against").run()
    assert not app.exception
    assert any("Only what speaks against it is drawn" in caption.value for caption in app.caption)


def test_each_photograph_can_have_a_class_of_its_own(app) -> None:
    app.query_params["methods"] = "Gradient"
    app.query_params["beside"] = "boat-0001|car-0003"
    opened(app)
    app.selectbox(key="target").set_value(targets.OWN).run()
    own = [box for box in app.selectbox if (box.key or "").startswith("target.")]
    assert len(own) == 3
    own[1].set_value(7) if 7 in own[1].options else own[1].set_value(targets.OTHER)
    app.run()
    if app.session_state[own[1].key] == targets.OTHER:
        app.selectbox(key=f"{own[1].key}-other").set_value(7).run()
    assert not app.exception
    table = app.dataframe[0].value.query("method == 'Gradient'")
    assert list(table["class"])[1:] == ["teapot", "car"]
    assert app.query_params[own[1].key] == "7"


def test_each_photograph_against_its_next_likely_class(app) -> None:
    app.query_params["methods"] = "Gradient"
    app.query_params["beside"] = "boat-0001"
    opened(app)
    predicted = app.dataframe[0].value.set_index(["method", "image"])["sum"]
    app.selectbox(key="against").set_value(targets.SECOND).run()
    assert not app.exception
    contrast = app.dataframe[0].value.set_index(["method", "image"])["sum"]
    assert (contrast["Gradient"] != predicted["Gradient"]).all()
    assert all(" over " in both for both in app.dataframe[0].value["class"])


def test_a_long_comparison_says_its_seconds_and_memory(app) -> None:
    opened(app)
    app.run()
    [plan] = [caption.value for caption in app.caption if caption.value.startswith("Takes")]
    assert re.search(r"Takes \d+ forward-and-backward passes: about \d+ s, and \d+ MB", plan)


def test_a_map_is_opened_large_from_the_list_and_by_a_link(app) -> None:
    app.query_params["methods"] = "Gradient,Grad-CAM"
    opened(app)
    assert not any("Known pitfalls" in one.value and "#### " in one.value for one in app.markdown)
    app.selectbox(key="large-chosen").set_value(("Grad-CAM", app.query_params["image"])).run()
    assert not app.exception and app.query_params["large"] == "Grad-CAM"
    assert any(one.value.startswith("#### Grad-CAM · ") for one in app.markdown)
    table = next(one.value for one in app.markdown if one.value.startswith("| Explains |"))
    assert "| Largest |" in table and "features" not in table.partition("| Parameters |")[0]
    app.button(key="large-Next").click().run()
    assert not app.exception and app.session_state["large"] == "Random"
    app.session_state["large"] = ""
    app.run()
    assert "large" not in app.query_params and not any("#### " in one.value for one in app.markdown)


def test_a_link_to_a_map_that_is_not_there_opens_nothing(app) -> None:
    app.query_params["large"] = "No such method"
    opened(app)
    assert not app.exception and not any("#### " in one.value for one in app.markdown)


def test_a_click_on_a_panel_opens_the_map_that_was_there(app) -> None:
    app.query_params["methods"] = "Gradient,Grad-CAM"
    app.query_params["beside"] = "boat-0001"
    opened(app)
    kept = {}
    comparison = _comparison_of(app)
    for panel, large in (("x2y3", "Grad-CAM|boat-0001"), ("xy", ""), ("x9y9", ""), ("nonsense", "")):
        kept["large"], kept["panels"] = "", {"panel": panel}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(closeup.st, "session_state", kept)
            closeup._clicked(comparison)
        assert kept["large"] == large


def _comparison_of(app):
    """What `_clicked` needs of a comparison: which maps there are, and of how many photographs."""
    named = [SimpleNamespace(title=title) for title in ("Gradient", "Grad-CAM", "Random")]
    batch = Images(torch.zeros(2, 3, 1, 1), (app.query_params["image"], "boat-0001"))
    return SimpleNamespace(results=[(one, None) for one in named], batch=batch)


def test_contours_are_said(app) -> None:
    app.query_params["methods"] = "Grad-CAM"
    app.query_params["view"] = "Contour"
    opened(app)
    assert not app.exception and not app.error
    assert any("Lines enclose the strongest 5, 10 and 25%" in caption.value for caption in app.caption)


def test_bfloat16_is_used_only_where_it_was_measured_to_bear_it(app, monkeypatch) -> None:
    app.query_params["methods"] = "Gradient,Grad-CAM"
    opened(app)
    assert set(app.dataframe[0].value["precision"]) == {"float32"}
    monkeypatch.setattr(evaluation.ReducedPrecision, "offered", property(lambda one: one.method.title == "Grad-CAM"))
    app.query_params["bfloat16"] = "1"
    app.run()
    assert not app.exception
    table = app.dataframe[0].value.set_index("method")["precision"]
    assert dict(table) == {"Random": "float32", "Gradient": "float32", "Grad-CAM": "bfloat16"}
    assert any(re.search(r"^- Gradient: .*\n- \*\*Grad-CAM\*\*: ", one.value) for one in app.markdown)
    assert any("**Computed in bfloat16: Grad-CAM.**" in one.value for one in app.caption)


def test_bfloat16_is_measured_once_the_offer_is_opened(app) -> None:
    app.query_params["methods"] = "Gradient"
    opened(app)
    assert "rounding" in app.session_state and not any("Gradient: " in one.value for one in app.markdown)
    app.session_state["rounding"] = True
    app.run()
    [line] = [one.value for one in app.markdown if re.match(r"- (\*\*)?Gradient", one.value)]
    assert re.search(r"[01]\.\d{3} in \d+\.\d\d of the time", line)
    assert set(app.dataframe[0].value["precision"]) == {"float32"}
