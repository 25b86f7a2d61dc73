"""Descriptions of units: of known detectors the right clauses and no others, of nothing none; scores beside others'."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from interp import units
from interp.models.labels import match_set
from interp.set_pass import once, returned
from interp.units.ablation_removal import Removal
from interp.units.ablation_sums import UNIT, AblationSums
from interp.units.clauses import of_ablation
from interp.units.concepts import ConceptSource
from interp.units.counting import UnitPass
from interp.units.counts import Counted, merged
from interp.units.describing import describing
from interp.units.foretelling import areas, foretold
from interp.units.rows import ImageRows, RowCount, top_rows
from interp.units.words import Clause, LayerWords
from tests.units.detectors import DARK, DEAD, HORIZONTAL, HUES, LIGHT, PLUS, THINGS, VERTICAL, detectors, pictures


@pytest.fixture(scope="module")
def told() -> tuple[list[LayerWords], LayerWords]:
    """Every step of describing the known detectors, and the whole."""
    steps, seen = describing(detectors(), pictures(), "units"), []
    while True:
        try:
            seen.append(next(steps))
        except StopIteration as stop:
            return [one for one in seen if one is not None], stop.value


def said(words: LayerWords, unit: int) -> list[str]:
    return [clause.said for clause in words.units[unit].clauses]


def test_known_detectors_are_described_as_what_they_are_and_nothing_else(told) -> None:
    words = told[1]
    for unit, hue in enumerate(HUES):
        assert said(words, unit) == [f"sees {hue} (colour)", f"strongest in {hue}", f"prefers {hue}"]
    stripes = "prefers edges or stripes at {}, best 4 pixels apart"
    assert said(words, VERTICAL) == ["sees vertical (thing)", stripes.format("90° (vertical)")]
    assert said(words, HORIZONTAL) == ["sees horizontal (thing)", stripes.format("0° (horizontal)")]
    assert said(words, DARK) == ["sees dark (thing)", "prefers dark"]
    assert said(words, LIGHT) == ["sees light (thing)", "prefers light"]
    assert said(words, PLUS) == ["sees plus (thing)"]


def test_their_descriptions_foretell_them_better_than_any_other(told) -> None:
    words = told[1]
    for one in words.units[:DEAD]:
        assert one.auroc is not None and one.auroc > 0.85
        assert (one.percentile, one.rivals) == (1.0, 10)


def test_a_dead_unit_has_none_and_says_why(told) -> None:
    dead = told[1].units[DEAD]
    assert dead.clauses == () and dead.auroc is None and dead.percentile is None
    assert dead.sentence == "No description: it answers to no image more than to the others."


def test_it_comes_in_parts_and_halves_are_told(told) -> None:
    steps, words = told
    assert list(dict.fromkeys(one.parts for one in steps)) == [
        (),
        ("labels",),
        ("labels", "concepts"),
        ("labels", "concepts", "probes"),
    ]
    # Twelve units are too few to compare with.
    assert words.missing == ("No ablation: the layer has no 20 other units to compare with.",)
    assert words.ranked + words.read == 160 and abs(words.ranked - words.read) <= 6
    assert words.described == 11


def test_every_number_stands_beside_its_clause(told) -> None:
    clause, label, hue = told[1].units[0].clauses
    measured = dict(clause.measured)
    assert f"IoU {measured['IoU']:.2f}" in clause.number and measured["IoU"] > 0.04 and measured["odds"] >= 2
    numbers = dict(label.measured)
    assert numbers["of top"] == numbers["of all"] == 14 and numbers["p"] <= numbers["adjusted p"] < 0.05
    assert dict(hue.measured)["selectivity"] == pytest.approx(3 / (2 + np.sqrt(3)), abs=0.01)


class Noise(nn.Module):
    """Twelve units of random weights."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(5)
            self.units = nn.Sequential(nn.Conv2d(3, 12, 5, padding=2), nn.ReLU())
            self.linear = nn.Linear(12, 6)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.linear(self.units(images).amax(dim=(2, 3)))


def test_with_labels_and_marks_of_other_pictures_nothing_is_said_of_them() -> None:
    """Random weights too: what is left are probes, which need neither labels nor marks."""
    for network in (None, Noise()):
        words = units.describe(detectors(network), pictures(shuffled=True, count=120), "units")
        kinds = [clause.kind for one in words.units for clause in one.clauses]
        assert not {"concept", "label", "group", "serves"} & set(kinds)


def test_too_few_images_say_so() -> None:
    words = units.describe(detectors(), pictures(), "units", positions=range(30))
    assert words.parts == () and words.described == 0
    assert words.units[0].sentence == "No description: 40 images at least are needed, and 30 could be read."
    with pytest.raises(ValueError, match="no layer 'nothing'"):
        units.describe(detectors(), pictures(), "nothing")


def test_the_score_is_the_share_of_pairs_in_the_right_order() -> None:
    rng = np.random.default_rng(0)
    predictions, peaks = rng.integers(0, 4, (3, 40)).astype(float), rng.random((40, 2))
    found = areas(predictions, peaks)
    for unit in range(2):
        strong = set(np.argsort(-peaks[:, unit])[:4].tolist())
        for number, one in enumerate(predictions):
            pairs = [(one[i] > one[j]) + (one[i] == one[j]) / 2 for i in strong for j in set(range(40)) - strong]
            assert found[unit, number] == pytest.approx(np.mean(pairs))
    # The limits: what a unit does foretells it wholly, its opposite never, and a constant by chance.
    assert areas(np.stack([peaks[:, 0], -peaks[:, 0], 0 * peaks[:, 0]]), peaks)[0].tolist() == [1.0, 0.0, 0.5]
    assert np.isnan(areas(predictions, np.ones((40, 1)))).all()


def test_of_equal_ones_none_is_at_the_top() -> None:
    values = np.array([[3.0, 1, 0], [2, 1, 0], [2, 1, 0], [1, 1, 5]])
    assert top_rows(values, 2).T.tolist() == [[True] + [False] * 3, [False] * 4, [False] * 3 + [True]]


def test_what_is_not_known_of_an_image_foretells_nothing() -> None:
    rows = ImageRows(
        "units", (("part", "wing"),), ("part",), np.arange(3), np.array([0, 1, -1]), np.zeros((3, 1)), np.zeros((3, 1)),
        np.array([[0.5], [0.0], [0.0]]), np.array([[True], [True], [False]]), np.zeros((3, 50)),
    )  # fmt: skip
    wing = Clause("concept", "", "", (), concept=("part", "wing"))
    np.testing.assert_array_equal(foretold(wing, rows, complete=False), [0.5, 0.0, np.nan])
    np.testing.assert_array_equal(foretold(wing, rows, complete=True), [0.5, 0.0, 0.0])
    tail = Clause("concept", "", "", (), concept=("tail", "fin"))
    assert np.isnan(foretold(tail, rows, complete=False)).all()
    np.testing.assert_array_equal(foretold(Clause("label", "", "", (), classes=(1,)), rows, True), [0, 1, np.nan])


def test_rows_in_parts_are_those_in_one_go() -> None:
    classifier, photos, item = detectors(), pictures(), RowCount("units")
    work = UnitPass(concepts=ConceptSource(complete=True))
    [whole] = returned(once(work, classifier, photos, [item], range(20), batch_size=7))
    parts = [returned(once(work, classifier, photos, [item], some))[0] for some in (range(12, 20), range(12))]
    joined: Counted[ImageRows] = merged(item, parts)
    for name in ("positions", "labels", "areas", "known", "concepts", "categories"):
        np.testing.assert_array_equal(getattr(joined.value, name), getattr(whole.value, name))
    for name in ("peaks", "means", "looks"):
        np.testing.assert_allclose(getattr(joined.value, name), getattr(whole.value, name), rtol=1e-5, atol=1e-7)
    assert whole.value.labels.tolist() == list(match_set(classifier, photos).indices)[:20]
    assert whole.value.concepts == tuple(
        sorted([*(("colour", one) for one in HUES), *(("thing", one) for one in THINGS)])
    )
    column = whole.value.concepts.index(("colour", "red"))
    np.testing.assert_allclose(whole.value.areas[:, column], [64 / 1024 if one % 6 == 0 else 0 for one in range(20)])


def test_a_class_is_served_where_it_falls_more_than_without_twenty_others() -> None:
    count, classes = 30, 2
    rng = np.random.default_rng(0)
    shares = -rng.random((count, classes)) * 0.002
    shares[4, 1], shares[9, 0] = -0.2, -0.004
    images = np.array([8, 8])
    none, whole = np.zeros(classes, np.int64), np.zeros((count, classes), np.int64)
    sums = AblationSums(
        Removal("units"), images, images, images, none, none, whole, whole,
        np.rint(5 * shares * images / UNIT).astype(np.int64), np.rint(shares * images / UNIT).astype(np.int64),
    )  # fmt: skip
    found = of_ablation(sums, rng.random(count), ("cat", "dog"))
    # Unit 9's fall of 0.004 is beyond the others, and too small to speak of.
    assert [(unit, [one.said for one in own]) for unit, own in enumerate(found) if own] == [(4, ["serves dog"])]
    measured = dict(found[4][0].measured)
    assert measured["fall of probability"] == pytest.approx(0.2, abs=1e-6) and measured["images"] == 8
    assert measured["fall of logit"] == pytest.approx(1.0, abs=1e-6) and 0 < measured["median of others"] < 0.002
    few = AblationSums(**{**vars(sums), "images": np.array([8, 4])})
    assert not any(of_ablation(few, rng.random(count), ("cat", "dog")))
