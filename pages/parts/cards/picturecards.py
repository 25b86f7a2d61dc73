"""Pictures as cards: what stands under each, and what a click on it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from interp.feature_visualization import Picture
from pages.parts.kit import markup, replay


@dataclass(frozen=True)
class PictureCard:
    """What stands under a picture: a title, a line, and what a click on it says (None: it cannot be clicked).

    `about` is read when the picture is pointed at; the title where there is none.
    """

    title: str
    line: str = ""
    click: str | None = None
    chosen: bool = False
    about: str = ""


def draw(
    pictures: Sequence[UInt8[np.ndarray, "h w 3"] | None], cards: Sequence[PictureCard], *, side: int = 100
) -> None:
    """Draw pictures with what stands under them, as one element; None is a picture that is not there yet."""
    replay.once(_draw, tuple(pictures), tuple(cards), side)


def _draw(pictures: Sequence[np.ndarray | None], cards: Sequence[PictureCard], side: int) -> None:
    markup.draw("pictures.html", cards=list(zip(pictures, cards, strict=True)), side=side)


def line(picture: Picture | None, best: float | None = None) -> str:
    """What a picture achieves, in words for its card."""
    if picture is None:
        return "waiting"
    if picture.dead:
        return "dead: nothing drives it"
    if not picture.step:
        return "a coarse one first"
    if picture.step < picture.steps:
        return f"step {picture.step} of {picture.steps}"
    beside = "" if best is None else f", images\u00a0≤\u00a0{best:.3g}"
    return f"{picture.value:.3g}{beside}" + (f" · {picture.fault}" if picture.fault else "")
