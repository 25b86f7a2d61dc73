"""What shapes are made of: parts with their outlines and tones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from interp.images.scenes.outlines import Outline

# 'main' takes the thing's colour and texture, 'accent' its accent colour; the rest are the same in every thing.
Tone = Literal["main", "accent", "ink", "cream", "skin", "glass"]


@dataclass(frozen=True, eq=False)
class Part:
    """A part of a thing: what it is called, its outlines, and its tone."""

    name: str
    outlines: list[Outline]
    tone: Tone
