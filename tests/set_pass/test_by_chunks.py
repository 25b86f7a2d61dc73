from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import cache
from cache import Visitor, call, get, trouble
from interp import progress, set_pass
from interp.embedding.features import FeaturePass, features
from interp.embedding.representations import Features, Representation
from interp.images import ImageSet
from interp.images.decoding import DecodedImage
from interp.set_pass import SetPass
from interp.types import Classifier

COUNT = 40
log: list[tuple[tuple[str, ...], list[int]]] = []


def row(item: str, positions: Sequence[int]) -> Features:
    """A row for each image: its position. The store takes none but the library's own dataclasses."""
    indices = np.array(positions, np.int32)
    return Features(Representation(item), indices[:, None].astype(np.float32), indices)


def texts(found: Features) -> list[str]:
    assert found.values[:, 0].tolist() == found.indices.tolist()
    return [f"{found.representation.layer}{position}" for position in found.indices.tolist()]


@dataclass(frozen=True)
class Naming(SetPass[str, Features]):
    """Says of each image which it is, two images at a time."""

    chunk: int = 10
    first: int = 10
    what = "Naming"

    def batch_size(self, classifier, items) -> int:
        return 5

    def read(self, classifier, photos, position) -> int:
        return position

    def run(self, classifier, items, context, seen) -> list[Features]:
        log.append((tuple(items), list(seen)))
        time.sleep(0.005)
        return [row(item, seen) for item in items]

    def blank(self, classifier, item, problems=()) -> Features:
        return row(item, [])


@dataclass(frozen=True)
class FailsAtTwenty(Naming):
    def run(self, classifier, items, context, seen) -> list[Features]:
        if 20 in seen:
            log.append((tuple(items), list(seen)))
            raise ValueError("20 is no good")
        return super().run(classifier, items, context, seen)


@pytest.fixture(autouse=True)
def clean() -> None:
    log.clear()


@pytest.fixture
def photos() -> ImageSet:
    rng = np.random.default_rng(0)
    pictures = [DecodedImage(Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8))) for _ in range(COUNT)]
    names = [f"{number}.png" for number in range(COUNT)]
    return ImageSet(name="set", description="", fingerprint="set", names=names, read=pictures.__getitem__)


def asked(tiny: Classifier, photos: ImageSet, items: tuple, positions=None, work: Naming = Naming()) -> cache.Call:
    return call(set_pass.by_chunks, work, tiny, photos, items, positions, kept=cache.CachedItems())


def begun() -> list[int]:
    """The first image of each batch that was run."""
    return [positions[0] for _, positions in log]


def test_chunks_come_together_in_order(tiny: Classifier, photos: ImageSet) -> None:
    one, other = get(asked(tiny, photos, ("a", "b")), disk=False)
    assert texts(one) == [f"a{n}" for n in range(COUNT)] and texts(other) == [f"b{n}" for n in range(COUNT)]
    assert begun() == list(range(0, COUNT, 5))


def test_chunks_may_begin_small_and_grow(tiny: Classifier, photos: ImageSet) -> None:
    [found] = get(asked(tiny, photos, ("a",), work=Naming(16, 3)), disk=False)
    assert begun() == [0, 3, 8, 9, 14, 19, 21, 26, 31, 36, 37]
    assert texts(found) == [f"a{n}" for n in range(COUNT)]


def test_what_was_cancelled_goes_on_where_it_stopped(tiny: Classifier, photos: ImageSet) -> None:
    question = asked(tiny, photos, ("a",), work=Naming(4, 4))
    visitor = Visitor()
    job = visitor.ask("x", question, disk=False)
    while len(log) < 4:
        time.sleep(0.001)
    visitor.release("x")
    assert job.wait(5) and job.state == "cancelled"
    before = len(log)
    cache.forget()
    [found] = get(question, disk=False)
    assert texts(found) == [f"a{n}" for n in range(COUNT)]
    # At most the chunk that was interrupted is begun twice.
    assert before < 10 and len(log) <= 11
    assert sorted({tuple(positions) for _, positions in log}) == [tuple(range(n, n + 4)) for n in range(0, COUNT, 4)]
    before = len(log)
    cache.forget()
    assert texts(get(question, disk=False)[0]) == texts(found) and len(log) == before


def test_after_a_failure_what_was_computed_stays(tiny: Classifier, photos: ImageSet) -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match="20 is no good"):
            get(asked(tiny, photos, ("a",), work=FailsAtTwenty()), disk=False)
    assert begun() == [0, 5, 10, 15, 20, 20]


def test_only_the_missing_items_of_a_chunk_are_computed_and_together(tiny: Classifier, photos: ImageSet) -> None:
    get(asked(tiny, photos, ("b",), np.arange(10)), disk=False)
    log.clear()
    found = get(asked(tiny, photos, ("a", "b", "c"), np.arange(20)), disk=False)
    assert [items for items, _ in log] == [("a", "c")] * 2 + [("a", "b", "c")] * 2
    assert [texts(one) for one in found] == [[f"{item}{n}" for n in range(20)] for item in "abc"]


def test_a_chunk_is_the_entry_of_its_own_call(tiny: Classifier, photos: ImageSet) -> None:
    work = Naming()
    get(asked(tiny, photos, ("a",), range(10), work), disk=False)
    chunk = work.part(photos, None, np.arange(10))
    assert texts(get(call(set_pass.of_chunk, work, tiny, chunk, ("a",)))[0]) == [f"a{n}" for n in range(10)]
    assert len(log) == 2


def test_positions_as_a_list_or_an_array_are_the_same_chunks(tiny: Classifier, photos: ImageSet) -> None:
    for positions in (None, list(range(COUNT)), np.arange(COUNT, dtype=np.int32)):
        get(asked(tiny, photos, ("a",), positions), disk=False)
    assert len(log) == 8


def test_what_is_kept_is_found_without_computing(tiny: Classifier, photos: ImageSet) -> None:
    arguments = Naming(), tiny, photos, "a", None, cache.CachedItems()
    get(asked(tiny, photos, ("a",), np.arange(20)), disk=False)
    log.clear()
    assert [part is None for part in set_pass.kept_parts(*arguments)] == [False, False, True, True]
    parts = list(set_pass.kept_parts(*arguments, [3, 25]))
    assert parts[0] is not None and texts(parts[0])[3] == "a3" and parts[1:] == [None]
    assert not log


def test_progress_counts_all_chunks(tiny: Classifier, photos: ImageSet) -> None:
    class Hears:
        steps: list[tuple[int, int]] = []

        def step(self, done: int, total: int, what: str) -> None:
            assert what == "Naming"
            self.steps.append((done, total))

        def remark(self, text: str) -> None:
            raise AssertionError(text)

    with progress.listening(Hears()):
        partial = list(set_pass.by_chunks(Naming(), tiny, photos, ("a",)))
    assert Hears.steps == [
        (number, COUNT) for start in range(0, COUNT, 10) for number in (start, start + 5, start + 10)
    ]
    # All so far comes after each batch and after each chunk.
    assert [len(so_far) for (so_far,) in partial] == [0, 0, 10, 10, 10, 20, 20, 20, 30, 30, 30, 40]


def test_a_store_that_cannot_be_written_to_is_said(
    tiny: Classifier, photos: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LOUPE_CACHE", str(tmp_path / "file" / "store"))
    job = Visitor().ask("x", asked(tiny, photos, ("a",)), disk=False)
    assert job.wait(5) and len(job.value[0]) == COUNT
    assert not job.remarks and "no folder" in (trouble() or "")


def test_features_of_a_set_are_resumed(tiny: Classifier, photos: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    representations = (Representation("conv2"), Representation("logits"))
    passes, forward = [], tiny.module.forward

    def interrupted(pixels):
        passes.append(len(pixels))
        if sum(passes) > 24:
            raise ValueError("interrupted")
        return forward(pixels)

    question = call(set_pass.by_chunks, FeaturePass(8, 8), tiny, photos, representations, kept=cache.CachedItems())
    monkeypatch.setattr(tiny.module, "forward", interrupted)
    with pytest.raises(ValueError, match="interrupted"):
        get(question, disk=False)
    passes.clear()
    found, logits = get(question, disk=False)
    assert sum(passes) == 16
    monkeypatch.setattr(tiny.module, "forward", forward)
    np.testing.assert_allclose(found.values, features(tiny, photos, layer="conv2"), atol=1e-6)
    np.testing.assert_allclose(logits.values, features(tiny, photos, layer="logits"), atol=1e-6)
    assert found.indices.tolist() == list(range(COUNT))


def test_of_a_network_that_draws_at_random_nothing_is_kept_on_disk(
    tiny: Classifier, photos: ImageSet, folder: Path
) -> None:
    random = dataclasses.replace(tiny, deterministic=False, fingerprint="drawn anew")
    question = asked(random, photos, ("a",))
    get(question)
    assert len(log) == 8 and len(get(asked(random, photos, ("a", "b")))) == 2
    # The chunks of the first item were in memory.
    assert [items for items, _ in log[8:]] == [("b",)] * 8
    logits = call(Classifier.logits, random, random.prepare([photos[0].image]))
    get(logits)
    get(call(Classifier.logits, images=random.prepare([photos[1].image]), self=random))
    assert not [path for path in folder.rglob("*") if path.is_file()]
    cache.forget()
    get(question)
    assert [items for items, _ in log[16:]] == [("a",)] * 8
    get(asked(tiny, photos, ("a",)))
    assert [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("count", "most", "places"),
    [(0, 3, []), (2, 3, [0, 1]), (3, 3, [0, 1, 2]), (9, 3, [0, 4, 8]), (9, 1, [0]), (10, 4, [0, 3, 6, 9])],
)
def test_some_places_are_spread_evenly_over_all(count: int, most: int, places: list[int]) -> None:
    assert set_pass.evenly(count, most).tolist() == places
