"""In which order vertices of a layered graph stand in their rows, so that its edges cross little."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

SWEEPS = 12
"""So many times down and up."""

Rows = tuple[tuple[int, ...], ...]
RowLink = tuple[int, int, float]
"""Two vertices, of any two rows, and the weight of the edge between them."""


@functools.lru_cache(maxsize=32)
def ordered(rows: Rows, links: tuple[RowLink, ...]) -> Rows:
    """The rows' vertices in the order with the least `crossings` that sweeps of barycentres come by.

    Row after row, down and up again, each vertex is put where the weighted mean of its neighbours in the rows gone
    through before lies (Sugiyama, Tagawa and Toda 1981); one without such neighbours keeps its place. In the best order
    so found, neighbours of a row are exchanged as long as that helps (Gansner, Koutsofios, North and Vo 1993). The
    rows as given count, too, so the result never crosses more than these. Equal calls give equal orders.
    """
    best, least = rows, crossings(rows, links)
    current = [list(row) for row in rows]
    for _ in range(SWEEPS):
        for down in (True, False):
            _sweep(current, links, down)
            found = crossings(current, links)
            if found < least:
                best, least = tuple(map(tuple, current)), found
    return _exchanged(best, links)


def crossings(rows: Sequence[Sequence[int]], links: Sequence[RowLink]) -> float:
    """The sum, over pairs of edges between the same two rows that cross, of the product of their weights."""
    row, place = _places(rows)
    between: dict[tuple[int, int], list[tuple[float, float, float]]] = {}
    for one, other, weight in links:
        upper, lower = sorted((one, other), key=row.__getitem__)
        between.setdefault((row[upper], row[lower]), []).append((place[upper], place[lower], weight))
    return sum(_crossed(np.array(edges)) for edges in between.values())


def _crossed(edges: Float[np.ndarray, "e 3"]) -> float:
    upper, lower, weight = edges.T
    crossed = np.subtract.outer(upper, upper) * np.subtract.outer(lower, lower) < 0
    return float(weight @ crossed @ weight) / 2


def _sweep(rows: list[list[int]], links: Sequence[RowLink], down: bool) -> None:
    row, place = _places(rows)
    neighbours: dict[int, list[tuple[int, float]]] = {}
    for one, other, weight in links:
        # The end that comes later in this sweep is put beneath the other.
        later, earlier = (one, other) if (row[one] > row[other]) == down else (other, one)
        neighbours.setdefault(later, []).append((earlier, weight))
    for i in range(len(rows)) if down else reversed(range(len(rows))):
        for one in rows[i]:
            found = neighbours.get(one, [])
            total = sum(weight for _, weight in found)
            if total > 0:
                place[one] = sum(weight * place[other] for other, weight in found) / total
        rows[i].sort(key=place.__getitem__)
        # Its own order is what later rows look at, spread evenly as it will be drawn.
        place.update({one: (j + 0.5) / len(rows[i]) for j, one in enumerate(rows[i])})


def _exchanged(rows: Rows, links: Sequence[RowLink]) -> Rows:
    row, place = _places(rows)
    neighbours: dict[int, list[tuple[int, float]]] = {}
    for one, other, weight in links:
        neighbours.setdefault(one, []).append((other, weight))
        neighbours.setdefault(other, []).append((one, weight))
    lines = [list(line) for line in rows]
    helped = True
    while helped:
        helped = False
        for line in lines:
            for j in range(len(line) - 1):
                one, other = line[j : j + 2]
                gain = sum(
                    weight * of * ((place[left] > place[right]) - (place[left] < place[right]))
                    for left, weight in neighbours.get(one, [])
                    for right, of in neighbours.get(other, [])
                    if row[left] == row[right]
                )
                if gain > 1e-9:
                    line[j : j + 2] = other, one
                    place[one], place[other] = place[other], place[one]
                    helped = True
    return tuple(map(tuple, lines))


def _places(rows: Sequence[Sequence[int]]) -> tuple[dict[int, int], dict[int, float]]:
    """The row of each vertex, and how far along it the vertex stands, 0 to 1."""
    row = {one: i for i, line in enumerate(rows) for one in line}
    place = {one: (j + 0.5) / len(line) for line in rows for j, one in enumerate(line)}
    return row, place
