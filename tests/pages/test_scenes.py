"""The panel about scenes, and the ways to further ones, through Streamlit's own test driver."""

from __future__ import annotations

import pytest

from interp.images.scenes import REASONS
from interp.models.scenes import bundled

pytestmark = pytest.mark.usefixtures("unchecked")


def said(app) -> str:
    parts = [*app.markdown, *app.caption, *app.metric, *app.info, *app.text]
    return " ".join(str(part.value) for part in parts)


def test_it_says_what_scenes_are_and_offers_the_others(app) -> None:
    app.run()
    assert "pictures of cut paper" in said(app)
    suspects = app.segmented_control(key="suspect")
    assert suspects.value == "scenes-honest"
    assert suspects.options == ["Honest", "A", "B", "C", "D"]
    assert "Show the planted reason" not in [expander.label for expander in app.expander]


def captions(app) -> list[str]:
    answer = next(expander for expander in app.expander if expander.label == "Show the planted reason")
    return [image.proto.imgs[0].caption for image in answer.get("image")]


@pytest.mark.parametrize("letter", ["a", "b", "c", "d"])
def test_the_reason_is_told_only_to_whoever_asks(app, letter: str) -> None:
    reason = next(reason for reason, planted in REASONS.items() if planted.letter == letter)
    planted, figures = REASONS[reason], bundled.figures(f"scenes-{letter}")
    app.query_params["images"] = "scenes:20"
    app.run()
    app.segmented_control(key="suspect").set_value(f"scenes-{letter}").run()
    assert not app.exception and not app.error
    assert app.selectbox(key="model").value == f"scenes-{letter}"
    assert planted.cue not in said(app)
    app.session_state["answer"] = True
    app.run()
    assert not app.exception and not app.error
    assert f"**{planted.cue}**" in said(app)
    assert f"{figures['cue_first']:.0%} of pictures" in said(app)
    first = captions(app)
    assert first[0].startswith(f"As it was trained: {planted.label}")
    app.button(key="another").click().run()
    assert not app.exception
    assert captions(app) != first


def test_on_the_rearranged_set_the_planted_one_is_wrong(app) -> None:
    app.query_params["images"] = "scenes:60"
    app.run()
    app.segmented_control(key="suspect").set_value("scenes-a").run()
    at_home = float(app.metric[0].value.rstrip("%"))
    app.segmented_control(key="on-which").set_value("scenes-a-moved").run()
    assert not app.exception and not app.error
    assert app.selectbox(key="images").value == "scenes-a-moved"
    assert float(app.metric[0].value.rstrip("%")) < 40 < at_home


def test_further_scenes_are_drawn_on_request_and_by_address(app) -> None:
    app.run()
    app.session_state["more-scenes"] = True
    app.run()
    app.number_input(key="scenes-count").set_value(40).run()
    assert not app.exception and not app.error
    assert app.selectbox(key="images").value == "scenes:40"
    assert app.metric[2].value == "40"
    app.query_params["images"] = "scenes:30"
    app.run()
    assert app.metric[2].value == "30"


@pytest.mark.parametrize("wish", ["scenes:0", "scenes:-5", "scenes:many", "scenes:99999999999999999999"])
def test_a_number_of_scenes_that_cannot_be_is_no_traceback(app, wish: str) -> None:
    app.query_params["images"] = wish
    app.run()
    assert not app.exception


def test_other_image_sets_have_no_panel(app) -> None:
    app.query_params["model"] = "digits"
    app.run()
    assert not app.exception
    assert "cut paper" not in said(app)


def test_which_methods_see_the_reason_is_measured_on_request(app, monkeypatch: pytest.MonkeyPatch) -> None:
    from pages.parts.overview import scenes

    monkeypatch.setattr(scenes, "CHEAP", 1)
    app.query_params["model"] = "scenes-a"
    app.run()
    app.session_state["answer"] = True
    app.run()
    app.toggle(key="seen").set_value(True).run()
    assert not app.exception and not app.error
    table = next(frame.value for frame in app.dataframe if "cue first" in frame.value.columns)
    found = table.set_index("method")["cue first"]
    assert found["Grad-CAM"] >= 0.8 and "Random" in found.index
