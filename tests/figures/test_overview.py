import time

import numpy as np
import plotly.graph_objects as go
import pytest

from interp.figures import overview
from interp.models.predictions import Predictions, merge


def predictions(labels: list[int], predicted: list[int], scores: list[float], start: int = 0) -> Predictions:
    """Predictions whose confidence, and where it is right label probability, is the score."""
    top, own, score = np.array(predicted, np.int32), np.array(labels, np.int32), np.array(scores, np.float32)
    return Predictions(
        indices=np.arange(start, start + len(labels), dtype=np.int32),
        classes=top[:, None],
        probabilities=score[:, None],
        labels=own,
        label_probability=np.where(own < 0, np.nan, np.where(own == top, score, 1 - score)).astype(np.float32),
    )


def squares(shown: Predictions, classes_shown=(0, 1), keep=None, by="label", names=None) -> go.Figure:
    return overview.squares(
        shown,
        np.ones(len(shown), bool) if keep is None else keep,
        labels=("cat", "<b>dog</b>", "fish"),
        names=names or [f"image-{number}" for number in range(10_000)],
        classes_shown=classes_shown,
        by=by,
    )


def places(figure: go.Figure) -> dict[int, tuple[float, float]]:
    """Where each image stands, by its position in the set."""
    return {
        int(index): (float(x), float(y))
        for trace in figure.data
        for index, x, y in zip(trace.customdata, trace.x, trace.y, strict=True)
    }


@pytest.fixture
def six() -> Predictions:
    """Cats: right 0.9, right 0.6, taken for a dog (0.2). Dogs: right 0.7. Without label: 0.8 a dog, 0.5 a fish."""
    return predictions([0, 0, 0, 1, -1, -1], [0, 0, 1, 1, 1, 2], [0.9, 0.6, 0.8, 0.7, 0.8, 0.5], start=20)


def test_in_the_row_of_the_label_short_rows_show_the_score_itself(six: Predictions):
    where = places(squares(six))
    assert set(where) == {20, 21, 22, 23, 24}
    assert [where[index][0] for index in (22, 21, 20)] == pytest.approx([20, 60, 90])
    assert [where[index][0] for index in (23, 24)] == pytest.approx([70, 80])
    assert where[20][1] == where[21][1] == where[22][1] < where[23][1] == where[24][1]


def test_single_images_are_large_enough_to_click_wherever_their_score_is() -> None:
    figure = squares(predictions([0, 1], [0, 1], [0.99, 0.98]))
    assert figure.data[0].marker.size >= 10


def test_equal_scores_stand_side_by_side_on_the_axis():
    for score in (0.0, 1.0, 0.5):
        where = places(squares(predictions([0] * 5 + [1], [0] * 6, [score] * 6)))
        xs = sorted(where[index][0] for index in range(5))
        assert np.diff(xs).min() >= overview.WIDTH - 1e-4
        assert 0 <= xs[0] and xs[-1] <= 100


def test_long_rows_show_the_rank():
    count = overview.SPARSE + 1
    where = places(squares(predictions([0] * count, [0] * count, np.linspace(0.9, 0.3, count).tolist())))
    assert [where[index][0] for index in range(count)] == list(range(count))[::-1]


def test_rows_by_prediction(six: Predictions):
    where = places(squares(six, by="prediction"))
    assert where[22][1] == where[23][1] != where[21][1]


def test_rows_in_the_given_order(six: Predictions):
    figure = squares(six, classes_shown=(1, 0))
    assert places(figure)[23][1] < places(figure)[20][1]
    assert figure.layout.yaxis.ticktext == ("&lt;b&gt;dog&lt;/b&gt;", "cat")


def test_right_wrong_and_unlabelled_are_counted_and_told_apart(six: Predictions):
    traces = squares(six).data
    assert [trace.name for trace in traces] == ["3 right", "1 wrong", "1 without label"]
    assert len({trace.marker.color for trace in traces}) == len({trace.marker.symbol for trace in traces}) == 3


def test_only_what_is_kept(six: Predictions):
    assert set(places(squares(six, keep=six.right))) == {20, 21, 23}


def test_hover_says_name_prediction_and_label(six: Predictions):
    right, wrong, _ = squares(six, names=["a<b"] * 30).data
    assert right.text[1] == wrong.text[0] == "a&lt;b"
    assert right.hovertext[1] == "cat 90.0%"
    assert wrong.hovertext[0] == "&lt;b&gt;dog&lt;/b&gt; 80.0%, label cat 20.0%"


def test_full_rows_wrap_column_by_column():
    count = 2 * overview.COLUMNS + 1
    many = predictions([0] * count + [1], [0] * count + [1], [*np.linspace(0, 1, count), 0.5])
    where = places(squares(many))
    assert len(set(where.values())) == count + 1
    xs = [where[index][0] for index in range(count)]
    assert xs == sorted(xs) and max(xs) < overview.COLUMNS
    assert len({where[index][1] for index in range(count)}) == 3
    assert where[count][1] > max(where[index][1] for index in range(count))


def test_nothing_to_show_says_so():
    for figure in (squares(merge(())), squares(merge(()), classes_shown=())):
        assert not figure.data
        assert figure.layout.annotations[-1].text == "No image to show."


def test_ten_thousand_images_stay_small_and_quick():
    rng = np.random.default_rng(0)
    labels, predicted = rng.integers(0, 3, (2, 10_000))
    many = predictions(labels.tolist(), predicted.tolist(), rng.random(10_000).tolist())
    names = [f"val/n01440764/ILSVRC2012_val_{number:08}.JPEG" for number in range(10_000)]
    quickest = 1.0
    for _ in range(4):
        start = time.perf_counter()
        sent = squares(many, classes_shown=range(3), names=names).to_json()
        quickest = min(quickest, time.perf_counter() - start)
    assert len(sent) < 1_000_000
    # Far above what it takes, so that a busy machine does not fail it: a loop over images in Python would.
    assert quickest < 1.0


def test_top_classes_mark_the_label():
    figure = overview.top_classes(np.array([0.7, 0.2, 0.0001]), ["cat", "dog", "fish"], "dog")
    assert figure.layout.yaxis.ticktext == ("cat", "✓ dog", "fish")
    assert figure.data[0].marker.color[0] == figure.data[0].marker.color[2] != figure.data[0].marker.color[1]
    assert figure.data[0].text == ("70.0%", "20.0%", "&lt;0.1%")
    assert not figure.layout.annotations


def test_top_classes_without_the_label_say_so():
    figure = overview.top_classes(np.array([0.7, 0.2]), ["cat", "dog"], "fish")
    assert "fish" in figure.layout.annotations[0].text
    assert not overview.top_classes(np.array([0.7, 0.2]), ["cat", "dog"]).layout.annotations
