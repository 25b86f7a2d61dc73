"""Units removed together beside random sets: against full passes, by hand; means; halves; what cannot be."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import cache
from interp import progress, set_pass
from interp.images import ImageSet
from interp.passes.resuming import Resumed
from interp.set_pass import returned
from interp.types import Classifier, Layer
from interp.units.ablation_draws import Ablated, ablate, ablating, matched
from interp.units.ablation_means import MeanPass, MeanSums
from interp.units.ablation_removal import Removal
from interp.units.ablation_sets import SetAblationPass, UnitSets, halves
from interp.units.ablation_sums import added
from tests.units.test_ablation import KNOWN, by_hand, coloured, noise_set, replaced_logits


@pytest.fixture
def photos() -> ImageSet:
    return noise_set()


def slow(
    classifier: Classifier, photos: ImageSet, layer: str, removed: np.ndarray, mean: np.ndarray | None = None
) -> torch.Tensor:
    """The logits of the labelled images by a full pass for each, with a hook."""

    def change(output: torch.Tensor) -> None:
        output[:, removed] = 0.0 if mean is None else torch.from_numpy(mean)[removed]

    batches = (classifier.prepare([photos[position].image]).pixels for position in KNOWN)
    return torch.stack([replaced_logits(classifier, pixels, layer, change) for pixels in batches])


def assert_as_slow(classifier: Classifier, photos: ImageSet, found: Ablated, logits: torch.Tensor) -> None:
    labels = np.array([classifier.labels.index(photos.labels[position]) for position in KNOWN])
    predicted = logits.argmax(dim=1).numpy()
    assert found.positions.tolist() == KNOWN and found.labels.tolist() == labels.tolist()
    assert found.predicted_after.tolist() == predicted.tolist()
    shares = logits.softmax(dim=1).numpy()
    for one in range(3):
        own = labels == one
        recall = (predicted[own] == one).mean()
        negative = (predicted[~own] != one).mean()
        assert found.without.recall[one] == pytest.approx(recall)
        assert found.without.balanced[one] == pytest.approx((recall + negative) / 2)
        assert found.without.logit[one] == pytest.approx(float(logits[own, one].mean()), abs=1e-5)
        assert found.without.probability[one] == pytest.approx(float(shares[own, one].mean()), abs=1e-5)
        assert found.confusion_after[one].tolist() == np.bincount(predicted[own], minlength=3).tolist()
    assert found.without.accuracy == pytest.approx((predicted == labels).mean())


@pytest.mark.parametrize("layer", ["conv1", "conv2"])
@pytest.mark.parametrize("keep", ["others", "only"])
@pytest.mark.parametrize("to", ["zero", "mean"])
def test_units_are_removed_as_in_full_passes(tiny: Classifier, photos: ImageSet, layer: str, keep, to) -> None:
    found = ablate(tiny, photos, layer=layer, units=[2, 0, 2], to=to, keep=keep, draws=3)
    assert found.units == (0, 2) and found.layer.name == layer
    removed = np.isin(np.arange(tiny.layer(layer).channels), [0, 2]) == (keep == "others")
    mean = None
    if to == "mean":
        batches = (tiny.prepare([photos[position].image]).pixels for position in KNOWN)
        taken: list[torch.Tensor] = []
        for pixels in batches:
            replaced_logits(tiny, pixels, layer, lambda output: taken.append(output[0].clone()))
        mean = torch.stack(taken).mean(dim=0).numpy()
    assert_as_slow(tiny, photos, found, slow(tiny, photos, layer, removed, mean))
    whole = slow(tiny, photos, layer, np.zeros(len(removed), bool))
    assert found.predicted_before.tolist() == whole.argmax(dim=1).tolist()
    assert found.confusion_before.sum() == len(KNOWN)
    # A random set is judged as it would be if it were asked for.
    if len(found.drawn):
        alone = ablate(tiny, photos, layer=layer, units=found.drawn[1].tolist(), to=to, keep=keep, draws=0)
        np.testing.assert_allclose(found.random_balanced[1], alone.without.balanced)
        np.testing.assert_allclose(found.without_drawn[1].logit, alone.without.logit, atol=1e-6)


def test_without_its_unit_a_class_is_lost_and_with_only_it_kept() -> None:
    classifier, photos = by_hand(), coloured()
    found = ablate(classifier, photos, layer="see", units=[0], draws=5)
    assert found.whole.balanced.tolist() == [1, 1, 1] and found.whole.accuracy == 1
    assert found.without.balanced.tolist() == [0.5, 1, 0.75]
    np.testing.assert_array_equal(found.after, found.without.recall)
    np.testing.assert_array_equal(found.before, found.whole.recall)
    assert found.random.shape == found.random_balanced.shape
    assert found.confusion_after.tolist() == [[0, 0, 2], [0, 2, 0], [0, 0, 2]]
    # Another unit never takes the class of the first down.
    assert found.below()[0] == 1 and 0 not in found.drawn
    assert found.random_balanced.shape == (5, 3) and found.remarks
    only = ablate(classifier, photos, layer="see", units=[0], keep="only", draws=0)
    # Red is seen, and what is not red is taken for blue.
    assert only.without.recall.tolist() == [1, 0, 1] and np.isnan(only.below()).all()


def test_random_sets_are_as_active_and_have_none_of_the_units() -> None:
    means = np.random.default_rng(0).permutation(100).astype(float)
    units = [int(np.flatnonzero(means == value)[0]) for value in (0, 50, 51, 99)]
    drawn, remarks = matched(means, units, 200, 0)
    assert not np.isin(drawn, units).any() and not remarks
    assert all(len(set(row)) == 4 for row in drawn.tolist())
    # The ten nearest of the lowest are 1 to 10; of the middle 45 to 56 without the two, and one further for one that
    # the set has already.
    assert set(means[drawn[:, 0]]) == set(range(1, 11)) and set(means[drawn[:, 3]]) == set(range(89, 99))
    assert means[drawn[:, 1:3]].min() >= 44 and means[drawn[:, 1:3]].max() <= 57
    assert set(means[drawn[:, 1]]) >= {45.0, 49.0, 52.0, 55.0}
    again, _ = matched(means, units, 200, 0)
    other, _ = matched(means, units, 200, 1)
    assert (again == drawn).all() and (other != drawn).any()


@pytest.mark.parametrize(("mean", "differs"), [(None, 0), (np.array([1, 0, 0, 0], np.float32), 1)])
def test_sets_that_are_the_same_in_an_image_run_once(
    monkeypatch: pytest.MonkeyPatch, mean: np.ndarray | None, differs: int
) -> None:
    """Unit 0 is 1 in the red picture, and 0 in the green one, as the others of the sets are in both."""
    classifier, photos, ran = by_hand(), coloured("rg"), []
    logits = Resumed.logits

    def counted(resumed: Resumed, variants: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        ran.extend(rows.tolist())
        return logits(resumed, variants, rows)

    monkeypatch.setattr(Resumed, "logits", counted)
    removed = np.array([[False] * 4, [True, False, False, True], [True] + [False] * 3, [False] * 3 + [True]])
    removal = Removal("see") if mean is None else Removal("see", "mean", mean)
    [found] = returned(set_pass.once(SetAblationPass(), classifier, photos, (UnitSets(removal, removed),)))
    assert sorted(ran) == sorted([0, 1, differs])
    assert found.predicted[:, [0, 1]].tolist() == found.predicted[:, [3, 2]].tolist()
    assert found.probability[differs, 0] != found.probability[differs, 1]
    assert len(set(found.probability[1 - differs])) == 1


def test_too_few_other_units_are_said() -> None:
    drawn, [remark] = matched(np.arange(6.0), [0, 1, 2, 3], 5, 0)
    assert drawn.shape == (0, 4) and "2 other units" in remark
    drawn, [remark] = matched(np.arange(6.0), [0, 1, 2], 5, 0)
    assert {tuple(sorted(row)) for row in drawn.tolist()} == {(3, 4, 5)} and "only 3 other units" in remark


def test_parts_come_with_progress_and_nothing_is_computed_again(
    tiny: Classifier, photos: ImageSet, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOUPE_CACHE", str(tmp_path))
    cache.forget()
    heard: list[str] = []

    class Hears:
        def step(self, done: int, total: int, what: str) -> None:
            heard.append(what)

        def remark(self, text: str) -> None:
            raise AssertionError(text)

    def steps():
        return ablating(tiny, photos, "conv2", [1], draws=2, kept=cache.CachedItems())

    with progress.listening(Hears()):
        parts = list(steps())
    assert parts[0] is None and parts[-1] is not None and len(parts[-1].positions) == len(KNOWN)
    assert {"Reading how active units are", "Removing sets of units"} <= set(heard)
    cache.forget()
    monkeypatch.setattr(tiny.module, "forward", lambda pixels: pytest.fail("it was computed before"))
    found = returned(steps())
    assert found.without.fingerprint == parts[-1].without.fingerprint


def test_means_by_hand_and_in_parts() -> None:
    """Red pictures give unit 0 a mean of 1, green ones unit 1, and unit 3 sees nothing."""
    classifier, photos = by_hand(), coloured("rrgb")
    [found] = returned(set_pass.once(MeanPass(), classifier, photos, ("see",)))
    assert found.images.tolist() == [2, 1, 1, 0]
    assert found.mean().tolist() == [0.5, 0.25, 0.25, 0]
    assert found.map_mean().shape == (4, 4, 4) and (found.map_mean()[0] == 0.5).all()
    # (1 − 0) / (1 + 0); green is seen in none of the class and in one of the two others.
    assert found.selectivity(0).tolist() == [1, -1, -1, 0]
    # Blue on the others than red: ½; on red none. Unit 0 for green: none against 2 of 3.
    assert found.selectivity(1).tolist() == [-1, 1, -1, 0]
    parts = [returned(set_pass.once(MeanPass(), classifier, photos, ("see",), [one]))[0] for one in range(4)]
    for grouping in (added(parts), added([parts[0], added(parts[1:])]), added([added(parts[:2]), added(parts[2:])])):
        assert isinstance(grouping, MeanSums) and grouping.fingerprint == found.fingerprint
    with pytest.raises(ValueError, match="nothing to add up"):
        added([])


def test_images_of_no_class_count_in_the_mean_alone(tiny: Classifier, photos: ImageSet) -> None:
    [found] = returned(set_pass.once(MeanPass(), tiny, photos, ("conv2",)))
    assert found.images.tolist() == [2, 3, 2, 2] and [one.name for one in found.problems] == ["5.png"]
    taken: list[np.ndarray] = []
    for position in (0, 1, 2, 3, 4, 6, 7, 8, 9):
        pixels = tiny.prepare([photos[position].image]).pixels
        replaced_logits(tiny, pixels, "conv2", lambda output: taken.append(output[0].numpy().copy()))
    np.testing.assert_allclose(found.mean(), np.mean(taken, axis=(0, 2, 3)), atol=1e-6)
    np.testing.assert_allclose(found.map_mean(), np.mean(taken, axis=0), atol=1e-6)


def test_halves_take_every_second_image_of_each_class() -> None:
    positions, labels = np.array([8, 3, 5, 1, 4, 0]), np.array([0, 0, 0, 1, 1, 1])
    ranking, reading = halves(positions, labels)
    assert set(ranking) == {3, 8, 0, 4} and set(reading) == {5, 1}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"layer": "conv9", "units": [0]}, "no layer 'conv9'"),
        ({"layer": "conv2", "units": [1, 6]}, "Unit 6 does not exist: conv2 has 6, numbered from 0"),
        ({"layer": "conv2", "units": [-1]}, "Unit -1 does not exist"),
        ({"layer": "conv2", "units": []}, "No units are given: name at least one of the 6 of conv2"),
        ({"layer": "conv2", "units": [1], "draws": -1}, "-1 draws"),
        ({"layer": "conv2", "units": [1], "positions": [2, 6]}, "None of the 2 images of noise has a label.*'cat'"),
        ({"layer": "conv2", "units": [1], "positions": [99]}, "Image 99 does not exist"),
    ],
)
def test_bad_questions_say_what_is_wrong(tiny: Classifier, photos: ImageSet, asked: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ablate(tiny, photos, **asked)


def test_sets_of_another_layer_and_too_many_are_refused(tiny: Classifier, photos: ImageSet) -> None:
    sets = UnitSets(Removal("conv2"), np.zeros((1, 4), bool))
    with pytest.raises(ValueError, match="of 4 units, and conv2 has 6"):
        returned(set_pass.once(SetAblationPass(), tiny, photos, (sets,)))
    with pytest.raises(ValueError, match=r"at most 166,666,666 images, or fewer sets"):
        SetAblationPass().collecting(tiny, (UnitSets(Removal("conv2"), np.zeros((1, 6), bool)),), 10**9)


def test_a_layer_of_that_name_is_the_last_where_none_is_named(tiny: Classifier, photos: ImageSet) -> None:
    found = ablate(tiny, photos, units=[1], draws=0)
    assert isinstance(found.layer, Layer) and found.layer.name == "conv2"
