"""What is kept of a layer's pictures, and how they compare with images, is counted without computing anything."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import cache
from interp import feature_visualization as fv
from interp import images
from interp.images import ImageSet
from interp.types import Classifier

LAYER = "conv2"
HOW = fv.Settings(8)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOUPE_CACHE", str(tmp_path / "store"))
    return tmp_path


@pytest.fixture
def photos() -> ImageSet:
    return images.load("scenes:9")


def put(classifier: Classifier, channel: int, value: float, *, dead: bool = False, noise: float = 50.0) -> None:
    generator = np.random.default_rng(channel)
    pixels = np.clip(128 + noise * generator.standard_normal((16, 16, 3)), 0, 255).astype(np.uint8)
    picture = fv.Picture(pixels, value, dead, HOW.steps, HOW.steps)
    cache.CachedItems().keep(picture, fv.pictures, classifier, HOW, (fv.Channel(LAYER, channel),))


def counted(classifier: Classifier, photos: ImageSet) -> fv.Tally:
    [*_, (found,)] = fv.tallied(classifier, HOW, (LAYER,), photos, cache.CachedItems())
    return found


def test_pictures_are_counted_by_what_they_are(tiny: Classifier, photos: ImageSet) -> None:
    channels = tiny.layer(LAYER).channels
    assert counted(tiny, photos) == fv.Tally(LAYER, channels, 0, 0, 0, 0, None)
    assert counted(tiny, photos).share is None
    for _ in fv.strengths(tiny, LAYER, photos, cache.CachedItems()):
        pass
    [*_, (read,)] = fv.strengths(tiny, LAYER, photos, cache.CachedItems())
    best = read.values.max(axis=0)
    before = cache.moment()
    put(tiny, 0, float(best[0]) + 0.1)
    put(tiny, 1, float(best[1]))
    put(tiny, 2, 0.0, dead=True, noise=0)
    put(tiny, 3, float(best[3]) + 0.1, noise=1)
    put(tiny, 4, float(best[4]) + 0.1, noise=1e5)
    assert cache.moment() != before
    found = counted(tiny, photos)
    # As strong as the best image is not stronger; a dead channel's picture is grey, and nothing is said against it.
    assert found == fv.Tally(LAYER, channels, made=5, dead=1, grey=1, saturated=1, beaten=3)
    assert found.share == 3 / 4


def test_without_the_images_means_there_is_no_share(tiny: Classifier, photos: ImageSet) -> None:
    put(tiny, 0, 1e9)
    assert counted(tiny, photos).beaten is None
    for _ in fv.strengths(tiny, LAYER, photos, cache.CachedItems()):
        pass
    assert counted(tiny, photos).beaten == 1
    # Pictures that were made in another way are others.
    [*_, (other,)] = fv.tallied(tiny, fv.Settings(9), (LAYER,), photos, cache.CachedItems())
    assert other.made == 0
