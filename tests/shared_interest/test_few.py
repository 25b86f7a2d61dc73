"""Maps of a few images: out of what was kept, else computed anew, and the same either way."""

import numpy as np

import cache
from interp import shared_interest
from interp.attribution import Gradient
from interp.set_pass import by_chunks, returned, spread
from interp.shared_interest import Explanation, ExplanationPass, Scoring, Thresholds, annotated, ladder
from interp.shared_interest.few import explained_at, sweep_at
from tests.shared_interest.sets import boxes, image_set, pictures

QUESTION = Explanation(Gradient())


def test_what_was_kept_is_not_computed_again(tiny, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("LOUPE_CACHE", str(tmp_path))
    photos = image_set(pictures(6), boxes(6))
    alone = returned(explained_at(tiny, photos, QUESTION, (4, 1), cache.CachedItems()))
    assert alone.positions.tolist() == [4, 1] and np.abs(alone.maps).max() > 0
    kept, order = cache.CachedItems(), spread(annotated(photos))
    returned(by_chunks(ExplanationPass(), tiny, photos, (QUESTION,), order, kept=kept))
    monkeypatch.setattr(ExplanationPass, "run", lambda *given: 1 / 0)
    kept = returned(explained_at(tiny, photos, QUESTION, (4, 1), cache.CachedItems()))
    assert kept.positions.tolist() == [4, 1] and np.array_equal(kept.annotations, alone.annotations)
    np.testing.assert_allclose(kept.maps, alone.maps, rtol=1e-2, atol=1e-6)


def test_the_sweep_of_an_image_is_that_of_its_map(tiny, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("LOUPE_CACHE", str(tmp_path))
    photos, scoring = image_set([*pictures(2), None], boxes(3)), Scoring()
    given = (tiny, photos, QUESTION, scoring, Thresholds())
    found = returned(sweep_at(*given, 1, True, cache.CachedItems()))
    one = returned(explained_at(tiny, photos, QUESTION, (1,), cache.CachedItems()))
    expected = shared_interest.sweep(one.maps[0], one.annotations[0], True, ladder(scoring.rule))
    assert found.rules == expected.rules and np.array_equal(found.cases, expected.cases)
    assert returned(sweep_at(*given, 2, True, cache.CachedItems())) is None
