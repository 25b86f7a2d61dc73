"""The graph of a made-up network is the planted one, and every other is what the words of the definition give."""

from dataclasses import replace

import networkx
import numpy as np
import pytest

from cache.encoding import decode, encode
from interp.class_summary import ClassCounts, GraphSettings, extract
from tests.class_summary.made_up import counted, drawn, planted

EXACT = GraphSettings(iterations=500, tolerance=1e-12)


def slowly(counts: ClassCounts, share: float) -> tuple[set, dict, float]:
    """Vertices with their ranks, and edges, by the words of the definition: cut, look, raise, cut again."""
    graph = networkx.Graph()
    restart = {}
    for layer, own in counts.counts.items():
        for channel, count in enumerate(own):
            graph.add_node((layer, channel))
            restart[layer, channel] = count / own.max()
    for (lower, upper), influences in counts.influences.items():
        for (i, j), weight in np.ndenumerate(influences):
            if weight:
                graph.add_edge((lower, i), (upper, j), weight=weight)
    ranks = networkx.pagerank(graph, 0.85, restart, max_iter=500, tol=1e-12)
    while True:
        kept = set()
        for layer, own in counts.counts.items():
            vertices = sorted(((layer, k) for k in range(len(own))), key=lambda one: -ranks[one])
            whole, sum_so_far = sum(ranks[one] for one in vertices), 0.0
            for one in vertices:
                kept.add(one)
                sum_so_far += ranks[one]
                if sum_so_far >= share * whole:
                    break
        edges = {
            (one, other) if counts.layers.index(one[0]) < counts.layers.index(other[0]) else (other, one): weight
            for one, other, weight in graph.subgraph(kept).edges(data="weight")
        }
        if {upper[0] for _, upper in edges} == set(counts.layers[1:]):
            return {(one, ranks[one]) for one in kept}, edges, share
        share += 0.005


def test_a_planted_path_is_the_graph() -> None:
    graph = extract(planted())
    assert [vertex.key for vertex in graph.vertices] == [("low", 1), ("middle", 0), ("high", 2)]
    assert [(edge.lower, edge.upper, edge.weight) for edge in graph.edges] == [
        (("low", 1), ("middle", 0), 95),
        (("middle", 0), ("high", 2), 99),
    ]
    assert (graph.share, graph.images, graph.layers) == (0.075, 100, ("low", "middle", "high"))
    assert [vertex.count for vertex in graph.vertices] == [90, 95, 97]
    assert [vertex.inputs for vertex in graph.vertices] == [
        (),
        ((1, 95), (2, 90), (0, 2)),
        ((0, 99), (1, 2), (2, 1)),
    ]


def test_a_larger_share_keeps_the_second_cause_and_then_everything() -> None:
    wider = extract(planted(), GraphSettings(share=0.6))
    assert [vertex.key for vertex in wider.of_layer("low")] == [("low", 1), ("low", 2)]
    whole = extract(planted(), GraphSettings(share=1))
    assert len(whole.vertices) == 11 and sum(vertex.pagerank for vertex in whole.vertices) == pytest.approx(1)
    assert len(whole.edges) == sum(np.count_nonzero(own) for own in planted().influences.values())


@pytest.mark.parametrize("seed", range(12))
def test_it_is_what_the_definition_says(seed) -> None:
    counts, share = drawn(seed, rare=(0.6, 0.95)[seed % 2]), (0.075, 0.2)[seed % 3 == 0]
    graph = extract(counts, replace(EXACT, share=share))
    vertices, edges, in_effect = slowly(counts, share)
    assert {vertex.key for vertex in graph.vertices} == {one for one, _ in vertices}
    ranks = dict(vertices)
    assert all(vertex.pagerank == pytest.approx(ranks[vertex.key], abs=1e-9) for vertex in graph.vertices)
    assert {(edge.lower, edge.upper): edge.weight for edge in graph.edges} == edges
    assert graph.share == pytest.approx(in_effect, abs=1e-9)


def test_some_of_these_raise_the_share() -> None:
    raised = [extract(drawn(seed, rare=0.95), EXACT).share for seed in range(1, 12, 2)]
    assert max(raised) > 0.075


def test_the_share_rises_until_the_layer_keeps_an_edge() -> None:
    # Without walking the ranks are the counts: the channel with the edge comes after two thirds of its layer.
    counts = counted(10, [[8, 4], [10]], [[[0], [3]]])
    graph = extract(counts, GraphSettings(alpha=0))
    assert graph.share == 0.67 and [vertex.key for vertex in graph.vertices] == [("low", 0), ("low", 1), ("middle", 0)]
    assert [(edge.lower, edge.upper, edge.weight) for edge in graph.edges] == [(("low", 1), ("middle", 0), 3)]
    assert graph.to_networkx().degree[("low", 0)] == 0


def test_the_crossing_vertex_stays_and_the_lower_of_equal_channels_comes_first() -> None:
    counts = counted(10, [[2, 4, 4, 2]], [])
    settings = GraphSettings(alpha=0, share=0.3)
    assert [vertex.channel for vertex in extract(counts, settings).vertices] == [1]
    assert [vertex.channel for vertex in extract(counts, replace(settings, share=0.4)).vertices] == [1, 2]
    assert [vertex.channel for vertex in extract(counts, replace(settings, share=0.7)).vertices] == [1, 2, 0]
    half = extract(counted(10, [[2, 2]], []), replace(settings, share=0.5))
    assert [vertex.channel for vertex in half.vertices] == [0]


def test_layers_that_nothing_joins_do_not_raise_the_share() -> None:
    counts = counted(10, [[8, 4], [10, 1], [9, 2]], [[[0, 0], [0, 0]], [[1, 0], [0, 0]]])
    graph = extract(counts)
    assert graph.share == 0.075 and [edge.upper for edge in graph.edges] == [("high", 0)]


def test_a_layer_without_counts_is_ranked_by_its_edges() -> None:
    counts = counted(10, [[0, 0, 0], [10, 5]], [[[0, 1], [9, 0], [0, 0]]])
    graph = extract(counts, GraphSettings(share=1))
    assert [vertex.key for vertex in graph.of_layer("low")] == [("low", 1), ("low", 0)]
    assert graph.channels("middle") == {0, 1}


def test_a_uniform_restart_leaves_the_ranks_to_influences() -> None:
    counts = planted()
    equal = ClassCounts(
        counts.images,
        counts.layers,
        {layer: np.ones_like(own) for layer, own in counts.counts.items()},
        counts.influences,
    )
    uniform = extract(counts, GraphSettings(personalization="uniform"))
    assert [(vertex.key, vertex.pagerank) for vertex in uniform.vertices] == [
        (vertex.key, vertex.pagerank) for vertex in extract(equal).vertices
    ]
    assert uniform.fingerprint != extract(counts).fingerprint


def test_as_networkx_it_is_the_same_graph() -> None:
    graph = extract(drawn(0))
    other = graph.to_networkx()
    assert set(other.nodes) == {vertex.key for vertex in graph.vertices}
    assert {edge.lower: other.nodes[edge.lower]["count"] for edge in graph.edges} == {
        vertex.key: vertex.count for vertex in graph.vertices if any(edge.lower == vertex.key for edge in graph.edges)
    }
    assert all(other.edges[edge.lower, edge.upper]["weight"] == edge.weight for edge in graph.edges)
    assert other.number_of_edges() == len(graph.edges) and other.graph["share"] == graph.share


def test_the_store_keeps_it() -> None:
    graph = extract(drawn(0))
    for one in (graph, replace(graph, images=None, share=None)):
        assert decode(encode(one, {})).fingerprint == one.fingerprint


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        (counted(0, [[0], [0]], [[[0]]]), "Nothing was counted of this class in 0 images"),
        (counted(5, [[0], [0]], [[[3]]]), "Nothing was counted"),
        (counted(5, [[1], [2]], [[[1, 2]]]), r"must be of shape \(1, 1\), and are of shape \(1, 2\)"),
        (counted(5, [[9]], []), "from 0 to the 5 images"),
        (counted(5, [[1], [2]], [[[-1]]]), "from 0 to the 5 images"),
        (ClassCounts(5, ("a", "b"), {"a": np.ones(1, int)}, {}), "no counts of layer 'b'"),
        (ClassCounts(5, ("a", "b"), {"a": np.ones(1, int), "b": np.ones(1, int)}, {}), "there are none"),
        (ClassCounts(5, (), {}, {}), "0 layers make no graph"),
    ],
)
def test_counts_that_make_no_graph_are_refused(counts, said) -> None:
    with pytest.raises(ValueError, match=said):
        extract(counts)


def test_settings_that_keep_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="share of 0 is not possible"):
        GraphSettings(share=0)
    with pytest.raises(ValueError, match="step of 0 never raises"):
        GraphSettings(step=0)
    with pytest.raises(ValueError, match="no layer 'top': it has low"):
        extract(planted()).of_layer("top")
