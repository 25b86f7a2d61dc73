import re

import numpy as np
import pytest

from interp import embedding, progress
from interp.embedding import approximate
from interp.embedding.approximate import nearly_nearest
from interp.embedding.neighbours import nearest
from tests.embedding.clusters import clusters


class Heard:
    """A listener that writes down what it hears."""

    def __init__(self) -> None:
        self.remarks: list[str] = []
        self.steps: set[str] = set()

    def step(self, done: int, total: int, what: str) -> None:
        self.steps.add(what)

    def remark(self, text: str) -> None:
        self.remarks.append(text)


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """So few images count as many; one of them is empty and two are equal."""
    monkeypatch.setattr(approximate, "EXACT_UP_TO", 1000)
    monkeypatch.setattr(approximate, "CELL", 50)
    features = np.maximum(clusters(2000, 30, kinds=9)[0], 0)
    features[17] = 0
    features[1200] = features[3]
    return features


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_nearly_all_neighbours_are_found_at_their_own_distances(many, metric) -> None:
    heard = Heard()
    with progress.listening(heard):
        found = nearly_nearest(many, 10, metric=metric)
    true = nearest(many, 10, metric=metric)
    right = (found.indices[:, :, None] == true.indices[:, None, :]).any(axis=2)
    assert 0.97 < right.mean() < 1
    # What is missed is replaced by something farther, so that no rank is nearer than the true one.
    assert (found.distances >= true.distances - 1e-4).all()
    given = many.astype(np.float64)
    if metric == "cosine":
        given /= np.linalg.norm(given, axis=1, keepdims=True).clip(min=1e-12)
        expected = 1 - (given[:, None] * given[found.indices]).sum(axis=2)
    else:
        expected = np.linalg.norm(given[:, None] - given[found.indices], axis=2)
    assert np.allclose(found.distances, expected, rtol=1e-4, atol=1e-6)
    assert (np.diff(found.distances, axis=1) >= 0).all()
    assert all(len({row, *others}) == 11 for row, others in enumerate(found.indices.tolist()))
    assert found.indices[1200, 0] == 3
    assert found.distances[1200, 0] == 0
    (remark,) = heard.remarks
    said = float(re.findall(r"([0-9.]+)% were found", remark)[0])
    assert said == pytest.approx(100 * right.mean(), abs=1)
    assert len(heard.steps) == 3


def test_the_same_call_gives_the_same_neighbours_and_the_same_map(many) -> None:
    first, again = nearly_nearest(many, 10), nearly_nearest(many, 10)
    assert np.array_equal(first.indices, again.indices)
    assert np.array_equal(first.distances, again.distances)
    method = embedding.UMAP(neighbours=11, epochs=20)
    assert np.array_equal(embedding.project(many, method).points, embedding.project(many, method).points)


def test_few_images_or_many_neighbours_are_searched_exactly(many) -> None:
    for features, count in ((many[:1000], 10), (many, 31)):
        found, true = nearly_nearest(features, count), nearest(features, count)
        assert np.array_equal(found.indices, true.indices)
        assert np.array_equal(found.distances, true.distances)


def test_equal_images_have_others_for_neighbours_however_few_cells_they_fill(many) -> None:
    many[:1500] = many[0]
    found = nearly_nearest(many, 10)
    assert (found.indices != np.arange(2000)[:, None]).all()
    assert (found.distances[:1500] == 0).all()


def test_features_that_are_not_finite_are_refused(many) -> None:
    many[7, 2] = np.nan
    with pytest.raises(ValueError, match="the first is image 8"):
        nearly_nearest(many, 10)
