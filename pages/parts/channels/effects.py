"""What attribution estimates of each channel beside what zeroing it really does."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

import cache
from interp import attribution, channels
from interp.channels import Compared, Effects
from interp.figures import channels as figures
from interp.passes import ablation
from pages.parts.cards import making, picturecards
from pages.parts.cards.picturecards import PictureCard
from pages.parts.channels import further
from pages.parts.channels.subject import CHANNEL, Subject, named, pictures
from pages.parts.kit import charts, clicks, export, replay, waiting
from pages.parts.kit.text import plain, shortened

LONG = 20.0
"""From so many seconds on the measurement is begun by a button."""
PASSES = 12.0
"""From so many passes on their duration is looked at."""
OUTLIERS = 6
PLOT = {"displayModeBar": False}

READING = (
    "**Effects: estimate and truth.** Attribution is a first-order estimate: what the score would lose without the "
    "channel if it went on falling as steeply as it begins to. The effect is measured: the channel is set to zero "
    "everywhere, and the rest of the network runs again. What the estimate misses: *rectifiers behind the layer*, "
    "which switch on or off on the way to zero; *saturation*, where the slope is small at the image and large "
    "further down, or the reverse; and, as the effect does too, *interaction*: each channel is taken away alone, so "
    "that two that carry the same each seem to be worth little, and together are worth much. Where only averages "
    "and linear layers follow, both are equal. A channel at zero while the others stay is a state that the network "
    "may never have seen in training: the effect is true of this intervention, and not of every way to leave a "
    "channel out."
)


def view(subject: Subject, picture, side) -> None:
    """Attribution against measured effect for all channels, photograph by photograph."""
    with side:
        row = _photograph(subject)
    with picture:
        clicks.listen({"channel": take})
        job = _measuring(subject)
        if job is None or not waiting.settled(job):
            return
        found = cache.figure(channels.compared, subject.attribution, job.value, row, outliers=OUTLIERS)
        _numbers(subject, found, row)
        chosen = st.session_state.get(CHANNEL)
        chosen = chosen if chosen is not None and chosen < subject.layer.channels else None
        settled = cache.figure(_figure, found, subject.layer.name, chosen)
        key = f"ch-truth-{subject.layer.name}-{row}"
        charts.draw(
            settled, key=key, on_select=lambda: _take_mark(key), selection_mode="points", config=PLOT, width="stretch"
        )
        _said(found)
        if len(subject.positions) > 1:
            replay.once(_every, subject.attribution, job.value, subject.batch.names)
        _outliers(subject, found, chosen)
        further.in_the_set(subject.selection, subject.layer.name)
        _table(subject, found, job.value, row)


def take(value: str) -> None:
    """Make the channel with this number the chosen one."""
    if value.isdecimal():
        st.session_state[CHANNEL] = int(value)


def _take_mark(key: str) -> None:
    points = st.session_state[key].selection.points
    if points and "customdata" in points[0]:
        one = points[0]["customdata"]
        st.session_state[CHANNEL] = int(one[0] if isinstance(one, list) else one)


def _photograph(subject: Subject) -> int:
    if len(subject.positions) == 1:
        return 0
    names = [f"{row + 1}: {shortened(name, 40)}" for row, name in enumerate(subject.batch.names)]
    key = "ch.photograph"
    if st.session_state.get(key, 0) >= len(names):
        st.session_state[key] = 0
    return st.selectbox("Photograph", range(len(names)), format_func=names.__getitem__, key=key)


def _measuring(subject: Subject) -> cache.Job | None:
    """The job that measures the effects; None where that would take long and nobody has asked for it."""
    asked = cache.call(channels.effects, subject.classifier, subject.batch, subject.targets, layer=subject.layer.name)
    allowed = f"ch-measured-{asked.key}"
    if not st.session_state.get(allowed) and (seconds := _seconds(subject)) >= LONG:
        subject.scope.release("effects")
        st.info(
            f"To zero each of the {subject.layer.channels:,} channels of {plain(subject.layer.name)} in turn takes up "
            f"to {_passes(subject):,.0f} forward-and-backward passes, about {waiting.duration(seconds)}. Later layers "
            "take less."
        )
        st.button("Measure", icon=":material/science:", key="ch-measure", on_click=_allow, args=(allowed,))
        return None
    return subject.scope.compute("effects", asked)


def _allow(key: str) -> None:
    st.session_state[key] = True


def _passes(subject: Subject) -> float:
    return len(subject.positions) * cache.lookup(ablation.cost, subject.classifier, subject.layer)


def _seconds(subject: Subject) -> float:
    """How long the measurement takes at most; the page ends here until it is known how long a pass takes."""
    passes = _passes(subject)
    if passes < PASSES:
        return 0.0
    one = waiting.value(subject.scope.shared.gather("pass", attribution.measured_pass, subject.classifier))
    return passes * one.seconds


def _figure(found: Compared, layer: str, chosen: int | None) -> replay.Settled:
    return replay.Settled(figures.effects(found, layer, chosen))


def _numbers(subject: Subject, found: Compared, row: int) -> None:
    row_of_numbers = st.container(horizontal=True, key="numbers")
    off = float(np.abs(found.attribution - found.effect).max())
    for label, value, help in zip(
        ("Pearson", "Spearman", "Active channels", "Largest difference"),
        (_correlation(found.pearson), _correlation(found.spearman), f"{found.active:,}", f"{off:.3g}"),
        (
            "Correlation of attribution and effect over the active channels.",
            "Rank correlation of attribution and effect over the active channels.",
            f"Of {subject.layer.channels:,}: those in which either is not zero.",
            f"In logits, where the score is {float(subject.attribution.scores[row]):.3g}.",
        ),
        strict=True,
    ):
        row_of_numbers.metric(label, value, help=help)


def _correlation(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.3f}"


def _said(found: Compared) -> None:
    """What this picture says, in words."""
    if not found.outliers:
        st.caption(
            "Every channel lies on the line: behind this layer nothing is bent, so the estimate is exactly the truth."
        )
        return
    more = found.effect[list(found.outliers)] > found.attribution[list(found.outliers)]
    above, below = int(more.sum()), int((~more).sum())
    st.caption(
        "On the dotted line estimate and truth are equal. Above it the class loses more by zeroing a channel than its "
        "slope promises, or gains less; below it the reverse, where rectifiers behind the layer open or close on the "
        f"way. Of the {len(found.outliers)} furthest off, {above} lie above and {below} below. Click a mark to choose "
        "the channel."
    )


def _every(found: channels.ChannelAttribution, measured: Effects, names: tuple[str, ...]) -> None:
    rows = []
    for row, name in enumerate(names):
        one = channels.compared(found, measured, row)
        rows.append({"photograph": name, "Pearson": one.pearson, "Spearman": one.spearman, "active": one.active})
    number = st.column_config.NumberColumn(format="%.3f")
    st.dataframe(rows, hide_index=True, column_config={"Pearson": number, "Spearman": number})


def _outliers(subject: Subject, found: Compared, chosen: int | None) -> None:
    first = [] if chosen is None else [chosen]
    shown = [*first, *(one for one in found.outliers if one not in first)]
    if not shown:
        return
    st.markdown("**Where the estimate is furthest off**" + ("" if chosen is None else ", and the channel chosen"))
    place = st.container()
    made, job = pictures(subject.selection, "outliers", subject.layer, shown)
    waiting.settled(job)
    captions = [
        PictureCard(
            f"Channel {one}",
            f"{found.attribution[one]:+.3g}, off by {found.attribution[one] - found.effect[one]:+.2g}",
            f"channel:{one}",
            one == chosen,
            f"attribution {found.attribution[one]:+.4f}, measured effect {found.effect[one]:+.4f}",
        )
        for one in shown
    ]
    with place:
        picturecards.draw(making.pixels(made, shown), captions, side=120)


def _table(subject: Subject, found: Compared, measured: Effects, row: int) -> None:
    with st.expander("All channels: attribution and effect", key="ch-truth-numbers", on_change="rerun") as opened:
        if not opened.open:
            return
        replay.once(_rows, found)
        st.caption(f"{named(subject.classifier, subject.targets[row])}, in {plain(subject.batch.names[row])}.")
        export.download("As CSV", "loupe-estimate-and-truth.csv", lambda: rows(subject, measured))


def _rows(found: Compared) -> None:
    order = np.argsort(-np.abs(found.attribution - found.effect), kind="stable")
    columns = {
        "channel": order.tolist(),
        "attribution": found.attribution[order],
        "effect": found.effect[order],
        "difference": (found.attribution - found.effect)[order],
    }
    st.dataframe(columns, hide_index=True, height=320)


def rows(subject: Subject, measured: Effects) -> list[dict[str, Any]]:
    """A row for each photograph and channel: attribution, measured effect, difference."""
    found = []
    for row, name in enumerate(subject.batch.names):
        estimate, effect = subject.attribution.values[row].tolist(), measured.values[row].tolist()
        for channel, (one, other) in enumerate(zip(estimate, effect, strict=True)):
            found.append(
                {
                    "image": name,
                    "layer": subject.layer.name,
                    "channel": channel,
                    "attribution": one,
                    "effect": other,
                    "difference": one - other,
                }
            )
    return found
