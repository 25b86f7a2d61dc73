"""Positions of other images on a map, and the same positions in another atlas."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from interp import atlas, embedding
from interp.atlas import MapLayout, SamplePlaces, linked, placed, sampled
from interp.embedding import PCA, UMAP
from interp.models import inputs
from interp.passes.receptive_fields import ReceptiveFields, receptive_fields
from interp.types import Classifier, Images
from tests.class_summary.sets import pictures

COUNT = 12


def even(rows: int, columns: int, size: tuple[int, int] = (100, 100)) -> ReceptiveFields:
    """Fields whose centres are spread evenly."""
    down, across = ((np.arange(count) + 0.5) * side / count for count, side in zip((rows, columns), size, strict=True))
    bounds = np.zeros((rows, 2), np.int64), np.zeros((columns, 2), np.int64)
    return ReceptiveFields("layer", size, *bounds, down, across, True, "")


@pytest.mark.parametrize("method", [PCA(), UMAP(neighbours=10, metric="cosine", epochs=50)], ids=["pca", "umap"])
def test_positions_of_an_image_of_the_set_come_back_to_their_own_places(tiny: Classifier, method: PCA | UMAP) -> None:
    photos = pictures(tiny, (None,) * COUNT)
    samples = sampled(tiny, photos, "conv2", 12)
    built = atlas.atlas_of(samples, embedding.project(samples.activations, method), (5,), least=1)
    layout = MapLayout(built.points, method, built.extent)
    found = placed(tiny, samples, layout, inputs.read(tiny, photos, [4]))
    rows = np.flatnonzero(samples.images == 4)
    own = samples.places[rows]
    assert found.grid == (8, 8) and len(found.places) == 64
    tolerance = 1e-4 if isinstance(method, PCA) else 0.02
    assert np.abs(found.places[own] - built.places[rows]).max() < tolerance
    assert found.distance[own].max() < 1e-5 and 0 < found.usual < 2
    column, row = np.minimum((built.places[rows] * 5).astype(int), 4).T
    if isinstance(method, PCA):
        inner = (np.abs(built.places[rows] * 5 % 1 - 0.5) < 0.49).all(axis=1)
        assert (found.cells(5)[own][inner] == (row * 5 + column)[inner]).all() and inner.any()


def test_distances_are_cosines_beside_what_is_usual(tiny: Classifier) -> None:
    photos = pictures(tiny, (None,) * COUNT)
    samples = sampled(tiny, photos, "conv2", 5)
    built = atlas.atlas_of(samples, embedding.project(samples.activations, PCA()), (5,), least=1)
    other = Images(torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(9)), ("other",))
    found = placed(tiny, samples, MapLayout(built.points, PCA(), built.extent), other)
    unit = samples.activations / np.linalg.norm(samples.activations, axis=1, keepdims=True)
    among = 1 - unit @ unit.T
    np.fill_diagonal(among, np.inf)
    assert found.usual == pytest.approx(np.quantile(among.min(axis=1), 0.9), abs=1e-5)
    own: list[torch.Tensor] = []
    handle = tiny.module.get_submodule("network.conv2").register_forward_hook(lambda *given: own.append(given[2]))
    tiny.module(other.pixels)
    handle.remove()
    vectors = own[0][0].flatten(1).T.numpy()
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    assert found.distance == pytest.approx((1 - vectors @ unit.T).min(axis=1), abs=1e-5)


def test_what_cannot_be_placed_is_refused(tiny: Classifier, noise_images: Images) -> None:
    samples = sampled(tiny, pictures(tiny, (None,) * COUNT), "conv2", 5)
    built = atlas.atlas_of(samples, embedding.project(samples.activations, PCA()), (5,), least=1)
    layout = MapLayout(built.points, PCA(), built.extent)
    with pytest.raises(ValueError, match="3 images were given: place one at a time"):
        placed(tiny, samples, layout, noise_images)
    narrow = replace(samples, activations=samples.activations[:, :4])
    with pytest.raises(ValueError, match="another classifier: conv2 has 6 channels here"):
        placed(tiny, narrow, layout, Images(noise_images.pixels[:1], noise_images.names[:1]))


def at(images: list[int], places: list[int], grid: tuple[int, int]) -> SamplePlaces:
    return SamplePlaces("layer", grid, np.array(images), np.array(places))


def test_links_by_hand() -> None:
    # Of 2 × 2 positions the first has its centre at a quarter; of 4 × 4 those of number 0, 3, 5 and 10 are at eighths.
    coarse, fine = even(2, 2), even(4, 4)
    samples = at([0, 0, 1, 2], [0, 3, 0, 0], (2, 2))
    others = at([0, 0, 0, 1, 3], [5, 3, 10, 15, 0], (4, 4))
    found = linked(samples, np.array([0, 1, 2, 3]), others, coarse, fine)
    # In image 0 numbers 5 and 10 are an eighth off; in image 1 number 15 is 5 eighths off; image 2 has none there.
    assert found.rows.tolist() == [0, 2] and found.unmatched == 2
    one = linked(samples, np.array([0]), others, coarse, fine)
    assert one.rows.tolist() == [0] and one.unmatched == 0
    none = linked(samples, np.zeros(0, np.int64), others, coarse, fine)
    assert none.rows.tolist() == [] and none.unmatched == 0


def test_samples_are_linked_to_themselves() -> None:
    random = np.random.default_rng(0)
    samples = SamplePlaces(
        "layer", (7, 5), np.repeat(np.arange(30), 4), np.concatenate([random.permutation(35)[:4] for _ in range(30)])
    )
    rows = random.permutation(120)[:50]
    found = linked(samples, rows, samples, even(7, 5), even(7, 5))
    assert found.rows.tolist() == sorted(rows.tolist()) and found.unmatched == 0


def test_links_are_those_of_brute_force(tiny: Classifier) -> None:
    photos = pictures(tiny, (None,) * COUNT)
    samples, others = sampled(tiny, photos, "conv2", 5), sampled(tiny, photos, "conv1", 3, seed=2)
    others = replace(
        others,
        **{
            name: getattr(others, name)[np.random.default_rng(1).permutation(36)[:33]]
            for name in ("images", "places", "activations", "attributions")
        },
    )
    own, its = (receptive_fields(tiny, one) for one in ("conv2", "conv1"))
    rows, expected, unmatched = np.arange(0, 60, 2), set(), 0
    for row in rows:
        near = []
        for number in range(len(others)):
            if others.images[number] == samples.images[row]:
                y, x = divmod(int(samples.places[row]), 8)
                v, u = divmod(int(others.places[number]), 16)
                down = abs(own.centres_y[y] - its.centres_y[v]) / 16
                near.append((max(down, abs(own.centres_x[x] - its.centres_x[u]) / 16), number))
        if near and min(near)[0] <= 1 / 8 + 1e-9:
            expected.add(min(near)[1])
        else:
            unmatched += 1
    found = linked(samples, rows, others, own, its)
    assert set(found.rows.tolist()) == expected and found.unmatched == unmatched
    assert 0 < unmatched < len(rows)


def test_what_is_usual_is_the_distance_to_another_image() -> None:
    """Two images, each with two samples that are the same: apart by a right angle."""
    own = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float32)
    samples = atlas.PositionSamples("l", (1, 2), np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), own, own, 2)
    reached = sys.modules["interp.atlas.placing"]._to_other_images(samples)
    np.testing.assert_allclose(reached, 1, atol=1e-6)
