"""What was computed beforehand is found again by what was asked alone, and is as it was, but for the rounding."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import cache
from cache import keys, prepared, queues
from cache.encoding import decode, encode
from cache.prepared import Archive, Recording
from interp.attribution import GradCam, attribute
from interp.types import Classifier, Images, Target
from tests.conftest import tiny_classifier

NOTE = {"classifier": "tiny", "fingerprint": "abc", "images": "noise", "made": "2026-01-01"}


def refuse(*arguments, **keywords) -> None:
    raise AssertionError("It is computed again.")


def asked(classifier: Classifier, images: Images) -> cache.Call:
    return cache.call(attribute, classifier, images, (Target(1),) * len(images), GradCam("conv2"))


def written(folder: Path, *calls: cache.Call) -> Path:
    """An archive with the results of these calls, computed now."""
    made = Recording()
    cache.forget()
    with prepared.recording(made):
        for one in calls:
            cache.get(one)
    made.write(folder / "tiny.zip", NOTE)
    return folder / "tiny.zip"


@pytest.fixture
def classifier() -> Classifier:
    return tiny_classifier()


@pytest.fixture
def call(classifier: Classifier, noise_images: Images) -> cache.Call:
    return asked(classifier, noise_images)


@pytest.fixture
def unstored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Forget all that was kept, and take the library for another version of it."""

    def forget() -> None:
        cache.forget()
        monkeypatch.setenv("LOUPE_CACHE", str(tmp_path / "another"))
        monkeypatch.setattr(keys, "_library", lambda: "another version")

    return forget


def test_it_is_found_by_a_later_version_which_does_not_compute_it(
    call: cache.Call, classifier: Classifier, noise_images: Images, tmp_path: Path, unstored, monkeypatch
) -> None:
    computed = cache.get(call)
    written(tmp_path, call)
    unstored()
    later = asked(classifier, noise_images)
    assert later.key != call.key and later.subject == call.subject
    assert prepared.use(tmp_path) == ()
    monkeypatch.setattr(GradCam, "maps", refuse)
    found = cache.get(later)
    assert torch.allclose(found.values, computed.values, atol=float(computed.values.abs().max()) * 2**-11)
    assert type(found) is type(computed)


def test_what_memory_still_holds_is_recorded_in_every_pass(call: cache.Call) -> None:
    made = Recording()
    cache.forget()
    cache.get(call)
    with prepared.recording(made):
        for _ in range(2):
            made.begin()
            cache.get(call)
            assert made.used == {call.subject} and call.subject in made


@pytest.mark.parametrize("other", ["classifier", "picture", "target", "method"])
def test_another_question_is_not_answered(
    call: cache.Call, classifier: Classifier, noise_images: Images, tmp_path: Path, unstored, other: str
) -> None:
    written(tmp_path, call)
    unstored()
    prepared.use(tmp_path)
    targets, method = (Target(1),) * len(noise_images), GradCam("conv2")
    if other == "classifier":
        classifier = tiny_classifier(1)
    elif other == "picture":
        noise_images = replace(noise_images, pixels=noise_images.pixels.flip(0))
    elif other == "target":
        targets = (Target(2), *targets[1:])
    else:
        method = GradCam("conv1")
    assert prepared.kept(cache.call(attribute, classifier, noise_images, targets, method)) is queues.MISSING


def test_what_the_store_keeps_comes_first_since_it_is_not_rounded(call: cache.Call, tmp_path: Path) -> None:
    exact = cache.get(call)
    written(tmp_path, call)
    prepared.use(tmp_path)
    cache.forget()
    assert torch.equal(cache.get(call).values, exact.values)


def test_a_classifier_that_draws_at_random_is_not_prepared(
    classifier: Classifier, noise_images: Images, tmp_path: Path
) -> None:
    path = written(tmp_path, asked(replace(classifier, deterministic=False), noise_images))
    assert len(Archive(path)) == 0


def test_items_are_found_and_counted(classifier: Classifier, tmp_path: Path, unstored) -> None:
    kept, made = cache.CachedItems(), Recording()
    with prepared.recording(made):
        for item in (1, 2, 5):
            kept.keep(f"value {item}", attribute, classifier, (item,))
    made.write(tmp_path / "tiny.zip", NOTE)
    unstored()
    assert list(kept.counts(attribute, classifier, items=[(1, 2, 3)])) == [0]
    prepared.use(tmp_path)
    assert kept.find(attribute, classifier, (2,)) == ("value 2",)
    assert kept.find(attribute, classifier, (3,)) == ()
    assert list(kept.counts(attribute, classifier, items=[(1, 2, 3), (4,), (5, 1)])) == [2, 0, 2]
    kept.keep("value 3", attribute, classifier, (3,))
    assert list(kept.counts(attribute, classifier, items=[(1, 2, 3)])) == [3]


def test_only_what_is_used_after_the_beginning_is_written(
    call: cache.Call, classifier: Classifier, noise_images: Images, tmp_path: Path
) -> None:
    other = asked(tiny_classifier(1), noise_images)
    made = Recording(shared=lambda one: one.subject == other.subject)
    with prepared.recording(made):
        cache.get(call), cache.get(other)
        made.begin()
        cache.forget()
        cache.get(other)
    made.write(tmp_path / "tiny.zip", NOTE)
    made.write(tmp_path / "shared.zip", NOTE, shared=True)
    assert len(Archive(tmp_path / "tiny.zip")) == 0
    assert other.subject in Archive(tmp_path / "shared.zip")


def test_while_it_is_recorded_what_comes_later_sees_the_rounded_value(call: cache.Call) -> None:
    exact, made = cache.get(call), Recording()
    with prepared.recording(made):
        cache.forget()
        cache.get(call)
        cache.forget()
        read = cache.get(call)
    assert read is not exact and made.used == {call.subject}


def test_an_archive_that_is_none_is_said_and_the_others_are_used(call: cache.Call, tmp_path: Path, unstored) -> None:
    path = written(tmp_path, call)
    (tmp_path / "broken.zip").write_bytes(path.read_bytes()[:-40])
    with zipfile.ZipFile(tmp_path / "foreign.zip", "w") as archive:
        archive.writestr("holiday.txt", "sun")
    unstored()
    said = prepared.use(tmp_path)
    assert len(said) == 2 and all("python -m precompute prepare" in one for one in said)
    assert "broken.zip" in said[0] and "foreign.zip" in said[1]
    assert prepared.kept(call) is not queues.MISSING
    (tmp_path / "empty").mkdir()
    [nothing] = prepared.use(tmp_path / "empty")
    assert "no file that ends in .zip" in nothing


def test_a_damaged_result_is_computed_anew(call: cache.Call, tmp_path: Path, unstored) -> None:
    path = written(tmp_path, call)
    with zipfile.ZipFile(path) as archive:
        note = archive.read(prepared.NOTE)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(prepared.NOTE, note)
        archive.writestr(call.subject, b"no result")
    unstored()
    prepared.use(tmp_path)
    assert len(cache.get(call).values)


def test_the_same_results_are_the_same_bytes(call: cache.Call, tmp_path: Path) -> None:
    assert written(tmp_path / "a", call).read_bytes() == written(tmp_path / "b", call).read_bytes()


def test_a_file_is_told_of_to_the_readers_of_its_classifier_alone(call: cache.Call, tmp_path: Path) -> None:
    written(tmp_path, call)
    prepared.use(tmp_path)
    assert "tiny.zip of 2026-01-01" in prepared.said_of("abc") and prepared.said_of("other") == ""


def back(value):
    return decode(encode(value, {}, compact=True))


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e9])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_arrays_keep_eleven_binary_digits_of_their_largest_number(scale: float, dtype) -> None:
    values = (np.random.default_rng(0).normal(size=(70, 50)) * scale).astype(dtype)
    for given, found in ((values, back(values)), (torch.from_numpy(values), back(torch.from_numpy(values)).numpy())):
        assert found.dtype == values.dtype and found.shape == values.shape
        assert np.abs(found - np.asarray(given)).max() <= np.abs(values).max() * 2**-11
    assert len(encode(values, {}, compact=True)) < values.nbytes * (0.6 if dtype == np.float32 else 0.3)


def test_numbers_that_decide_something_are_not_rounded() -> None:
    counted, few = np.arange(9_000), np.random.default_rng(0).normal(size=90).astype(np.float32)
    unusual = np.full(2_000, np.nan, np.float32)
    assert np.array_equal(back(counted), counted) and np.array_equal(back(few), few)
    assert np.array_equal(back(unusual), unusual, equal_nan=True)


def test_pictures_become_webp_and_maps_do_not() -> None:
    rows, columns = np.mgrid[0:48, 0:64]
    picture = np.stack([rows * 5, columns * 3, rows + columns], axis=2).astype(np.uint8)
    assert back(picture).dtype == np.uint8 and np.abs(back(picture).astype(int) - picture).mean() < 4
    several = torch.from_numpy(picture / np.float32(255)).permute(2, 0, 1)[None].repeat(3, 1, 1, 1)
    assert back(several).shape == several.shape and float((back(several) - several).abs().mean()) < 0.02
    assert len(encode(several, {}, compact=True)) < several.numel()
    signed = several - 0.5
    assert float((back(signed) - signed).abs().max()) <= 0.5 * 2**-10


@pytest.mark.parametrize("count", [1, 5, 9])
def test_pictures_side_by_side_go_on_one_sheet_and_come_back_in_their_order(count: int) -> None:
    plain = np.arange(count * 20, count * 20 + count, dtype=np.uint8) * 5
    pictures = np.broadcast_to(plain[:, None, None, None], (count, 24, 32, 3)).copy()
    found = back(pictures)
    assert found.shape == pictures.shape and found.dtype == np.uint8
    assert np.abs(found.astype(int) - pictures).max() <= 12
    assert len(encode(pictures.repeat(9, axis=0), {}, compact=True)) < pictures.nbytes
    # What is no picture stays as it is: another number of colours, or too small.
    for values in (pictures[..., :2], pictures[:, :8]):
        assert np.array_equal(back(values), values)
