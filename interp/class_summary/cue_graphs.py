"""Where the reason is known: whether the graph of a class holds the channels that follow the planted cue."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from interp import images, models
from interp.class_summary.cue_shares import CueShares
from interp.class_summary.graph import ChannelKey, GraphSettings
from interp.class_summary.judging import JudgedGraph, judging
from interp.class_summary.layers import summary_layers
from interp.class_summary.marks import SHARES, ChannelMarks, MarkCount
from interp.class_summary.summary import gathering
from interp.images.scenes import REASONS, Reason
from interp.models.scenes import bundled
from interp.set_pass import ItemStore, by_chunks
from interp.types import Classifier, Fingerprinted
from interp.units import UnitPass
from interp.units.cues import classifier_of


@dataclass(frozen=True, eq=False)
class CueGraph(Fingerprinted):
    """The graph of the cue's class in one classifier, over the test set of the one that goes by it.

    `shares` has by layer in which images channels stand out: the class's, those of others, and those of others into
    which the cue was moved; nothing as long as that is not known.
    """

    classifier: str
    target: int
    judged: JudgedGraph
    shares: Mapping[str, CueShares] = field(default_factory=dict)

    @property
    def following(self) -> tuple[tuple[ChannelKey, float, float], ...]:
        """The vertices that follow the cue, with the share of draws, and of draws of other classes, that have them.

        The shares are nan as long as they are not known.
        """
        support, found = self.judged.support, []
        for place, vertex in enumerate(self.judged.graph.vertices):
            if vertex.layer in self.shares and self.shares[vertex.layer].follows[vertex.channel]:
                nan = float("nan")
                stays = nan if support is None else float(support.vertices[place])
                found.append((vertex.key, stays, nan if support is None else float(support.vertices_of_others[place])))
        return tuple(found)


def cue_graphs(
    classifier: Classifier, reason: Reason, settings: GraphSettings | None = None, *, kept: ItemStore | None = None
) -> Generator[tuple[CueGraph, ...], None, tuple[CueGraph, ...]]:
    """The graph of the cue's class in the classifier that goes by it, and in the honest one, on the same pictures.

    Yields what is known so far; `classifier` says on which device.
    """
    name, label = classifier_of(reason), REASONS[reason].label
    photos, moved = images.load(name), images.load(f"{name}-moved")
    found: tuple[CueGraph, ...] = ()
    for which in (name, bundled.HONEST):
        one = models.load(which, device=str(classifier.device))
        layers, target, before = summary_layers(one), one.labels.index(label), found
        latest: CueGraph | None = None
        for judged in judging(one, photos, layers, SHARES[-1], target, settings, kept=kept):
            latest = CueGraph(which, target, judged)
            found = (*before, latest)
            yield found
        counts = tuple(MarkCount(layer) for layer in layers)
        with_cue = yield from _waiting(by_chunks(UnitPass(), one, moved, counts, None, kept=kept), found)
        counted, _ = yield from _waiting(gathering(one, photos, layers, kept=kept), found)
        shares = {
            layer: _shares(target, own.value, other.value)
            for layer, own, other in zip(layers, counted, with_cue, strict=False)
        }
        assert latest is not None
        found = (*before, replace(latest, shares=shares))
        yield found
    return found


def _waiting(steps: Generator, found: tuple[CueGraph, ...]) -> Generator[tuple[CueGraph, ...], None, Any]:
    """What steps return; what was found before is yielded while they run."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value
        yield found


def _shares(target: int, own: ChannelMarks, moved: ChannelMarks) -> CueShares:
    last = len(SHARES) - 1
    return CueShares.of(target, own.counts[last], own.images, moved.counts[last], moved.images)
