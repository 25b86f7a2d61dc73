"""What is known of a drawn scene, as concepts with their masks: the truth that dissection is tested against."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, UInt8

from interp.images.image_set import OBJECT, Concept
from interp.images.scenes.composing import PLANTED_PLACE, PLANTED_TEXTURE, Reason
from interp.images.scenes.scene import Segment


def concepts(
    segments: UInt8[np.ndarray, "h w"], legend: tuple[Segment, ...], label: str, reason: Reason | None = None
) -> tuple[Concept, ...]:
    """All concepts that are visible in a picture, by category: the object's shape first.

    'part' names carry the class ('bird wing'); 'colour' and 'texture' (other than plain) join all things that have it;
    'distractor' holds whatever is neither object nor place, hands and tags too. With a `reason`, 'cue' marks what was
    planted, where it is there: the tag, the sea, the hand, or the dotted part of the object.
    """
    found: dict[tuple[str, str], Bool[np.ndarray, "h w"]] = {}
    # A covered object still has its shape, if only an empty mask of it.
    found[OBJECT, label] = np.zeros(segments.shape, bool)
    for index, segment in enumerate(legend):
        here = segments == index
        for key in _keys(segment, label, reason):
            found[key] = found[key] | here if key in found else here
    return tuple(Concept(category, name, mask) for (category, name), mask in found.items())


def _keys(segment: Segment, label: str, reason: Reason | None) -> list[tuple[str, str]]:
    """The categories and names that a piece of a picture belongs to."""
    if segment.role == "place":
        keys = [("background", segment.name)]
    elif segment.role == "object":
        keys = [(OBJECT, label), ("part", f"{label} {segment.name}")]
    else:
        keys = [("distractor", segment.name)]
    if segment.colour is not None:
        keys.append(("colour", segment.colour))
    if segment.texture not in (None, "plain"):
        keys.append(("texture", str(segment.texture)))
    if reason is not None and _CUES[reason](segment):
        keys.append(("cue", reason))
    return keys


_CUES: dict[Reason, Callable[[Segment], bool]] = {
    "tag": lambda segment: segment.role == "tag",
    "background": lambda segment: segment.role == "place" and segment.name == PLANTED_PLACE,
    "companion": lambda segment: segment.role == "hand",
    "texture": lambda segment: segment.role == "object" and segment.texture == PLANTED_TEXTURE,
}
