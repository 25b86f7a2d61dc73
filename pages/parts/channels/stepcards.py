"""A walk through layers as it is drawn: where it has been, what there was beside it, and what it has come to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from pages.parts.kit import markup


@dataclass(frozen=True, eq=False)
class StripUnit:
    """A unit in a strip, or on a card: what it adds, and its share of what it adds to; `click` says where it leads.

    `where` are the photographs, lit where it adds; in a strip there are none. `picture` is None while it is made.
    """

    title: str
    value: float
    share: float
    picture: UInt8[np.ndarray, "h w 3"] | None
    click: str
    chosen: bool = False
    where: tuple[UInt8[np.ndarray, "h w 3"], ...] = ()


@dataclass(frozen=True, eq=False)
class Strip:
    """A layer that the walk has passed, with the strongest of what there is."""

    title: str
    entries: tuple[StripUnit, ...]


def trail(places: Sequence[tuple[str, str]]) -> None:
    """The way back: a text for each place of the walk, with where a click on it leads; the last is where we are."""
    *back, (here, _) = places
    markup.draw("trail.html", back=back, here=here)


def strips(first: str, given: Sequence[Strip]) -> None:
    """The walk from the class downwards, a strip for each layer."""
    markup.draw("strips.html", first=first, strips=given)


def sides(given: Sequence[tuple[str, Sequence[StripUnit]]]) -> None:
    """What the walk has come to: under each title a card for each entry, the titles side by side."""
    markup.draw("steps.html", sides=given)
