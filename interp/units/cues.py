"""Where the reason is known: which units of scenes' classifiers detect a planted cue, and what happens without them."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from interp import images, models
from interp.images.scenes import REASONS, Reason
from interp.models.scenes import bundled
from interp.passes.receptive_fields import receptive_fields
from interp.set_pass import ItemStore
from interp.types import Classifier, Fingerprinted
from interp.units.ablation_draws import Ablated, ablating
from interp.units.dissection import LayerDissection, dissecting
from interp.units.tally import LayerTally

CUE = "cue"
SHOWN, EACH = 6, 4


@dataclass(frozen=True, eq=False)
class CueDetectors(Fingerprinted):
    """How units of one layer see a planted cue, over the test set of the classifier that goes by it.

    `detectors` are the units whose label is the cue, the best first. `best` is the unit with the largest IoU with it,
    whether or not it is its label; `iou` and `odds` are that unit's, and `rank` is the place of the cue among all
    concepts for that unit (1: nothing fits better). `crops` are, for the first detectors, or else for `best`, the
    receptive fields where they are strongest: images and boxes (top, left, bottom, right, in pixels).
    """

    reason: Reason
    classifier: str
    layer: str
    detectors: Int[np.ndarray, " m"]
    best: int
    iou: float
    odds: float
    rank: int
    crops: tuple[tuple[tuple[int, tuple[int, int, int, int]], ...], ...]


@dataclass(frozen=True, eq=False)
class CueRemoval(Fingerprinted):
    """What becomes of the classifier that goes by a cue without some units, on two sets: None where not yet known.

    `own` has the cue in all pictures of its class, `target`, and `moved` in all pictures of the other classes.
    """

    target: int
    own: Ablated | None = None
    moved: Ablated | None = None


def classifier_of(reason: Reason) -> str:
    """The name of the classifier that goes by this cue, and of its own test set."""
    return f"scenes-{REASONS[reason].letter}"


def detecting(
    classifier: Classifier, reason: Reason, *, kept: ItemStore | None = None
) -> Generator[tuple[CueDetectors, ...], None, tuple[CueDetectors, ...]]:
    """Dissect the block ends of the classifier that goes by the cue, then of the honest one, on the same pictures.

    Yields what is known so far, a layer each; `classifier` says on which device.
    """
    found: tuple[CueDetectors, ...] = ()
    photos = images.load(classifier_of(reason))
    for name in (classifier_of(reason), bundled.HONEST):
        one, before = models.load(name, device=str(classifier.device)), found
        layers = [layer.name for layer in one.layers if layer.block_end]
        for latest in dissecting(one, photos, layers, kept=kept):
            # At first there are no layers yet, and then images without the cue.
            if any(category == CUE for category, _ in latest.concepts):
                pairs = zip(latest.layers, latest.tallied, strict=True)
                found = before + tuple(_detectors(one, reason, layer, tallied.value) for layer, tallied in pairs)
            yield found
    return found


def removing(
    classifier: Classifier, reason: Reason, layer: str, channels: Sequence[int] | np.ndarray, *, draws: int = 20,
    kept: ItemStore | None = None,
) -> Generator[CueRemoval, None, CueRemoval]:  # fmt: skip
    """Zero units of the classifier that goes by the cue: on its own test set, then where the cue is moved.

    Raises `ValueError` where there are none.
    """
    name, label = classifier_of(reason), REASONS[reason].label
    one, asked = models.load(name, device=str(classifier.device)), (layer, channels)
    target, own = one.labels.index(label), None
    for own in ablating(one, images.load(name), *asked, draws=draws, kept=kept):
        yield CueRemoval(target, own)
    moved = None
    for moved in ablating(one, images.load(f"{name}-moved"), *asked, draws=draws, kept=kept):
        yield CueRemoval(target, own, moved)
    return CueRemoval(target, own, moved)


def _detectors(classifier: Classifier, reason: Reason, layer: LayerDissection, tally: LayerTally) -> CueDetectors:
    cue = next(place for place, (category, _) in enumerate(layer.concepts) if category == CUE)
    iou, fields = layer.iou(), receptive_fields(classifier, layer.layer)
    own = np.flatnonzero(layer.labels() == cue)
    own, best = own[np.argsort(-iou[own, cue], kind="stable")], int(iou[:, cue].argmax())
    crops = tuple(
        tuple(
            (int(image), fields.box(*place.tolist()))
            for image, place in zip(tally.images[unit, :EACH], tally.places[unit, :EACH], strict=True)
            if image >= 0
        )
        for unit in (own[:SHOWN] if len(own) else [best])
    )
    rank = 1 + int((iou[best] > iou[best, cue]).sum())
    odds = float(layer.odds()[best, cue])
    return CueDetectors(reason, classifier.name, layer.layer, own, best, float(iou[best, cue]), odds, rank, crops)
