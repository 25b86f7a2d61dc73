"""Marks by hand; which images are kept; and passes that give the same bits however they are cut, killed and joined."""

from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pytest
import torch

import cache
from interp.class_summary import influences
from interp.class_summary.gathered import GatheredMarks, counts_of, gathered
from interp.class_summary.influences import InfluenceCount, InputMarks
from interp.class_summary.keeping import kept_images
from interp.class_summary.marks import SHARES, MarkCount, marked
from interp.class_summary.summary import ClassSummary, summarize
from interp.images import ImageSet
from interp.set_pass import by_chunks, of_chunk, once, returned
from interp.types import Classifier, digest
from interp.units import counts
from interp.units.ablation import UnitAblation
from interp.units.counting import UnitPass
from interp.units.counts import Counted
from interp.units.tally import UnitTally
from tests.class_summary.sets import pictures

COUNT, BROKEN = 40, 7
LABELS = tuple(("cat", "dog", "cat", None)[one % 4] for one in range(COUNT))
LAYERS = ("conv1", "conv2")
WORK = UnitPass(5, 5)


@pytest.fixture
def photos(tiny: Classifier) -> ImageSet:
    return pictures(tiny, LABELS, broken=(BROKEN,))


def test_marks_by_hand() -> None:
    """The one that crosses the share is marked; where the share is met exactly nothing more is."""
    peaks = np.array(
        [
            [5.0, 3.0, 1.0, 1.0],
            [1.0, 5.0, 1.0, 3.0],
            [2.0, 2.0, 2.0, 2.0],
            [0.0, 0.0, 0.0, 0.0],
            [-9.0, -1.0, 0.0, -1.0],
            [-9.0, 1.0, 0.0, 3.0],
        ],
        np.float32,
    )
    none = [False] * 4
    for share, expected in (
        (0.5, [[1, 0, 0, 0], [0, 1, 0, 0], [1, 1, 0, 0], none, none, [0, 0, 0, 1]]),
        (0.51, [[1, 1, 0, 0], [0, 1, 0, 1], [1, 1, 1, 0], none, none, [0, 0, 0, 1]]),
        (0.01, [[1, 0, 0, 0], [0, 1, 0, 0], [1, 0, 0, 0], none, none, [0, 0, 0, 1]]),
        (1.0, [[1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1], none, none, [0, 1, 0, 1]]),
    ):
        np.testing.assert_array_equal(marked(peaks, share), np.array(expected, bool))


def test_a_layer_is_marked_by_its_largest_activations(tiny: Classifier, photos: ImageSet) -> None:
    item = MarkCount("conv2", kept=100)
    [counted] = returned(once(UnitPass(), tiny, photos, [item]))
    peaks = []
    with torch.no_grad():
        for position in range(COUNT):
            if position != BROKEN:
                pixels = tiny.preprocessing.pixels(photos[position].image)[None]
                peaks.append(network(tiny, pixels).amax(dim=(2, 3))[0].numpy())
    read = [one for one in range(COUNT) if one != BROKEN]
    kept = [place for place, one in enumerate(read) if LABELS[one] is not None]
    assert counted.value.positions.tolist() == [read[one] for one in kept]
    for number, share in enumerate(SHARES):
        every = marked(np.stack(peaks), share)
        np.testing.assert_array_equal(counted.value.of_images(number), every[kept])
        for label, name in enumerate(tiny.labels):
            own = [place for place, one in enumerate(read) if LABELS[one] == name]
            np.testing.assert_array_equal(counted.value.counts[number, label], every[own].sum(axis=0))
            assert counted.value.images[label] == len(own)


def network(classifier: Classifier, pixels: torch.Tensor) -> torch.Tensor:
    found: list[torch.Tensor] = []
    handle = classifier.module.get_submodule("network.conv2").register_forward_hook(
        lambda part, given, output: found.append(output.clone())
    )
    classifier.module(pixels)
    handle.remove()
    return found[0]


def test_what_is_kept_rests_on_positions_alone_and_is_spread() -> None:
    rng = np.random.default_rng(0)
    positions, labels = rng.permutation(5000)[:3000], rng.integers(0, 7, 3000)
    kept = kept_images(positions, labels, 20)
    assert np.bincount(labels[kept]).tolist() == [20] * 7
    for _ in range(5):
        order = rng.permutation(3000)
        parts = np.array_split(order, rng.integers(2, 40))
        survivors = np.concatenate([part[kept_images(positions[part], labels[part], 20)] for part in parts])
        again = survivors[kept_images(positions[survivors], labels[survivors], 20)]
        assert sorted(again) == np.flatnonzero(kept).tolist()
    # No stretch of the set is without one, and none has many more than its part.
    spread = np.sort(np.arange(5000)[kept_images(np.arange(5000), np.zeros(5000, int), 50)])
    assert np.diff(np.r_[0, spread, 5000]).max() <= 3 * 5000 / 50
    assert np.histogram(spread, 10, (0, 5000))[0].tolist() == pytest.approx([5] * 10, abs=1)
    assert kept_images(np.zeros(0, int), np.zeros(0, int), 3).shape == (0,)
    assert kept_images(np.arange(3), np.array([4, 4, 2]), 100).all()


def items_of(classifier: Classifier, kept: int = 3) -> list[counts.Count]:
    return [
        MarkCount("conv1", kept=kept),
        UnitTally("conv2", top=4),
        MarkCount("conv2", kept=kept),
        UnitAblation("conv2"),
        InfluenceCount("conv2", before="conv1", kept=kept),
    ]


def assert_same(found: Counted, expected: Counted) -> None:
    assert digest(found.value) == digest(expected.value) and found.images == expected.images
    assert sorted(map(digest, found.problems)) == sorted(map(digest, expected.problems))


def test_in_one_forward_pass_beside_others_it_counts_what_it_does_alone(tiny: Classifier, photos: ImageSet) -> None:
    items = [one for one in items_of(tiny) if not isinstance(one, UnitAblation)]
    ran: list[int] = []
    handle = tiny.module.register_forward_pre_hook(lambda module, given: ran.append(len(given[0])))
    together = returned(by_chunks(WORK, tiny, photos, items))
    handle.remove()
    # The way through the network is recorded once, of a picture of noise, which does not run the whole module.
    assert sum(ran) == COUNT - 1
    for item, one in zip(items, together, strict=True):
        [alone] = returned(by_chunks(WORK, tiny, photos, [item]))
        assert_same(one, alone)


@pytest.mark.parametrize("size", [1, 2, 16])
def test_however_it_is_cut_the_bits_are_the_same(tiny: Classifier, photos: ImageSet, size: int) -> None:
    """Activations themselves, which others count, differ in their last bits between batches of other sizes."""
    items = [one for one in items_of(tiny) if isinstance(one, MarkCount | InfluenceCount)]
    whole = returned(once(UnitPass(), tiny, photos, items))
    for one, other in zip(returned(by_chunks(UnitPass(size, size), tiny, photos, items)), whole, strict=True):
        assert_same(one, other)


def test_shards_add_up_to_the_same_bits_in_any_grouping(tiny: Classifier, photos: ImageSet) -> None:
    items = items_of(tiny)
    whole = returned(by_chunks(WORK, tiny, photos, items))
    context = WORK.context(tiny, photos)
    borders = np.split(np.arange(COUNT), [6, 15, 31])
    shards = [returned(of_chunk(WORK, tiny, WORK.part(photos, context, part), items, 5)) for part in borders]
    for place, item in enumerate(items):
        own = [shard[place] for shard in shards]
        for order in itertools.islice(itertools.permutations(own), 0, 24, 5):
            one, two, three, four = order
            assert_same(
                counts.merged(item, [counts.merged(item, [one, two]), counts.merged(item, [three, four])]), whole[place]
            )
            assert_same(counts.merged(item, [one, counts.merged(item, [two, three, four])]), whole[place])


def test_killed_at_a_random_image_it_goes_on_to_the_same_bits(
    tiny: Classifier, photos: ImageSet, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOUPE_CACHE", str(tmp_path))
    cache.forget()
    items = items_of(tiny)
    whole = returned(by_chunks(WORK, tiny, photos, items))
    reading, deadly = photos._read, set[int]()

    def read(position: int):
        if position in deadly:
            raise KeyboardInterrupt
        return reading(position)

    photos._read = read
    for one in (11, 26, 38):
        deadly.add(one)
        with pytest.raises(KeyboardInterrupt):
            returned(by_chunks(WORK, tiny, photos, items, kept=cache.CachedItems()))
        deadly.clear()
    resumed = returned(by_chunks(WORK, tiny, photos, items, kept=cache.CachedItems()))
    for one, other in zip(resumed, whole, strict=True):
        assert_same(one, other)


def marks_of(classifier: Classifier, photos: ImageSet, kept: int) -> GatheredMarks:
    items = [MarkCount(one, kept=kept) for one in LAYERS]
    items += [InfluenceCount("conv2", before="conv1", kept=kept)]
    return gathered(classifier, LAYERS, returned(by_chunks(WORK, classifier, photos, items)), 0.03)


def test_how_many_are_kept_changes_no_count(tiny: Classifier, photos: ImageSet) -> None:
    few, many = (marks_of(tiny, photos, kept) for kept in (3, 100))
    assert len(few.rows_of(0)) == 3 and len(many.rows_of(0)) == few.images[0] == 20
    one, other = (ClassSummary.of(tiny, each) for each in (few, many))
    assert one.fingerprint == other.fingerprint
    assert one.fingerprint == ClassSummary.of(tiny, gathered_by(tiny, photos)).fingerprint
    assert few.inputs[0].numbers.sum() > 0 == many.inputs[0].numbers.sum()
    # What is kept of marks and of influences are the same images.
    for marks in few.marks:
        np.testing.assert_array_equal(marks.positions, few.inputs[0].positions)
        np.testing.assert_array_equal(marks.labels, few.inputs[0].labels)


@pytest.mark.parametrize("at_once", [1, 50, 10_000])
def test_however_many_marks_are_counted_at_a_time_the_bits_are_the_same(
    tiny: Classifier, photos: ImageSet, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = marks_of(tiny, photos, 3).inputs[0]
    monkeypatch.setattr(influences, "AT_ONCE", at_once)
    found = marks_of(tiny, photos, 3).inputs[0]
    assert digest(found) == digest(expected) and (np.diff(found.keys) > 0).all()
    # One by one, in a dictionary.
    every, counted = marks_of(tiny, photos, 100).inputs[0], dict[int, int]()
    few = set(found.positions.tolist())
    rows = every.marks.shape[1]
    for position, label, marks in zip(every.positions, every.labels, every.marks, strict=True):
        for row, candidate in itertools.product(range(rows), range(marks.shape[1])):
            mark = int(marks[row, candidate])
            if int(position) not in few and mark != influences.NONE:
                key = (int(label) * rows + row << 16) + mark
                counted[key] = counted.get(key, 0) + 1
    assert dict(zip(found.keys.tolist(), found.numbers.tolist(), strict=True)) == counted


def gathered_by(classifier: Classifier, photos: ImageSet) -> GatheredMarks:
    items = counts_of(classifier, LAYERS)
    return gathered(classifier, LAYERS, returned(by_chunks(UnitPass(), classifier, photos, items)), 0.03)


def test_drawing_every_image_once_counts_the_class(tiny: Classifier, photos: ImageSet) -> None:
    marks = marks_of(tiny, photos, 100)
    for number in (0, 1, 2):
        rows = marks.rows_of(number)
        drawn, whole = marks.drawn(rows, np.ones(len(rows), np.int64)), marks.of_class(number)
        assert digest(drawn.influences) == digest(whole.influences) and drawn.images == whole.images
        for layer in LAYERS:
            np.testing.assert_array_equal(drawn.counts[layer], whole.counts[layer])
    rows = marks.rows_of(0)
    twice = marks.drawn(rows[:2], np.array([2, 0]))
    once_ = marks.drawn(rows[:1], np.array([1]))
    for layer in LAYERS:
        np.testing.assert_array_equal(twice.counts[layer], 2 * once_.counts[layer])
    np.testing.assert_array_equal(twice.influences[LAYERS], 2 * once_.influences[LAYERS])
    assert len(marks.rows_of(None)) == 30


def test_memory_of_what_is_merged_does_not_grow_with_the_set(tiny: Classifier) -> None:
    def size(count: int) -> int:
        own = pictures(tiny, [("cat", "dog", "fish")[one % 3] for one in range(count)])
        items = [MarkCount("conv2", kept=3), InfluenceCount("conv2", before="conv1", kept=3)]
        found = returned(by_chunks(UnitPass(), tiny, own, items))
        return sum(one.nbytes for part in found for one in vars(part.value).values() if isinstance(one, np.ndarray))

    small, large = size(60), size(600)
    # Of pairs of channels there are no more than so many, whatever the images.
    assert large <= small + 3 * 6 * 4 * 16 and large < 4 * small


def test_adding_up_takes_few_times_the_memory_of_the_marks() -> None:
    """8 MB of marks, of images of which hardly any is kept."""
    random, nothing = np.random.default_rng(0), np.zeros(0, np.int64)
    marks = random.integers(0, 30, (20_000, 40, 5)).astype(np.uint16)
    value = InputMarks(np.arange(20_000), np.zeros(20_000, np.int32), marks, nothing, nothing)
    item = InfluenceCount("above", before="below", kept=2)
    tracemalloc.start()
    try:
        found = item.merged([value])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.numbers.sum() == (20_000 - 2) * 40 * 5 and peak < 3 * marks.nbytes


def test_partial_summaries_come_before_the_whole(tiny: Classifier, photos: ImageSet) -> None:
    from interp.class_summary.summary import summing

    seen = [int(one.images.sum()) for one in summing(tiny, photos, LAYERS)]
    assert seen and seen == sorted(seen) and seen[-1] <= 30
    assert summarize(tiny, photos, LAYERS).images.sum() == 30


def test_images_without_a_class_merge_to_nothing(tiny: Classifier) -> None:
    bare = pictures(tiny, (None,) * 7)
    items = [MarkCount("conv2"), InfluenceCount("conv2", before="conv1")]
    for item, one in zip(items, returned(by_chunks(UnitPass(2, 2), tiny, bare, items)), strict=True):
        assert one.images == 7 and digest(one.value) == digest(item.blank(tiny))
