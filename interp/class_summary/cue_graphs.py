"""Where the reason is known: whether the graph of a class holds the channels that see the planted cue."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from interp import images, models
from interp.class_summary.graph import ChannelKey, GraphSettings
from interp.class_summary.judging import JudgedGraph, judging
from interp.class_summary.marks import SHARES
from interp.images.scenes import REASONS, Reason
from interp.models.scenes import bundled
from interp.set_pass import ItemStore
from interp.types import Classifier, Fingerprinted
from interp.units.cues import CueDetectors, classifier_of, detecting


@dataclass(frozen=True, eq=False)
class CueGraph(Fingerprinted):
    """The graph of the cue's class in one classifier, over the test set of the one that goes by the cue.

    `seeing` are the detectors of the cue by dissection, of all layers of the graph.
    """

    classifier: str
    target: int
    judged: JudgedGraph
    seeing: tuple[ChannelKey, ...]

    @property
    def inside(self) -> tuple[tuple[ChannelKey, float, float], ...]:
        """The detectors that are in the graph, with the share of draws, and of draws of other classes, that have it.

        The shares are nan as long as they are not known.
        """
        support, found = self.judged.support, []
        for place, vertex in enumerate(self.judged.graph.vertices):
            if vertex.key in self.seeing:
                nan = float("nan")
                stays = nan if support is None else float(support.vertices[place])
                found.append((vertex.key, stays, nan if support is None else float(support.vertices_of_others[place])))
        return tuple(found)


def cue_graphs(
    classifier: Classifier, reason: Reason, settings: GraphSettings | None = None, *, kept: ItemStore | None = None
) -> Generator[tuple[CueGraph, ...], None, tuple[CueGraph, ...]]:
    """The graph of the cue's class in the classifier that goes by it, and in the honest one, on the same pictures.

    Layers are the ends of stages, which are dissected. Yields what is known so far; `classifier` says on which device.
    """
    detectors: tuple[CueDetectors, ...] = ()
    for known in detecting(classifier, reason, kept=kept):
        detectors = known
        yield ()
    photos, label = images.load(classifier_of(reason)), REASONS[reason].label
    found: tuple[CueGraph, ...] = ()
    for name in (classifier_of(reason), bundled.HONEST):
        one = models.load(name, device=str(classifier.device))
        own = [each for each in detectors if each.classifier == name]
        seeing = tuple((each.layer, int(unit)) for each in own for unit in each.detectors)
        target, before = one.labels.index(label), found
        layers = tuple(each.layer for each in own)
        for judged in judging(one, photos, layers, SHARES[-1], target, settings, kept=kept):
            found = (*before, CueGraph(name, target, judged, seeing))
            yield found
    return found
