"""Published graphs open and are written as they were; our own come back; a file that is none says where and why."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from interp.class_summary import GraphSettings, extract, load, parsed, written
from tests.class_summary.made_up import drawn, planted
from tests.class_summary.published import LAYERS, all_published, published

VERTEX = {"channel": 1, "count": 3, "layer": "a", "pagerank": 0.5, "prev_channels": [], "attr_channels": []}


def test_published_files_open_and_are_written_as_they_were() -> None:
    for path in all_published():
        graph = load(path)
        assert written(graph) == path.read_text()
        assert graph.layers == LAYERS and graph.images is None and graph.share is None
        assert 38 <= len(graph.vertices) <= 91 and 88 <= len(graph.edges) <= 440


def test_a_published_vertex_with_its_edges() -> None:
    graph = load(published(0))
    vertex = graph.of_layer("mixed5b")[0]
    assert (vertex.channel, vertex.count, vertex.inputs) == (5, 146, ((776, 1274), (158, 969), (601, 859)))
    own = [(edge.lower, edge.weight) for edge in graph.edges if edge.upper == ("mixed5b", 5)]
    assert own == [(("mixed5a", 11), 95), (("mixed5a", 601), 859), (("mixed5a", 665), 287), (("mixed5a", 158), 969)]


def test_inputs_of_channels_outside_the_middle_branches_are_the_strongest_of_all() -> None:
    """So `attr_channels` are of the layer below there; those of 3×3 and 5×5 branches have other numbers."""
    ends = {"mixed4a": (192, 448), "mixed4d": (112, 464), "mixed5b": (384, 896)}
    seen, others = 0, 0
    for path in all_published():
        graph = load(path)
        for vertex in (one for one in graph.vertices if one.layer in ends):
            edges = {edge.lower[1]: edge.weight for edge in graph.edges if edge.upper == vertex.key}
            inputs = dict(vertex.inputs)
            least = min(inputs.values())
            missed = any(weight > least and channel not in inputs for channel, weight in edges.items())
            if vertex.channel < ends[vertex.layer][0] or vertex.channel >= ends[vertex.layer][1]:
                assert not missed and all(edges.get(one, value) == value for one, value in inputs.items())
                seen += 1
            others += missed
    assert seen > 100 and others > 100


@pytest.mark.parametrize("seed", range(4))
def test_our_own_graphs_come_back(seed, tmp_path: Path) -> None:
    graph = extract(drawn(seed), GraphSettings(share=0.3))
    path = tmp_path / "graph.json"
    path.write_text(written(graph))
    back = load(path)
    assert (back.layers, back.vertices, back.edges) == (graph.layers, graph.vertices, graph.edges)
    assert back.fingerprint == replace(graph, images=None, share=None).fingerprint


def test_what_is_written_is_what_the_format_says() -> None:
    content = json.loads(written(extract(planted())))
    assert list(content) == ["high", "middle", "low"]
    vertex = content["middle"][0]
    assert vertex | {"pagerank": 0} == {
        "channel": 0,
        "count": 95,
        "layer": "middle",
        "pagerank": 0,
        "prev_channels": [{"prev_channel": 1, "inf": 95}],
        "attr_channels": [{"prev_channel": str(one), "inf": of} for one, of in ((1, 95), (2, 90), (0, 2))],
    }
    assert content["low"][0]["prev_channels"] == content["low"][0]["attr_channels"] == []


def changed(**fields: object) -> str:
    return json.dumps({"a": [VERTEX | fields]})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not valid JSON"),
        ("{", "is not valid JSON"),
        ("[" * 100_000, "is not valid JSON"),
        ('{"a": NaN}', "NaN is no number of JSON"),
        ("[]", "it must be an object that gives each layer"),
        ("{}", "it must be an object that gives each layer"),
        ('{"a": 3}', "'a' is 3: it must be a list"),
        ('{"a": [3]}', "vertex 1 of 'a' is 3: it must be an object"),
        ('{"a": [{}]}', "vertex 1 of 'a' has no field 'layer'"),
        (json.dumps({"a": [{key: VERTEX[key] for key in VERTEX if key != "count"}]}), "has no field 'count'"),
        (changed(layer="b"), "says that its layer is 'b'"),
        (changed(channel=-1), "has channel -1: it must be a whole number"),
        (changed(channel="7"), "has channel '7': it must be a whole number"),
        (changed(count=True), "has count True"),
        (changed(count=1.5), "has count 1.5"),
        (changed(count=10**30), "it must be a whole number"),
        (changed(pagerank=2), "has a pagerank of 2: it must be a number from 0 to 1"),
        (changed(pagerank="0"), "has a pagerank of '0'"),
        (changed(prev_channels=[{"prev_channel": 4, "inf": 1}]), "channel 4, which is no vertex below the lowest"),
        (changed(prev_channels={}), r"prev_channels of vertex 1 of 'a' is \{\}: it must be a list"),
        (changed(attr_channels=[{"prev_channel": "x", "inf": 1}]), "has prev_channel 'x'"),
        (changed(attr_channels=[{"prev_channel": "4", "inf": None}]), "has inf None"),
        (changed(attr_channels=[{"prev_channel": "4", "inf": 1}] * 2), "has a channel twice"),
        (json.dumps({"a": [VERTEX, VERTEX]}), "vertex 2 of 'a' is channel 1 again"),
        (
            json.dumps(
                {"b": [VERTEX | {"layer": "b", "prev_channels": [{"prev_channel": 9, "inf": 1}]}], "a": [VERTEX]}
            ),
            "vertex 1 of 'b' has an edge from channel 9, which is no vertex of 'a', the layer below",
        ),
    ],
)
def test_a_file_that_is_none_says_where_and_why(text, said, tmp_path: Path) -> None:
    path = tmp_path / "graph.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=said) as raised:
        load(path)
    assert str(path) in str(raised.value) and len(str(raised.value)) < 1000


def test_no_file_a_huge_one_and_bytes(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="There is no file"):
        load(tmp_path / "nowhere.json")
    path = tmp_path / "graph.json"
    with path.open("wb") as file:
        file.truncate(17 << 20)
    with pytest.raises(ValueError, match="is too large: it must be a JSON file of an attribution graph"):
        load(path)
    path.write_bytes(b"\x93NUMPY\x00\xff\xfe")
    with pytest.raises(ValueError, match="not text"):
        load(str(path))


def test_content_without_a_folder_is_read_as_a_file_is() -> None:
    content = json.dumps({"a": [VERTEX]}).encode()
    assert parsed(content, "mine.json").vertices[0].key == ("a", 1)
    for bad, said in (
        (b"{", "mine.json is not valid JSON"),
        (b"\x00\x01", "mine.json is not text"),
        (b"[]", "an object"),
    ):
        with pytest.raises(ValueError, match=said):
            parsed(bad, "mine.json")
