"""Drop curves against units removed one set at a time; orders by hand; halves kept apart; what cannot be."""

from __future__ import annotations

import numpy as np
import pytest

from interp.set_pass import returned
from interp.types import Classifier
from interp.units.ablation_draws import ablate
from interp.units.curves import at_random, by_attribution, by_score, drop_curve, drop_curves, ranking
from tests.units.test_ablation import by_hand, coloured, noise_set


def test_the_first_of_an_order_take_their_class_down_by_hand() -> None:
    photos = coloured("rrggbb")
    found = drop_curve(by_hand(), photos, "see", [0, 3, 1], target_class=0, sizes=(1, 2, 3, 5))
    assert found.sizes == (1, 2, 3) and found.skipped == (5,) and found.images == 6
    assert (
        found.whole == (1, 1, 1, 1)
        and found.recall.tolist() == [0, 0, 0]
        and found.balanced.tolist() == [0.5, 0.5, 0.5]
    )
    np.testing.assert_allclose(found.accuracy, [2 / 3, 2 / 3, 1 / 3])
    kept = drop_curve(by_hand(), photos, "see", [0, 3, 1], target_class=0, sizes=(1, 3), complement=True)
    # With red alone, what is green is taken for blue; blue has a quarter to itself.
    assert kept.balanced.tolist() == [1, 1]
    np.testing.assert_allclose(kept.accuracy, [2 / 3, 1])


@pytest.mark.parametrize("complement", [False, True])
def test_curves_are_those_of_sets_removed_one_by_one(tiny: Classifier, complement: bool) -> None:
    photos = noise_set(("cat", "dog", "fish") * 3)
    orders = {"one": [4, 0, 2], "other": np.array([1, 5, 3, 2, 0, 4])}
    steps = drop_curves(tiny, photos, "conv2", orders, target_class=1, sizes=(1, 3, 6), complement=complement)
    found = returned(steps)
    assert found["one"].sizes == (1, 3) and found["other"].sizes == (1, 3, 6)
    for name, order in orders.items():
        for place, size in enumerate(found[name].sizes):
            units = order[:size]
            alone = ablate(tiny, photos, layer="conv2", units=units, draws=0, keep="only" if complement else "others")
            assert found[name].balanced[place] == pytest.approx(alone.without.balanced[1])
            assert found[name].recall[place] == pytest.approx(alone.without.recall[1])
            assert found[name].accuracy[place] == pytest.approx(alone.without.accuracy)
            assert found[name].logit[place] == pytest.approx(alone.without.logit[1], abs=1e-5)


def test_each_order_may_have_a_class_of_its_own(tiny: Classifier) -> None:
    photos, asked = noise_set(("cat", "dog", "fish") * 3), {"cats": [4, 0, 2], "fish": [1, 5]}
    found = returned(drop_curves(tiny, photos, "conv2", asked, target_class={"cats": 0, "fish": 2}, sizes=(1, 2)))
    for name, target in (("cats", 0), ("fish", 2)):
        alone = drop_curve(tiny, photos, "conv2", asked[name], target_class=target, sizes=(1, 2))
        assert found[name].target == target and found[name].whole == pytest.approx(alone.whole)
        np.testing.assert_allclose(found[name].balanced, alone.balanced)
        np.testing.assert_allclose(found[name].logit, alone.logit, atol=1e-5)


def test_orders_by_hand() -> None:
    """Of the network by hand unit k alone serves class k, is active on it alone, and is the only one attributed to."""
    rankings = returned(ranking(by_hand(), coloured("rrggbb"), "see", [0, 2, 4, 5]))
    for target in (0, 1):
        orders = rankings.orders(target, draws=2)
        assert {orders[name][0] for name in ("effect", "attribution", "selectivity")} == {target}
        assert list(orders)[-2:] == ["random 1", "random 2"]
        assert sorted(orders["random 1"]) == [0, 1, 2, 3]
    # Images of the reading half were not looked at.
    assert rankings.effects.images.tolist() == rankings.means.images[:3].tolist() == [1, 1, 2]
    assert rankings.attribution.positions.tolist() == [0, 2, 4, 5]
    with pytest.raises(ValueError, match="Class 7 is explained in no image"):
        by_attribution(rankings.attribution, 7)


def test_scores_rank_the_largest_first_and_no_number_last() -> None:
    assert by_score(np.array([0.1, np.nan, 0.5, 0.1, -1.0])).tolist() == [2, 0, 3, 4, 1]
    assert (at_random(50, 3) == at_random(50, 3)).all() and (at_random(50, 3) != at_random(50, 4)).any()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"layer": "conv9"}, "no layer 'conv9'"),
        ({"order": [0, 6]}, "Unit 6 does not exist: conv2 has 6"),
        ({"order": [0, 1, 0]}, "Unit 0 stands twice"),
        ({"sizes": (0, 1)}, "0 units cannot be removed"),
        ({"sizes": (20,)}, r"The order has 2 units: give a size that is not larger, not only \(20,\)"),
        ({"target_class": 3}, "Class 3 does not exist"),
        ({"positions": [2]}, "None of the 1 images of noise has a label"),
    ],
)
def test_bad_questions_say_what_is_wrong(tiny: Classifier, asked: dict, message: str) -> None:
    given = {"layer": "conv2", "order": [0, 1], "target_class": 0} | asked
    with pytest.raises(ValueError, match=message):
        drop_curve(tiny, noise_set(), given.pop("layer"), given.pop("order"), **given)
