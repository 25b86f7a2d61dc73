"""What graphs share: by hand, in the published graphs, and beside random pairs."""

import numpy as np
import pytest

from interp.class_summary import (
    ChannelVertex,
    ClassGraph,
    PairOverlaps,
    contrast,
    jaccard,
    load,
    overlaps,
    parting,
    random_pairs,
)
from interp.class_summary.parting import _gains
from tests.class_summary.made_up import counted, planted
from tests.class_summary.published import LAYERS, all_published, published

# By layer from mixed3a on, to two digits, as measured of the published files beforehand.
KNOWN = {
    (294, 295): (0.67, 0.40, 0.38, 1.0, 0.56, 0.22, 0.25, 0.12, 0.13),
    (207, 208): (0.20, 0.56, 0.44, 0.80, 0.57, 0.50, 0.80, 0.11, 0.12),
    (0, 396): (0.50, 0, 0.10, 0, 0, 0, 0, 0, 0),
}


def graph(**channels: set[int]) -> ClassGraph:
    vertices = tuple(ChannelVertex(layer, one, 1, 0.1) for layer, of in channels.items() for one in sorted(of))
    return ClassGraph(10, tuple(channels), vertices, (), 0.075)


def test_shared_either_and_own_by_hand() -> None:
    found = overlaps([graph(a={1, 2, 3}, b={5}), graph(a={2, 3, 4}, b={6}), graph(a={3, 4, 9, 1}, b={5})])
    assert [(one.layer, one.shared, one.either) for one in found] == [
        ("a", {3}, {1, 2, 3, 4, 9}),
        ("b", set(), {5, 6}),
    ]
    assert found[0].own == (set(), set(), {9}) and found[1].own == (set(), {6}, set())
    assert [one.jaccard for one in found] == [0.2, 0]


def test_layers_without_a_vertex_have_no_overlap() -> None:
    assert np.array_equal(jaccard(graph(a={1}, b=set()), graph(a={1}, b=set())), [1, np.nan], equal_nan=True)


@pytest.mark.parametrize("pair", KNOWN)
def test_published_graphs_overlap_as_is_known(pair) -> None:
    first, second = (load(published(number)) for number in pair)
    assert first.layers == LAYERS
    assert np.abs(jaccard(first, second) - KNOWN[pair]).max() <= 0.0051


def test_where_published_classes_part() -> None:
    graphs = {path.stem.removeprefix("ag-"): load(path) for path in all_published()}
    found = {}
    for pair in (("294", "295"), ("207", "208"), ("0", "396"), ("67", "243")):
        chance = random_pairs(graphs, pairs=10_000, without=pair)
        assert chance.all_pairs and len(chance) == len(graphs) * (len(graphs) - 1) // 2 - 1
        found[pair] = parting(graphs[pair[0]], graphs[pair[1]], chance)
    assert [one.layer for one in found.values()] == [None, None, "mixed3b", "mixed3a"]
    assert found["207", "208"].exceptions == ("mixed3a",)
    assert "tench and lionfish share more channels than most of" in found["0", "396"].sentence("tench", "lionfish")
    every = random_pairs(graphs, pairs=10_000)
    # 100 random pairs of all published graphs have .21 .16 .22 .14 .12 .04 .02 .01 .01 in the mean.
    assert np.abs(every.mean - (0.21, 0.16, 0.22, 0.14, 0.12, 0.04, 0.02, 0.01, 0.01)).max() < 0.04


def test_pairs_of_unrelated_layers_are_mostly_apart() -> None:
    graphs = {path.stem: load(path) for path in all_published()}
    chance = random_pairs(graphs, pairs=10_000)
    random = np.random.default_rng(0)
    mixed = np.stack([random.permutation(column) for column in chance.values.T], axis=1)
    gains = [_gains(chance.share_below(own), chance.share_tied(own)) for own in mixed]
    assert 0.1 < (np.cumsum(gains, axis=1).max(axis=1) > 0).mean() < 0.21


def test_where_made_up_classes_part() -> None:
    layers = ("a", "b", "c", "d")
    chance = PairOverlaps(layers, np.tile(np.linspace(0, 0.5, 20)[:, None], 4), True)
    one = graph(a={1, 2}, b={1, 2}, c={1, 2}, d={1, 2})
    found = parting(one, graph(a={1, 2}, b={1, 2}, c={1, 7}, d={8, 9}), chance)
    assert (found.at, found.layer, found.exceptions) == (2, "c", ()) and found.pairs == 20
    assert np.allclose(found.below, [1, 1, 0.65, 0.025]) and np.allclose(found.chance, 0.25)
    assert found.sentence("bee", "fly") == (
        "bee and fly share more channels than most of 20 other pairs of classes up to b (mean overlap 1.00, of the "
        "others 0.25), and part at c (mean overlap from there on 0.17, of the others 0.25)."
    )
    same = parting(one, one, chance)
    assert same.layer is None and same.sentence("bee", "fly").endswith(
        "(mean overlap 1.00, of the others 0.25), and do not part."
    )
    apart = parting(one, graph(a={1, 3}, b={4}, c={1, 2}, d={7}), chance)
    assert (apart.at, apart.exceptions) == (0, ("c",))
    assert apart.sentence("bee", "fly") == (
        "bee and fly share no more channels than most of 20 other pairs of classes (mean overlap 0.33, of the others "
        "0.25), but for c (overlap 1.00, of the others 0.25), where they do."
    )


def test_a_layer_in_which_all_pairs_overlap_alike_says_nothing() -> None:
    layers = ("a", "b", "c")
    values = np.stack([np.ones(20), np.ones(20), np.linspace(0, 0.5, 20)], axis=1)
    chance = PairOverlaps(layers, values, True)
    one = graph(a={1}, b={1}, c={1, 2})
    found = parting(one, one, chance)
    assert found.layer is None and found.exceptions == () and found.ties.tolist() == [1, 1, 0]
    apart = parting(one, graph(a={1}, b={1}, c={3}), chance)
    assert apart.at == 0 and apart.sentence("x", "y").endswith("(mean overlap 0.67, of the others 0.75), in any layer.")


def test_two_classes_alone_have_nothing_to_compare_with() -> None:
    graphs = {"bee": graph(a={1}), "fly": graph(a={1})}
    found = parting(*graphs.values(), random_pairs(graphs, without=("fly", "bee")))
    assert found.pairs == 0 and "cannot be said" in found.sentence("bee", "fly")
    assert np.isnan(found.chance).all() and np.isnan(found.below).all() and found.at == 0


def test_random_pairs_are_different_and_the_same_for_a_seed() -> None:
    graphs = {str(number): graph(a={number, 100 + number // 4}) for number in range(40)}
    chance = random_pairs(graphs, pairs=200, seed=3)
    assert len(chance) == 200 and not chance.all_pairs
    # Of 780 pairs, 60 share one of three channels.
    assert set(chance.values.ravel().round(6)) == {0, 0.333333} and 0.02 < chance.mean[0] * 3 < 0.15
    assert chance.fingerprint == random_pairs(graphs, pairs=200, seed=3).fingerprint
    assert chance.fingerprint != random_pairs(graphs, pairs=200, seed=4).fingerprint


def test_the_mean_leaves_out_pairs_without_a_vertex() -> None:
    chance = PairOverlaps(("a",), np.array([[0.5], [np.nan], [0.25]]), True)
    assert chance.mean == [0.375] and chance.share_below(np.array([0.5])) == [0.75]


def test_contrast_by_hand() -> None:
    first = counted(10, [[10, 5, 0]], [])
    second = counted(20, [[0, 10, 0]], [])
    found = contrast(first, second)["low"]
    assert found.log_odds == pytest.approx([np.log(10.5 * 20.5 / (0.5 * 0.5)), 0, np.log(0.5 * 20.5 / (10.5 * 0.5))])
    assert found.errors[1] == pytest.approx(np.sqrt(2 / 5.5 + 2 / 10.5))
    assert found.z == pytest.approx(found.log_odds / found.errors)
    turned = contrast(second, first)["low"]
    assert np.allclose(turned.log_odds, -found.log_odds) and np.allclose(turned.errors, found.errors)


def test_contrast_finds_1_in_20_channels_that_do_not_differ() -> None:
    random = np.random.default_rng(0)
    first, second = (counted(80, [random.binomial(80, 0.3, 4000).tolist()], []) for _ in range(2))
    found = contrast(first, second)["low"]
    assert 0.03 < (np.abs(found.z) > 1.96).mean() < 0.07


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(ValueError, match="1 graph cannot be compared"):
        overlaps([graph(a={1})])
    with pytest.raises(ValueError, match="one has a, another b"):
        jaccard(graph(a={1}), graph(b={1}))
    with pytest.raises(ValueError, match="0 pairs say nothing"):
        random_pairs({"x": graph(a={1}), "y": graph(a={1})}, pairs=0)
    with pytest.raises(ValueError, match="Random pairs of a say nothing of graphs of b"):
        parting(graph(b={1}), graph(b={1}), PairOverlaps(("a",), np.zeros((3, 1)), True))
    with pytest.raises(ValueError, match="3 channels in one class and 4 in the other"):
        contrast(counted(5, [[1, 2, 3]], []), counted(5, [[1, 2, 3, 4]], []))
    with pytest.raises(ValueError, match="different layers"):
        contrast(planted(), counted(5, [[1]], []))
