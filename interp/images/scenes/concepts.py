"""What is known of a drawn scene, as concepts with their masks: the truth that dissection is tested against."""

from __future__ import annotations

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
    planted, where it is there: the tag, the sea, the hand, or the object whose main part has no pattern.
    """
    found: dict[tuple[str, str], Bool[np.ndarray, "h w"]] = {}
    # A covered object still has its shape, if only an empty mask of it.
    found[OBJECT, label] = np.zeros(segments.shape, bool)
    for index, segment in enumerate(legend):
        here = segments == index
        keys = _keys(segment, label)
        if reason is not None and _is_cue(segment, legend, reason):
            keys.append(("cue", reason))
        for key in keys:
            found[key] = found[key] | here if key in found else here
    return tuple(Concept(category, name, mask) for (category, name), mask in found.items())


def _keys(segment: Segment, label: str) -> list[tuple[str, str]]:
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
    return keys


def _is_cue(segment: Segment, legend: tuple[Segment, ...], reason: Reason) -> bool:
    if reason == "tag":
        return segment.role == "tag"
    if reason == "background":
        return segment.role == "place" and segment.name == PLANTED_PLACE
    if reason == "companion":
        return segment.role == "hand"
    # Small parts are plain in any object: the paint is seen in what has a pattern, if anything has.
    parts = [one for one in legend if one.role == "object"]
    return segment.role == "object" and all(part.texture == PLANTED_TEXTURE for part in parts)
