"""Something that is known to be seen in a picture, and where."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool


@dataclass(frozen=True, eq=False)
class Concept:
    """Something that is known to be seen in a picture, and where: a row of a dissection's truth (Bau et al. 2017).

    `category` is, for the scenes, 'shape', 'part', 'texture', 'colour', 'background', 'distractor' or 'cue'.
    """

    category: str
    name: str
    mask: Bool[np.ndarray, "rows columns"]


@dataclass(frozen=True, eq=False)
class PictureConcepts:
    """The concepts in a picture, and the categories of which it is known what of them is in it, be it nothing.

    `remarks` say what could not be read.
    """

    concepts: tuple[Concept, ...] = ()
    categories: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
