"""The classes' hierarchy as a tree: what is alike is joined near its names, and all in the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from interp.class_summary import ClassHierarchy
from interp.figures import style

ROW = 20
"""So many pixels a class has."""
NAMED = 4
"""So many classes of a cluster are named where it is pointed at."""


@dataclass(frozen=True, eq=False)
class TreeShape:
    """Where a tree of c classes is drawn: distances across, and classes from 0 down, in the tree's order.

    `rows` has the row of each cluster: of the classes, then of each join the middle between those that it joins.
    `distances` has, of the classes, 0, and of each join its distance. `joins` are the two clusters of each.
    """

    rows: Float[np.ndarray, " m"]
    distances: Float[np.ndarray, " m"]
    joins: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, tree: ClassHierarchy) -> TreeShape:
        """That of a tree."""
        count = len(tree.order)
        rows = np.zeros(count + len(tree.joins))
        rows[tree.order] = np.arange(count)
        joins = tuple((int(one), int(other)) for one, other in tree.joins[:, :2])
        for at, pair in enumerate(joins):
            rows[count + at] = rows[list(pair)].mean()
        return cls(rows, np.concatenate([np.zeros(count), tree.joins[:, 2]]), joins)

    @property
    def count(self) -> int:
        """How many classes there are."""
        return len(self.rows) - len(self.joins)

    def outline(self, at: int) -> tuple[list[float], list[float]]:
        """The line of a join: from one of the two that it joins to it, across, and back to the other."""
        pair = self.joins[at]
        across = self.distances[self.count + at]
        begins, ends = self.distances[list(pair)], self.rows[list(pair)]
        return [begins[0], across, across, begins[1]], [ends[0], ends[0], ends[1], ends[1]]

    def way(self, number: int) -> tuple[list[float], list[float]]:
        """The line from a class to where all are joined."""
        x, y, cluster = [0.0], [float(self.rows[number])], number
        for at, pair in enumerate(self.joins):
            if cluster in pair:
                cluster = self.count + at
                x += [self.distances[cluster]] * 2
                y += [y[-1], self.rows[cluster]]
        return x, y

    def members(self) -> list[list[int]]:
        """The classes of each cluster, from the first row down."""
        found = [[one] for one in range(self.count)]
        for pair in self.joins:
            found.append(sorted((one for each in pair for one in found[each]), key=self.rows.__getitem__))
        return found


def tree(whole: ClassHierarchy, classes: Sequence[int], labels: Sequence[str], chosen: int, layer: str) -> go.Figure:
    """The tree of some classes, joined where the whole tree joins them; the `chosen` one and its way are marked.

    A point at a class has its number as `customdata`. Raises `ValueError` as `ClassHierarchy.part` does, and where the
    chosen class is not among them.
    """
    if chosen not in classes:
        raise ValueError(f"Class {chosen} is not among the {len(classes)} classes of the tree.")
    shape = TreeShape.of(whole.part(classes))
    names = [labels[one] for one in classes]
    own = list(classes).index(chosen)
    figure = go.Figure()
    lines = [shape.outline(at) for at in range(len(shape.joins))]
    # A gap parts one join's line from the next.
    x, y = ([one for line in lines for one in (*line[axis], None)] for axis in (0, 1))
    quiet = {"mode": "lines", "hoverinfo": "skip"}
    figure.add_scatter(x=x, y=y, line={"color": style.GUIDE, "width": 1.5}, **quiet)
    way = shape.way(own)
    figure.add_scatter(x=way[0], y=way[1], line={"color": style.SERIES[1], "width": 3}, **quiet)
    figure.add_scatter(
        x=shape.distances[shape.count :], y=shape.rows[shape.count :], text=_clusters(shape, names), mode="markers",
        marker={"size": 6, "color": style.GUIDE}, hovertemplate="%{text}<br>1 − cosine %{x:.2f}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=np.zeros(shape.count),
        y=shape.rows[: shape.count],
        # Said for who does not see the tree.
        name=escape(_told(shape, names, own)),
        mode="markers",
        text=[escape(one) for one in names],
        customdata=list(classes),
        hovertemplate="%{text}<extra></extra>",
        marker={
            "size": [12 if one == own else 8 for one in range(shape.count)],
            "symbol": ["diamond" if one == own else "circle" for one in range(shape.count)],
            "color": [style.SERIES[one == own] for one in range(shape.count)],
            # Of several sizes Plotly draws all a little clear.
            "opacity": 1,
        },
        cliponaxis=False,
    )
    # With room beside the classes: a point on the border of a figure hears of nothing.
    farthest = float(shape.distances.max()) or 1.0
    ticks = [escape(style.shortened(one)) for one in names]
    ticks[own] = f"<b>{ticks[own]}</b>"
    figure.update_layout(
        height=90 + ROW * shape.count,
        margin={"l": 10, "r": 10, "t": 30, "b": 40},
        xaxis={
            "title": f"1 − cosine at {escape(layer)}", "range": [-0.03 * farthest, 1.03 * farthest],
            "zeroline": False, "fixedrange": True,
        },
        yaxis={
            "tickvals": shape.rows[: shape.count], "ticktext": ticks, "range": [shape.count - 0.5, -0.5],
            "showgrid": False, "zeroline": False, "automargin": True, "fixedrange": True,
        },
        dragmode="pan",
        showlegend=False,
    )  # fmt: skip
    return figure


def _clusters(shape: TreeShape, names: Sequence[str]) -> list[str]:
    """What each join holds, in words."""
    found = []
    for own in shape.members()[shape.count :]:
        more = f" and {len(own) - NAMED} more" if len(own) > NAMED else ""
        found.append(escape(", ".join(style.shortened(names[one]) for one in own[:NAMED])) + more)
    return found


def _told(shape: TreeShape, names: Sequence[str], own: int) -> str:
    """A tree in words: its first join, and that of the chosen class."""
    if not shape.joins:
        return f"A tree of one class, {names[own]}"
    one, other = shape.joins[0]
    first = f"the most alike are {names[one]} and {names[other]}, at 1 − cosine {shape.distances[shape.count]:.2f}"
    at = next(at for at, pair in enumerate(shape.joins) if own in pair)
    [with_] = [each for each in shape.joins[at] if each != own]
    beside = shape.members()[with_]
    more = f" and {len(beside) - NAMED} more" if len(beside) > NAMED else ""
    named = ", ".join(names[each] for each in beside[:NAMED])
    return (
        f"A tree of {shape.count} classes: {first}; {names[own]} is first joined with {named}{more}, at "
        f"{shape.distances[shape.count + at]:.2f}"
    )
