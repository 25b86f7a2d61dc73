"""A layer as a sheet of its channels' pictures, and one channel from all sides."""

from __future__ import annotations

import streamlit as st

import cache
from interp import feature_visualization as fv
from interp.feature_visualization.checks import LEAST_CONTRAST, MOST_CLIPPED
from interp.types import Layer
from pages.parts.cards import making, picturecards
from pages.parts.cards.picturecards import PictureCard
from pages.parts.feature_visualization import single
from pages.parts.kit import clicks, export, layers, replay, waiting
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain

EACH = 24


def view(selection: Selection, picture, side) -> None:
    """The sheet of a layer, page by page, and below it the channel that was clicked."""
    classifier, scope = selection.classifier, selection.scope
    with side:
        layer = layers.choose_layer(classifier)
        channel = layers.choose_channel(layer)
        making.quality()
        how = making.settings(selection)
    pages = -(-layer.channels // EACH)
    with picture:
        clicks.listen({"channel": _take})
        page = st.pagination(pages, default=channel // EACH + 1, key=f"fv-page-{layer.name}") if pages > 1 else 1
        shown = range((page - 1) * EACH, min(page * EACH, layer.channels))
        # Asked first, and so made last: what was asked last comes first.
        reading = scope.gather("strengths", fv.strengths, classifier, layer.name, selection.photos, cache.CachedItems())
        place = st.container()
        objectives = [fv.Channel(layer.name, one) for one in shown]
        found, _ = making.pictures(scope, "sheet", classifier, how, objectives)
        captions = [
            PictureCard(
                f"Channel {one}",
                picturecards.line(found.get(row), _best(reading, one)),
                f"channel:{one}",
                one == channel,
            )
            for row, one in enumerate(shown)
        ]
        with place:
            picturecards.draw(making.pixels(found, range(len(shown))), captions)
            _layers(selection, layer, how)
        st.markdown(f"#### {plain(layer.name)}, channel {channel}")
        made = single.detail(selection, layer, channel, how)
        following = range(shown.stop, min(shown.stop + EACH, layer.channels))
        making.expect(scope, "sheet", classifier, how, [fv.Channel(layer.name, one) for one in following])
        if waiting.settled(reading):
            single.images(selection, layer, channel, reading.value[0], made)


def _layers(selection: Selection, layer: Layer, how: fv.Settings) -> None:
    """Say how many pictures of this layer beat every image, and, where that is opened, of all others."""
    place = st.container()
    with st.expander("All layers: how many pictures beat every image", key="fv-layers", on_change="rerun") as opened:
        names = [one.name for one in layers.offered(selection.classifier)] if opened.open else [layer.name]
        asked = (selection.classifier, how, tuple(names), selection.photos, cache.CachedItems(), cache.moment())
        # On another device's queue: nothing here needs the classifier to run.
        job = selection.scope.look_up("layers", fv.tallied, *asked)
        if not waiting.settled(job):
            return
        if opened.open:
            replay.once(_table, job.value, selection.photos.name, how.steps)
    reached = share(next(one for one in job.value if one.layer == layer.name), selection.photos.name)
    if reached:
        place.caption(reached)


def share(tally: fv.Tally, photos: str) -> str:
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


def _table(found: tuple[fv.Tally, ...], photos: str, steps: int) -> None:
    st.caption(
        f"Pictures of {steps:,} steps that were made so far, here or by `python -m precompute pictures`; this table "
        f"has none made. Compared with every image of {plain(photos)}, by the channel's mean over all positions. A "
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


def _take(value: str) -> None:
    if value.isdecimal():
        st.session_state[layers.CHANNEL] = int(value)


def _best(reading: cache.Job, channel: int) -> float | None:
    """The mean activation of the image that drives a channel most; None while the images are read."""
    if not waiting.there(reading) or not len(reading.value[0]):
        return None
    return float(reading.value[0].values[:, channel].max())
