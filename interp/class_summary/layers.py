"""Which layers a class summary is made of, where nobody chooses them."""

from __future__ import annotations

from interp.class_summary.influences import wiring
from interp.class_summary.joints import Kernels
from interp.set_pass import evenly
from interp.types import Classifier, Layer

MOST = 10
"""So many layers at most: each is a row of the graph."""


def summary_layers(classifier: Classifier) -> tuple[str, ...]:
    """The ends of the network's blocks, in its order, up to the last layer with a map.

    These are the layers outside of all blocks of which each reads the one before through kernels: of a convolution with
    its normalization and activation the last, and no pooling. Of more than ten, as many spread evenly. Raises
    `ValueError` for a classifier without two such layers.
    """
    places = [one for one in classifier.layers if one.kind != "flat" and one.height * one.width > 1]
    ends = [one for one in places if one.block_end]
    if not ends:
        raise ValueError(f"{classifier.name} has no layer with a map, so there is nothing that a summary could show.")
    last = ends[-1]
    depth = min(one.name.count(".") for one in ends)
    outer = [one for one in places[: places.index(last) + 1] if one.name.count(".") <= depth or one.block_end]
    found: list[Layer] = []
    for one in outer:
        # What only carries channels on takes the place of what it carries, but for poolings.
        if found and not _builds(classifier, found[-1], one):
            if (one.height, one.width) == (found[-1].height, found[-1].width):
                found[-1] = one
        else:
            found.append(one)
    if len(found) < 2:
        raise ValueError(
            f"{classifier.name} has one block with a map only, and a class summary says how blocks build on each "
            "other: choose two layers of it yourself."
        )
    return tuple(found[place].name for place in evenly(len(found), MOST))


def _builds(classifier: Classifier, below: Layer, above: Layer) -> bool:
    joints = wiring(classifier, below.name, above.name).joints
    return any(isinstance(term, Kernels) for joint in joints for term in joint.terms)
