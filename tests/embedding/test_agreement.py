"""Whether neighbours are of one class."""

import numpy as np
import pytest

from interp import embedding


def test_by_hand() -> None:
    # On a line: 0 and 1 are neighbours, 10 and 11 are, and the fifth image has no class.
    features = np.array([[0.0], [1.0], [10.0], [11.0], [0.5]])
    found = embedding.agreement(features, np.array([0, 0, 1, 0, -1]), k=1)
    assert found.share == 0.5
    assert found.chance == pytest.approx(3 * 2 / (4 * 3))
    assert (found.k, found.count) == (1, 4)


def test_neighbours_at_random_share_as_much_as_by_chance() -> None:
    random = np.random.default_rng(0)
    classes = random.integers(0, 3, 600)
    found = embedding.agreement(random.normal(size=(600, 5)), classes)
    assert abs(found.share - found.chance) < 0.03
    apart = embedding.agreement(random.normal(size=(600, 5)) + 20 * classes[:, None], classes)
    assert apart.share == 1.0


def test_few_others_lower_the_count() -> None:
    assert embedding.agreement(np.eye(3), np.array([1, 1, 1])).k == 2


@pytest.mark.parametrize("classes", [[-1, -1, 0], [-1, -1, -1], [0, 0]])
def test_too_few_classes_are_refused(classes: list[int]) -> None:
    with pytest.raises(ValueError, match="image"):
        embedding.agreement(np.eye(3), np.array(classes))
