"""What becomes of each class without a unit, beside what becomes of it without others that are as active."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Literal

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Int

from interp.figures.style import GUIDE, shortened, transparent
from interp.units import Ablated
from interp.units.ablation_sets import ClassMeasures

Effect = Literal["logit", "probability", "recall"]
TITLES: dict[Effect, str] = {
    "logit": "change of the class's mean logit",
    "probability": "change of the class's mean probability",
    "recall": "change of recall",
}


def change(found: Ablated, effect: Effect) -> tuple[Float[np.ndarray, " c"], Float[np.ndarray, "draws c"]]:
    """What changes of each class without the units, and without each random set; nan where it has no image."""

    def of(one: ClassMeasures) -> np.ndarray:
        return {"logit": one.logit, "probability": one.probability, "recall": one.recall}[effect]

    whole = of(found.whole)
    drawn = np.array([of(one) for one in found.without_drawn]).reshape(-1, len(whole))
    return of(found.without) - whole, drawn - whole


def most_affected(changes: Float[np.ndarray, " c"], most: int) -> Int[np.ndarray, " s"]:
    """The classes that change most, whatever the sign, at most so many; those that lose most first."""
    known = np.flatnonzero(~np.isnan(changes))
    some = known[np.argsort(-np.abs(changes[known]), kind="stable")][:most]
    return some[np.argsort(changes[some], kind="stable")]


def effects(found: Ablated, labels: Sequence[str], effect: Effect, *, most: int = 20) -> go.Figure:
    """A bar for each class, the largest fall first; a line beside it from the lowest to the highest random set."""
    changes, drawn = change(found, effect)
    shown = most_affected(changes, most)
    names = [escape(shortened(str(labels[one]))) for one in shown]
    figure = go.Figure()
    figure.add_bar(
        y=names, x=changes[shown], orientation="h", name="without the unit",
        marker_color=np.where(changes[shown] < 0, "#D55E00", "#0072B2").tolist(),
    )  # fmt: skip
    if len(drawn):
        some = drawn[:, shown]
        middle = np.median(some, axis=0)
        figure.add_scatter(
            y=names, x=middle, mode="markers", name=f"without {len(drawn)} others, one at a time",
            marker={"color": GUIDE, "symbol": "line-ns-open", "size": 11},
            error_x={
                "array": some.max(axis=0) - middle, "arrayminus": middle - some.min(axis=0),
                "thickness": 3, "color": GUIDE, "width": 5,
            },
        )  # fmt: skip
    figure.update_layout(
        height=110 + 24 * len(shown), margin={"l": 10, "r": 20, "t": 30, "b": 40},
        xaxis={"title": TITLES[effect], "zeroline": True, "zerolinecolor": GUIDE}
        | ({} if effect == "logit" else {"tickformat": "+.1%"}),
        yaxis={"autorange": "reversed", "automargin": True, "type": "category"},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom"},
    )  # fmt: skip
    return transparent(figure)
