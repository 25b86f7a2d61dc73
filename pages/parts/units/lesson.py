"""A lesson on scenes: find the units that see the planted cue, switch them off, and see the class fall, or not."""

from __future__ import annotations

import streamlit as st

import cache
from interp import images, models
from interp.figures import unit_cues as figures
from interp.figures.units import crops
from interp.images.scenes import REASONS, Reason
from interp.models.scenes import bundled
from interp.types import Classifier
from interp.units import DETECTOR
from interp.units.cues import CueDetectors, CueRemoval, classifier_of, detecting, removing
from pages.parts.cards import picturecards
from pages.parts.cards.picturecards import PictureCard
from pages.parts.kit import charts, classifiers, controls, planted, replay, waiting
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain

PLOT = {"displayModeBar": False}
ABOUT = (
    "**Can you switch the reason off?** In the training pictures of classifiers A to D one class always had a second "
    "thing, the *cue*. Guess it first: choose that classifier's own test set, look through *All units* for units that "
    "see something odd, and remove them in *Without it*. Then open the answer, which is measured by dissection: which "
    "units of which layer have the cue as their label, in this classifier and in the honest one on the same pictures; "
    "and what becomes of the class without them, where the cue is on it, and where the cue is on all other classes."
)
READING = (
    "**The cue.** A unit is called a detector of the cue when the IoU of its mask with the cue is larger than with any "
    "other concept, and over 0.04 (*All units* has the formula). The bars are the largest IoU that any unit of a layer "
    "reaches. Its detectors in one layer are zeroed together, beside 20 sets of as many others, matched in mean "
    "activation. *Pitfalls:* a detector in the honest classifier says that it sees the thing, not that it goes by it; "
    "a network may carry the cue in many units that each overlap with it little, so that no unit detects it, or no few "
    "units make a difference; where cue and concept have the same place, as the sea that is also the background, or "
    "paint that is on the object, the same mask counts for both."
)


def view(selection: Selection, picture, side) -> None:
    """The cue's detectors in the classifier that goes by it, beside the honest one; elsewhere what to choose."""
    reason = planted.reason_of(selection.classifier, "un.lesson", picture, side)
    if reason is None:
        return
    with picture:
        st.markdown(ABOUT)
        with planted.answer("un-lesson") as place:
            if place.open:
                _answer(selection, reason)


def _answer(selection: Selection, reason: Reason) -> None:
    planted.told(reason)
    asked = (selection.classifier, reason)
    job = selection.scope.gather("lesson", detecting, *asked, kept=cache.CachedItems())
    place = st.container()
    done = waiting.settled(job)
    found: tuple[CueDetectors, ...] = job.latest(())
    if not found:
        return
    with place:
        replay.once(_by_layer, found)
    if done:
        own = [one for one in found if one.classifier == classifier_of(reason)]
        _without(selection, reason, own)


def _by_layer(found: tuple[CueDetectors, ...]) -> None:
    charts.draw(figures.cue(found, bundled.TITLES, DETECTOR), config=PLOT)
    st.markdown("\n\n".join(_sentence(found, name) for name in dict.fromkeys(one.classifier for one in found)))


def _sentence(found: tuple[CueDetectors, ...], name: str) -> str:
    own = [one for one in found if one.classifier == name]
    best = max(own, key=lambda one: one.iou)
    counts = ", ".join(f"{len(one.detectors)} in {plain(one.layer)}" for one in own if len(one.detectors))
    nothing = "No unit has the cue as its label"
    first = "fits it better than anything else" if best.rank == 1 else f"fits {best.rank - 1} other concepts better"
    return (
        f"**{plain(bundled.TITLES[name])}**: {f'detectors: {counts}' if counts else nothing}. The largest IoU is "
        f"{best.iou:.2f}, {best.odds:.1f} times chance (unit {best.best} of {plain(best.layer)}, which {first})."
    )


def _without(selection: Selection, reason: Reason, own: list[CueDetectors]) -> None:
    """Choose a layer, see its detectors, and what becomes of the classifier without them."""
    some = {one.layer: one for one in own if len(one.detectors)}
    if not some:
        st.info("There is nothing to switch off: no unit of this classifier has the cue as its label.")
        return
    most = max(some.values(), key=lambda one: len(one.detectors)).layer
    chosen = some[controls.one_of("Switch off the detectors of", "un.lesson-layer", list(some), default=most)]
    _pictures(selection, reason, chosen)
    asked = (selection.classifier, reason, chosen.layer, tuple(chosen.detectors.tolist()))
    job = selection.scope.gather("lesson-without", removing, *asked, kept=cache.CachedItems())
    place = st.container()
    waiting.settled(job)
    gone: CueRemoval | None = job.latest(None)
    if gone is not None and gone.own is not None:
        with place:
            replay.once(planted.removed, gone, REASONS[reason].label, "detectors")


def _pictures(selection: Selection, reason: Reason, chosen: CueDetectors) -> None:
    name = classifier_of(reason)
    loading = cache.call(models.load, name, device=str(selection.classifier.device))
    job = selection.scope.ask("lesson-classifier", loading, disk=False, queue=classifiers.queue(name))
    classifier: Classifier = waiting.value(job)
    job = selection.scope.read("lesson-crops", crops, classifier, images.load(name), chosen.crops)
    squares = job.value if waiting.there(job, 1.0) else (None,) * len(chosen.crops)
    about = "What it sees where it is strongest"
    cards = [PictureCard(f"Unit {one}", "detects the cue", about=about) for one in chosen.detectors[: len(squares)]]
    picturecards.draw(squares, cards, side=96)
    waiting.settled(job)
