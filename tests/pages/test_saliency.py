"""The saliency page through Streamlit's own test driver."""

from __future__ import annotations

from interp import attribution


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
    app.pills(key="methods").set_value(["Gradient"]).run()
    assert not app.exception
    assert list(app.dataframe[0].value["method"]) == ["Gradient", "Random"]


def test_no_method_leaves_the_control(app) -> None:
    opened(app)
    app.pills(key="methods").set_value([]).run()
    assert not app.exception
    assert list(app.dataframe[0].value["method"]) == ["Random"]


def test_a_contrast_is_the_difference_of_two_targets(app) -> None:
    opened(app)
    app.pills(key="methods").set_value(["Gradient"]).run()
    app.selectbox(key="target").set_value(3).run()
    three = app.dataframe[0].value.set_index("method")["sum"]["Gradient"]
    app.selectbox(key="target").set_value(8).run()
    eight = app.dataframe[0].value.set_index("method")["sum"]["Gradient"]
    app.selectbox(key="target").set_value(3).run()
    app.selectbox(key="against").set_value(8).run()
    contrast = app.dataframe[0].value.set_index("method")["sum"]["Gradient"]
    assert not app.exception
    assert abs(contrast - (three - eight)) < 1e-3 * max(abs(three), abs(eight), 1)


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
    for title in attribution.METHODS:
        assert f"**{title}.**" in text
    assert "Sundararajan" in text and "Selvaraju" in text
