"""A layer as a sheet of its channels' pictures, and one channel from all sides."""

from __future__ import annotations

import numpy as np
import streamlit as st

import cache
from cache import tallies
from cache.tallies import Tally
from interp import feature_visualization as fv
from interp.feature_visualization.checks import LEAST_CONTRAST, MOST_CLIPPED
from interp.types import Classifier, Layer
from pages.parts.cards import making, picturecards
from pages.parts.cards.picturecards import PictureCard
from pages.parts.feature_visualization import single
from pages.parts.frame.layout import Selection
from pages.parts.kit import clicks, controls, export, replay, waiting
from pages.parts.kit.text import plain

EACH = 24
CHANNEL = "fv.channel"


def view(selection: Selection, title: str, picture, side) -> None:
    """The sheet of a layer, page by page, and below it the channel that was clicked."""
    classifier, visitor = selection.classifier, selection.visitor
    with side:
        layer = choose_layer(classifier)
        channel = choose_channel(layer)
        making.quality()
        how = making.settings(visitor, title, selection)
    pages = -(-layer.channels // EACH)
    with picture:
        clicks.listen({"channel": _take})
        page = st.pagination(pages, default=channel // EACH + 1, key=f"fv-page-{layer.name}") if pages > 1 else 1
        shown = range((page - 1) * EACH, min(page * EACH, layer.channels))
        # Asked first, and so made last: what was asked last comes first.
        question = tallies.reading(classifier, layer.name, selection.photos)
        reading = visitor.ask(f"{title}/strengths", question, disk=False)
        place = st.container()
        objectives = [fv.Channel(layer.name, one) for one in shown]
        found, _ = making.asked(visitor, f"{title}/sheet", classifier, how, objectives)
        told = [
            PictureCard(
                f"Channel {one}",
                picturecards.line(found.get(row), _best(reading, one)),
                f"channel:{one}",
                one == channel,
            )
            for row, one in enumerate(shown)
        ]
        with place:
            picturecards.draw([_pixels(found.get(row)) for row in range(len(shown))], told)
            _layers(selection, title, layer, how)
        st.markdown(f"#### {plain(layer.name)}, channel {channel}")
        made = single.detail(selection, title, layer, channel, how)
        if waiting.settled(reading):
            single.images(selection, title, layer, channel, reading.value[0], made)


def _layers(selection: Selection, title: str, layer: Layer, how: fv.Settings) -> None:
    """Say how many pictures of this layer beat every image, and, where that is opened, of all others."""
    place = st.container()
    with st.expander("All layers: how many pictures beat every image", key="fv-layers", on_change="rerun") as opened:
        names = [one.name for one in offered(selection.classifier)] if opened.open else [layer.name]
        question = cache.call(
            tallies.tallied, selection.classifier, how, tuple(names), selection.photos, tallies.moment()
        )
        # On another device's queue: nothing here needs the classifier to run.
        job = selection.visitor.ask(f"{title}/layers", question, disk=False, device="lists")
        if not waiting.settled(job):
            return
        if opened.open:
            replay.once(_table, job.value, selection.photos.name, how.steps)
    told = share(next(one for one in job.value if one.layer == layer.name), selection.photos.name)
    if told:
        place.caption(told)


def share(tally: Tally, photos: str) -> str:
    """What a layer's pictures achieve, in words; nothing to say before there is one to compare."""
    if tally.share is None:
        return ""
    faults = ", ".join(
        f"{count} {name}"
        for count, name in ((tally.dead, "dead"), (tally.grey, "grey"), (tally.saturated, "saturated"))
        if count
    )
    return (
        f"{plain(tally.layer)}: **{tally.beaten:,} of {tally.alive:,}** finished pictures ({tally.share:.1%}) drive "
        f"their channel harder than every image of {plain(photos)} does, by the channel's mean over all positions. "
        f"{tally.made:,} of {tally.channels:,} channels have a picture so far"
        + (f"; {faults}." if faults else "; none is dead, grey or saturated.")
    )


def _table(found: tuple[Tally, ...], photos: str, steps: int) -> None:
    st.caption(
        f"Pictures of {steps:,} steps that were made so far, here or by `python -m cache pictures`; this table has "
        f"none made. Compared with every image of {plain(photos)}, by the channel's mean over all positions. A "
        "layer's images are read when it is looked at above. *Grey* is a contrast under "
        f"{LEAST_CONTRAST:g}, *saturated* more than {MOST_CLIPPED:.0%} of all numbers black or white; dead "
        "channels are not counted in these, nor in the share."
    )
    rows = [
        {
            "layer": one.layer,
            "channels": one.channels,
            "pictures": one.made,
            "stronger than every image": one.beaten,
            "share": None if one.share is None else 100 * one.share,
            "dead": one.dead,
            "grey": one.grey,
            "saturated": one.saturated,
        }
        for one in found
    ]
    columns = {"share": st.column_config.NumberColumn(format="%.1f%%")}
    st.dataframe(export.shown(rows), hide_index=True, column_config=columns)


def offered(classifier: Classifier) -> list[Layer]:
    """The layers with maps that may be chosen: the ends of blocks, and the last spatial one."""
    layers = [one for one in classifier.layers if one.kind != "flat" and one.block_end]
    last = classifier.last_spatial_layer
    return [*layers, *[last] * (last not in layers)]


def choose_layer(classifier: Classifier, key: str = "fv.layer", *, default: str | None = None) -> Layer:
    """Draw the picker of a layer with maps; where no default is named it is the middle one."""
    names = {one.name: f"{one.name} · {one.channels} channels" for one in offered(classifier)}
    chosen = list(names)[len(names) // 2] if default is None else default
    return classifier.layer(controls.listed("Layer", key, list(names), default=chosen, named=names.__getitem__))


def choose_channel(layer: Layer, key: str = CHANNEL, label: str = "Channel") -> int:
    """Draw the field for a channel's number."""
    if st.session_state.get(key, 0) >= layer.channels:
        st.session_state[key] = 0
    return controls.number(label, key, 0, low=0, high=layer.channels - 1)


def _take(value: str) -> None:
    if value.isdecimal():
        st.session_state[CHANNEL] = int(value)


def _pixels(made: fv.Picture | None) -> np.ndarray | None:
    return None if made is None else made.pixels


def _best(reading: cache.Job, channel: int) -> float | None:
    """The mean activation of the image that drives a channel most; None while the images are read."""
    if not waiting.there(reading) or not len(reading.value[0]):
        return None
    return float(reading.value[0].values[:, channel].max())
