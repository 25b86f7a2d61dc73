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
from pages.parts.kit import clicks, export, replay, waiting
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


def view(about: Subject, picture, side) -> None:
    """Attribution against measured effect for all channels, photograph by photograph."""
    with side:
        row = _photograph(about)
    with picture:
        clicks.listen({"channel": take})
        job = _measuring(about)
        if job is None or not waiting.settled(job):
            return
        found = cache.figure(channels.compared, about.found, job.value, row, outliers=OUTLIERS)
        _numbers(about, found, row)
        chosen = st.session_state.get(CHANNEL)
        chosen = chosen if chosen is not None and chosen < about.layer.channels else None
        settled = cache.figure(_figure, found, about.layer.name, chosen)
        key = f"ch-truth-{about.layer.name}-{row}"
        st.plotly_chart(
            settled, key=key, on_select=lambda: _take_mark(key), selection_mode="points", config=PLOT, width="stretch"
        )
        _said(found)
        if len(about.positions) > 1:
            replay.once(_every, about.found, job.value, about.batch.names)
        _outliers(about, found, chosen)
        further.in_the_set(about.selection, about.layer.name)
        _table(about, found, job.value, row)


def take(value: str) -> None:
    """Make the channel with this number the chosen one."""
    if value.isdecimal():
        st.session_state[CHANNEL] = int(value)


def _take_mark(key: str) -> None:
    points = st.session_state[key].selection.points
    if points and "customdata" in points[0]:
        one = points[0]["customdata"]
        st.session_state[CHANNEL] = int(one[0] if isinstance(one, list) else one)


def _photograph(about: Subject) -> int:
    if len(about.positions) == 1:
        return 0
    names = [f"{row + 1}: {shortened(name, 40)}" for row, name in enumerate(about.batch.names)]
    key = "ch.photograph"
    if st.session_state.get(key, 0) >= len(names):
        st.session_state[key] = 0
    return st.selectbox("Photograph", range(len(names)), format_func=names.__getitem__, key=key)


def _measuring(about: Subject) -> cache.Job | None:
    """The job that measures the effects; None where that would take long and nobody has asked for it."""
    asked = cache.call(channels.effects, about.classifier, about.batch, about.targets, layer=about.layer.name)
    allowed = f"ch-measured-{asked.key}"
    slot = "effects"
    if not st.session_state.get(allowed):
        seconds = _seconds(about)
        if seconds is None or seconds >= LONG:
            about.scope.release(slot)
            time = "" if seconds is None else f", about {waiting.duration(seconds)}"
            st.info(
                f"To zero each of the {about.layer.channels:,} channels of {plain(about.layer.name)} in turn takes up "
                f"to {_passes(about):,.0f} forward-and-backward passes{time}. Later layers take less."
            )
            st.button("Measure", icon=":material/science:", key="ch-measure", on_click=_allow, args=(allowed,))
            return None
    return about.scope.compute(slot, asked)


def _allow(key: str) -> None:
    st.session_state[key] = True


def _passes(about: Subject) -> float:
    return len(about.positions) * cache.lookup(ablation.cost, about.classifier, about.layer)


def _seconds(about: Subject) -> float | None:
    """How long the measurement takes at most; None while that is not known."""
    passes = _passes(about)
    if passes < PASSES:
        return 0.0
    job = about.scope.shared.gather("pass", attribution.measured_pass, about.classifier)
    waiting.value(job)
    return passes * job.value.seconds


def _figure(found: Compared, layer: str, chosen: int | None) -> replay.Settled:
    return replay.Settled(figures.effects(found, layer, chosen))


def _numbers(about: Subject, found: Compared, row: int) -> None:
    columns = st.columns(4)
    off = float(np.abs(found.attribution - found.effect).max())
    for column, label, value, help in zip(
        columns,
        ("Pearson", "Spearman", "Active channels", "Largest difference"),
        (_correlation(found.pearson), _correlation(found.spearman), f"{found.active:,}", f"{off:.3g}"),
        (
            "Correlation of attribution and effect over the active channels.",
            "Rank correlation of attribution and effect over the active channels.",
            f"Of {about.layer.channels:,}: those in which either is not zero.",
            f"In logits, where the score is {float(about.found.scores[row]):.3g}.",
        ),
        strict=True,
    ):
        column.metric(label, value, help=help)


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


def _outliers(about: Subject, found: Compared, chosen: int | None) -> None:
    first = [] if chosen is None else [chosen]
    shown = [*first, *(one for one in found.outliers if one not in first)]
    if not shown:
        return
    st.markdown("**Where the estimate is furthest off**" + ("" if chosen is None else ", and the channel chosen"))
    place = st.container()
    made, job = pictures(about.selection, "outliers", about.layer, shown)
    waiting.settled(job)
    told = [
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
        picturecards.draw(making.pixels(made, shown), told, side=120)


def _table(about: Subject, found: Compared, measured: Effects, row: int) -> None:
    with st.expander("All channels: attribution and effect", key="ch-truth-numbers", on_change="rerun") as opened:
        if not opened.open:
            return
        replay.once(_rows, found)
        st.caption(f"{named(about.classifier, about.targets[row])}, in {plain(about.batch.names[row])}.")
        export.download("As CSV", "loupe-estimate-and-truth.csv", lambda: rows(about, measured))


def _rows(found: Compared) -> None:
    order = np.argsort(-np.abs(found.attribution - found.effect), kind="stable")
    told = {
        "channel": order.tolist(),
        "attribution": found.attribution[order],
        "effect": found.effect[order],
        "difference": (found.attribution - found.effect)[order],
    }
    st.dataframe(told, hide_index=True, height=320)


def rows(about: Subject, measured: Effects) -> list[dict[str, Any]]:
    """A row for each photograph and channel: attribution, measured effect, difference."""
    found = []
    for row, name in enumerate(about.batch.names):
        estimate, effect = about.found.values[row].tolist(), measured.values[row].tolist()
        for channel, (one, other) in enumerate(zip(estimate, effect, strict=True)):
            found.append(
                {
                    "image": name,
                    "layer": about.layer.name,
                    "channel": channel,
                    "attribution": one,
                    "effect": other,
                    "difference": one - other,
                }
            )
    return found
