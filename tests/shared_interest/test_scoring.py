"""The scores of a set: those of a slow and obvious computation, as they come in, and again out of what was kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import cache
from interp import set_pass
from interp.attribution import GradCam, Gradient
from interp.images import ImageSet
from interp.set_pass import kept_parts
from interp.shared_interest import (
    CASES,
    SCORES,
    Area,
    Deviations,
    Explanation,
    ExplanationPass,
    Percentile,
    Scored,
    Scoring,
    Thresholds,
    annotated,
    score,
)
from interp.types import Classifier
from tests.conftest import tiny_classifier
from tests.shared_interest.sets import boxes, image_set, pictures, scored
from tests.shared_interest.test_explaining import explained

COUNT = 11


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of its own for each test."""
    monkeypatch.setenv("LOUPE_CACHE", str(tmp_path / "store"))
    cache.forget()
    return tmp_path / "store"


@pytest.fixture
def photos() -> ImageSet:
    return image_set(pictures(COUNT), boxes(COUNT))


@pytest.fixture
def passes(tiny: Classifier) -> list[int]:
    """How many images went through the classifier at each forward pass."""
    seen: list[int] = []
    tiny.module.register_forward_pre_hook(lambda module, inputs: seen.append(len(inputs[0])))
    return seen


def naive(found: Explained, rule: Deviations | Percentile | Area, magnitude: bool) -> list[tuple[float, ...]]:
    """IoU, the two coverages and the continuous one, pixel by pixel."""
    rows = []
    for heatmap, mask in zip(found.maps.astype(float), found.annotations, strict=True):
        values = np.abs(heatmap) if magnitude else heatmap
        if isinstance(rule, Deviations):
            limit = values.mean() + rule.count * values.std()
        else:
            share = 1 - rule.percent / 100 if isinstance(rule, Percentile) else rule.share or mask.mean()
            limit = sorted(values.ravel().tolist())[-round(share * mask.size) - 1]
        both = either = salient = 0
        weight = whole = 0.0
        for row in range(mask.shape[0]):
            for column in range(mask.shape[1]):
                large, inside = bool(values[row, column] > limit), bool(mask[row, column])
                both, either, salient = both + (large and inside), either + (large or inside), salient + large
                whole += abs(heatmap[row, column])
                weight += abs(heatmap[row, column]) * inside
        rows.append((both / either, both / int(mask.sum()), both / salient, weight / whole))
    return rows


@pytest.mark.parametrize("rule", [Deviations(), Deviations(0.5), Percentile(75), Area(0.25), Area()])
@pytest.mark.parametrize("evidence", ["for", "any"])
@pytest.mark.parametrize("method", [Gradient(), GradCam(layer="conv1")])
def test_scores_equal_those_counted_pixel_by_pixel(tiny, photos, rule, evidence, method) -> None:
    found = score(tiny, photos, Explanation(method), scoring=Scoring(rule, evidence))
    [maps] = explained(tiny, photos, Explanation(method))
    expected = np.array(naive(maps, rule, evidence == "any"))
    for place, name in enumerate(SCORES):
        assert np.allclose(found.score(name), expected[:, place], atol=1e-6), name
    assert found.finished and found.total == COUNT and found.positions.tolist() == list(range(COUNT))
    assert found.correct.tolist() == (maps.predicted == maps.labels).tolist()


def test_half_precision_hardly_moves_a_score(tiny, photos) -> None:
    [kept] = explained(tiny, photos, Explanation(Gradient()))
    overlap, continuous = Scoring().of(kept)
    from interp import attribution, shared_interest

    batch = tiny.prepare([sample.image for sample in photos])
    exact = attribution.attribute(tiny, batch, kept.predicted.tolist(), Gradient()).values
    expected = shared_interest.iou_coverage(kept.annotations, shared_interest.binarize(exact, Deviations()))
    assert np.abs(overlap.iou - expected).max() < 0.02
    assert np.abs(continuous - shared_interest.saliency_coverage(kept.annotations, exact)).max() < 1e-3


def test_a_set_comes_chunk_by_chunk_and_what_was_handed_out_stays(tiny, photos) -> None:
    tally = Scoring()(tiny, (Explanation(Gradient()),), COUNT)
    assert len(tally.so_far[0]) == 0 and not tally.so_far[0].finished
    tally.add(explained(tiny, photos, Explanation(Gradient()), positions=range(4)))
    first = tally.so_far[0]
    assert tally.so_far[0] is first and len(first) == 4 and not first.finished
    before = first.overlap.iou.copy()
    tally.add(explained(tiny, photos, Explanation(Gradient()), positions=range(4, COUNT)))
    assert len(tally.so_far[0]) == COUNT and tally.so_far[0].finished
    assert np.array_equal(first.overlap.iou, before) and len(first) == 4
    assert np.array_equal(tally.so_far[0].overlap.iou[:4], before)
    assert first.fingerprint != tally.so_far[0].fingerprint


def asked(tiny: Classifier, photos: ImageSet, scoring: Scoring, *explanations: Explanation) -> cache.Call:
    work = ExplanationPass(4, 2)
    return cache.call(
        set_pass.by_chunks, work, tiny, photos, explanations, kept=cache.CachedItems(), collecting=scoring
    )


def test_another_rule_needs_no_pass_and_gives_what_a_fresh_start_gives(tiny, photos, passes) -> None:
    explanation = Explanation(GradCam(layer="conv2"))
    [first] = cache.get(asked(tiny, photos, Scoring(), explanation), disk=False)
    assert passes
    passes.clear()
    [again] = cache.get(asked(tiny, photos, Scoring(Percentile(80)), explanation), disk=False)
    assert not passes
    fresh = score(tiny_classifier(), photos, explanation, scoring=Scoring(Percentile(80)))
    # Maps of batches of another size may differ in their last bits, and so a pixel at the threshold.
    assert np.allclose(again.overlap.iou, fresh.overlap.iou, atol=0.03)
    assert not np.allclose(again.overlap.iou, first.overlap.iou, atol=0.03)
    # A second method is computed, the first one read.
    found = cache.get(asked(tiny, photos, Scoring(), explanation, Explanation(Gradient())), disk=False)
    assert np.array_equal(found[0].overlap.iou, first.overlap.iou) and len(found[1]) == COUNT


def test_what_was_interrupted_goes_on_where_it_stopped(tiny, photos, passes) -> None:
    explanation = Explanation(Gradient())
    steps = asked(tiny, photos, Scoring(), explanation)()
    for so_far in steps:
        if len(so_far[0]) >= 6:
            steps.close()
            break
    done = sum(passes)
    passes.clear()
    [found] = cache.get(asked(tiny, photos, Scoring(), explanation), disk=False)
    assert len(found) == COUNT and sum(passes) == done * (COUNT - 6) / 6


def test_single_maps_come_out_of_the_kept_chunks(tiny, photos, passes) -> None:
    explanation = Explanation(Gradient())
    asking = ExplanationPass(4, 2), tiny, photos, explanation, annotated(photos), cache.CachedItems()
    assert set(kept_parts(*asking, [1, 9])) == {None}
    cache.get(asked(tiny, photos, Scoring(), explanation), disk=False)
    passes.clear()
    parts = [part for part in kept_parts(*asking, [9, 1, 0, 40]) if part is not None]
    found = set_pass.merged(parts).at([9, 1, 0])
    assert not passes and found.positions.tolist() == [9, 1, 0]
    [fresh] = explained(tiny, photos, explanation, positions=[9, 1, 0])
    assert np.allclose(found.maps, fresh.maps, rtol=2e-3, atol=1e-5)
    assert np.array_equal(found.annotations, fresh.annotations)


def test_problems_count_as_done(tiny) -> None:
    photos = image_set([*pictures(3), None], boxes(4))
    found = score(tiny, photos, Explanation(Gradient()))
    assert len(found) == 3 and found.total == 4 and found.finished
    assert [problem.name for problem in found.problems] == ["3.png"]


def test_cases_right_and_wrong_and_what_has_no_label() -> None:
    rows = scored([(100, 100, 90)] * 3, labels=[0, 1, -1], predicted=[0, 0, 0])
    assert [CASES[one] for one in rows.cases()] == ["human aligned", "confuser", "unclassified"]
    assert rows.known.tolist() == [True, True, False]
    assert rows.correct.tolist() == [True, False, False] and rows.wrong.tolist() == [False, True, False]
    assert CASES[rows.cases(Thresholds(0.2, 0.95))[0]] == "unclassified"


def test_rows_by_number_and_by_mask() -> None:
    rows = scored([(10, 10, 5), (10, 10, 10), (10, 20, 10)], labels=[0, 1, 2])
    assert rows.of(np.array([2, 0])).positions.tolist() == [2, 0]
    kept = rows.of(rows.overlap.iou >= 0.5)
    assert kept.positions.tolist() == [1, 2] and kept.score("iou").tolist() == [1.0, 0.5] and kept.total == 3


def test_bad_values_say_what_would_be_right(tiny, photos) -> None:
    with pytest.raises(ValueError, match="percentile of 100"):
        score(tiny, photos, Explanation(Gradient()), scoring=Scoring(Percentile(100)))


def test_ten_thousand_scores_are_handed_out_without_a_copy(tiny, photos) -> None:
    tally = Scoring()(tiny, (Explanation(Gradient()),), 10_000)
    tally.add(explained(tiny, photos, Explanation(Gradient()), positions=range(4)))
    [one] = tally.so_far
    whole = one.positions, one.predicted, one.labels, one.overlap.annotated, one.overlap.salient, one.overlap.shared
    sizes = [(len(array), array.base.nbytes) for array in (*whole, one.probability, one.continuous)]
    assert sizes == [(4, 40_000)] * 6 + [(4, 80_000)] * 2


def test_scores_are_no_part_of_a_page_key_but_have_a_fingerprint() -> None:
    first, second = scored([(10, 10, 5)]), scored([(10, 10, 6)])
    assert isinstance(first, Scored) and cache.key(first) != cache.key(second)
    assert cache.key(first) == cache.key(scored([(10, 10, 5)]))
