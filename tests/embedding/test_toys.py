import numpy as np
import pytest

from interp import embedding
from interp.embedding import TOYS, toy


@pytest.mark.parametrize("name", TOYS)
@pytest.mark.parametrize("points", [12, 250])
def test_it_is_the_same_for_the_same_seed_and_every_part_has_points(name, points) -> None:
    one, again, other = toy(name, points=points), toy(name, points=points), toy(name, points=points, seed=1)
    assert one.fingerprint == again.fingerprint != other.fingerprint
    assert one.features.shape[0] == points
    assert np.isfinite(one.features).all()
    sizes = np.bincount(one.labels, minlength=len(one.parts))
    assert len(sizes) == len(one.parts)
    assert sizes.max() - sizes.min() <= 1
    assert one.lesson.endswith(".")
    assert one.setting.endswith(".")


def parts(name: str) -> list[np.ndarray]:
    made = toy(name, points=900)
    return [made.features[made.labels == part] for part in range(len(made.parts))]


def test_the_shapes_are_what_they_are_called() -> None:
    wide, narrow = (part.std(axis=0).mean() for part in parts("sizes"))
    assert wide / narrow == pytest.approx(10, rel=0.1)
    left, near, far = (part.mean(axis=0) for part in parts("distances"))
    assert np.linalg.norm(far - left) / np.linalg.norm(near - left) == pytest.approx(6, rel=0.1)
    [noise] = parts("noise")
    assert embedding.principal_axes(noise, 1).explained[0] < 0.025
    for line in parts("lines"):
        assert embedding.principal_axes(line, 1).explained[0] > 0.99
    first, second = parts("rings")
    # The second ring goes through the middle of the first.
    assert np.linalg.norm(second, axis=1).min() < 0.15
    assert np.linalg.norm(first, axis=1).min() > 0.85


def test_the_animal_stands_on_four_legs_with_its_trunk_in_front() -> None:
    made = toy("mammoth", points=2100)
    part = {name: made.features[made.labels == which] for which, name in enumerate(made.parts)}
    for legs in ("front legs", "hind legs"):
        assert part[legs][:, 2].min() < 0
        assert {*np.sign(part[legs][:, 1])} == {-1, 1}
        assert np.abs(part[legs][:, 1]).min() > 0.2
    assert part["trunk"][:, 0].min() > part["body"][:, 0].max()
    assert part["tail"][:, 0].max() < part["hind legs"][:, 0].max()


@pytest.mark.slow
def test_the_lessons_are_true() -> None:
    made = toy("sizes", points=300)
    points = embedding.project(made.features, embedding.TSNE()).points
    wide, narrow = (points[made.labels == part].std() for part in (0, 1))
    assert 0.5 < wide / narrow < 3
    noise = toy("noise", points=300).features
    few, many = (embedding.project(noise, embedding.TSNE(perplexity=p)).points for p in (2, 50))

    def clumping(points: np.ndarray) -> float:
        """How much nearer the nearest is than the tenth nearest."""
        near = embedding.nearest(points, 10).distances
        return float(np.median(near[:, 9] / near[:, 0]))

    assert clumping(few) > 1.5 * clumping(many)


def test_names_and_sizes_that_do_not_exist_are_refused() -> None:
    with pytest.raises(ValueError, match="no made-up set 'cow'. Choose one of: sizes"):
        toy("cow")
    with pytest.raises(ValueError, match="take at least 12"):
        toy("rings", points=5)
