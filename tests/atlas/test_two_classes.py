"""Atlases of two classes: from what speaks for the first, at the left, to what speaks for the second."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np
import pytest

from interp import atlas, embedding
from interp.atlas import PositionSamples, contrasting, two_classes
from interp.embedding import PCA, MapFrame, Projection
from interp.set_pass import returned
from interp.types import digest
from tests.atlas.made_up import samples_of


@dataclass(frozen=True)
class OneAxis:
    """Stands for t-SNE to one dimension, and says what was asked of it."""

    perplexity: float
    metric: str
    dimensions: int
    seed: int


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[OneAxis]:
    """The first channel is the axis that is computed."""
    found: list[OneAxis] = []

    def projecting(features: np.ndarray, method: OneAxis) -> Generator[MapFrame, None, Projection]:
        found.append(method)
        done = embedding.project(features, PCA())
        yield done.frames[-1]
        return replace(done, points=features[:, :1])

    monkeypatch.setattr(two_classes, "TSNE", OneAxis)
    monkeypatch.setattr(two_classes, "projecting", projecting)
    return found


@pytest.fixture
def samples() -> PositionSamples:
    return samples_of()


def test_from_left_to_right_is_the_difference_of_what_samples_add(
    samples: PositionSamples, asked: list[OneAxis]
) -> None:
    found = returned(contrasting(samples, 2, 0, (4, 2), least=1))
    rows = np.union1d(atlas.of_class(samples, 2), atlas.of_class(samples, 0))
    assert digest(found.samples.activations) == digest(samples.activations[rows])
    difference = samples.attributions[rows, 0] - samples.attributions[rows, 2]
    scaled = np.clip(difference / np.percentile(np.abs(difference), 99), -1, 1)
    assert found.places[:, 0] == pytest.approx((scaled + 1) / 2, abs=1e-5)
    assert found.places[:, 0].min() < 0.1 and found.places[:, 0].max() > 0.9
    assert 0 < ((scaled == 1) | (scaled == -1)).sum() <= 0.02 * len(rows) + 1
    # Those of the first class alone are at the left.
    first = (found.samples.attributions[:, 2] > 1) & (found.samples.attributions[:, 0] < 0)
    assert first.any() and (found.places[first, 0] < 0.5).all()
    up = samples.activations[rows, 0]
    low, high = np.percentile(up, [1, 99])
    assert found.places[:, 1] == pytest.approx(1 - np.clip((up - low) / (high - low), 0, 1), abs=1e-5)
    assert [one.grid for one in found.levels] == [2, 4] and len(found.cells)
    assert asked[0] == OneAxis(50.0, "cosine", 1, 0)


def test_exchanging_the_classes_mirrors_the_map(samples: PositionSamples, asked: list[OneAxis]) -> None:
    one, other = (returned(contrasting(samples, *pair, (2,), least=1)) for pair in ((1, 3), (3, 1)))
    assert one.places[:, 0] == pytest.approx(1 - other.places[:, 0]) and (one.places[:, 1] == other.places[:, 1]).all()


def test_few_samples_have_a_smaller_perplexity(asked: list[OneAxis]) -> None:
    samples = samples_of(40)
    found = returned(contrasting(samples, 0, 1, (1,), least=1, seed=3))
    assert asked[0].perplexity == (len(found.samples) - 1) / 3 < 50 and asked[0].seed == 3


def test_where_nothing_differs_all_is_in_the_middle(samples: PositionSamples, asked: list[OneAxis]) -> None:
    alike = replace(samples, attributions=samples.attributions[:, [0, 0]])
    assert (returned(contrasting(alike, 0, 1, (1,), least=1)).places[:, 0] == 0.5).all()


def test_what_cannot_be_compared_is_refused(samples: PositionSamples, asked: list[OneAxis]) -> None:
    with pytest.raises(ValueError, match="Two different classes are compared"):
        returned(contrasting(samples, 1, 1, (2,)))
    with pytest.raises(ValueError, match="Class 4 does not exist"):
        returned(contrasting(samples, 0, 4, (2,)))
    with pytest.raises(ValueError, match="No cell of 30 × 30"):
        returned(contrasting(samples, 0, 1, (30,), least=20))


def test_on_the_real_line_alike_samples_are_near(samples: PositionSamples) -> None:
    """By t-SNE itself: of each sample's nearest in the plane of both axes more are alike than in any order."""
    found, again = (returned(contrasting(samples, 2, 0, (2,), least=1, seed=1)) for _ in range(2))
    assert np.array_equal(found.points, again.points)
    line, own = found.points[:, 1], found.samples.activations
    order = np.argsort(line)
    unit = own / np.linalg.norm(own, axis=1, keepdims=True)

    def along(rows: np.ndarray) -> float:
        return float((unit[rows[1:]] * unit[rows[:-1]]).sum(axis=1).mean())

    random = np.mean([along(np.random.default_rng(one).permutation(len(order))) for one in range(5)])
    assert along(order) > random + 0.05
