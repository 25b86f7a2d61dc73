"""What is in every image stays in every draw; what is of few images comes and goes as often as they are drawn."""

from dataclasses import dataclass

import numpy as np
import pytest

from interp import progress
from interp.class_summary import ClassCounts, GraphSettings, extract, support
from tests.steps import finished

SETTINGS = GraphSettings(share=1)
OWN = np.arange(10)


@dataclass
class Remembered:
    """Of each image, which of some channels of two layers stand out; those of an image influence each other."""

    low: np.ndarray
    high: np.ndarray

    def draw(self, weights: np.ndarray) -> ClassCounts:
        counts = {"low": weights @ self.low, "high": weights @ self.high}
        influences = {("low", "high"): np.einsum("n,ni,nj->ij", weights, self.low, self.high)}
        return ClassCounts(int(weights.sum()), ("low", "high"), counts, influences)


def remembered() -> Remembered:
    """Of 40 images the first 10 are the class's.

    Channel 0 is in all of them; channel 1 in all of the class; channel 2 in one of the class.
    """
    places = np.arange(40)
    low = np.stack([places >= 0, places < 10, places == 4], axis=1).astype(int)
    high = np.stack([places >= 0, places < 10], axis=1).astype(int)
    return Remembered(low, high)


def test_shares_are_those_with_which_images_are_drawn() -> None:
    whole = remembered()
    graph = extract(whole.draw(np.bincount(OWN, minlength=40)), SETTINGS)
    parts, found = finished(support(graph, whole, OWN, 40, SETTINGS, count=400, seed=1))
    named = {vertex.key: at for at, vertex in enumerate(graph.vertices)}
    own, of_others = found.vertices, found.vertices_of_others
    everybodys, classes, ones = (named["low", channel] for channel in range(3))
    assert own[everybodys] == of_others[everybodys] == 1 and own[classes] == 1
    # One image of 10 is in a draw of 10 with replacement; of the class's own channels none is in other images.
    assert own[ones] == pytest.approx(1 - 0.9**10, abs=0.08) and of_others[ones] == of_others[classes] == 0
    edges = {(edge.lower, edge.upper): at for at, edge in enumerate(graph.edges)}
    assert found.edges[edges[("low", 2), ("high", 1)]] == own[ones]
    assert found.edges_of_others[edges[("low", 2), ("high", 1)]] == of_others[ones]
    assert len(parts) == 80 and parts[0].draws == 5 and parts[-1] is found and found.draws == 400


def test_a_seed_gives_the_same_and_few_draws_are_the_first_of_many() -> None:
    whole = remembered()
    graph = extract(whole.draw(np.bincount(OWN, minlength=40)), SETTINGS)
    few = finished(support(graph, whole, OWN, 40, SETTINGS, count=10, seed=7))[1]
    parts, many = finished(support(graph, whole, OWN, 40, SETTINGS, count=13, seed=7))
    assert [part.draws for part in parts] == [5, 10, 13] and parts[1].fingerprint == few.fingerprint
    assert many.fingerprint == finished(support(graph, whole, OWN, 40, SETTINGS, count=13, seed=7))[1].fingerprint
    other = finished(support(graph, whole, OWN, 40, SETTINGS, count=13, seed=8))[1]
    assert other.fingerprint != many.fingerprint


def test_draws_are_as_many_as_the_class_has_and_steps_are_reported() -> None:
    class Watched(Remembered):
        def draw(self, weights: np.ndarray) -> ClassCounts:
            drawn.append(weights)
            return super().draw(weights)

    class Heard:
        def step(self, done: int, total: int, what: str) -> None:
            told.append((done, total, what))

        def remark(self, text: str) -> None:
            raise AssertionError(text)

    drawn: list[np.ndarray] = []
    told: list[tuple[int, int, str]] = []
    whole = Watched(remembered().low, remembered().high)
    graph = extract(remembered().draw(np.ones(40, int)), SETTINGS)
    with progress.listening(Heard()):
        finished(support(graph, whole, OWN + 20, 40, count=6))
    assert {int(weights.sum()) for weights in drawn} == {10} and {len(weights) for weights in drawn} == {40}
    bootstrap, null = drawn[::2], drawn[1::2]
    assert all(not weights[:20].any() and not weights[30:].any() for weights in bootstrap)
    assert max(weights.max() for weights in bootstrap) > 1 == max(weights.max() for weights in null)
    assert all(not weights[20:30].any() for weights in null)
    assert told == [(done, 6, "draws of images") for done in range(7)]


def test_a_draw_without_counts_has_an_empty_graph() -> None:
    places = np.arange(40)
    whole = Remembered((places == 0)[:, None].astype(int), (places == 0)[:, None].astype(int))
    graph = extract(whole.draw(np.bincount(OWN, minlength=40)), SETTINGS)
    found = finished(support(graph, whole, OWN, 40, SETTINGS, count=60))[1]
    assert 0.4 < found.vertices[0] < 0.9 and found.vertices_of_others[0] < 0.5


def test_without_other_classes_nothing_is_said_of_them_and_of_few_each_is_drawn_again() -> None:
    whole = remembered()
    graph = extract(whole.draw(np.ones(40, int)), SETTINGS)
    alone = finished(support(graph, whole, np.arange(40), 40, SETTINGS, count=5))[1]
    assert (
        alone.vertices.max() == 1 and np.isnan(alone.vertices_of_others).all() and np.isnan(alone.edges_of_others).all()
    )
    few = finished(support(graph, whole, np.arange(35), 40, SETTINGS, count=5))[1]
    assert not np.isnan(few.vertices_of_others).any()


@pytest.mark.parametrize("own", [[], [1, 1], [40], [-1]])
def test_images_that_are_none_are_refused(own) -> None:
    graph = extract(remembered().draw(np.ones(40, int)), SETTINGS)
    with pytest.raises(ValueError, match="of the class must be at least one of the 40"):
        finished(support(graph, remembered(), np.array(own, int), 40))
    with pytest.raises(ValueError, match="0 draws support nothing"):
        finished(support(graph, remembered(), OWN, 40, count=0))
