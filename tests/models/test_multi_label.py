"""Numbers of multi-label classifiers against scikit-learn's, and against cases by hand."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics

from interp import models
from interp.models import multi_label
from interp.models.multi_label import Assessed
from interp.models.predictions import predict
from interp.types import Classifier
from tests.models.test_ground_truth import photographs
from tests.steps import finished


@pytest.fixture
def random() -> Assessed:
    """Probabilities with many ties; class 4 is never present, and class 5 never predicted at 0.5."""
    rng = np.random.default_rng(3)
    shares = rng.integers(0, 21, (200, 6)).astype(np.float32) / 20
    shares[:, 5] *= 0.4
    present = rng.random((200, 6)) < 0.1 + 0.6 * shares
    present[:, 4] = False
    return Assessed(np.arange(200), shares, present, np.ones((200, 6), bool))


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.9])
def test_precision_recall_and_f1_are_scikit_learns(random: Assessed, threshold: float) -> None:
    table = multi_label.per_class(random, threshold)
    said = random.probabilities >= threshold
    own = metrics.precision_recall_fscore_support(random.present, said, average=None, zero_division=np.nan)
    for column, values in zip(("precision", "recall", "f1", "positives"), own, strict=True):
        np.testing.assert_allclose(table[column], values, rtol=1e-12)
    ranked = multi_label.ranking(random)
    for averaged, how in ((multi_label.macro(table, ranked), "macro"), (multi_label.micro(table, ranked), "micro")):
        mean = metrics.precision_recall_fscore_support(random.present, said, average=how, zero_division=np.nan)
        assert (averaged.precision, averaged.recall, averaged.f1) == pytest.approx(mean[:3], rel=1e-12)


def test_average_precision_is_scikit_learns(random: Assessed) -> None:
    ranked = multi_label.ranking(random)
    for index in (0, 1, 2, 3, 5):
        own = metrics.average_precision_score(random.present[:, index], random.probabilities[:, index])
        assert ranked.by_class[index] == pytest.approx(own, rel=1e-12)
    assert np.isnan(ranked.by_class[4])
    whole = metrics.average_precision_score(random.present, random.probabilities, average="micro")
    assert ranked.micro == pytest.approx(whole, rel=1e-12)
    mean = np.mean([ranked.by_class[index] for index in (0, 1, 2, 3, 5)])
    assert multi_label.macro(multi_label.per_class(random), ranked).average_precision == pytest.approx(mean)


def test_only_what_is_known_counts(random: Assessed) -> None:
    known = np.random.default_rng(4).random((200, 6)) < 0.5
    part = replace(random, known=known)
    table, ranked = multi_label.per_class(part), multi_label.ranking(part)
    for index in range(4):
        present, share = random.present[known[:, index], index], random.probabilities[known[:, index], index]
        own = metrics.precision_recall_fscore_support(present, share >= 0.5, average="binary")
        assert table.loc[index, ["precision", "recall", "f1"]].tolist() == pytest.approx(list(own[:3]))
        assert ranked.by_class[index] == pytest.approx(metrics.average_precision_score(present, share))
        assert table.loc[index, "judged"] == known[:, index].sum()
    assert table["above"].tolist() == (random.probabilities >= 0.5).sum(axis=0).tolist()


def test_labels_an_image_by_hand() -> None:
    shares = np.array([[0.9, 0.8, 0.7], [0.1, 0.2, 0.3], [0.5, 0.4, 0.9], [0.9, 0.9, 0.9]], np.float32)
    present = np.array([[1, 0, 1], [1, 0, 0], [0, 0, 0], [0, 0, 0]], bool)
    known = np.array([[1, 1, 1], [1, 1, 1], [1, 1, 0], [0, 0, 0]], bool)
    counts = multi_label.label_counts(Assessed(np.arange(4), shares, present, known))
    # 0.5 reaches the threshold of 0.5; the third class of the third image is not known of it.
    assert counts == multi_label.LabelCounts(images=3, present=1.0, predicted=4 / 3, without=1)


def test_nothing_known_says_nothing() -> None:
    nothing = Assessed(np.arange(2), np.full((2, 3), 0.7, np.float32), *np.zeros((2, 2, 3), bool))
    table, ranked = multi_label.per_class(nothing), multi_label.ranking(nothing)
    for averages in (multi_label.macro(table, ranked), multi_label.micro(table, ranked)):
        assert np.isnan([averages.precision, averages.recall, averages.f1, averages.average_precision]).all()
    assert table["above"].tolist() == [2, 2, 2]
    assert multi_label.label_counts(nothing).images == 0


def test_predictions_have_every_class_and_the_surest_of_an_images_labels(tiny: Classifier) -> None:
    several = replace(tiny, link="sigmoid", multi_label=True)
    sets = [frozenset({"cat", "dog"}), frozenset(), None, frozenset({"fish", "sofa"}), frozenset({"dog", "fish"})]
    photos = photographs(5, sets=sets)
    _, found = finished(predict(several, photos, batch_size=2))
    own = 1 / (1 + np.exp(-tiny.logits(tiny.prepare([one.image for one in photos])).double().numpy()))
    assert found.every is not None and found.every.step == 1
    np.testing.assert_allclose(found.every.probabilities, own, atol=1e-6)
    np.testing.assert_allclose(found.confidence, own.max(axis=1), atol=1e-6)
    of = [[0, 1], [], [], [2], [1, 2]]
    assert found.labels.tolist() == [
        max(some, key=lambda one, row=row: own[row, one], default=-1) for row, some in enumerate(of)
    ]
    assert found.right.tolist() == [int(own[row].argmax()) in some for row, some in enumerate(of)]
    truth = models.match_several(several, photos)
    part = multi_label.judged(found, truth, np.array([True, False, False, True, True]))
    assert part.indices.tolist() == [0, 3, 4] and part.present.tolist() == truth.present[[0, 3, 4]].tolist()


def test_of_large_sets_every_so_many_images_are_kept(tiny: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interp.models.predictions.LARGEST", 4 * 3 * 4)
    several = replace(tiny, link="sigmoid", multi_label=True)
    photos = photographs(10, sets=[frozenset({"cat"})] * 10)
    _, found = finished(predict(several, photos, batch_size=4))
    assert found.every is not None and found.every.step == 3
    assert found.every.indices.tolist() == [0, 3, 6, 9] and found.every.probabilities.shape == (4, 3)
    assert len(found) == 10
    assert multi_label.judged(found, models.match_several(several, photos)).present[:, 0].all()


def test_predictions_of_other_classifiers_are_refused(tiny: Classifier) -> None:
    photos = photographs(2, labels=["cat", "dog"])
    _, found = finished(predict(tiny, photos))
    assert found.every is None
    with pytest.raises(ValueError, match="lack the probabilities of every class"):
        multi_label.judged(found, models.match_several(tiny, photos))
