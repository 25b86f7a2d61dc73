"""The Overview through Streamlit's own test driver."""

from __future__ import annotations

import pytest

import cache
from interp import models
from interp.batches import read_ahead


@pytest.mark.usefixtures("whole_sets")
def test_opens_with_a_result_and_an_example(app) -> None:
    app.run()
    assert not app.exception and not app.error
    assert app.metric[0].label == "Accuracy"
    assert float(app.metric[0].value.rstrip("%")) > 97
    assert app.metric[2].value == "600"
    assert app.selectbox(key="model").value == "scenes-honest"
    assert app.selectbox(key="images").value == "scenes"


@pytest.mark.usefixtures("whole_sets")
def test_the_example_is_the_most_confident_mistake(app) -> None:
    app.query_params["model"] = "digits"
    app.run()
    assert app.selectbox(key="images").value == "digits"
    classifier = models.load("digits")
    from interp import images

    photos = images.load("digits")
    labels = models.match_labels(photos.labels, classifier)
    predictions = cache.get(cache.call(models.predict, classifier, photos, labels=labels.indices))
    wrong = [i for i in range(len(predictions)) if predictions.predicted[i] != predictions.labels[i]]
    surest = max(wrong, key=lambda i: predictions.confidence[i])
    assert app.selectbox(key="image").value == predictions.indices[surest]


def test_a_rerun_computes_nothing_again(app, monkeypatch) -> None:
    asked = []

    def counted(*arguments, **keywords):
        asked.append(arguments)
        return read_ahead(*arguments, **keywords)

    monkeypatch.setattr("interp.set_pass.running.read_ahead", counted)
    # A set that no other test of this process has had predicted.
    app.query_params["images"] = "scenes:37"
    app.run()
    assert not app.exception and len(asked) == 1
    app.run()
    assert not app.exception and len(asked) == 1


@pytest.mark.usefixtures("whole_sets")
def test_filters_leave_only_what_they_say(app) -> None:
    app.query_params["model"] = "digits"
    app.run()
    app.segmented_control(key="outcome").set_value("Wrong").run()
    assert not app.exception
    table = next(frame.value for frame in app.dataframe if "accuracy" in frame.value.columns)
    assert table["right"].sum() == 0 and table["count"].sum() > 0


def test_no_image_passes_the_filters(app) -> None:
    app.run()
    app.slider(key="confidence").set_range(0, 1).run()
    assert not app.exception
    assert any("No image passes" in info.value for info in app.info)


def test_the_address_is_read_and_nonsense_in_it_ignored(app) -> None:
    app.query_params["outcome"] = "Wrong"
    app.query_params["confidence"] = "abc"
    app.query_params["classes"] = "3,999"
    app.query_params["image"] = "no-such-image"
    app.query_params["model"] = "../../etc/passwd"
    app.run()
    assert not app.exception and not app.error
    assert app.segmented_control(key="outcome").value == "Wrong"
    assert app.slider(key="confidence").value == (0, 100)
    assert app.multiselect(key="classes").value == []
    assert app.selectbox(key="model").value == "scenes-honest"


def test_a_model_that_cannot_be_had_leaves_the_pickers(app, monkeypatch) -> None:
    app.run()
    load = models.load

    def unreachable(name, **more):
        if name != "resnet18":
            return load(name, **more)
        raise ValueError(f"{name}: the weights could not be downloaded. Put the file into the folder.")

    monkeypatch.setattr(models, "load", unreachable)
    app.selectbox(key="model").set_value("resnet18").run()
    assert not app.exception
    assert "could not be downloaded" in app.error[0].value.replace("\\", "")
    app.selectbox(key="model").set_value("digits").run()
    assert not app.exception and not app.error


def test_of_images_without_a_label_none_is_called_right_or_wrong(app) -> None:
    # Scenes have none of the labels of digits.
    app.query_params["model"] = "digits"
    app.query_params["images"] = "scenes:8"
    app.run()
    assert not app.exception and app.metric[0].value == "–"
    table = next(frame.value for frame in app.dataframe if "accuracy" in frame.value.columns)
    assert table["count"].sum() == 8 and table["right"].isna().all() and table["accuracy"].isna().all()


def test_numbers_that_are_other_classes_are_said_to_be_none(app, tmp_path, monkeypatch) -> None:
    from PIL import Image

    (tmp_path / "index.csv").write_text("file,label\na.png,3\nb.png,200\n")
    for name in "ab":
        Image.new("RGB", (8, 8), (90, 60, 30)).save(tmp_path / f"{name}.png")
    monkeypatch.setenv("LOUPE_IMAGES", str(tmp_path))
    app.query_params["images"] = str(tmp_path)
    app.run()
    assert not app.exception and app.metric[0].value == "–"
    said = " ".join(one.value for one in app.caption)
    assert "2 labels of the set are none" in said and "count from 0 to 9" in said
