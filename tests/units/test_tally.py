"""Tallies against all activations at once, and against themselves in parts."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from interp.images import ImageSet
from interp.models import hooks
from interp.set_pass import by_chunks, once, returned
from interp.types import Classifier, Images, digest
from interp.units import counts, directions
from interp.units.counting import UnitPass
from interp.units.tally import SKETCH_ERROR, UnitTally
from tests.units.conftest import BROKEN, COUNT, LABELS, pixels

THERE = [one for one in range(COUNT) if one != BROKEN]


def everything(classifier: Classifier, layer: str) -> np.ndarray:
    """The activations of all images: n k u v."""
    batch = np.stack([pixels(one) for one in THERE]).transpose(0, 3, 1, 2) / 255
    with torch.no_grad(), hooks.activations(classifier, [layer]) as taken:
        classifier.module(Images(torch.from_numpy(batch).float(), tuple(map(str, THERE))).pixels)
    return taken[layer].numpy()


@pytest.mark.parametrize("layer", ["conv1", "conv2"])
def test_it_is_what_all_activations_at_once_give(tiny: Classifier, known: ImageSet, layer: str) -> None:
    [found] = returned(once(UnitPass(), tiny, known, [UnitTally(layer, top=3, kept=40)], batch_size=4))
    tally, every = found.value, everything(tiny, layer)
    assert found.images == tally.count == len(THERE)
    assert [problem.name for problem in found.problems] == [f"{BROKEN}.png"]
    peaks = every.max(axis=(2, 3)).T
    for unit in range(every.shape[1]):
        order = np.argsort(-peaks[unit], kind="stable")[:3]
        assert tally.images[unit].tolist() == [THERE[one] for one in order]
        np.testing.assert_allclose(tally.values[unit], peaks[unit][order], rtol=1e-5)
        for image, (row, column), value in zip(order, tally.places[unit], tally.values[unit], strict=True):
            assert every[image, unit, row, column] == pytest.approx(value, rel=1e-5)
        means = every[:, unit].mean(axis=(1, 2))
        assert tally.mean_images[unit].tolist() == [THERE[one] for one in np.argsort(-means, kind="stable")[:3]]
        np.testing.assert_allclose(tally.largest[unit], np.sort(every[:, unit].reshape(-1))[::-1][:40], rtol=1e-5)
    np.testing.assert_allclose(tally.mean, every.mean(axis=(0, 2, 3)), atol=1e-6)
    np.testing.assert_allclose(tally.density, (every > 0).mean(axis=(0, 2, 3)), atol=2e-3)
    for place, label in enumerate(tiny.labels):
        own = [number for number, one in enumerate(THERE) if LABELS[one] == label]
        assert tally.class_images[place] == len(own)
        np.testing.assert_allclose(tally.class_means[place], every[own].mean(axis=(0, 2, 3)), atol=1e-6)


def test_selectivity_is_that_of_morcos(tiny: Classifier, known: ImageSet) -> None:
    [found] = returned(once(UnitPass(), tiny, known, [UnitTally("conv1", kept=4)]))
    selectivity, classes = found.value.selectivity
    means = found.value.class_means
    for unit in np.flatnonzero(classes >= 0):
        best, *others = sorted(means[:, unit], reverse=True)
        assert means[classes[unit], unit] == best
        assert selectivity[unit] == pytest.approx((best - np.mean(others)) / (best + np.mean(others)))
    assert ((classes == -1) == np.isnan(selectivity)).all()


def test_parts_give_the_same_bits_in_any_grouping(tiny: Classifier, known: ImageSet) -> None:
    item = UnitTally("conv2", top=4, kept=30)
    work = UnitPass(chunk=5, first=5)
    [whole] = returned(by_chunks(work, tiny, known, [item]))
    parts = [
        returned(once(work, tiny, known, [item], range(start, min(start + 5, COUNT))))[0]
        for start in range(0, COUNT, 5)
    ]
    pairs = [counts.merged(item, parts[:2]), counts.merged(item, parts[2:])]
    for one in (counts.merged(item, parts), counts.merged(item, parts[::-1]), counts.merged(item, pairs)):
        assert digest(one.value) == digest(whole.value) and one.images == whole.images


class Store(dict):
    """Keeps values by their calls; fails at the third, as a process that is killed."""

    killed = True

    def find(self, function, /, *arguments) -> tuple:
        return (self[digest(*arguments)],) if digest(*arguments) in self else ()

    def keep(self, value, function, /, *arguments) -> None:
        if self.killed and len(self) == 2:
            raise KeyboardInterrupt
        self[digest(*arguments)] = value

    def counts(self, function, /, *arguments, items):
        raise NotImplementedError


def test_it_goes_on_where_it_was_killed_with_the_same_bits(tiny: Classifier, known: ImageSet) -> None:
    item, work, store = UnitTally("conv2", kept=30), UnitPass(chunk=5, first=5), Store()
    with pytest.raises(KeyboardInterrupt):
        returned(by_chunks(work, tiny, known, [item], kept=store))
    store.killed = False
    read: list[int] = []
    reading = known._read
    known._read = lambda position: read.append(position) or reading(position)
    [found] = returned(by_chunks(work, tiny, known, [item], kept=store))
    [whole] = returned(by_chunks(work, tiny, known, [item]))
    assert min(read[: COUNT - 10]) == 10 and digest(found.value) == digest(whole.value)


@pytest.mark.parametrize("share", [0.005, 0.02, 0.3])
def test_thresholds_are_exceeded_by_their_share(tiny: Classifier, known: ImageSet, share: float) -> None:
    exact, sketch = returned(once(UnitPass(), tiny, known, [UnitTally("conv1", kept=3000), UnitTally("conv1")]))
    every = everything(tiny, "conv1").transpose(1, 0, 2, 3).reshape(4, -1)
    above = int(share * every.shape[1])
    thresholds = exact.value.thresholds(share)
    np.testing.assert_allclose(thresholds, -np.partition(-every, above, axis=1)[:, above], rtol=1e-5)
    positive = thresholds > 2**-20
    assert positive.any()
    np.testing.assert_allclose(
        sketch.value.thresholds(share)[positive], thresholds[positive], rtol=SKETCH_ERROR, atol=0
    )
    assert (sketch.value.thresholds(share)[~positive] == 0).all()


def test_a_share_that_was_not_kept_is_refused(tiny: Classifier, known: ImageSet) -> None:
    [found] = returned(once(UnitPass(), tiny, known, [UnitTally("conv1", kept=10)]))
    with pytest.raises(ValueError, match="largest 10 of"):
        found.value.thresholds(0.5)


def test_a_basis_is_one_at_right_angles_and_the_same_for_its_seed() -> None:
    found = directions.basis(12, 3)
    torch.testing.assert_close(found @ found.T, torch.eye(12), atol=1e-5, rtol=0)
    assert torch.equal(found, directions.basis(12, 3)) and not torch.equal(found, directions.basis(12, 4))
