"""A pass in pieces: killed and resumed, cut into parts and put together, and run in another process."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import cache
from interp import images, models, set_pass
from interp.attribution import GradCam
from interp.channels.over_set import AttributionPass, SetTarget
from interp.embedding import FeaturePass, Representation
from interp.images import ImageSet
from interp.models.predictions import PredictionPass
from interp.set_pass import Chunk, SetPass, merged, of_chunk, returned
from interp.shared_interest import Explanation, ExplanationPass, Scoring
from interp.types import Classifier

CHUNK = 4
PASSES: dict[str, tuple[SetPass, object]] = {
    "features": (FeaturePass(CHUNK, CHUNK), Representation("mixed5b", "positions")),
    "channels": (AttributionPass(CHUNK, CHUNK), SetTarget("mixed5b", "label")),
    "explanations": (ExplanationPass(CHUNK, CHUNK), Explanation(GradCam())),
    "predictions": (PredictionPass(CHUNK, CHUNK), 3),
}


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return models.load("scenes-honest")


@pytest.fixture(scope="module")
def photos() -> ImageSet:
    return images.load("scenes:14")


def same(one: object, other: object) -> None:
    """Bit for bit."""
    assert type(one) is type(other)
    for name, value in vars(one).items():
        if isinstance(value, np.ndarray):
            assert value.dtype == getattr(other, name).dtype
            np.testing.assert_array_equal(value, getattr(other, name))
        elif hasattr(value, "__dict__") and any(isinstance(inner, np.ndarray) for inner in vars(value).values()):
            same(value, getattr(other, name))
        elif name != "fingerprint":
            assert value == getattr(other, name)


def parts(work: SetPass, classifier: Classifier, photos: ImageSet, item: object) -> list:
    """The values of the chunks, one by one."""
    context = work.context(classifier, photos)
    every = [np.arange(start, min(start + CHUNK, len(photos))) for start in range(0, len(photos), CHUNK)]
    chunks = [work.part(photos, context, positions) for positions in every]
    return [returned(of_chunk(work, classifier, chunk, (item,)))[0] for chunk in chunks]


@pytest.mark.parametrize("name", PASSES)
def test_parts_are_put_together_in_any_grouping(name: str, classifier: Classifier, photos: ImageSet) -> None:
    work, item = PASSES[name]
    [whole] = returned(set_pass.by_chunks(work, classifier, photos, (item,), np.arange(14)))
    one, two, three, four = parts(work, classifier, photos, item)
    for found in (merged([one, two, three, four]), merged([merged([one, two]), merged([three, four])]),
                  merged([one, merged([two, merged([three, four])])])):  # fmt: skip
        same(found, whole)


@pytest.mark.parametrize("name", PASSES)
def test_killed_at_any_image_it_goes_on_to_the_same_bits(
    name: str, classifier: Classifier, photos: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, item = PASSES[name]
    asked = (work, classifier, photos, (item,), np.arange(14))
    expected = returned(set_pass.by_chunks(*asked))
    read = type(work).read
    left = [0]

    def killed(self, classifier, photos, position):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return read(self, classifier, photos, position)

    monkeypatch.setattr(type(work), "read", killed)
    for count in np.random.default_rng(0).integers(1, 9, 3).tolist():
        left[0] = count
        with pytest.raises(KeyboardInterrupt):
            returned(set_pass.by_chunks(*asked, kept=cache.CachedItems()))
    left[0] = 100
    found = returned(set_pass.by_chunks(*asked, kept=cache.CachedItems()))
    same(found[0], expected[0])
    # And out of what was kept nothing is read again.
    left[0] = 0
    same(returned(set_pass.by_chunks(*asked, kept=cache.CachedItems()))[0], expected[0])


WORKER = """
import pickle, sys
from interp import images, models
from interp.set_pass import Chunk, of_chunk, returned
classifier, photos = models.load("scenes-honest"), images.load("scenes:14")
for name, (work, items, positions, context) in pickle.load(sys.stdin.buffer).items():
    chunk = Chunk(photos, positions, context, "")
    sys.stdout.buffer.write(pickle.dumps((name, returned(of_chunk(work, classifier, chunk, items)))))
"""


@pytest.mark.slow
def test_another_process_gives_the_same_bits(classifier: Classifier, photos: ImageSet) -> None:
    positions = np.array([2, 13, 5])
    sent = {name: (work, (item,), positions, work.context(classifier, photos)) for name, (work, item) in PASSES.items()}
    command = [sys.executable, "-c", WORKER]
    root = Path(__file__).resolve().parents[2]
    answer = subprocess.run(command, input=pickle.dumps(sent), stdout=subprocess.PIPE, check=True, cwd=root).stdout
    size = 0
    for work, items, positions, context in sent.values():
        name, found = pickle.loads(answer[size:])
        size += len(pickle.dumps((name, found)))
        here = returned(of_chunk(work, classifier, Chunk(photos, positions, context, ""), items))
        same(found[0], here[0])
    assert size == len(answer)


def test_scores_come_from_what_is_kept_chunk_by_chunk(classifier: Classifier, photos: ImageSet) -> None:
    work, item = PASSES["explanations"]
    [whole] = returned(set_pass.by_chunks(work, classifier, photos, (item,), collecting=Scoring()))
    one, *others = [Scoring().scored(classifier.name, part) for part in parts(work, classifier, photos, item)]
    found = merged([one, *others])
    assert found.overlap.shared.tolist() == whole.overlap.shared.tolist() and whole.total == 14
    assert found.continuous.tolist() == whole.continuous.tolist()
