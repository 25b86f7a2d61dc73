"""Atlases of samples: sizes of grids, class atlases, whitened directions, and the whole way on a few pictures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from interp import atlas, embedding
from interp.embedding import PCA
from interp.types import Classifier
from tests.atlas.made_up import same, samples_of
from tests.class_summary.sets import pictures


def test_grids_are_halves_of_the_finest() -> None:
    assert atlas.grids(20) == (5, 10, 20) and atlas.grids(40) == (5, 10, 20, 40) and atlas.grids(12) == (6, 12)
    assert atlas.grids(9) == (9,) and atlas.grids(8) == (8,) and atlas.grids(5) == (5,) and atlas.grids(1) == (1,)


def test_a_class_atlas_has_what_speaks_most_for_the_class_and_what_speaks_for_it_most() -> None:
    attributions = np.array([[3, 9], [2, 9], [1, 9], [0.5, 0.1], [-1, -2], [0, -1]], np.float32)
    samples = replace(samples_of(6), attributions=attributions)
    # The two that add most to it, and the one whose top class it is.
    assert atlas.of_class(samples, 0, most=2).tolist() == [0, 1, 3]
    assert atlas.of_class(samples, 0).tolist() == [0, 1, 2, 3] and atlas.of_class(samples, 1).tolist() == [0, 1, 2, 3]
    for number in (-1, 2):
        with pytest.raises(ValueError, match=f"Class {number} does not exist: there are 2"):
            atlas.of_class(samples, number)
    with pytest.raises(ValueError, match="No sample adds anything to the class"):
        atlas.of_class(replace(samples, attributions=-np.abs(attributions)), 0)


def test_some_samples_are_those_rows() -> None:
    samples = samples_of(40)
    some = atlas.subset(samples, np.array([7, 3]))
    assert len(some) == 2 and (some.activations == samples.activations[[7, 3]]).all()
    assert (some.images == samples.images[[7, 3]]).all() and some.whereabouts.places.tolist() == [
        samples.places[7],
        samples.places[3],
    ]


def test_where_channels_are_alike_and_do_not_go_together_whitening_changes_nothing() -> None:
    # Each channel alone in turn: E[a aᵀ] is a multiple of the identity.
    own = np.tile(np.eye(4, dtype=np.float32), (10, 1))
    samples = replace(samples_of(40), activations=own)
    means = np.array([[1, 2, 3, 4], [0, 0, 5, 0]], np.float32)
    assert np.abs(atlas.whitened(samples, means) - means).max() < 1e-5


def test_whitening_by_hand() -> None:
    # E[a aᵀ] = [[2, 1], [1, 1]], of which the inverse is [[1, -1], [-1, 2]].
    own = np.array([[2, 1], [0, 1]] * 20, np.float32)
    samples = replace(samples_of(40), activations=own)
    found = atlas.whitened(samples, np.array([[3, 1], [1, 0]], np.float32), damping=0)
    first, second = np.array([2.0, -1.0]), np.array([1.0, -1.0])
    assert found[0] == pytest.approx(first / np.linalg.norm(first) * 10**0.5, abs=1e-5)
    assert found[1] == pytest.approx(second / np.linalg.norm(second), abs=1e-5)
    # Much damping leaves the directions as they are.
    assert np.abs(atlas.whitened(samples, np.array([[3, 1]], np.float32), damping=1e6) - [[3, 1]]).max() < 1e-4


def test_channels_that_never_occur_leave_whitened_directions_finite() -> None:
    own = samples_of(40).activations.copy()
    own[:, 2] = 0
    samples = replace(samples_of(40), activations=own)
    for damping in (1e-2, 0):
        found = atlas.whitened(samples, np.concatenate([own[:3], np.zeros((1, 6), np.float32)]), damping=damping)
        assert np.isfinite(found).all() and not found[3].any()


def test_an_atlas_is_built_from_pictures_and_is_the_same_each_time(tiny: Classifier) -> None:
    photos = pictures(tiny, (None,) * 40, broken=(7,))
    one, other = (atlas.build(tiny, photos, "conv2", 5, 10, method=PCA(), least=3) for _ in range(2))
    assert same(one, other) and len(one.samples) == 39 * 5 and [bad.name for bad in one.samples.problems] == ["7.png"]
    assert [level.grid for level in one.levels] == [5, 10] and one.cells is one.level(10)
    assert one.projection.method == PCA() and one.places.shape == (195, 2)
    with pytest.raises(ValueError, match="no grid of 20 cells a side: it has 5, 10"):
        one.level(20)
    assert not same(one, atlas.build(tiny, photos, "conv2", 5, 10, method=PCA(), least=3, seed=1))


def test_grids_that_are_too_fine_are_left_out_and_maps_of_other_samples_are_refused() -> None:
    samples = samples_of(60)
    projection = embedding.project(samples.activations, PCA())
    assert [one.grid for one in atlas.atlas_of(samples, projection, (50, 2, 4), least=5).levels] == [2, 4]
    with pytest.raises(ValueError, match="No cell of 50 × 50"):
        atlas.atlas_of(samples, projection, (50,), least=5)
    with pytest.raises(ValueError, match=r"shape \(60, 2\) is none of 59 samples"):
        atlas.atlas_of(atlas.subset(samples, np.arange(59)), projection, (2,))
    with pytest.raises(ValueError, match=r"shape \(60, 3\) is none of 60 samples in the plane"):
        atlas.atlas_of(samples, embedding.project(samples.activations, PCA(3)), (2,))
    with pytest.raises(ValueError, match="No size of a grid"):
        atlas.atlas_of(samples, projection, ())
