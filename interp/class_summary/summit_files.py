"""Summit's published files of attribution graphs, read and written.

A file is a JSON object: for each layer, from the top one down, a list of vertices
`{"channel", "count", "layer", "pagerank", "prev_channels": [{"prev_channel", "inf"}], "attr_channels": [...]}`.
`prev_channels` are the vertices of the layer below that influence this one, with their influence. `attr_channels` are
the three strongest inputs of all, with the channel as text. In the published files those of a channel of a 3×3 or 5×5
branch are channels of the branch's bottleneck; ours are always of the layer below. Both are empty in the lowest layer.
Summit's viewer knows the layers mixed3a to mixed5b alone, so only graphs of these open in it.
"""

from __future__ import annotations

import json
from math import isfinite
from pathlib import Path
from typing import Any, NoReturn

from interp.class_summary.graph import ChannelVertex, ClassGraph, InfluenceEdge
from interp.text_files import decoded, read_text, shown

LARGEST = 16 << 20
"""The published files have some 20 kB."""

LARGEST_NUMBER = 2**53


def load(path: str | Path) -> ClassGraph:
    """The graph of a file as Summit publishes it, whose number of images and share are not known.

    Raises `FileNotFoundError`, or `ValueError` that names the file and the place where it is none of these.
    """
    given = Path(path)
    text, _ = read_text(given, LARGEST, "a JSON file of an attribution graph, as Summit publishes them")
    return _of_text(text, given)


def parsed(content: bytes, name: str) -> ClassGraph:
    """The graph of such a file's content, for one that lies in no folder. Raises `ValueError` as `load` does."""
    if len(content) > LARGEST:
        raise ValueError(
            f"{shown(name)} is too large: it must be a JSON file of an attribution graph, as Summit publishes them."
        )
    text, _ = decoded(content)
    if text is None or "\0" in text:
        raise ValueError(f"{shown(name)} is not text in UTF-8: save it again as UTF-8.")
    return _of_text(text, name)


def _of_text(text: str, name: str | Path) -> ClassGraph:
    try:
        content = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{shown(name)} is not valid JSON: {error}.") from None
    return _Reading(name).graph(content)


def written(graph: ClassGraph) -> str:
    """The graph as the text of such a file; `load` gives the same graph back, but for `images` and `share`."""
    from_below: dict[tuple[str, int], list[dict[str, int]]] = {vertex.key: [] for vertex in graph.vertices}
    for edge in graph.edges:
        from_below[edge.upper].append({"prev_channel": edge.lower[1], "inf": edge.weight})
    layers = {
        layer: [
            {
                "channel": vertex.channel,
                "count": vertex.count,
                "layer": layer,
                "pagerank": vertex.pagerank,
                "prev_channels": from_below[vertex.key],
                "attr_channels": [{"prev_channel": str(channel), "inf": value} for channel, value in vertex.inputs],
            }
            for vertex in graph.of_layer(layer)
        ]
        for layer in reversed(graph.layers)
    }
    return json.dumps(layers)


class _Reading:
    """One file while it is read: what is wrong is said with its place."""

    def __init__(self, path: str | Path) -> None:
        self._path = path

    def graph(self, content: Any) -> ClassGraph:
        if not isinstance(content, dict) or not content:
            self._refuse("", "must be an object that gives each layer, from the top one down, a list of vertices")
        layers = tuple(reversed(content))
        vertices: list[ChannelVertex] = []
        edges: list[InfluenceEdge] = []
        below: set[int] = set()
        for at, layer in enumerate(layers):
            own: set[int] = set()
            for number, entry in enumerate(self._list(content[layer], _told(layer))):
                place = f"vertex {number + 1} of {shown(layer)!r}"
                vertex = self._vertex(entry, layer, place)
                if vertex.channel in own:
                    self._refuse(place, f"is channel {vertex.channel} again: give each channel once")
                own.add(vertex.channel)
                vertices.append(vertex)
                for channel, weight in self._inputs(entry, "prev_channels", place):
                    if channel not in below:
                        there = f"of {shown(layers[at - 1])!r}, the layer below" if at else "below the lowest layer"
                        self._refuse(place, f"has an edge from channel {channel}, which is no vertex {there}")
                    edges.append(InfluenceEdge((layers[at - 1], channel), vertex.key, weight))
            below = own
        return ClassGraph(None, layers, tuple(vertices), tuple(edges), None)

    def _vertex(self, entry: Any, layer: str, place: str) -> ChannelVertex:
        if self._field(entry, "layer", place) != layer:
            self._refuse(place, f"says that its layer is {_told(entry['layer'])}: it must be the one that lists it")
        rank = self._field(entry, "pagerank", place)
        if isinstance(rank, bool) or not isinstance(rank, int | float) or not (0 <= rank <= 1 and isfinite(rank)):
            self._refuse(place, f"has a pagerank of {_told(rank)}: it must be a number from 0 to 1")
        return ChannelVertex(
            layer,
            self._whole(entry, "channel", place),
            self._whole(entry, "count", place),
            float(rank),
            tuple(self._inputs(entry, "attr_channels", place, as_text=True)),
        )

    def _inputs(self, entry: Any, name: str, place: str, *, as_text: bool = False) -> list[tuple[int, int]]:
        found = []
        for one in self._list(self._field(entry, name, place), f"{name} of {place}"):
            within = f"{name} of {place}"
            channel = self._field(one, "prev_channel", within)
            if as_text and isinstance(channel, str) and channel.isascii() and channel.isdecimal() and len(channel) < 10:
                one = {**one, "prev_channel": int(channel)}
            found.append((self._whole(one, "prev_channel", within), self._whole(one, "inf", within)))
        if len({channel for channel, _ in found}) < len(found):
            self._refuse(f"{name} of {place}", "has a channel twice")
        return found

    def _field(self, entry: Any, name: str, place: str) -> Any:
        if not isinstance(entry, dict):
            self._refuse(place, f"is {_told(entry)}: it must be an object with the field {name!r}")
        if name not in entry:
            self._refuse(place, f"has no field {name!r}")
        return entry[name]

    def _whole(self, entry: Any, name: str, place: str) -> int:
        value = self._field(entry, name, place)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_NUMBER:
            self._refuse(place, f"has {name} {_told(value)}: it must be a whole number from 0")
        return value

    def _list(self, value: Any, place: str) -> list[Any]:
        if not isinstance(value, list):
            self._refuse(place, f"is {_told(value)}: it must be a list")
        return value

    def _refuse(self, place: str, what: str) -> NoReturn:
        raise ValueError(f"{shown(self._path)}: {place}{' ' if place else 'it '}{what}.")


def _told(value: object) -> str:
    return repr(shown(value)) if isinstance(value, str) else shown(value)


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")
