"""Cosines by hand and by loops, nearest classes, and the hierarchy of planted families."""

import numpy as np
import pytest
from scipy.cluster.hierarchy import cophenet, is_valid_linkage
from scipy.spatial.distance import squareform

from interp.class_summary import similarity


def families() -> np.ndarray:
    """Classes 0, 3 and 1, 4 are two families; 2 stands alone; nothing was counted of 5."""
    return np.array(
        [[9, 1, 0, 0, 0], [0, 0, 7, 2, 0], [0, 0, 0, 1, 9], [8, 2, 0, 0, 0], [0, 0, 6, 3, 0], [0, 0, 0, 0, 0]]
    )


def test_cosines_by_hand() -> None:
    found = similarity({"a": np.array([[3, 4], [4, 3], [0, 0]]), "b": np.array([[1, 0, 0], [0, 2, 0], [5, 0, 0]])})
    assert np.allclose(found.cosines["a"], [[1, 24 / 25, 0], [24 / 25, 1, 0], [0, 0, 0]])
    assert np.allclose(found.cosines["b"], [[1, 0, 1], [0, 1, 0], [1, 0, 1]])


def test_cosines_are_scipys_and_do_not_ask_how_many_images() -> None:
    from scipy.spatial.distance import cosine

    counts = np.random.default_rng(0).integers(0, 90, (7, 30))
    found = similarity({"a": counts}).cosines["a"]
    assert np.allclose(found, [[1 - cosine(one, other) for other in counts] for one in counts])
    assert np.allclose(similarity({"a": counts * np.arange(1, 8)[:, None]}).cosines["a"], found)


def test_nearest_classes() -> None:
    found = similarity({"a": families()})
    assert found.nearest("a", 0, 3).tolist() == [3] and found.nearest("a", 4, 3).tolist() == [1, 2]
    assert found.nearest("a", 4, 1).tolist() == [1] and found.nearest("a", 5, 3).tolist() == []


def test_the_hierarchy_joins_families_first() -> None:
    found = similarity({"a": families()}).hierarchy("a")
    joined = [set(row[:2].astype(int)) for row in found.joins]
    assert {frozenset(one) for one in joined[:2]} == {frozenset({0, 3}), frozenset({1, 4})}
    assert sorted(found.order) == list(range(6)) and (np.diff(found.joins[:, 2]) >= -1e-12).all()
    places = {one: at for at, one in enumerate(found.order)}
    assert abs(places[0] - places[3]) == abs(places[1] - places[4]) == 1
    assert min(abs(places[2] - places[1]), abs(places[2] - places[4])) == 1


@pytest.mark.parametrize("seed", range(3))
def test_average_linkage_is_what_its_words_say(seed) -> None:
    counts = np.random.default_rng(seed).integers(0, 9, (8, 6)) + 1
    distances = 1 - similarity({"a": counts}).cosines["a"]
    clusters = {at: [at] for at in range(8)}
    for step, row in enumerate(similarity({"a": counts}).hierarchy("a").joins):
        mean = {
            (one, other): distances[np.ix_(clusters[one], clusters[other])].mean()
            for one in clusters
            for other in clusters
            if one < other
        }
        nearest = min(mean, key=lambda pair: mean[pair])
        assert set(nearest) == set(row[:2].astype(int)) and row[2] == pytest.approx(mean[nearest])
        clusters[8 + step] = clusters.pop(nearest[0]) + clusters.pop(nearest[1])
        assert row[3] == len(clusters[8 + step])


def test_a_part_joins_its_classes_where_the_whole_tree_does() -> None:
    whole = similarity({"a": np.random.default_rng(1).poisson(1.0, (12, 20))}).hierarchy("a")
    some = [7, 2, 11, 0, 5]
    part = whole.part(some)
    apart, among = (squareform(cophenet(one.joins)) for one in (whole, part))
    np.testing.assert_allclose(among, apart[np.ix_(some, some)])
    assert part.joins[-1, 3] == 5 and is_valid_linkage(part.joins)
    assert [some[one] for one in part.order] == [one for one in whole.order if one in some]
    every = whole.part(range(12))
    np.testing.assert_array_equal(every.joins, whole.joins)
    np.testing.assert_array_equal(every.order, whole.order)
    assert whole.part([3]).joins.shape == (0, 4) and whole.part([3]).order.tolist() == [0]
    for wrong in ([1, 1], [12]):
        with pytest.raises(ValueError, match="from 0 to 11"):
            whole.part(wrong)


def test_one_class_and_two() -> None:
    one = similarity({"a": np.array([[1, 2]])}).hierarchy("a")
    assert one.joins.shape == (0, 4) and one.order.tolist() == [0]
    two = similarity({"a": np.array([[1, 0], [0, 1]])}).hierarchy("a")
    assert two.joins.tolist() == [[0, 1, 1, 2]] and sorted(two.order) == [0, 1]


def test_what_is_no_table_of_counts_is_refused() -> None:
    with pytest.raises(ValueError, match="There are no layers"):
        similarity({})
    with pytest.raises(ValueError, match="must be 0 and more"):
        similarity({"a": np.array([[-1, 2]])})
    with pytest.raises(ValueError, match="need the same classes"):
        similarity({"a": np.ones((0, 3))})
    with pytest.raises(ValueError, match="no layer 'b': there are a"):
        similarity({"a": families()}).hierarchy("b")
    with pytest.raises(ValueError, match="no class 6: there are 6"):
        similarity({"a": families()}).nearest("a", 6, 1)
