"""One pass gives everything: tallies, overlaps and ablations, with the bits of each alone, however it is cut."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest

import cache
from interp.images import ImageSet
from interp.set_pass import by_chunks, of_chunk, once, returned
from interp.types import Classifier, digest
from interp.units import counts
from interp.units.ablation import UNLABELLED, UnitAblation
from interp.units.concepts import ConceptSource
from interp.units.counting import UnitPass
from interp.units.counts import Count, Counted
from interp.units.dissection import centres, tallying
from interp.units.overlap import ConceptOverlap
from interp.units.remembered import Remembered
from interp.units.tally import UnitTally
from tests.units.conftest import BROKEN, COUNT, LABELS

SOURCE = ConceptSource(complete=True)
WORK = UnitPass(5, 5, SOURCE)
BARE = [one for one, label in enumerate(LABELS) if label is None and one != BROKEN]


def everything(classifier: Classifier) -> list[Count]:
    mean = np.random.default_rng(0).random(4).astype(np.float32)
    thresholds = np.full((2, 6), 0.01, np.float32)
    return [
        UnitTally("conv2", top=4, kept=30),
        UnitAblation("conv2"),
        ConceptOverlap("conv2", thresholds, centres(classifier, "conv2")),
        UnitAblation("conv1", "mean", mean),
        UnitTally("conv1", rotation=3),
    ]


def assert_same(found: Counted, expected: Counted) -> None:
    """Bit for bit, the images left out in whatever order."""
    assert digest(found.value) == digest(expected.value) and found.images == expected.images
    assert sorted(map(digest, found.problems)) == sorted(map(digest, expected.problems))


def test_it_counts_exactly_what_it_has_seen_as_each_count_alone(tiny: Classifier, known: ImageSet) -> None:
    items = everything(tiny)
    together = returned(by_chunks(WORK, tiny, known, items))
    for item, one in zip(items, together, strict=True):
        [alone] = returned(by_chunks(WORK, tiny, known, [item]))
        assert_same(one, alone)
        assert one.images + len(one.problems) == COUNT
    tally, ablation, *_ = together
    assert tally.images == tally.value.count == COUNT - 1
    assert ablation.images == ablation.value.images.sum() == COUNT - 1 - len(BARE)
    named = {one.name for one in ablation.problems if one.reason == UNLABELLED}
    assert named == {known.names[one] for one in BARE}


def test_killed_at_a_random_image_it_goes_on_to_the_same_bits(
    tiny: Classifier, known: ImageSet, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOUPE_CACHE", str(tmp_path))
    cache.forget()
    items = everything(tiny)
    whole = returned(by_chunks(WORK, tiny, known, items))
    # What was counted before alone is not counted again, and the rest is.
    returned(by_chunks(WORK, tiny, known, items[:1], range(10), kept=cache.CachedItems()))
    reading, deadly = known._read, set[int]()

    def read(position: int):
        if position in deadly:
            raise KeyboardInterrupt
        return reading(position)

    known._read = read
    for one in sorted(np.random.default_rng(4).permutation(COUNT)[:3].tolist()):
        deadly.add(one)
        with pytest.raises(KeyboardInterrupt):
            returned(by_chunks(WORK, tiny, known, items, kept=cache.CachedItems()))
        deadly.clear()
    for one, other in zip(returned(by_chunks(WORK, tiny, known, items, kept=cache.CachedItems())), whole, strict=True):
        assert_same(one, other)


def test_shards_add_up_to_the_same_bits_in_any_grouping(tiny: Classifier, known: ImageSet) -> None:
    items = everything(tiny)
    whole = returned(by_chunks(WORK, tiny, known, items))
    context = WORK.context(tiny, known)
    borders = np.split(np.arange(COUNT), [5, 10, 20])
    shards = [returned(of_chunk(WORK, tiny, WORK.part(known, context, part), items, 5)) for part in borders]
    for place, item in enumerate(items):
        one, two, three, four = (shard[place] for shard in shards)
        halves = [counts.merged(item, [one, two]), counts.merged(item, [three, four])]
        ends = [four, counts.merged(item, [two, three]), one]
        assert_same(counts.merged(item, halves), whole[place])
        assert_same(counts.merged(item, ends), whole[place])


def test_values_that_wait_take_no_more_than_so_much(
    tiny: Classifier, known: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = everything(tiny)
    whole = returned(by_chunks(WORK, tiny, known, items))
    merged: list[int] = []
    adding = UnitAblation.merged
    monkeypatch.setattr(UnitAblation, "merged", lambda self, values: merged.append(len(values)) or adding(self, values))
    monkeypatch.setattr(counts, "WAITING", 1)
    for one, other in zip(returned(by_chunks(WORK, tiny, known, items)), whole, strict=True):
        assert_same(one, other)
    assert max(merged) == 2


def test_classes_that_do_not_exclude_each_other_count_in_ablation_alone(tiny: Classifier, known: ImageSet) -> None:
    several = replace(tiny, multi_label=True, link="sigmoid")
    tally, ablation = returned(once(UnitPass(), several, known, [UnitTally("conv2"), UnitAblation("conv2")]))
    assert tally.value.class_images.sum() == 0 and ablation.images == COUNT - 1 - len(BARE)
    relabelled = copy.copy(known)
    relabelled.label_forms, relabelled.labels = {"label": ("cat",) * COUNT}, ("cat",) * COUNT
    work, every = UnitPass(), np.arange(COUNT)
    first, other = (work.rests_on(one, work.context(several, one), every) for one in (known, relabelled))
    assert first != other


def test_beside_what_is_remembered_ablation_is_right_or_refused(tiny: Classifier, known: ImageSet) -> None:
    ablation, tallies = UnitAblation("conv2"), tallying(tiny, ["conv2"], COUNT, 0.1)
    remembered = Remembered(SOURCE, {("conv2", None): tallies[0].kept})
    tally, removed = returned(by_chunks(UnitPass(5, 5, remembered=remembered), tiny, known, [*tallies, ablation]))
    [alone] = returned(by_chunks(UnitPass(5, 5), tiny, known, [ablation]))
    assert_same(removed, alone)
    assert 0 in remembered
    overlap = ConceptOverlap("conv2", tally.value.thresholds(0.1)[None], centres(tiny, "conv2"))
    second = UnitPass(5, 5, SOURCE, remembered)
    [recalled] = returned(by_chunks(second, tiny, known, [overlap]))
    [again] = returned(by_chunks(WORK, tiny, known, [overlap]))
    assert digest(recalled.value) == digest(again.value)
    with pytest.raises(ValueError, match="only remembered"):
        returned(by_chunks(second, tiny, known, [overlap, ablation]))
    context, seen = second.context(tiny, known), [second.read(tiny, known, one) for one in (0, BROKEN)]
    with pytest.raises(ValueError, match="only remembered"):
        second.run(tiny, [ablation], context, seen)


def test_ablation_alone_runs_the_network_up_to_the_layer_alone(
    tiny: Classifier, known: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside counts of maps each image runs once more, for them."""
    passes: list[int] = []
    handle = tiny.module.register_forward_pre_hook(lambda module, given: passes.append(len(given[0])))
    returned(once(UnitPass(), tiny, known, [UnitAblation("conv2")], range(4)))
    alone = sum(passes)
    passes.clear()
    returned(once(UnitPass(), tiny, known, [UnitAblation("conv2"), UnitTally("conv2")], range(4)))
    handle.remove()
    # Two variants of one image try the rest of the network.
    assert (alone, sum(passes)) == (2, 6)


def test_what_runs_is_reported_and_what_cannot_be_is_refused(tiny: Classifier, known: ImageSet) -> None:
    assert UnitPass().told([UnitAblation("conv1"), UnitAblation("conv2")]) == "Removing units"
    assert UnitPass().told([UnitAblation("conv1"), UnitTally("conv2")]) == UnitPass.what
    with pytest.raises(ValueError, match="no layer 'conv9'"):
        UnitPass().checked(tiny, [UnitTally("conv1"), UnitAblation("conv9")])
    headless = replace(tiny, labels=())
    with pytest.raises(ValueError, match="head"):
        UnitPass().checked(headless, [UnitAblation("conv1")])
    context = UnitPass().context(headless, known)
    assert (context.at(range(COUNT), np.zeros((COUNT, 0), np.float32)) == -1).all()
