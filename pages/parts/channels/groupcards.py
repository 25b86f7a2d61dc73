"""Groups of channels as they are drawn: the photographs in their colours, a card for each, and a table of effects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from interp.figures import style
from interp.figures.grouped import colour
from pages.parts.kit import markup
from pages.parts.kit.text import shortened

EDGE = 0.04
"""So far from a photograph's edge, in shares of its side, a group's number stays."""


@dataclass(frozen=True, eq=False)
class GroupCard:
    """What a group's card shows; `effect` and `picture` are None while they are being made.

    `where` are the photographs, lit where the group is; `channels` its strongest, with their shares of the direction;
    `walks` what a click on the group, and on each of these channels, says.
    """

    share: float
    attribution: float
    effect: float | None
    picture: UInt8[np.ndarray, "h w 3"] | None
    where: tuple[UInt8[np.ndarray, "h w 3"], ...]
    channels: tuple[tuple[int, float], ...]
    walks: tuple[str, ...]


def photographs(
    seen: Sequence[UInt8[np.ndarray, "h w 3"]],
    painted: Sequence[tuple[UInt8[np.ndarray, "h w 3"], Sequence[tuple[float, float] | None]]],
    names: Sequence[str],
) -> None:
    """The photographs in the groups' colours, the groups' numbers where they are strongest; one alone as it is, too."""
    alone = seen[0] if len(painted) == 1 else None
    pictures = [
        (
            picture,
            [(colour(group), group + 1, *map(_inside, place)) for group, place in enumerate(places) if place],
            name,
        )
        for (picture, places), name in zip(painted, names, strict=True)
    ]
    markup.draw("painted.html", alone=alone, pictures=pictures, side=164 if alone is None else 320)


def _inside(share: float) -> float:
    return min(max(share, EDGE), 1 - EDGE)


def cards(captions: Sequence[GroupCard]) -> None:
    """A card for each group, as one element; clicks say `walk:` and where to."""
    markup.draw("groups.html", cards=[(colour(group), card) for group, card in enumerate(captions)])


def effects(
    classes: Sequence[str],
    logits: Float[np.ndarray, " c"],
    measured: Float[np.ndarray, "g c"],
    estimated: Float[np.ndarray, "g c"],
    together: Float[np.ndarray, " c"],
) -> None:
    """Groups by classes, measured and estimated, on one scale of colours with zero in its middle."""
    most = float(max(np.abs(measured).max(initial=0), np.abs(estimated).max(initial=0))) or 1.0
    names = [(name, shortened(name, 22), logit) for name, logit in zip(classes, logits, strict=True)]
    groups = [
        (colour(group), [(_cell(one, most), _cell(other, most)) for one, other in zip(*both, strict=True)])
        for group, both in enumerate(zip(measured, estimated, strict=True))
    ]
    sums = list(zip(together, estimated.sum(axis=0), strict=True))
    markup.draw("effects.html", classes=names, groups=groups, together=sums)


def _cell(value: float, most: float) -> dict[str, Any]:
    red, green, blue, _ = style.colours(style.signed(), np.array([0.5 + 0.5 * value / most]))[0]
    ink = "#000" if 0.3 * red + 0.59 * green + 0.11 * blue > 130 else "#fff"
    return {"value": value, "ground": f"rgb({red},{green},{blue})", "ink": ink}
