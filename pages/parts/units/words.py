"""Units in words: what was measured of each as clauses with their numbers, and how well that foretells it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

import cache
from interp import settings, units
from interp.types import Layer
from interp.units import LayerWords, UnitWords
from interp.units.clip_dissect import ClipSource, clip_source
from pages.parts.cards.picturecards import PictureCard
from pages.parts.kit import controls, replay, waiting
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain, shortened
from pages.parts.units.asking import UnitResults

SAYS = ("Concept", "Words")
LITTLE = 0.6
"""A score under this is said to be little."""

READING = (
    "**In words.** A description is made of measurements on one half of the images alone, without a language model: "
    "concepts by dissection (IoU over 0.04, at least twice that by chance, in at least five images); labels that are "
    "over-represented among the unit's at most 20 top images (hypergeometric test, corrected for all labels and units "
    "by Benjamini and Hochberg 1995, 5%), and the deepest kind that they have in common, if WordNet is there; the "
    "hue, lightness and stripes that it prefers of pictures made for that, if these drive it at least half as far as "
    "its top images; the classes whose probability falls when it is removed by more than without any of 20 units that "
    "are as active. Where the evidence is thin nothing is said. The *score* is read on the other half: the probability "
    "that an image in which the unit is strong (the tenth where it is strongest) has more of what is described "
    "than one in which it is not,\n\n"
    r"$$\mathrm{AUROC} = P\left(d(x) > d(y)\right) + \tfrac12 P\left(d(x) = d(y)\right),$$"
    "\n\n$d$ the mean rank of an image over the clauses. 0.5 is chance. Beside it is the share of the layer's other "
    "descriptions that foretell this unit less well: a description that fits any unit as well says little. Colours and "
    "stripes are preferred by units of random weights, too. A description names where a unit is strong, not why."
)


def choose() -> bool:
    """Draw the choice of what the cards of a sheet say; gives whether it is the descriptions."""
    said = "In words: a description of every unit is made of measurements, which takes a while."
    return controls.one_of("Cards say", "un.say", SAYS, help=said) == SAYS[1]


def told(selection: Selection, asked: UnitResults) -> LayerWords | None:
    """The descriptions of the layer's units, as far as they are made; progress is drawn where this is called."""
    job, problem = _job(selection, asked.layer)
    if problem:
        st.caption(plain(problem, limit=400))
    waiting.settled(job)
    return job.latest(None)


def ask(selection: Selection, asked: UnitResults) -> None:
    """Have the descriptions made that `section` draws."""
    _job(selection, asked.layer)


def section(selection: Selection, asked: UnitResults, number: int) -> None:
    """A unit's description, with its score and each clause's number."""
    st.markdown("**In words**")
    found, place = st.container(), st.container()
    with place:
        words = told(selection, asked)
    if words is None:
        return
    with found:
        one = words.units[number]
        st.markdown(f"{plain(_sentence(one), limit=600)} {_score(one, words)}")
        if one.clauses:
            replay.once(_clauses, one)
        if one.clip is not None:
            st.markdown(f"CLIP-Dissect says *{plain(one.clip[0])}* (soft WPMI {one.clip[1]:.2f}).")
        for missing in words.missing:
            st.caption(plain(missing, limit=400))


def named(numbers: Sequence[int], words: LayerWords | None, wanted: str) -> list[int]:
    """Those of the units in whose description this is."""
    if words is None or not wanted:
        return list(numbers)
    return [
        one for one in numbers if words.units[one].clauses and wanted.casefold() in words.units[one].sentence.casefold()
    ]


def card(of: PictureCard, words: LayerWords | None, number: int) -> PictureCard:
    """A unit's card with its description: the first clause on it, all with the score where it is pointed at."""
    if words is None:
        return of
    one = words.units[number]
    first = one.clauses[0].said if one.clauses else "no description"
    score = "" if one.auroc is None else f" (AUROC {one.auroc:.2f})"
    about = f"{of.about}; {shortened(_sentence(one), 600)}{score}"
    return replace(of, line=shortened(first, 40), about=about)


def columns(rows: list[dict], words: LayerWords | None) -> list[dict]:
    """The rows of a table of all units with their descriptions, scores, and every number that these rest on."""
    if words is None:
        return rows
    return [row | _columns(one) for row, one in zip(rows, words.units, strict=True)]


def _columns(one: UnitWords) -> dict:
    numbers = "; ".join(f"{clause.said}: {clause.number}" for clause in one.clauses)
    found = {"description": one.sentence, "AUROC": one.auroc, "better than share of others": one.percentile}
    return found | {"description, with numbers": numbers} | ({} if one.clip is None else {"CLIP-Dissect": one.clip[0]})


def _job(selection: Selection, layer: Layer) -> tuple[cache.Job, str]:
    """The job that describes the layer's units, and why it does so without CLIP where that was asked for."""
    given = (selection.classifier, selection.photos, layer.name)
    source, problem = _clip()
    how = {"wordnet": settings.path("LOUPE_WORDNET"), "clip": source, "kept": cache.CachedItems()}
    return selection.scope.shared.gather("words", units.describing, *given, **how), problem


def _clip() -> tuple[ClipSource | None, str]:
    try:
        return clip_source(), ""
    except (ValueError, FileNotFoundError) as error:
        return None, str(error)


def _sentence(one: UnitWords) -> str:
    said = one.sentence
    return f"{said[0].upper()}{said[1:]}{'' if said.endswith('.') else '.'}"


def _score(one: UnitWords, words: LayerWords) -> str:
    if not one.clauses:
        return ""
    made = f"Made on {words.ranked:,} images"
    if one.auroc is None:
        return f"{made}; on the {words.read:,} others too little is known to score it."
    said = f"{made}, read on {words.read:,} others: it foretells where the unit is strong with an AUROC of "
    said += f"**{one.auroc:.2f}**" + (", which is little (0.5 is chance)" if one.auroc < LITTLE else " (0.5 is chance)")
    if one.percentile is None:
        return f"{said}; too few other units have a description to compare."
    return f"{said}, better than **{one.percentile:.0%}** of the descriptions of {one.rivals:,} other units."


def _clauses(one: UnitWords) -> None:
    # A list and no table, in whose cells lines do not break.
    st.markdown(
        "\n".join(f"- {plain(clause.said, limit=400)}: *{plain(clause.number, limit=400)}*" for clause in one.clauses)
    )
