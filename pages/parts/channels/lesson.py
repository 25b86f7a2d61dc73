"""A lesson on scenes: the channels that see a planted cue, and whether attribution and zeroing find the same ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

import cache
from interp import models
from interp.channels.cues import COUNT, ENOUGH, TELLS, TOP, CueChannels, planted_cues
from interp.figures import channels as figures
from interp.figures.spotlight import spotlight
from interp.images.scenes import REASONS, Reason
from interp.models.scenes import bundled
from interp.types import Layer
from pages.parts.cards import making, picturecards
from pages.parts.cards.picturecards import PictureCard
from pages.parts.channels.subject import pictures
from pages.parts.kit import charts, classifiers, planted, replay, waiting
from pages.parts.kit.layers import choose_layer
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain

PLOT = {"displayModeBar": False}
SIDE = 88
ABOUT = (
    "**Does attribution find what is known?** In the training pictures of classifiers A to D one class always had a "
    "second thing, the *cue*. Guess it first: look at *Channels* for pictures of that classifier's own test set. "
    "Then open the answer. There, channels that see the cue are found without any attribution: each scene is drawn "
    "twice, with the cue and without, and the channels are those whose activation differs most. On other scenes it "
    "is then asked whether attribution names these channels, and whether the class's score falls without them."
)
READING = (
    f"**Lesson.** The channels that see the cue are found on {COUNT} scenes of the class, each drawn with the cue and "
    "again without it: those whose mean activation rises most. Attribution and effects are of as many other scenes, "
    f"with the cue. A channel *tells* the cue when its activation is larger with it in {TELLS:.0%} of all pairs of a "
    "scene with and a scene without. *Pitfalls:* when a cue tells a class, a network has dozens of channels that see "
    "it: not all can be among five, and none of them carries the class alone, so that the score falls only a little "
    "for each. The effects of several are measured together, beside those of as many others: the ones that matter most "
    "by themselves. At the last layer, which an average and a linear layer follow, effect and attribution are the same "
    "number: there the effect proves nothing more."
)


def view(selection: Selection, picture, side) -> None:
    """The cue's channels for the classifier that goes by it, beside the honest one; elsewhere what to choose."""
    classifier = selection.classifier
    reason = planted.reason_of(classifier, "ch.lesson", picture, side)
    if reason is None:
        return
    with side:
        layer = choose_layer(classifier, "ch.lesson-layer", default=classifier.last_spatial_layer.name)
    with picture:
        replay.once(_about)
        with planted.answer("ch-lesson") as place:
            if place.open:
                _answer(selection, reason, layer)


def _about() -> None:
    st.markdown(ABOUT)


def _answer(selection: Selection, reason: Reason, layer: Layer) -> None:
    planted.told(reason)
    job = selection.scope.gather("lesson", planted_cues, selection.classifier, (reason,), layer.name)
    if not waiting.settled(job):
        return
    pair: tuple[CueChannels, ...] = tuple(job.value)
    for column, one in zip(st.columns(2, gap="medium"), pair, strict=True):
        with column:
            _side(selection, one)
    replay.once(_compared, pair)
    with st.expander("All four, A to D", key="ch-lesson-all", on_change="rerun") as place:
        if not place.open:
            return
        all_of_them = selection.scope.gather("lessons", planted_cues, selection.classifier, tuple(REASONS), layer.name)
        waiting.settled(all_of_them)
        found = all_of_them.parts
        if found:
            replay.once(_table, found)


def _side(selection: Selection, found: CueChannels) -> None:
    """The channels of one classifier that see the cue best: their pictures, and where they fire."""
    st.markdown(f"**{plain(bundled.TITLES[found.classifier])}**: channels that see it best")
    device = str(selection.classifier.device)
    slot = f"lesson-{found.classifier}"
    loading = cache.call(models.load, found.classifier, device=device)
    queue = classifiers.queue(found.classifier)
    loaded = waiting.value(selection.scope.ask(slot, loading, disk=False, queue=queue))
    one = replace(selection, classifier=loaded)
    place = st.container()
    made, job = pictures(one, f"lesson-pictures-{found.classifier}", found.layer, found.seeing)
    waiting.settled(job)
    captions = [
        PictureCard(
            f"Channel {channel}",
            f"rises by {found.rise[channel]:.2f}",
            about=f"Its mean activation rises by {found.rise[channel]:.3f} with the cue, and is larger with it in "
            f"{found.auc[channel]:.1%} of pairs; attribution {found.attribution[channel]:+.3f}, effect "
            f"{found.effects[channel]:+.3f}",
        )
        for channel in found.seeing
    ]
    with place:
        picturecards.draw(making.pixels(made, found.seeing), captions, side=SIDE)
        _places(found)


def _places(found: CueChannels) -> None:
    """Each channel's place in the first scenes, row by row."""
    lit = [spotlight(pixels, maps[0]) for pixels, maps in zip(found.pixels, found.fires, strict=True)]
    picturecards.draw(lit, [PictureCard(f"where {found.seeing[0]} fires")] * len(lit), side=SIDE)


def rows(found: Sequence[CueChannels]) -> list[dict[str, Any]]:
    """A row for each cue and classifier."""
    return [
        {
            "cue": one.reason,
            "classifier": bundled.TITLES[one.classifier],
            "see it best": ", ".join(map(str, one.seeing)),
            "first in top five": one.among_top[0],
            "top five that tell it": one.top_tells,
            "place": one.ranks[0],
            "fall": one.drop,
            "others' fall": one.others_drop,
            "score": one.score,
        }
        for one in found
    ]


def _table(found: tuple[CueChannels, ...]) -> None:
    number = st.column_config.NumberColumn(format="%.2f")
    st.dataframe(
        rows(found),
        hide_index=True,
        column_config={
            "first in top five": st.column_config.NumberColumn(
                format="percent", help=f"In how many of {found[0].images} scenes it is among the five most supporting."
            ),
            "top five that tell it": st.column_config.NumberColumn(
                format="percent", help="Of the five most supporting channels, those whose activation tells the cue."
            ),
            "place": st.column_config.NumberColumn(
                help="Of the first channel, among all, by its measured effect alone; 1 is the largest."
            ),
            "fall": st.column_config.NumberColumn(
                format="%.2f", help="How far the score falls, in logits, when those that see it best go at once."
            ),
            "others' fall": st.column_config.NumberColumn(
                format="%.2f", help="The same for as many others, those with the largest effects of their own."
            ),
            "score": number,
        },
    )


def _compared(pair: tuple[CueChannels, ...]) -> None:
    biased, honest = pair
    label = REASONS[biased.reason].label
    charts.draw(figures.cue(pair, [bundled.TITLES[one.classifier] for one in pair]), config=PLOT)
    said = [_sentence(biased, label), _sentence(honest, label)]
    st.markdown("\n\n".join(said))
    unmet = []
    if not biased.holds["attribution"]:
        unmet.append(f"the first channel is among the top five in fewer than {ENOUGH:.0%} of the scenes")
    if not biased.holds["alone"]:
        unmet.append(f"by its effect alone the first channel is number {biased.ranks[0]}, not 1")
    if not biased.holds["together"]:
        unmet.append("as many others lower the score more together")
    if unmet:
        st.caption(f":material/info: What is not as one might expect here: {'; '.join(unmet)}.")
    _table(pair)


def _sentence(found: CueChannels, label: str) -> str:
    best = found.seeing[0]
    return (
        f"**{plain(bundled.TITLES[found.classifier])}**: channel {best}, whose activation rises most with the cue, is "
        f"among the {TOP} that support *{plain(label)}* most in **{found.among_top[0]:.0%}** of {found.images} scenes; "
        f"of the {TOP} in each, {found.top_tells:.0%} tell the cue. Without all {len(found.seeing)} the score of "
        f"{found.score:.2f} falls by **{found.drop:.2f}**; without as many of the most effective others, by "
        f"{found.others_drop:.2f}."
    )
