"""After a change of one file, label or mark only its chunk is computed anew, and all is as after a fresh start."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import cache
from interp import images, set_pass
from interp.attribution import Gradient
from interp.channels.over_set import AttributionPass, SetTarget
from interp.embedding import FeaturePass, Representation
from interp.images import stamps
from interp.images.drawings import Drawing, laid_over
from interp.images.shapes import Box
from interp.set_pass import SetPass, returned
from interp.shared_interest import Explanation, ExplanationPass
from interp.types import Classifier
from tests.conftest import tiny_classifier

COUNT, CHUNK = 12, 4
LABELS = ("cat", "dog", "fish")
PASSES: dict[str, tuple[SetPass, object]] = {
    "features": (FeaturePass(CHUNK, CHUNK), Representation("conv2")),
    "channels": (AttributionPass(CHUNK, CHUNK), SetTarget("conv2", "label")),
    "explanations": (ExplanationPass(CHUNK, CHUNK), Explanation(Gradient(), "label")),
}


def paint(path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(path)


def mark(path: Path, left: int) -> None:
    pixels = np.zeros((16, 16), np.uint8)
    pixels[4:12, left : left + 6] = 255
    Image.fromarray(pixels).save(path)


def label(root: Path, labels: list[str]) -> None:
    lines = [f"{number:02}.png,{one}" for number, one in enumerate(labels)]
    (root / "index.csv").write_text("\n".join(["file,label", *lines]) + "\n")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "set"
    (root / "masks").mkdir(parents=True)
    for number in range(COUNT):
        paint(root / f"{number:02}.png", number)
        mark(root / "masks" / f"{number:02}.png", number % 9)
    label(root, [LABELS[number % 3] for number in range(COUNT)])
    return root


@pytest.fixture
def ran(tiny: Classifier) -> list[int]:
    """How many images went through the classifier."""
    seen: list[int] = []
    tiny.module.register_forward_pre_hook(lambda module, given: seen.append(len(given[0])))
    return seen


def opened(root: Path) -> images.ImageSet:
    # What changed within the last instant could change again and look the same: then the whole set counts.
    time.sleep(0.1)
    return images.load(root)


def asked(work: SetPass, classifier: Classifier, photos: images.ImageSet, item: object, kept: cache.CachedItems | None):
    return returned(set_pass.by_chunks(work, classifier, photos, (item,), np.arange(len(photos)), kept=kept))[0]


def same(one, other) -> None:
    for name, value in vars(one).items():
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(value, getattr(other, name))
    assert one.problems == other.problems


CHANGES: dict[str, Callable[[Path], object]] = {
    "another picture": lambda root: paint(root / "05.png", 99),
    "a broken picture": lambda root: (root / "05.png").write_bytes(b"nothing"),
    "another mask": lambda root: mark(root / "masks" / "05.png", 0),
    "another label": lambda root: label(root, [LABELS[number % 3 if number != 5 else 0] for number in range(COUNT)]),
    "a label that is no class": lambda root: label(
        root, [LABELS[number % 3] if number != 5 else "zebra" for number in range(COUNT)]
    ),
}
# Of which change which results change: features rest on neither labels nor marks.
RESTS = {
    "features": {"another picture", "a broken picture"},
    "channels": set(CHANGES) - {"another mask"},
    "explanations": set(CHANGES),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", PASSES)
def test_one_change_costs_one_chunk(name: str, change: str, root: Path, tiny: Classifier, ran: list[int]) -> None:
    work, item = PASSES[name]
    photos = opened(root)
    assert len(photos) == len(photos.annotated) == COUNT
    before = asked(work, tiny, photos, item, cache.CachedItems())
    assert len(before) == COUNT
    CHANGES[change](root)
    photos = opened(root)
    ran.clear()
    after = asked(work, tiny, photos, item, cache.CachedItems())
    alone = [one for one in ran if one]
    touched = change in RESTS[name]
    # The maps of a method take further passes.
    assert (sum(alone) > 0) == touched and sum(alone) <= (2 * CHUNK if name == "explanations" else CHUNK)
    same(after, asked(work, tiny_classifier(), photos, item, None))
    ran.clear()
    same(asked(work, tiny, photos, item, cache.CachedItems()), after)
    assert not ran


@pytest.mark.parametrize("name", PASSES)
def test_what_only_the_whole_set_tells_counts_everywhere(name: str, root: Path, tiny: Classifier) -> None:
    work, item = PASSES[name]
    asked(work, tiny, opened(root), item, cache.CachedItems())
    # With one such label more all labels are read as numbers that count from 1.
    label(root, [str(number % 3 + 1) for number in range(COUNT)])
    photos = opened(root)
    same(asked(work, tiny, photos, item, cache.CachedItems()), asked(work, tiny, photos, item, None))
    label(root, [str(number % 3) for number in range(COUNT)])
    photos = opened(root)
    same(asked(work, tiny, photos, item, cache.CachedItems()), asked(work, tiny, photos, item, None))


@pytest.mark.parametrize("name", PASSES)
def test_rows_stay_with_their_images(name: str, root: Path, tiny: Classifier) -> None:
    work, item = PASSES[name]
    asked(work, tiny, opened(root), item, cache.CachedItems())
    # Two files change their names, one comes before all others, and one goes.
    os.rename(root / "01.png", root / "spare.png")
    os.rename(root / "02.png", root / "01.png")
    os.rename(root / "spare.png", root / "02.png")
    paint(root / "000.png", 50)
    mark(root / "masks" / "000.png", 3)
    (root / "07.png").unlink()
    (root / "index.csv").unlink()
    photos = opened(root)
    same(asked(work, tiny, photos, item, cache.CachedItems()), asked(work, tiny, photos, item, None))
    part = images.subset(photos, [5, 0, 9, 1, 2])
    same(asked(work, tiny, part, item, cache.CachedItems()), asked(work, tiny, part, item, None))


@pytest.mark.parametrize("name", PASSES)
def test_a_file_that_changes_at_once_is_told_by_its_set(name: str, root: Path, tiny: Classifier) -> None:
    work, item = PASSES[name]
    for seed in range(3):
        paint(root / "05.png", 100 + seed)
        photos = images.load(root)
        same(asked(work, tiny, photos, item, cache.CachedItems()), asked(work, tiny, photos, item, None))


@pytest.mark.parametrize("name", PASSES)
def test_a_copy_elsewhere_is_another(name: str, root: Path, tiny: Classifier, ran: list[int]) -> None:
    work, item = PASSES[name]
    asked(work, tiny, opened(root), item, cache.CachedItems())
    shutil.copytree(root, root.with_name("copy"))
    paint(root.with_name("copy") / "05.png", 98)
    photos = opened(root.with_name("copy"))
    same(asked(work, tiny, photos, item, cache.CachedItems()), asked(work, tiny, photos, item, None))


def test_a_mask_that_changes_at_once_is_told_by_its_content(
    root: Path, tiny: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stamps, "UNSETTLED", 10**12)
    monkeypatch.setattr(stamps, "UNSETTLED_COARSE", 10**12)
    work, item = PASSES["explanations"]
    told = set()
    for left in range(3):
        mark(root / "masks" / "05.png", left)
        photos = images.load(root)
        told.add(photos.marks_fingerprint_of([5]))
        found = asked(work, tiny, photos, item, cache.CachedItems())
        assert found.annotations[5].any(axis=0).argmax() == left
        [shape] = photos[5].marking.annotation.marks[0].shapes
        assert shape.stamp.digest
    assert len(told) == 3


def test_what_is_drawn_by_hand_counts(root: Path, tiny: Classifier, ran: list[int]) -> None:
    work, item = PASSES["explanations"]
    photos = opened(root)
    asked(work, tiny, photos, item, cache.CachedItems())
    drawn = laid_over(photos, {5: Drawing((16, 16)).added(Box(1.0, 1.0, 9.0, 9.0), None)})
    ran.clear()
    after = asked(work, tiny, drawn, item, cache.CachedItems())
    assert 0 < sum(ran) <= 2 * CHUNK
    same(after, asked(work, tiny_classifier(), drawn, item, None))
    assert after.annotations[5].sum() == 64


def coco(root: Path, names: list[str]) -> None:
    """A box in each picture, of something that is called so."""
    marks = [
        {"id": number, "image_id": number, "category_id": LABELS.index(name), "bbox": [number % 6, 3, 7, 8]}
        for number, name in enumerate(names)
    ]
    pictures = [{"id": n, "file_name": f"{n:02}.png", "width": 16, "height": 16} for n in range(COUNT)]
    kinds = [{"id": number, "name": name} for number, name in enumerate(LABELS)]
    content = {"images": pictures, "annotations": marks, "categories": kinds}
    (root / "instances.json").write_text(json.dumps(content))


@pytest.mark.parametrize("marks", ["label", "explained", "all"])
def test_what_a_mark_is_called_counts(marks: str, root: Path, tiny: Classifier, ran: list[int]) -> None:
    work, item = ExplanationPass(CHUNK, CHUNK), Explanation(Gradient(), "predicted", marks)
    shutil.rmtree(root / "masks")
    names = [LABELS[number % 3] for number in range(COUNT)]
    coco(root, names)
    before = asked(work, tiny, opened(root), item, cache.CachedItems())
    names[5] = "dog"
    coco(root, names)
    photos = opened(root)
    assert photos.own_marks(5) == frozenset() and photos.own_marks(4) == {"dog"}
    ran.clear()
    after = asked(work, tiny, photos, item, cache.CachedItems())
    assert 0 < sum(ran) <= 2 * CHUNK
    same(after, asked(work, tiny_classifier(), photos, item, None))
    said = int(tiny.logits(tiny.prepare([photos[5].image]))[0].argmax())
    # As the label's own mark the box does not count any more; among all it does.
    assert (5 in after.positions) == (marks == "all" or (marks == "explained" and said == 1))
    assert marks != "label" or 5 in before.positions


def test_why_an_image_has_no_class_is_said_as_it_is_now(root: Path, tiny: Classifier) -> None:
    work, item = PASSES["explanations"]
    for name in ("zebra", "yak"):
        label(root, [LABELS[number % 3] if number != 5 else name for number in range(COUNT)])
        [problem] = asked(work, tiny, opened(root), item, cache.CachedItems()).problems
        assert name in problem.reason
