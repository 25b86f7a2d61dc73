"""What one photograph uses of a class's graph: the channels and influences in it, and what they bring to its score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float

from interp.channels.attribution import summed
from interp.class_summary.counted import ClassCounts
from interp.class_summary.gathered import counts_of, gathered
from interp.class_summary.graph import ChannelKey, ClassGraph, InfluenceEdge
from interp.class_summary.marks import SHARES
from interp.images import ImageSet
from interp.models import inputs
from interp.models.ground_truth import OwnLabels
from interp.passes.target_score import TargetScore
from interp.types import Classifier, Fingerprinted
from interp.units import UnitPass


@dataclass(frozen=True, eq=False)
class PhotographMarks(Fingerprinted):
    """The marks of one photograph, and what each channel brings to the score of one class.

    `position` is its place in the set. `counts` is as of a class of this image alone: 1 where a channel stands out, or
    is among the strongest inputs. `values` has by layer Σ_p A(p) · ∂s/∂A(p) of each of its k channels, to first order,
    in logits; `score` is s, the class's logit.
    """

    position: int
    target: int
    score: float
    counts: ClassCounts
    values: Mapping[str, Float[np.ndarray, " k"]]

    def stands_out(self, key: ChannelKey) -> bool:
        """Whether a channel is among those that make up most of its layer's activation here."""
        return bool(self.counts.counts[key[0]][key[1]])

    def value(self, key: ChannelKey) -> float:
        """What a channel brings to the score, in logits."""
        return float(self.values[key[0]][key[1]])

    def uses(self, edge: InfluenceEdge) -> bool:
        """Whether both ends of an edge stand out, and the lower is among the upper one's strongest inputs."""
        (below, lower), (above, upper) = edge.lower, edge.upper
        ends = self.stands_out(edge.lower) and self.stands_out(edge.upper)
        return ends and bool(self.counts.influences[below, above][lower, upper])

    def beside(self, graph: ClassGraph) -> tuple[ChannelKey, ...]:
        """The channels that stand out here and are not in a graph, what brings most to the score first."""
        found = [
            (layer, int(channel))
            for layer in graph.layers
            for channel in np.flatnonzero(self.counts.counts[layer])
            if int(channel) not in graph.channels(layer)
        ]
        return tuple(sorted(found, key=lambda key: -self.value(key)))


def marks_of_photograph(
    classifier: Classifier, photos: ImageSet, position: int, target: int, layers: Sequence[str], share: float
) -> PhotographMarks:
    """The marks of one image of a set, counted as those of a class's images are, and what channels bring to its score.

    Marks are of the same code as a class's (Hohman et al. 2019; see `MarkCount` and `InfluenceCount`), values gradient
    times activation (Olah et al. 2018). It costs two forward passes and a backward one. `share` is one of `SHARES`.
    Raises `ValueError` for a class, layers or a share that there are not, and `UnreadableImage`.
    """
    [wanted] = classifier.targets(target, 1)
    if share not in SHARES:
        raise ValueError(f"Marks are for a share of {' or '.join(map(str, SHARES))}, and not of {share}.")
    image = inputs.read(classifier, photos, (position,))
    work, items = UnitPass(), counts_of(classifier, layers)
    labels = np.full(len(photos), -1, np.int32)
    # Counts are by class: whatever its label is, the photograph is counted as one of the class that is asked for.
    labels[position] = wanted.positive
    counted = work.run(classifier, items, OwnLabels(labels), [work.read(classifier, photos, position)])
    counts = gathered(classifier, layers, counted, share).of_class(wanted.positive)
    score, values = _values(TargetScore.of(classifier, image, target), layers)
    return PhotographMarks(position, wanted.positive, score, counts, values)


def _values(target_score: TargetScore, layers: Sequence[str]) -> tuple[float, dict[str, Float[np.ndarray, " k"]]]:
    first = torch.zeros(1, dtype=torch.long)
    tapped = target_score.tapped(target_score.images.pixels, first, rules=(), layers=tuple(layers))
    assert tapped.logits is not None
    found = {}
    for name in layers:
        products = tapped.activations[name].detach() * tapped.gradients[name].detach()
        found[name] = summed(products, target_score.classifier.layer(name))[0].float().cpu().numpy()
    [target] = target_score.targets
    return float(tapped.logits[0, target.positive]), found
