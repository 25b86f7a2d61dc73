"""Having pictures made, and drawing them as cards while they become clearer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st
from jaxtyping import UInt8

import cache
from cache.each import each
from interp import feature_visualization as fv
from interp.feature_visualization import Colours, Objective, Picture, Settings
from interp.types import Classifier
from pages.parts.cards import picturecards
from pages.parts.cards.picturecards import PictureCard
from pages.parts.kit import controls, waiting
from pages.parts.kit.selection import Selection

QUALITIES = {"Preview": 64, "Good": 256, "Fine": 1024, "Finest": 2048}


def settings(selection: Selection, count: int | None = None, *, side: int = fv.SIDE) -> Settings:
    """How pictures are made, in so many steps; the page ends here until that is known.

    None leaves their number to what was chosen in `quality`. `side` is what `fv.usual` calls so.
    """
    scope, some = selection.scope, count or steps()
    usual = scope.gather(f"usual-{some}-{side}", fv.usual, selection.classifier, some, colours(selection), side=side)
    return waiting.value(usual)


def steps() -> int:
    """How many steps the chosen quality takes."""
    return QUALITIES[st.session_state.get("fv.quality", "Good")]


def colours(selection: Selection) -> Colours:
    """Those of photographs for a classifier of ImageNet's classes, else those that the image set has."""
    return waiting.value(selection.scope.survey("colours", fv.colours_of, selection.classifier, selection.photos))


def quality() -> None:
    """Draw the choice of how long pictures are optimized."""
    controls.one_of(
        "Quality",
        "fv.quality",
        list(QUALITIES),
        default="Good",
        help="64, 256, 1,024 or 2,048 steps of the optimization. Pictures are kept: wanted again, they come at once.",
    )


def pictures(
    scope: cache.Scope, slot: str, classifier: Classifier, how: Settings, objectives: Sequence[Objective]
) -> tuple[dict[int, Picture], bool]:
    """The pictures by their objectives' places, as far as they are, and whether they are finished; draws progress."""
    job = ask(scope, slot, classifier, how, objectives)
    coarse = sketches(scope, slot, job, classifier, how, objectives)
    done = (coarse is None or waiting.settled(coarse)) and waiting.settled(job)
    return so_far(job, coarse), done


def ask(
    scope: cache.Scope, slot: str, classifier: Classifier, how: Settings, objectives: Sequence[Objective]
) -> cache.Job:
    """The job that makes a picture for each objective; each is kept by itself."""
    return scope.gather(slot, _call(classifier, how, objectives))


def expect(
    scope: cache.Scope, slot: str, classifier: Classifier, how: Settings, objectives: Sequence[Objective]
) -> None:
    """Have these pictures made while nobody asks for anything: they are likely to be asked for next."""
    if objectives:
        scope.expect(slot, _call(classifier, how, objectives))


def _call(classifier: Classifier, how: Settings, objectives: Sequence[Objective]) -> cache.Call:
    size = max(1, fv.batch_for(classifier, how) // how.copies)
    return cache.call(each, fv.pictures, classifier, (how,), tuple(objectives), size)


def sketches(
    scope: cache.Scope,
    slot: str,
    job: cache.Job,
    classifier: Classifier,
    how: Settings,
    objectives: Sequence[Objective],
) -> cache.Job | None:
    """The job that makes small pictures to be looked at until those of `job` are there; None where these are kept.

    Of one visitor's jobs the newest comes first, so this is asked after `ask`. None also where it has failed: what is
    wrong, `job` will say.
    """
    wanted = tuple(objectives)
    if job.state == "done":
        return None
    if sum(cache.CachedItems().counts(fv.pictures, classifier, how, items=[wanted])) == len(wanted):
        return None
    coarse = scope.gather(f"{slot}/coarse", fv.sketches, classifier, how, wanted)
    return None if coarse.state == "failed" else coarse


def so_far(job: cache.Job, coarse: cache.Job | None = None) -> dict[int, Picture]:
    """The pictures that are there, finished or not, by their objectives' places; of others those of `coarse`."""
    if waiting.there(job):
        return dict(enumerate(job.value))
    made = job.partial[-1] if job.partial else {}
    if coarse is None:
        return made
    begun = dict(enumerate(coarse.value)) if waiting.there(coarse) else coarse.partial[-1] if coarse.partial else {}
    return begun | {place: one for place, one in made.items() if place not in begun or one.step >= fv.SKETCH_STEPS}


def pixels(found: Mapping[int, Picture], keys: Sequence[int]) -> list[UInt8[np.ndarray, "h w 3"] | None]:
    """The pictures under these keys, as cards are drawn of them; None for one that is not there yet."""
    return [found[one].pixels if one in found else None for one in keys]


def in_each_way(
    scope: cache.Scope,
    slot: str,
    classifier: Classifier,
    ways: dict[str, Settings],
    objectives: Sequence[Objective],
    place,
    *,
    about: Mapping[str, str] | None = None,
    side: int = 150,
) -> list[Picture] | None:
    """Draw one objective's pictures made in several ways as cards in a place; gives them when all are finished."""
    # Of one visitor's jobs the newest comes first, so the first way is asked for last.
    asked = [ask(scope, f"{slot}/{name}", classifier, ways[name], objectives) for name in reversed(ways)]
    jobs = asked[::-1]
    done = all(waiting.settled(job) for job in jobs)
    made = [so_far(job).get(0) for job in jobs]
    with place:
        captions = [
            PictureCard(name, picturecards.line(one), about=(about or {}).get(name, ""))
            for name, one in zip(ways, made, strict=True)
        ]
        picturecards.draw([None if one is None else one.pixels for one in made], captions, side=side)
    return [one for one in made if one is not None] if done else None
