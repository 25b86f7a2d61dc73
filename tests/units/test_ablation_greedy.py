"""Which few units carry a class: by hand, against trying every set by full passes, and with what cannot be."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from interp.images import ImageSet, UnreadableImage
from interp.images.decoding import DecodedImage
from interp.types import Classifier
from interp.units.ablation_draws import ablate
from interp.units.ablation_greedy import greedily, greedy
from interp.units.ablation_sets import halved
from tests.units.test_ablation import by_hand, coloured, noise_set, replaced_logits


def redundant() -> Classifier:
    """As the network by hand, but red is seen by the first and by the last unit, of which each suffices for a cat."""
    classifier = by_hand()
    with torch.no_grad():
        classifier.module.get_submodule("network.see").weight[3, 0] = 1
        classifier.module.get_submodule("network.linear").weight[0, 3] = 0.5
    return dataclasses.replace(classifier, fingerprint="redundant")


def test_of_two_units_that_carry_a_class_both_are_found_though_neither_alone_hurts() -> None:
    """Without one of them a cat has ½ or 1, more than the fish's ¼; without both it has nothing."""
    found = greedy(redundant(), coloured("rrrrggggbbbb"), "see", 0, most=3)
    assert found.units[:2] == (0, 3) and found.images == (6, 6, 6)
    # True negatives of the cat are right all along: it is lost, and nothing is taken for it.
    assert found.ranked.tolist() == [1, 1, 0.5, 0.5] == found.balanced.tolist()
    np.testing.assert_allclose(found.ranked_logit, [1.5, 0.5, 0, 0])
    np.testing.assert_allclose(found.logit, [1.5, 0.5, 0, 0])
    np.testing.assert_allclose(found.accuracy[:3], [1, 1, 2 / 3])


def test_each_step_takes_what_the_class_misses_most(tiny: Classifier) -> None:
    photos = noise_set(("cat", "dog", "fish") * 6)
    found = greedy(tiny, photos, "conv2", 1, most=3)
    used, reading = halved(tiny, photos, 1, None)
    assert len(used) == found.images[0] == 9 and not set(used) & set(reading)
    removed: list[int] = []

    def without(units: list[int], positions: np.ndarray) -> tuple[float, float]:
        """The balanced accuracy and the mean logit of dogs by full passes."""
        right, false, logits = [], [], []
        for position in positions.tolist():
            pixels = tiny.prepare([photos[position].image]).pixels

            def change(output: torch.Tensor) -> None:
                output[:, units] = 0

            left = replaced_logits(tiny, pixels, "conv2", change)
            if photos.labels[position] == "dog":
                right.append(int(left.argmax()) == 1)
                logits.append(float(left[1]))
            else:
                false.append(int(left.argmax()) == 1)
        return (np.mean(right) + 1 - np.mean(false)) / 2, float(np.mean(logits))

    for step, unit in enumerate(found.units):
        tried = {one: without([*removed, one], used) for one in range(6) if one not in removed}
        assert unit == min(tried, key=lambda one: tried[one]), f"step {step}"
        removed.append(unit)
        balanced, logit = without(removed, used)
        assert found.ranked[step + 1] == pytest.approx(balanced)
        assert found.ranked_logit[step + 1] == pytest.approx(logit, abs=1e-5)
    balanced, logit = without(removed, reading)
    assert found.balanced[3] == pytest.approx(balanced) and found.logit[3] == pytest.approx(logit, abs=1e-5)
    alone = ablate(tiny, photos, layer="conv2", units=removed, draws=0, positions=reading)
    assert found.accuracy[3] == pytest.approx(alone.without.accuracy)


def test_only_the_shortlist_is_tried_and_the_units_so_far_are_handed_out(tiny: Classifier) -> None:
    photos = noise_set(("cat", "dog", "fish") * 6)
    steps = greedily(tiny, photos, "conv2", 0, most=5, shortlist=2)
    parts = []
    while True:
        try:
            parts.append(next(steps))
        except StopIteration as stop:
            found = stop.value
            break
    assert len(found.candidates) == 2 and set(found.units) == set(found.candidates) and len(found.balanced) == 3
    assert parts[0] == () and parts[-1] == found.units


def test_images_that_cannot_be_read_are_left_out_by_name_in_both_halves(tiny: Classifier) -> None:
    photos = noise_set(("cat", "dog", "fish") * 6)
    read, broken = photos.__getitem__, {3, 6}

    def failing(position: int) -> DecodedImage:
        if position in broken:
            raise UnreadableImage(photos.names[position], "the file is damaged")
        return DecodedImage(read(position).image)

    worse = ImageSet(
        name="worse",
        description="",
        fingerprint="worse",
        names=photos.names,
        read=failing,
        label_forms={"label": photos.labels},
    )
    found = greedy(tiny, worse, "conv2", 1, most=2)
    assert {one.name for one in found.problems} == {"3.png", "6.png"} and found.images == (8, 9, 9)
    broken |= {1, 7, 13}
    with pytest.raises(ValueError, match="0 of class 'dog' and 5 in all could be used.*damaged"):
        greedy(tiny, worse, "conv2", 1, most=2)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (("conv9", 0, 20), "no layer 'conv9'"),
        (("conv2", 3, 20), "Class 3 does not exist"),
        (("conv2", 0, 0), "0 units out of 30 cannot be chosen"),
        (("conv2", 2, 20), "1 of the 5 labelled images are of class 'fish'.*at least two"),
    ],
)
def test_bad_questions_say_what_is_wrong(tiny: Classifier, asked: tuple, message: str) -> None:
    layer, target, most = asked
    with pytest.raises(ValueError, match=message):
        greedy(tiny, noise_set(("cat", "dog", "cat", "dog", "fish", None)), layer, target, most=most)
