"""What the channels of a class's graph do to each other: all pairs of two layers that follow each other."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from interp import progress
from interp.batches import batched
from interp.class_summary.counted import LayerPair
from interp.class_summary.edges import AT_ONCE, EdgeEffects
from interp.class_summary.graph import ClassGraph
from interp.class_summary.passage import WHAT, Passage
from interp.feature_visualization.reading import counted_runs, prefix
from interp.images import ImageSet
from interp.models import inputs
from interp.types import Classifier

GraphEffects = Mapping[LayerPair, EdgeEffects]
"""By pair of layers, in the network's order."""


def effects_in_graph(
    classifier: Classifier, photos: ImageSet, graph: ClassGraph, positions: Sequence[int]
) -> Generator[GraphEffects, None, GraphEffects]:
    """What `edge_effects` gives of each two layers of the graph that follow each other, for all their vertices.

    Yields what is known pair by pair; of more than 16 images what is known of those before, `images` of them, and
    returns it all. Images that cannot be read are left out. Of 16 images it costs one pass up to the last layer, in
    which they are seen; and for each pair two passes between its layers alone, one more for each vertex below that is
    not zero everywhere, and one backward pass for each vertex above. Between layers around which something else leads,
    such as a skip connection, these passes begin at the images. A layer without vertices has no effects.

    Raises `ValueError` for layers or channels that the classifier lacks, and where no image can be read.
    """
    channels = _channels(classifier, graph)
    pairs = [pair for pair in zip(graph.layers, graph.layers[1:], strict=False) if all(channels[one] for one in pair)]
    sums = {pair: np.zeros((2, *(len(channels[one]) for one in pair))) for pair in pairs}
    known: dict[LayerPair, EdgeEffects] = {}
    each = sum(len(channels[below]) for below, _ in pairs)
    count = done = 0
    for start in range(0, len(positions), AT_ONCE):
        some = [inputs.attempt(classifier, photos, int(one)) for one in positions[start : start + AT_ONCE]]
        images, _, _ = inputs.readable(classifier, some)
        if images is None:
            continue
        count += len(images)
        runs = counted_runs(classifier, graph.layers, images.pixels[:1])
        outputs = _outputs(classifier, images.pixels, runs)
        for pair in pairs:
            below, above = (channels[name] for name in pair)
            ends = classifier.layer(pair[0]), classifier.layer(pair[1])
            whole = Passage(classifier, *ends, runs, images.pixels)
            with progress.within(done, len(below), each * -(-len(positions) // AT_ONCE), WHAT):
                for found in _effects(whole, outputs, below, above):
                    sums[pair] += found
            done += len(below)
            known[pair] = EdgeEffects(pair, below, above, sums[pair][0] / count, sums[pair][1] / count, count)
            yield dict(known)
    if not count:
        raise ValueError(f"Effects are means over images, and none of the {len(positions)} given could be read.")
    return known


def _channels(classifier: Classifier, graph: ClassGraph) -> dict[str, tuple[int, ...]]:
    found = {name: tuple(one.channel for one in graph.of_layer(name)) for name in graph.layers}
    for name, own in found.items():
        count = classifier.layer(name).channels
        if not all(0 <= one < count for one in own):
            raise ValueError(f"The graph has channel {max(own)} of {name}, whose channels are 0 to {count - 1}.")
    return found


def _outputs(
    classifier: Classifier, pixels: Float[Tensor, "n c h w"], runs: Mapping[str, int | None]
) -> dict[str, Tensor]:
    """What all layers give for the images."""

    def run(part: slice) -> dict[str, Tensor]:
        with torch.no_grad():
            return dict(prefix(classifier, pixels[part], runs))

    parts = list(batched(run, len(pixels), size=AT_ONCE, what=WHAT))
    return {name: torch.cat([one[name] for one in parts]) for name in runs}


def _effects(
    whole: Passage, outputs: Mapping[str, Tensor], below: Sequence[int], above: Sequence[int]
) -> Iterator[Float[np.ndarray, "2 i j"]]:
    """Both effects, each summed over the images, in as many parts as memory wants."""

    def run(part: slice) -> Float[np.ndarray, "2 i j"]:
        some = replace(whole, pixels=whole.pixels[part])
        return np.stack(some.resumed({name: one[part] for name, one in outputs.items()}).effects(below, above))

    return batched(run, len(whole.pixels), size=AT_ONCE, what=WHAT)
