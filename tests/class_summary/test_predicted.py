"""Images that count by predictions count for the class that the network takes each for, one by one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from interp.class_summary import files, judging, labelled_as_predicted, summarize, summing
from interp.class_summary.__main__ import main
from interp.class_summary.predicted import predicted
from interp.images import ImageSet
from interp.models import match_set, predict
from interp.set_pass import returned
from interp.types import Classifier
from tests import colours
from tests.class_summary.sets import pictures, pixels_of

LAYERS = ("conv1", "conv2")
COUNT, BROKEN = 40, (7,)


def slow(classifier: Classifier, photos: ImageSet) -> list[int]:
    """The largest logit of each image that can be read, one at a time."""
    with torch.no_grad():
        return [int(classifier.module(one[None]).argmax()) for one in pixels_of(classifier, photos)]


def varied(classifier: Classifier) -> Classifier:
    """The classifier with its last biases so that each class is the largest for some of the pictures."""
    with torch.no_grad():
        pixels = pixels_of(classifier, pictures(classifier, (None,) * COUNT))
        logits = classifier.module(pixels)
        classifier.module.get_parameter("network.linear.bias").sub_(logits.median(dim=0).values)
    return replace(classifier, fingerprint="varied")


@pytest.fixture
def classifier(tiny: Classifier) -> Classifier:
    return varied(tiny)


def test_without_labels_counts_are_those_of_the_predicted_classes_image_by_image(classifier: Classifier) -> None:
    bare = pictures(classifier, (None,) * COUNT, broken=BROKEN)
    found, said = summarize(classifier, bare, by="predictions"), slow(classifier, bare)
    assert len(set(said)) == 3 and found.images.tolist() == np.bincount(said, minlength=3).tolist()
    assert found.by == "predictions" and found.unlabelled == 0 and [one.name for one in found.problems] == ["7.png"]
    one_by_one = [one for one in range(COUNT) if one not in BROKEN]
    for number in range(3):
        own = [position for position, one in zip(one_by_one, said, strict=True) if one == number]
        alone = summarize(classifier, pictures(classifier, ("cat",) * COUNT, broken=BROKEN), positions=own)
        for layer in LAYERS:
            assert (found.counts[layer][number] == alone.counts[layer][0]).all()
        assert (found.influences[LAYERS][number] == alone.influences[LAYERS][0]).all()
    with pytest.raises(ValueError, match=r"has a label that is a class of tiny-0.*counted by its predictions"):
        summarize(classifier, bare)


def test_where_labels_are_what_is_predicted_both_ways_give_the_same(classifier: Classifier) -> None:
    said = slow(classifier, pictures(classifier, (None,) * COUNT))
    labelled = pictures(classifier, [classifier.labels[one] for one in said])
    by_labels, by_predictions = summarize(classifier, labelled), summarize(classifier, labelled, by="predictions")
    assert replace(by_predictions, by="labels").fingerprint == by_labels.fingerprint
    some = [3, 9, 20, 5]
    other = summarize(classifier, labelled, positions=some, by="predictions")
    assert replace(other, by="labels").fingerprint == summarize(classifier, labelled, positions=some).fingerprint
    predictions = returned(predict(classifier, labelled))
    for number in range(3):
        one = returned(judging(classifier, labelled, LAYERS, 0.03, number, draws=5))
        two = returned(judging(classifier, labelled, LAYERS, 0.03, number, draws=5, predictions=predictions))
        assert one.fingerprint == two.fingerprint


def test_predictions_win_over_labels(classifier: Classifier) -> None:
    wrong = pictures(classifier, ("fish",) * COUNT)
    bare = pictures(classifier, (None,) * COUNT)
    found = summarize(classifier, wrong, by="predictions")
    assert found.fingerprint == summarize(classifier, bare, by="predictions").fingerprint
    assert found.images[2] < COUNT == summarize(classifier, wrong).images[2]


@pytest.mark.parametrize(
    "labels",
    [
        ("crane", "crane", "bee"),
        ("1", "2", "3"),
        ("2", "0", "1"),
        ("1, one", "2, two", "a tench"),
        ("n02085620", "n01440764", "0"),
        ("Bee", "bee", "b e e"),
    ],
    ids=str,
)
def test_each_image_is_of_the_class_that_is_predicted_whatever_classes_are_called(
    classifier: Classifier, labels: tuple[str, ...]
) -> None:
    called, photos = replace(classifier, labels=labels), pictures(classifier, ("2",) * COUNT, broken=BROKEN)
    found = labelled_as_predicted(called, photos, predicted(called, photos))
    read = iter(slow(classifier, photos))
    assert match_set(called, found).indices == tuple(None if one in BROKEN else next(read) for one in range(COUNT))
    assert found.names == photos.names and found.name == photos.name and found.fingerprint != photos.fingerprint


def test_predictions_of_something_else_are_refused(classifier: Classifier) -> None:
    photos, fewer = (pictures(classifier, (None,) * one) for one in (COUNT, 10))
    predictions = predicted(classifier, photos)
    with pytest.raises(ValueError, match="The predictions are not those of tiny-0 for pictures"):
        labelled_as_predicted(classifier, fewer, predictions)
    with pytest.raises(ValueError, match="The predictions are not those of tiny-0 for pictures"):
        labelled_as_predicted(replace(classifier, labels=("cat",)), photos, predictions)
    with pytest.raises(ValueError, match="The predictions are of none of the images"):
        returned(summing(classifier, photos, positions=[20], predictions=predicted(classifier, photos, [3, 4])))
    with pytest.raises(ValueError, match="could be read"):
        summarize(classifier, pictures(classifier, (None, None), broken=(0, 1)), by="predictions")
    with pytest.raises(ValueError, match="do not exclude each other"):
        summarize(replace(classifier, multi_label=True, link="sigmoid"), photos, by="predictions")


def test_the_command_counts_a_folder_without_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    colours.save_pictures(tmp_path / "bare", "")
    path = tmp_path / "summary.npz"
    given = ["run", "scenes-honest", str(tmp_path / "bare"), "-o", str(path), "--device", "cpu"]
    assert main(given) == 1
    assert "counted by its predictions" in capsys.readouterr().err and not path.exists()
    assert main([*given, "--by", "predictions"]) == 0
    found = files.load(path)
    assert found.by == "predictions" and found.images.sum() == 8 and not found.unlabelled
    assert "for the class that the classifier takes it for" in capsys.readouterr().out
