from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import cache
from cache import Visitor, call, chunks, get, trouble
from interp import progress
from interp.embedding.features import extract, features
from interp.embedding.representations import Representation, Rows
from interp.images import ImageSet
from interp.images.decoding import Picture
from interp.types import Classifier

COUNT = 40
log: list[tuple[tuple[str, ...], list[int]]] = []


class Added:
    """The sums that came in, item by item."""

    def __init__(self, classifier: Classifier, items: Sequence[str], count: int) -> None:
        self.parts: list[list[str]] = []

    def add(self, parts: Sequence[list[str]]) -> None:
        self.parts.append([text for part in parts for text in part])

    @property
    def so_far(self) -> list[list[str]]:
        return list(self.parts)


def named(classifier: Classifier, photos: ImageSet, items: Sequence[str], positions: np.ndarray) -> Iterator:
    log.append((tuple(items), positions.tolist()))
    for done in range(2):
        progress.report(done, 2, "Naming")
        time.sleep(0.005)
        yield "inner"
    return tuple([f"{item}{position}" for position in positions.tolist()] for item in items)


def plainly(classifier: Classifier, photos: ImageSet, items: Sequence[str], positions: np.ndarray) -> tuple:
    progress.report(1, 2, "Naming")
    return tuple([f"{item}{position}" for position in positions.tolist()] for item in items)


def fails_at_twenty(classifier: Classifier, photos: ImageSet, items: Sequence[str], positions: np.ndarray) -> tuple:
    log.append((tuple(items), positions.tolist()))
    if 20 in positions:
        raise ValueError("20 is no good")
    return tuple(positions.tolist() for _ in items)


@pytest.fixture(autouse=True)
def clean() -> None:
    log.clear()


@pytest.fixture
def photos() -> ImageSet:
    rng = np.random.default_rng(0)
    pictures = [Picture(Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8))) for _ in range(COUNT)]
    names = [f"{number}.png" for number in range(COUNT)]
    return ImageSet(name="set", description="", fingerprint="set", names=names, read=pictures.__getitem__)


def asked(function, tiny: Classifier, photos: ImageSet, items: tuple, positions=None, size: int = 10) -> cache.Call:
    return call(chunks.gathered, function, Added, tiny, photos, items, positions, size)


def test_chunks_come_together_in_order(tiny: Classifier, photos: ImageSet) -> None:
    found = get(asked(named, tiny, photos, ("a", "b")), disk=False)
    assert found[1] == [f"a{n}" for n in range(10, 20)] + [f"b{n}" for n in range(10, 20)]
    assert [positions for _, positions in log] == [list(range(start, start + 10)) for start in (0, 10, 20, 30)]
    assert get(asked(plainly, tiny, photos, ("a", "b")), disk=False) == found


def test_chunks_may_begin_small_and_grow(tiny: Classifier, photos: ImageSet) -> None:
    question = call(chunks.gathered, named, Added, tiny, photos, ("a",), None, 16, 3)
    found = get(question, disk=False)
    assert [len(positions) for _, positions in log] == [3, 6, 12, 16, 3]
    assert [text for part in found for text in part] == [f"a{n}" for n in range(COUNT)]


def test_what_was_cancelled_goes_on_where_it_stopped(tiny: Classifier, photos: ImageSet) -> None:
    question = asked(named, tiny, photos, ("a",), size=4)
    visitor = Visitor()
    job = visitor.ask("x", question, disk=False)
    while len(log) < 4:
        time.sleep(0.001)
    visitor.release("x")
    assert job.wait(5) and job.state == "cancelled"
    begun = len(log)
    cache.forget()
    found = get(question, disk=False)
    assert [text for part in found for text in part] == [f"a{n}" for n in range(COUNT)]
    # At most the chunk that was interrupted is begun twice.
    assert begun < 10 and len(log) <= 11
    assert sorted({tuple(positions) for _, positions in log}) == [tuple(range(n, n + 4)) for n in range(0, COUNT, 4)]
    before = len(log)
    cache.forget()
    assert get(question, disk=False) == found and len(log) == before


def test_after_a_failure_what_was_computed_stays(tiny: Classifier, photos: ImageSet) -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match="20 is no good"):
            get(asked(fails_at_twenty, tiny, photos, ("a",)), disk=False)
    assert [positions[0] for _, positions in log] == [0, 10, 20, 20]


def test_only_the_missing_items_of_a_chunk_are_computed_and_together(tiny: Classifier, photos: ImageSet) -> None:
    get(asked(named, tiny, photos, ("b",), np.arange(10)), disk=False)
    log.clear()
    found = get(asked(named, tiny, photos, ("a", "b", "c"), np.arange(20)), disk=False)
    assert [items for items, _ in log] == [("a", "c"), ("a", "b", "c")]
    assert found[0] == [f"{item}{n}" for item in "abc" for n in range(10)]


def test_a_chunk_is_the_entry_of_its_own_call(tiny: Classifier, photos: ImageSet) -> None:
    get(asked(named, tiny, photos, ("a",), size=COUNT), disk=False)
    assert get(call(named, tiny, photos, ("a",), np.arange(COUNT)))[0] == [f"a{n}" for n in range(COUNT)]
    assert len(log) == 1


def test_positions_as_a_list_or_an_array_are_the_same_chunks(tiny: Classifier, photos: ImageSet) -> None:
    for positions in (None, list(range(COUNT)), np.arange(COUNT, dtype=np.int32)):
        get(asked(named, tiny, photos, ("a",), positions), disk=False)
    assert len(log) == 4


@pytest.mark.parametrize("function", [named, plainly])
def test_progress_counts_all_chunks(tiny: Classifier, photos: ImageSet, function) -> None:
    class Hears:
        steps: list[tuple[int, int]] = []

        def step(self, done: int, total: int, what: str) -> None:
            self.steps.append((done, total))

        def remark(self, text: str) -> None:
            raise AssertionError(text)

    Hears.steps = []
    with progress.listening(Hears()):
        partial = list(chunks.gathered(function, Added, tiny, photos, ("a",), None, 10))
    done = [0, 5, 10, 15, 20, 25, 30, 35] if function is named else [5, 15, 25, 35]
    assert Hears.steps == [(number, COUNT) for number in done]
    assert len(partial) == (12 if function is named else 4) and len(partial[-1]) == 4


def test_a_store_that_cannot_be_written_to_is_said(
    tiny: Classifier, photos: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LOUPE_CACHE", str(tmp_path / "file" / "store"))
    job = Visitor().ask("x", asked(named, tiny, photos, ("a",)), disk=False)
    assert job.wait(5) and len(job.value) == 4
    assert not job.remarks and "no folder" in (trouble() or "")


def test_features_of_a_set_are_resumed(tiny: Classifier, photos: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    representations = (Representation("conv2").resolved(tiny), Representation("logits").resolved(tiny))
    passes, forward = [], tiny.module.forward

    def interrupted(pixels):
        passes.append(len(pixels))
        if sum(passes) > 24:
            raise ValueError("interrupted")
        return forward(pixels)

    question = call(chunks.gathered, extract, Rows, tiny, photos, representations, None, 8)
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
    question = asked(named, random, photos, ("a",))
    found = get(question)
    assert len(log) == 4 and get(asked(named, random, photos, ("a", "b"))) != found
    # The chunks of the first item were in memory.
    assert [items for items, _ in log[4:]] == [("b",)] * 4
    logits = call(Classifier.logits, random, random.prepare([photos[0].image]))
    get(logits)
    get(call(Classifier.logits, images=random.prepare([photos[1].image]), self=random))
    assert not [path for path in folder.rglob("*") if path.is_file()]
    cache.forget()
    get(question)
    assert [items for items, _ in log[8:]] == [("a",)] * 4
    get(asked(named, tiny, photos, ("a",)))
    assert [path for path in folder.rglob("*") if path.is_file()]
