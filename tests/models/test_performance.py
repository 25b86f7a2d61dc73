import time
import warnings

import numpy as np
import pytest
from jaxtyping import TypeCheckError

from interp.models import performance
from interp.models.performance import Filter, keep
from interp.models.predictions import Predictions, merge

NAN = float("nan")


def predictions(labels: list[int], predicted: list[int], confidence: list[float] | None = None) -> Predictions:
    """Predictions with a second guess that is the predicted class plus one."""
    first = np.array(confidence or [0.5] * len(labels), np.float32)
    top = np.array(predicted, np.int32)
    return Predictions(
        indices=np.arange(len(labels), dtype=np.int32) * 2,
        classes=np.stack([top, top + 1], axis=1).astype(np.int32),
        probabilities=np.stack([first, np.zeros_like(first)], axis=1),
        labels=np.array(labels, np.int32),
        label_probability=np.where(np.array(labels) >= 0, first, np.float32(NAN)),
    )


@pytest.fixture
def six() -> Predictions:
    """Two of class 0 (one right), three of class 2 (one right, two taken for 0), one without label, taken for 5."""
    return predictions([0, 0, 2, 2, 2, -1], [0, 1, 2, 0, 0, 5], [0.9, 0.6, 0.8, 0.4, 0.2, 0.7])


@pytest.fixture
def nothing() -> Predictions:
    return merge(())


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def test_accuracy_counts_labelled_images_only(six: Predictions):
    share = performance.accuracy(six)
    assert (share.hits, share.count, share.value) == (2, 5, 0.4)


def test_top_accuracy_counts_the_second_guess(six: Predictions):
    assert performance.top_accuracy(six, within=1).value == 0.4
    doubled = predictions([1, 1, 2], [0, 1, 0])
    assert performance.top_accuracy(doubled, within=2).hits == 2
    with pytest.raises(ValueError, match="top 0"):
        performance.top_accuracy(six, within=0)


@pytest.mark.parametrize(
    ("hits", "count", "low", "high"),
    [(8, 10, 0.4902, 0.9433), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (50, 100, 0.4038, 0.5962)],
)
def test_wilson_interval(hits: int, count: int, low: float, high: float):
    share = performance.share(hits, count)
    assert (share.low, share.high) == pytest.approx((low, high), abs=1e-4)


def test_wilson_interval_agrees_with_scipy():
    stats = pytest.importorskip("scipy.stats")
    interval = stats.binomtest(37, 61).proportion_ci(method="wilson")
    share = performance.share(37, 61)
    assert (share.low, share.high) == pytest.approx((interval.low, interval.high))


def test_per_class(six: Predictions):
    rows = performance.per_class(six).to_dict("records")
    assert [row["class"] for row in rows] == [0, 1, 2, 5]
    zero, one, two, five = rows
    assert (zero["count"], zero["labelled"], zero["right"], zero["accuracy"]) == (2, 2, 1, 0.5)
    assert zero["confidence"] == pytest.approx(0.75)
    assert (zero["mistake"], zero["mistakes"]) == (1, 1)
    assert (one["count"], one["mistake"], one["mistakes"]) == (0, -1, 0)
    assert np.isnan(one["accuracy"]) and np.isnan(one["confidence"])
    assert (two["count"], two["accuracy"], two["mistake"], two["mistakes"]) == (3, pytest.approx(1 / 3), 0, 2)
    assert (five["count"], five["labelled"]) == (1, 0)
    assert np.isnan(five["accuracy"]) and five["confidence"] == pytest.approx(0.7)


def test_most_frequent_mistake_is_the_lowest_class_among_equals():
    table = performance.per_class(predictions([3, 3], [2, 1])).set_index("class")
    assert table.loc[3, "mistake"] == 1


def test_per_class_of_a_part(six: Predictions):
    table = performance.per_class(six, six.labels == 2)
    assert table["class"].tolist() == [0, 2]
    assert table["count"].tolist() == [0, 3]


def test_confusion_gathers_the_rest(six: Predictions):
    matrix = performance.confusion(six, [2, 0])
    assert matrix.tolist() == [[1, 2, 0], [0, 1, 1], [0, 0, 0]]
    assert performance.confusion(six, [5]).tolist() == [[0, 0], [0, 5]]
    assert performance.confusion(six, []).tolist() == [[5]]


def test_confusion_agrees_with_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    labels, predicted = rng.integers(0, 7, (2, 300))
    ours = performance.confusion(predictions(labels.tolist(), predicted.tolist()), range(7))
    np.testing.assert_array_equal(ours[:7, :7], metrics.confusion_matrix(labels, predicted, labels=range(7)))
    assert ours[7].sum() == ours[:, 7].sum() == 0


@pytest.mark.parametrize("classes", [[1, 1], [-1, 2]])
def test_confusion_of_impossible_classes(six: Predictions, classes: list[int]):
    with pytest.raises(ValueError, match="different from one another"):
        performance.confusion(six, classes)


def test_confused_pairs(six: Predictions):
    first, second = performance.confused_pairs(six).to_dict("records")
    assert (first["label"], first["prediction"], first["count"]) == (2, 0, 2)
    assert first["share"] == pytest.approx(2 / 3) and first["confidence"] == pytest.approx(0.3)
    assert (second["label"], second["prediction"], second["share"]) == (0, 1, 0.5)


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        (Filter(), [0, 1, 2, 3, 4, 5]),
        (Filter(outcome="right"), [0, 2]),
        (Filter(outcome="wrong"), [1, 3, 4]),
        (Filter(classes=frozenset({0})), [0, 1, 3, 4]),
        (Filter(classes=frozenset({5})), [5]),
        (Filter(confidence=(0.5, 0.85)), [1, 2, 5]),
        (Filter(groups=frozenset({"even"})), [0, 2, 4]),
        (Filter(outcome="wrong", confidence=(0.3, 1.0), classes=frozenset({2})), [3]),
    ],
)
def test_filters(six: Predictions, filter: Filter, expected: list[int]):
    groups = [name for _ in range(3) for name in ("even", None, "odd", None)]
    assert np.flatnonzero(keep(six, filter, groups)).tolist() == expected


def test_a_probability_rounded_above_one_is_kept():
    above = predictions([0], [0], [1.0000001])
    assert keep(above, Filter()).all()


def test_filters_that_are_wrong(six: Predictions):
    with pytest.raises((ValueError, TypeCheckError), match="'good'"):
        Filter(outcome="good")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="from 0.8 to 0.2"):
        Filter(confidence=(0.8, 0.2))
    with pytest.raises(ValueError, match="groups"):
        keep(six, Filter(groups=frozenset({"odd"})))


def test_no_images(nothing: Predictions):
    share = performance.accuracy(nothing)
    assert share.count == 0 and np.isnan([share.value, share.low, share.high]).all()
    assert performance.per_class(nothing).empty and performance.confused_pairs(nothing).empty
    assert performance.confusion(nothing, [0, 3]).tolist() == [[0] * 3] * 3
    assert keep(nothing, Filter(outcome="wrong", classes=frozenset({1}))).shape == (0,)


def test_no_labels():
    unlabelled = predictions([-1, -1, -1], [4, 4, 1])
    assert np.isnan(performance.accuracy(unlabelled).value)
    table = performance.per_class(unlabelled)
    assert table["class"].tolist() == [1, 4] and table["count"].tolist() == [1, 2]
    assert table["accuracy"].isna().all()


def test_ten_thousand_images_of_a_thousand_classes_are_quick():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 1000, 10_000)
    predicted = np.where(rng.random(10_000) < 0.6, labels, rng.integers(0, 1000, 10_000))
    many = predictions(labels.tolist(), predicted.tolist())
    quickest = 1.0
    for _ in range(5):
        start = time.perf_counter()
        kept = keep(many, Filter(outcome="wrong", classes=frozenset(range(500))))
        performance.per_class(many, kept)
        performance.confusion(many, range(1000), kept)
        performance.confused_pairs(many, kept)
        performance.accuracy(many, kept)
        quickest = min(quickest, time.perf_counter() - start)
    assert quickest < 0.05
