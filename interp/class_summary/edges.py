"""What a channel of one layer does to a channel of the next, by two measures that know nothing of influences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from interp import progress
from interp.class_summary.counted import LayerPair
from interp.class_summary.passage import WHAT, Passage
from interp.feature_visualization.reading import counted_runs
from interp.images import ImageSet
from interp.models import inputs
from interp.types import Classifier, Fingerprinted

AT_ONCE = 16
"""So many images run together."""


@dataclass(frozen=True, eq=False)
class EdgeEffects(Fingerprinted):
    """What each of some source channels is to each of some target channels of the layer above, the mean over images.

    Both are in the target's own measure, and positive where the source drives it: `attribution` to first order,
    `measured` by zeroing the source. `images` is the number of images.
    """

    pair: LayerPair
    sources: tuple[int, ...]
    targets: tuple[int, ...]
    attribution: Float[np.ndarray, "i j"]
    measured: Float[np.ndarray, "i j"]
    images: int


def edge_effects(
    classifier: Classifier,
    photos: ImageSet,
    pair: LayerPair,
    sources: Sequence[int],
    targets: Sequence[int],
    positions: Sequence[int],
) -> EdgeEffects:
    """The effects of channels of a layer on channels of a later one, over the images at these positions of the set.

    With X_i the activation of source i and M_j = max_p Y_j(p) the largest of target j (of tokens over the grid's):

        attribution_ij = mean over images of Σ_p X_i(p) · ∂M_j / ∂X_i(p)
        measured_ij    = mean over images of M_j(X) − M_j(X with X_i = 0 everywhere)

    The first is gradient times activation; the gradient is that at the position where the target is largest, of equal
    ones the first. In the second the target may be largest elsewhere once the source is gone. Where everything between
    the layers is linear without biases and the target has one position, both are what the source alone brings. A
    module that runs several times counts by its last run, but is zeroed in each. It costs a pass up to the upper layer
    for each source that is not zero everywhere, and one backward pass for each target.

    Raises `ValueError` for layers or channels that there are not, an upper layer that does not come after the lower
    one, and without images; `UnreadableImage` for an image that cannot be read.
    """
    below, above = (classifier.layer(name) for name in pair)
    if classifier.layers.index(above) <= classifier.layers.index(below):
        raise ValueError(f"Layer {above.name!r} does not come after {below.name!r}: give the lower one first.")
    for layer, channels in ((below, sources), (above, targets)):
        if not len(channels) or not all(0 <= one < layer.channels for one in channels):
            raise ValueError(f"Give channels of {layer.name} from 0 to {layer.channels - 1}, one at least.")
    if not len(positions):
        raise ValueError("Effects are means over images: give the positions of one at least.")
    attribution, measured = np.zeros((2, len(sources), len(targets)))
    for start in range(0, len(positions), AT_ONCE):
        some = [int(one) for one in positions[start : start + AT_ONCE]]
        pixels = inputs.read(classifier, photos, some).pixels.to(classifier.device)
        with progress.within(start, len(some), len(positions), WHAT):
            runs = counted_runs(classifier, [below.name, above.name], pixels[:1])
            found = Passage(classifier, below, above, runs, pixels).effects(sources, targets)
            attribution += found[0]
            measured += found[1]
    count = len(positions)
    return EdgeEffects(pair, tuple(sources), tuple(targets), attribution / count, measured / count, count)
