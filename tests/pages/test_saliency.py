"""The saliency page through Streamlit's own test driver."""

from __future__ import annotations

from interp import attribution
from pages.parts import targets


def opened(app):
    app.run()
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
