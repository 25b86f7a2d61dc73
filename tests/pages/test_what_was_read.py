"""The panel 'What was read', what can be set there, and sets whose files change while they are open."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from interp.figures import overview, saliency
from tests.images.drawing import coco


@pytest.fixture
def served(app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The app with a folder of scenes' names, two of three pictures marked."""
    folder = tmp_path / "sets" / "export"
    for i, name in enumerate(("train/a.png", "train/b.png", "valid/c.png")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (64, 48), (40 * i, 90, 120)).save(folder / name)
    images = [{"id": i, "file_name": name, "width": 64, "height": 48} for i, name in enumerate(("a.png", "b.png"))]
    marks = [{"id": i, "image_id": i, "category_id": 1, "bbox": [8, 8, 30, 30]} for i in range(2)]
    coco(folder / "train" / "_annotations.coco.json", images, marks, [{"id": 1, "name": "house"}])
    (folder / "broken.json").write_text("{")
    monkeypatch.setenv("LOUPE_IMAGES", str(tmp_path / "sets"))
    app.query_params["images"] = "export"
    return app


def captions(app: AppTest) -> str:
    return "\n".join(one.value for one in app.caption)


def test_the_sums_and_what_is_not_used_are_shown(served: AppTest) -> None:
    served.run()
    assert not served.exception and not served.error
    said = captions(served)
    assert (
        "Files there | 5" in said and "pictures of the set | 3" in said and "annotations and text, not used | 1" in said
    )
    assert "labelled by COCO | 2" in said and "without a label | 1" in said and "Marks | 2" in said
    assert "*not used:* **broken\\.json**" in said and "not valid JSON" in said
    assert any("What was read · 1 not used" in one.label for one in served.expander)


def test_a_set_that_changes_is_right_at_the_next_question(served: AppTest, tmp_path: Path) -> None:
    served.run()
    assert [one.value for one in served.metric if one.label == "Images"] == ["3"]
    Image.new("RGB", (64, 48), "red").save(tmp_path / "sets" / "export" / "train" / "d.png")
    served.run()
    assert [one.value for one in served.metric if one.label == "Images"] == ["4"]
    (tmp_path / "sets" / "export" / "valid" / "c.png").unlink()
    served.run()
    assert not served.exception and not served.error
    assert [one.value for one in served.metric if one.label == "Images"] == ["3"]


def test_a_set_whose_folder_goes_away_is_said_and_comes_back(served: AppTest, tmp_path: Path) -> None:
    served.run()
    (tmp_path / "sets" / "export").rename(tmp_path / "elsewhere")
    served.run()
    assert not served.exception and ["does not exist" in one.value for one in served.error] == [True]
    (tmp_path / "elsewhere").rename(tmp_path / "sets" / "export")
    served.run()
    assert not served.exception and not served.error
    assert [one.value for one in served.metric if one.label == "Images"] == ["3"]


def test_marks_that_are_named_can_be_chosen_between(served: AppTest) -> None:
    served.switch_page("pages/shared_interest.py")
    served.run()
    assert not served.exception and not served.error
    chosen = served.segmented_control(key="interest.marks")
    assert chosen.value == "Of its label" and list(chosen.options) == ["Of its label", "Of the class explained", "All"]
    chosen.set_value("All").run()
    assert not served.exception and served.query_params["interest.marks"] == "All"
    assert "against all marks" in captions(served)


def test_what_numbers_count_from_is_said_and_can_be_set(app: AppTest, tmp_path: Path, monkeypatch) -> None:
    for number in range(1, 11):
        (tmp_path / "numbers" / str(number)).mkdir(parents=True)
        Image.new("RGB", (64, 64), (20 * number, 90, 30)).save(tmp_path / "numbers" / str(number) / "a.png")
    monkeypatch.setenv("LOUPE_IMAGES", str(tmp_path))
    app.query_params.update({"images": "numbers", "model": "scenes-honest"})
    app.run()
    assert not app.exception and "they were counted from 1" in captions(app)
    app.segmented_control(key="numbering").set_value("0").run()
    assert not app.exception and "they were counted from 1" not in captions(app)
    assert "10 labels of the set are none of the classifier's classes" in captions(app)
    assert app.query_params["numbering"] == "0"


def test_what_shows_one_file_is_not_drawn_again_when_another_changes(
    served: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What changed within the last instant could change again and look the same.
    time.sleep(0.1)
    drawn: list[str] = []
    comparison, bars = saliency.comparison, overview.top_classes
    monkeypatch.setattr(saliency, "comparison", lambda *a, **k: drawn.append("maps") or comparison(*a, **k))
    monkeypatch.setattr(overview, "top_classes", lambda *a, **k: drawn.append("classes") or bars(*a, **k))
    for page, what in (("app.py", "classes"), ("pages/saliency.py", "maps")):
        drawn.clear()
        served.switch_page(page) if page != "app.py" else None
        for _ in range(8):
            served.run()
            time.sleep(0.1)
        served.selectbox(key="image").set_value(1).run()
        assert drawn and set(drawn) == {what}
        drawn.clear()
        Image.new("RGB", (64, 48), "red" if page == "app.py" else "green").save(tmp_path / "sets/export/valid/c.png")
        time.sleep(0.1)
        served.run()
        assert not served.exception and not served.error and not drawn
        served.selectbox(key="image").set_value(2).run()
        assert drawn == [what]
