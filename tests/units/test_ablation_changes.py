"""Predictions that change without units, with labels and without; effects on two halves; a class's drop curves."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from interp import set_pass
from interp.set_pass import returned
from interp.types import Classifier, digest
from interp.units import ChangePass, Removal, UnitAblation, UnitPass, ablate, changing, curves_of_class, unit_effects
from interp.units.ablation_changes import ChangeRows
from interp.units.ablation_sets import UnitSets, halved
from tests.units.test_ablation import KNOWN, by_hand, coloured, noise_set, replaced_logits

BARE = (None, None, "broken", None, None, None)


@pytest.mark.parametrize("to", ["zero", "mean"])
@pytest.mark.parametrize("layer", ["conv1", "conv2"])
def test_predictions_are_those_of_full_passes_without_any_label(tiny: Classifier, layer: str, to) -> None:
    photos = noise_set(BARE)
    there = [0, 1, 3, 4, 5]
    found = returned(changing(tiny, photos, layer, [1, 2], to=to, draws=0))
    assert found.positions.tolist() == there and [one.name for one in found.problems] == ["2.png"]
    batch = [tiny.prepare([photos[position].image]).pixels for position in there]
    taken: list[torch.Tensor] = []
    for pixels in batch:
        replaced_logits(tiny, pixels, layer, lambda output: taken.append(output.clone()))
    mean = torch.stack(taken).mean(dim=0)

    def change(output: torch.Tensor) -> None:
        output[:, [1, 2]] = 0.0 if to == "zero" else mean[:, [1, 2]]

    whole = torch.stack([replaced_logits(tiny, one, layer, lambda output: None) for one in batch]).softmax(dim=1)
    without = torch.stack([replaced_logits(tiny, one, layer, change) for one in batch]).softmax(dim=1)
    before, after = whole.argmax(dim=1), without.argmax(dim=1)
    assert found.before.tolist() == before.tolist() and found.after.tolist() == after.tolist()
    rows = torch.arange(len(there))
    for which, classes in enumerate((before, after)):
        for moment, shares in enumerate((whole, without)):
            np.testing.assert_allclose(found.probability[:, which, moment], shares[rows, classes], atol=1e-5)
    moved = found.moves(3)
    assert moved.sum() == 5 and moved.trace() == 5 - len(found.changed)


def test_with_labels_it_is_over_the_same_images_and_draws_as_ablation(tiny: Classifier) -> None:
    photos = noise_set()
    beside = ablate(tiny, photos, layer="conv2", units=[0, 3], draws=4)
    found = returned(changing(tiny, photos, "conv2", [3, 0], draws=4))
    assert found.positions.tolist() == KNOWN and found.units == (0, 3)
    assert found.before.tolist() == beside.predicted_before.tolist()
    assert found.after.tolist() == beside.predicted_after.tolist()
    np.testing.assert_allclose(found.drawn_changed, beside.drawn_changed)
    by_set = [returned(changing(tiny, photos, "conv2", some, draws=0)) for some in np.asarray(beside.drawn).tolist()]
    np.testing.assert_allclose(found.drawn_changed, [len(one.changed) / len(one) for one in by_set])


def test_what_changes_by_hand() -> None:
    """Without the unit for red, what is red is taken for the first of the others; nothing else changes."""
    found = returned(changing(by_hand(), coloured("rrggbb"), "see", [0], draws=0))
    assert sorted(found.changed.tolist()) == [0, 1] and (found.before[:2] == 0).all() and (found.after[:2] != 0).all()
    lost = found.probability[found.changed, 0]
    assert (lost[:, 1] < lost[:, 0]).all()
    # None changes without a unit that does nothing.
    assert not len(returned(changing(by_hand(), coloured("rrggbb"), "see", [3], draws=0)).changed)


def test_rows_of_parts_are_those_of_all(tiny: Classifier) -> None:
    photos, removed = noise_set(), np.zeros((2, 6), bool)
    removed[1, 2] = True
    item = UnitSets(Removal("conv2"), removed)
    [whole] = returned(set_pass.once(ChangePass(), tiny, photos, [item]))
    parts = [returned(set_pass.once(ChangePass(), tiny, photos, [item], some))[0] for some in (range(4), range(4, 10))]
    joined = set_pass.merged(parts)
    assert isinstance(joined, ChangeRows) and digest(joined.predicted) == digest(whole.predicted)
    np.testing.assert_allclose(joined.probability, whole.probability, atol=1e-6)


def test_what_cannot_be_is_said(tiny: Classifier) -> None:
    with pytest.raises(ValueError, match="No units"):
        returned(changing(tiny, noise_set(BARE), "conv2", []))
    with pytest.raises(ValueError, match="-1 draws"):
        returned(changing(tiny, noise_set(BARE), "conv2", [0], draws=-1))
    with pytest.raises(ValueError, match="two or more"):
        item = UnitSets(Removal("conv2"), np.zeros((1, 6), bool))
        returned(set_pass.once(ChangePass(), tiny, noise_set(), [item]))
    with pytest.raises(ValueError, match="has a label"):
        returned(unit_effects(tiny, noise_set(BARE), "conv2"))


def test_effects_are_ranked_on_one_half_and_read_on_the_other(tiny: Classifier) -> None:
    photos = noise_set(("cat", "dog", "fish", "cat", "dog") * 3)
    found = returned(unit_effects(tiny, photos, "conv2"))
    assert found.images == 15 and found.classes.tolist() == [0, 1, 2]
    for target in range(3):
        ranked_on, read_on = halved(tiny, photos, target, None)
        sums = [
            returned(set_pass.once(UnitPass(), tiny, photos, [UnitAblation("conv2")], half))[0].value
            for half in (ranked_on, read_on)
        ]
        assert found.order(target).tolist() == sums[0].order(target).tolist() and found.held_out(target)
        assert found.places(target)[sums[1].order(target)].tolist() == list(range(1, 7))
        recall, logit = found.changes(target)
        before, after = sums[1].recall()
        np.testing.assert_allclose(recall, after[:, target] - before[target])
        np.testing.assert_allclose(logit, sums[1].mean_changes()[0][:, target])


def test_a_class_with_one_image_is_read_where_it_was_ranked() -> None:
    found = returned(unit_effects(by_hand(), coloured("rgb"), "see"))
    assert found.images == 3 and not any(found.held_out(one) for one in found.classes.tolist())
    for target in (0, 1):
        recall, logit = found.changes(target)
        assert found.order(target)[0] == target and found.places(target)[target] == 1
        assert recall[target] == logit[target] == -1 and np.count_nonzero(recall) == np.count_nonzero(logit) == 1
    # What is blue has ¼ to itself, and stays a fish without its unit; without red's or green's others become one.
    assert not found.changes(2)[0].any() and found.changes(2)[1].tolist() == [0, 0, -1, 0]


def test_curves_of_a_class_are_ranked_and_read_apart() -> None:
    """By hand: the unit that sees a colour is first in each order, and the score given puts it last."""
    classifier, photos = by_hand(), coloured("rrggbb")
    iou = np.array([0.0, 0.3, 0.2, 0.1])
    found = returned(curves_of_class(classifier, photos, "see", 0, scores={"IoU": iou}, sizes=(1, 3)))
    assert set(found) >= {"IoU", "effect", "attribution", "selectivity", "random 1"}
    assert found["effect"].images == 3
    assert [found[name].recall.tolist() for name in ("effect", "attribution", "selectivity")] == [[0, 0]] * 3
    assert found["IoU"].recall.tolist() == [1, 1]
    with pytest.raises(ValueError, match="at least two"):
        returned(curves_of_class(classifier, coloured("rgb"), "see", 0))
