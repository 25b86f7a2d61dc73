"""Cards of channels: what each looks for, where it fires, which images drive it, and its numbers as bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from jaxtyping import Float, UInt8

from pages.parts.kit import markup


@dataclass(frozen=True, eq=False)
class ChannelCard:
    """What a card shows: attribution and effect of each photograph, the channel's picture, and photographs.

    `where` are the photographs, lit where the channel fires, and `images` those of the set that drive it most;
    `shared` counts the photographs in which it is among the strongest. `unfinished` says how far the picture is; it is
    empty once that is done. What is None is not there yet.
    """

    channel: int
    attribution: Float[np.ndarray, " n"]
    effect: Float[np.ndarray, " n"] | None
    picture: UInt8[np.ndarray, "h w 3"] | None
    where: tuple[UInt8[np.ndarray, "h w 3"], ...]
    images: tuple[UInt8[np.ndarray, "h w 3"], ...]
    shared: int
    chosen: bool = False
    unfinished: str = ""


def head(photographs: Sequence[UInt8[np.ndarray, "h w 3"]], sentence: str) -> None:
    """Draw the photographs with a sentence beside them."""
    markup.draw("beside.html", photographs=photographs, sentence=sentence)


def draw(supporting: Sequence[ChannelCard], opposing: Sequence[ChannelCard]) -> None:
    """Draw both sides as one element; a click on a card says `channel:` and its number."""
    st.html(html(supporting, opposing))


def html(supporting: Sequence[ChannelCard], opposing: Sequence[ChannelCard]) -> str:
    """Both sides, their bars on one scale."""
    most = max((_extent(card) for card in (*supporting, *opposing)), default=0.0) or 1.0
    sides = (("Supporting", supporting, "for", "against"), ("Opposing", opposing, "against", "for"))
    return markup.html("channels.html", sides=sides, most=most)


def _extent(card: ChannelCard) -> float:
    effect = 0.0 if card.effect is None else abs(float(card.effect.mean()))
    return max(abs(float(card.attribution.mean())), effect)
