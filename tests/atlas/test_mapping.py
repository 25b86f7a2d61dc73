"""The map that is shown is the atlas that the library builds, without its activations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from interp import atlas
from interp.atlas import AtlasSettings, SampledLayer
from interp.embedding import PCA, UMAP
from interp.models import inputs
from interp.set_pass import returned
from interp.types import Classifier
from tests.class_summary.sets import pictures

SETTINGS = AtlasSettings(SampledLayer("conv2", 8), PCA(), grid=10)


@pytest.fixture
def photos(tiny: Classifier):
    return pictures(tiny, ["cat", "dog", "fish", None] * 8)


def test_it_is_what_build_gives(tiny: Classifier, photos) -> None:
    found = returned(atlas.mapping(tiny, photos, SETTINGS))
    own = atlas.build(tiny, photos, "conv2", 8, 10, method=PCA())
    assert [one.grid for one in found.levels] == [5, 10] == [one.grid for one in own.levels]
    assert found.levels[-1].fingerprint == own.cells.fingerprint
    np.testing.assert_allclose(found.places, own.places, atol=1e-6)
    assert np.array_equal(found.labels, own.samples.labels) and found.total == 32 * 8
    # What is to be inverted of each level are its means, beside the best sample anywhere.
    for level, targets in zip(found.levels, found.targets, strict=True):
        assert np.array_equal(targets.vectors, level.mean) and np.array_equal(targets.rows, level.row)
        best = atlas.score(own.samples.activations, level.mean, 4).max(axis=0)
        np.testing.assert_allclose(targets.best, best, rtol=1e-5)
    with pytest.raises(ValueError, match="it has 5, 10"):
        found.level(7)


def test_a_class_has_those_samples_that_speak_for_it(tiny: Classifier, photos) -> None:
    samples = atlas.sampled(tiny, photos, "conv2", 8)
    number = int(samples.labels.max())
    found = returned(atlas.mapping(tiny, photos, replace(SETTINGS, grid=5, of=(number,))))
    rows = atlas.of_class(samples, number)
    assert np.array_equal(found.samples.images, samples.images[rows]) and found.total == len(samples)
    assert np.array_equal(found.samples.places, samples.places[rows])


def test_whitened_vectors_are_other_directions_of_the_same_length(tiny: Classifier, photos) -> None:
    plain, white = (
        returned(atlas.mapping(tiny, photos, replace(SETTINGS, inverted=one))).targets[-1].vectors
        for one in ("mean", "whitened")
    )
    np.testing.assert_allclose(np.linalg.norm(white, axis=1), np.linalg.norm(plain, axis=1), rtol=1e-4)
    cosines = (plain * white).sum(axis=1) / (plain**2).sum(axis=1)
    assert cosines.max() < 0.999


def test_positions_of_an_image_of_the_set_come_back_to_their_places(tiny: Classifier, photos) -> None:
    for method, within in ((PCA(), 1e-4), (UMAP(neighbours=8, metric="cosine", epochs=50), 0.05)):
        settings = replace(SETTINGS, method=method)
        found = returned(atlas.mapping(tiny, photos, settings))
        images = inputs.read(tiny, photos, [5])
        placed = returned(atlas.placing(tiny, photos, settings, found, images))
        own = np.flatnonzero(found.samples.images == 5)
        np.testing.assert_allclose(placed.places[found.samples.places[own]], found.places[own], atol=within)
        assert np.median(placed.distance[found.samples.places[own]]) < 1e-4 < placed.usual


def test_a_map_of_two_classes_has_axes_of_its_own(tiny: Classifier, photos) -> None:
    whole = returned(atlas.mapping(tiny, photos, SETTINGS))
    with pytest.raises(ValueError, match="axes of its own"):
        of_two = replace(SETTINGS, of=(0, 1))
        returned(atlas.placing(tiny, photos, of_two, whole, inputs.read(tiny, photos, [5])))
    with pytest.raises(ValueError, match="one or two"):
        replace(SETTINGS, of=(0, 1, 2))


def test_what_could_not_be_done_is_said(tiny: Classifier, photos) -> None:
    with pytest.raises(ValueError, match="No cell of 5 × 5"):
        returned(atlas.mapping(tiny, photos, replace(SETTINGS, least=200)))
    broken = pictures(tiny, ["cat"] * 3, broken=(0, 1, 2))
    with pytest.raises(ValueError, match="could be read"):
        returned(atlas.mapping(tiny, broken, SETTINGS))


def test_the_map_comes_before_it_is_known_how_far_to_trust_it(tiny: Classifier, photos) -> None:
    for method in (PCA(), UMAP(neighbours=8, metric="cosine", epochs=20)):
        steps = atlas.mapping(tiny, photos, replace(SETTINGS, method=method))
        early, whole = [], None
        while whole is None:
            try:
                early.append(next(steps))
            except StopIteration as stop:
                whole = stop.value
        assert early[0] is None and early[-1].trust == {} and early[-1].total == 0
        assert set(whole.trust) == {"trustworthiness", "continuity", "neighbours kept"} and whole.total == 32 * 8
        assert replace(early[-1], trust=whole.trust, total=whole.total).fingerprint == whole.fingerprint
