"""Attribution over a set against that of single images; summaries by hand; pairs of classes; what is left out."""

import numpy as np
import pytest
from PIL import Image

import cache
from interp import channels, models, set_pass
from interp.channels.over_set import AttributionPass, SetAttribution, SetTarget, among, summary
from interp.channels.pairs import confused
from interp.images import ImageSet, UnreadableImage
from interp.images.decoding import DecodedImage
from interp.models.predictions import Predictions
from interp.types import Classifier, Target

LABELS = ("cat", "dog", None, "fish", "dog", "broken", "zebra")


@pytest.fixture
def photos() -> ImageSet:
    """Seven seeded pictures: one without label, one that cannot be read, one of an unknown class."""

    def read(position: int) -> DecodedImage:
        if LABELS[position] == "broken":
            raise UnreadableImage(f"{position}.png", "the file is damaged")
        pixels = np.random.default_rng(position).integers(0, 255, (16, 16, 3), np.uint8)
        return DecodedImage(Image.fromarray(pixels))

    return ImageSet(
        name="seven",
        description="",
        fingerprint="seven",
        names=[f"{one}.png" for one in range(len(LABELS))],
        read=read,
        label_forms={"label": LABELS},
    )


def finished(steps):
    """What a generator returns, and how often it yields."""
    count = 0
    while True:
        try:
            next(steps)
            count += 1
        except StopIteration as stop:
            return stop.value, count


def single(classifier: Classifier, photos: ImageSet, position: int, target: Target, layer: str) -> np.ndarray:
    batch = classifier.prepare([photos[position].image])
    return channels.attribute(classifier, batch, target, layer).values[0].numpy()


@pytest.mark.parametrize("layer", ["conv1", "conv2"])
def test_each_image_has_the_attribution_that_it_has_alone(tiny: Classifier, photos: ImageSet, layer: str) -> None:
    [[found], yields] = finished(set_pass.once(AttributionPass(), tiny, photos, (SetTarget(layer),), batch_size=3))
    assert found.positions.tolist() == [0, 1, 2, 3, 4, 6] and yields == 3
    for row, position in enumerate(found.positions.tolist()):
        batch = tiny.prepare([photos[position].image])
        probabilities = tiny.probabilities(batch)[0]
        assert found.positive[row] == found.predicted[row] == int(probabilities.argmax())
        assert found.probability[row] == pytest.approx(float(probabilities.max()), rel=1e-5)
        expected = single(tiny, photos, position, Target(int(found.positive[row])), layer)
        np.testing.assert_allclose(found.values[row], expected, rtol=1e-4, atol=1e-6)
        assert found.scores[row] == pytest.approx(float(tiny.logits(batch)[0].max()), rel=1e-5)
    assert [one.name for one in found.problems] == ["5.png"] and (found.negative == -1).all()


def test_several_questions_share_a_forward_pass_and_answer_as_alone(tiny: Classifier, photos: ImageSet) -> None:
    questions = (
        SetTarget("conv2", "label"),
        SetTarget("conv1", "predicted", "next"),
        SetTarget("conv2", 1, 0),
    )
    together, _ = finished(set_pass.once(AttributionPass(), tiny, photos, questions))
    for target, found in zip(questions, together, strict=True):
        [[alone], _] = finished(set_pass.once(AttributionPass(), tiny, photos, (target,)))
        assert alone.target == target and found.positions.tolist() == alone.positions.tolist()
        np.testing.assert_allclose(found.values, alone.values, rtol=1e-5, atol=1e-7)
        np.testing.assert_array_equal(found.negative, alone.negative)
    labelled, contrast, fixed = together
    assert labelled.positions.tolist() == [0, 1, 3, 4], "no label, and an unknown one, leave nothing to explain"
    assert labelled.positive.tolist() == [0, 1, 2, 1] and len(labelled.problems) == 3
    for row, position in enumerate(contrast.positions.tolist()):
        first, second = tiny.logits(tiny.prepare([photos[position].image]))[0].topk(2).indices.tolist()
        assert (contrast.positive[row], contrast.negative[row]) == (first, second)
        expected = single(tiny, photos, position, Target(first, second), "conv1")
        np.testing.assert_allclose(contrast.values[row], expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(fixed.values[0], single(tiny, photos, 0, Target(1, 0), "conv2"), rtol=1e-4, atol=1e-6)


def test_an_image_of_the_class_it_is_set_against_is_left_out_by_name(tiny: Classifier, photos: ImageSet) -> None:
    [[found], _] = finished(set_pass.once(AttributionPass(), tiny, photos, (SetTarget("conv2", "label", 1),)))
    assert found.positions.tolist() == [0, 3]
    reasons = {one.name: one.reason for one in found.problems}
    assert "set against" in reasons["1.png"] and "no label" in reasons["2.png"]


def test_chosen_positions_keep_their_order_and_chunks_make_the_whole(
    tiny: Classifier, photos: ImageSet, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOUPE_CACHE", str(tmp_path))
    target, order = SetTarget("conv2"), np.array([6, 0, 5, 3, 1])
    [[whole], _] = finished(set_pass.once(AttributionPass(), tiny, photos, (target,), order))
    assert whole.positions.tolist() == [6, 0, 3, 1]
    asked = (AttributionPass(2, 2), tiny, photos, (target,), order)
    [[chunked], _] = finished(set_pass.by_chunks(*asked, kept=cache.CachedItems()))
    np.testing.assert_allclose(chunked.values, whole.values, rtol=1e-5, atol=1e-7)
    assert chunked.positions.tolist() == whole.positions.tolist() and chunked.problems == whole.problems
    # The second time no pass is needed.
    monkeypatch.setattr(tiny.module, "forward", lambda pixels: pytest.fail("it was computed before"))
    [[again], _] = finished(set_pass.by_chunks(*asked, kept=cache.CachedItems()))
    np.testing.assert_array_equal(again.values, chunked.values)


def test_nothing_readable_gives_no_rows(tiny: Classifier, photos: ImageSet) -> None:
    [[found], _] = finished(set_pass.once(AttributionPass(), tiny, photos, (SetTarget("conv2"),), [5]))
    assert len(found) == 0 and found.values.shape == (0, 6) and len(found.problems) == 1
    with pytest.raises(ValueError, match="no images to sum up"):
        summary(found)


def made(values: list[list[float]]) -> SetAttribution:
    array = np.array(values, np.float32)
    whole, rows = np.zeros(len(array), np.int32), np.zeros(len(array), np.float32)
    return SetAttribution(SetTarget("made-up"), np.arange(len(array), dtype=np.int32), *[whole] * 3, rows, rows, array)


def test_summary_by_hand() -> None:
    told = summary(made([[3, 0, -1], [1, 2, -3], [2, 4, 5]]), top=1)
    np.testing.assert_allclose(told.mean, [2, 2, 1 / 3], rtol=1e-6)
    np.testing.assert_allclose(told.deviation[:2], [np.sqrt(2 / 3), np.sqrt(8 / 3)], rtol=1e-6)
    np.testing.assert_allclose(told.quartiles[:, 0], [1.5, 2, 2.5])
    np.testing.assert_allclose(told.supporting, [1 / 3, 1 / 3, 1 / 3])
    # In the third image nothing opposes, so no channel does most.
    np.testing.assert_allclose(told.opposing, [0, 0, 2 / 3])


def test_only_what_is_positive_is_among_the_strongest() -> None:
    found = among(np.array([[1, 2, 0, -5], [-1, -2, -3, -4], [1, 1, 1, 1]], np.float32), 2)
    assert found.tolist() == [[True, True, False, False], [False] * 4, [True, True, False, False]]
    with pytest.raises(ValueError, match="top 0"):
        among(np.zeros((1, 1), np.float32), 0)


def predictions(classes: list[list[int]], labels: list[int], probabilities: list[list[float]]) -> Predictions:
    own = np.array(labels, np.int32)
    return Predictions(
        np.arange(len(own), dtype=np.int32),
        np.array(classes, np.int32),
        np.array(probabilities, np.float32),
        own,
        np.zeros(len(own), np.float32),
    )


def test_mistakes_count_either_way() -> None:
    """3 taken for 1 twice and 1 for 3 once; 0 for 2 once; one is right, and one has no label."""
    found = confused(
        predictions([[1, 3], [1, 3], [3, 1], [2, 0], [0, 1], [2, 1]], [3, 3, 1, 0, 0, -1], [[0.9, 0.1]] * 6)
    )
    assert [(one.first, one.second, one.images, one.by) for one in found] == [
        (3, 1, 3, "mistakes"),
        (0, 2, 1, "mistakes"),
    ]
    assert found[0].probability == pytest.approx(0.9)
    assert len(confused(predictions([[1, 0], [2, 0]], [0, 0], [[0.5, 0.4]] * 2), most=1)) == 1


def test_without_a_mistake_the_nearest_classes_are_offered() -> None:
    found = confused(predictions([[0, 1], [1, 0], [2, 0]], [0, 1, -1], [[0.6, 0.3], [0.9, 0.05], [0.7, 0.2]]), most=5)
    assert [(one.first, one.second, one.by) for one in found] == [(0, 1, "next"), (2, 0, "next")]
    assert found[0].probability == pytest.approx(0.175)
    assert confused(models.merge([])) == ()


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (SetTarget("conv9"), "no layer 'conv9'"),
        (SetTarget("conv2", 3), "Class 3 does not exist"),
        (SetTarget("conv2", 1, 1), "two different classes"),
    ],
)
def test_bad_questions_say_what_is_wrong(tiny: Classifier, photos: ImageSet, target: SetTarget, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        finished(set_pass.once(AttributionPass(), tiny, photos, (target,)))


def test_positions_outside_and_sets_too_large_are_refused(tiny: Classifier, photos: ImageSet) -> None:
    with pytest.raises(ValueError, match="Image 7 does not exist"):
        finished(set_pass.once(AttributionPass(), tiny, photos, (SetTarget("conv2"),), [7]))
    with pytest.raises(ValueError, match=r"2\.4 GB.*at most 83,333,333 images"):
        AttributionPass().collecting(tiny, (SetTarget("conv2"),), 100_000_000)
