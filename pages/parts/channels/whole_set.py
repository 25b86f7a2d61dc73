"""The channels that argue for a class over many images: mean, spread, what the images share, and a grid of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

import cache
from interp import feature_visualization as fv
from interp.channels.over_set import AttributionPass, SetAttribution, Summary, summary
from interp.figures import channels as figures
from interp.images import ImageSet
from interp.set_pass import evenly
from interp.types import Classifier
from pages.parts.cards import making, picturecards
from pages.parts.cards.picturecards import PictureCard
from pages.parts.channels import asking, further
from pages.parts.channels.effects import take
from pages.parts.channels.subject import CHANNEL, pictures
from pages.parts.kit import charts, clicks, controls, export, problems, replay, waiting
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import shortened

ROWS = 150
COLUMNS = 8
PLOT = {"displayModeBar": False}
MEAN, SHARED = "Mean", "Shared by"

READING = (
    "**Over an image set.** Each image's channels are attributed as for a single one, for the class that is chosen for "
    "it; the channels are ordered by the mean over the images. *±* is the standard deviation over the images, and the "
    "quartiles are in the table. A high mean can come from a few images: *among the top five in* says in how many of "
    "them the channel is one of the five that support, or oppose, the class most. In the grid each row is an image: "
    "columns that are of one colour are what all have in common, and blocks are groups of images that are decided in "
    "different ways. The pairs of classes on offer are those that the classifier confuses most in this set, either "
    "way round; where it makes no mistake, those of which one is likeliest to come right after the other."
)


def view(selection: Selection, picture, side) -> None:
    """The strongest channels over the images chosen, as far as these are computed."""
    classifier = selection.classifier
    with side:
        asked = asking.choose(selection)
    with picture:
        clicks.listen({"channel": take})
        if not len(asked.positions):
            st.info("No image of the set is of these classes. Choose another class, or all images.")
            return
        job = asking.ask(selection, "set", asked.target, asked.positions)
        done = waiting.settled(job)
        found = asking.latest(job)
        if found is None or not len(found):
            if done and found is not None:
                st.info("None of these images has a class to explain.")
                problems.left_out(found.problems)
            return
        summed = cache.figure(summary, found)
        st.markdown(_sentence(classifier, asked, found, done))
        with side:
            count = controls.slid("Channels on either side", "ch.set-count", 6, low=2, high=12, step=1)
            by = controls.one_of("Order", "ch.set-by", (MEAN, SHARED), help="By the mean, or by how many share it.")
        supporting, opposing = strongest(summed, count, by)
        place, made = st.container(), {}
        # The strongest of the first few images may not be those of all: their pictures would be made in vain.
        if done or len(found) >= AttributionPass.chunk:
            layer = classifier.layer(asked.target.layer)
            made, making_them = pictures(selection, "set-pictures", layer, [*supporting, *opposing])
            waiting.settled(making_them)
        with place:
            _cards(summed, supporting, opposing, made)
        _grid(selection, found, supporting, opposing)
        further.draw(selection, found)
        _numbers(selection, found, summed)
        problems.left_out(found.problems)


def strongest(summed: Summary, count: int, by: str) -> tuple[list[int], list[int]]:
    """The channels that support, and those that oppose, most: by their mean, or by how many images share them."""
    sides = []
    for sign, share in ((1, summed.supporting), (-1, summed.opposing)):
        keys = (-sign * summed.mean, -share) if by == SHARED else (-sign * summed.mean,)
        order = np.lexsort(keys)
        sides.append([int(one) for one in order[:count] if sign * summed.mean[one] > 0])
    return sides[0], sides[1]


def _sentence(classifier: Classifier, asked: asking.Asked, found: SetAttribution, done: bool) -> str:
    images = "image" if len(found) == 1 else "images"
    some = "" if done else f" of {len(asked.positions):,} (the others follow)"
    return (
        f"**{len(found):,} {images}**{some}, {asked.words}. Explained is {asking.in_words(classifier, asked.target)}; "
        f"the mean score is {float(found.scores.mean()):.3g} logits, and the channels' attributions sum to "
        f"{float(found.values.sum(axis=1).mean()):.3g} on average."
    )


def _cards(summed: Summary, supporting: Sequence[int], opposing: Sequence[int], made: Mapping[int, fv.Picture]) -> None:
    chosen = st.session_state.get(CHANNEL)
    for heading, side, share in (
        ("Supporting", supporting, summed.supporting),
        ("Opposing", opposing, summed.opposing),
    ):
        if side:
            st.markdown(f"**{heading}**, with the share of the images in which it is among the five strongest")
            cards = [_card(summed, one, share, one == chosen) for one in side]
            picturecards.draw(making.pixels(made, side), cards, side=118)


def _card(summed: Summary, channel: int, share: np.ndarray, chosen: bool) -> PictureCard:
    low, middle, high = summed.quartiles[:, channel]
    return PictureCard(
        f"Channel {channel} · {share[channel]:.0%}",
        f"{summed.mean[channel]:+.2f} ± {summed.deviation[channel]:.2f}",
        f"channel:{channel}",
        chosen,
        f"mean {summed.mean[channel]:+.4f}, standard deviation {summed.deviation[channel]:.4f}, quartiles {low:+.3f}, "
        f"{middle:+.3f}, {high:+.3f}; among the top five of {share[channel]:.1%} of {summed.images:,} images",
    )


def _grid(selection: Selection, found: SetAttribution, supporting: Sequence[int], opposing: Sequence[int]) -> None:
    shown = (*supporting[:COLUMNS], *opposing[:COLUMNS])
    if not shown:
        return
    st.markdown("**Image by image**")
    replay.once(_plot, selection.classifier, found, selection.photos, shown)
    if len(found) > ROWS:
        st.caption(f"{ROWS} of the {len(found):,} images, evenly spread; ordered by class, then by what supports it.")


def _plot(classifier: Classifier, found: SetAttribution, photos: ImageSet, shown: tuple[int, ...]) -> None:
    some = evenly(len(found), ROWS)
    own = found.values[:, list(shown)].clip(min=0).sum(axis=1)
    rows = some[np.lexsort((-own[some], found.positive[some]))]
    word = "most probable" if classifier.multi_label else "predicted"
    labels, names = classifier.labels, [photos.names[one] for one in found.positions]
    said = [
        f"{shortened(names[row], 40)}: {labels[found.positive[row]]}, {word} {labels[found.predicted[row]]}, "
        f"{found.probability[row]:.0%}"
        for row in rows
    ]
    titles = [f"{labels[found.positive[row]]}: {names[row]}" for row in rows]
    charts.draw(figures.grid(found.values[rows][:, list(shown)], shown, titles, said), config=PLOT)


def _numbers(selection: Selection, found: SetAttribution, summed: Summary) -> None:
    with st.expander("The numbers of all channels", key="ch-set-numbers", on_change="rerun") as opened:
        if not opened.open:
            return
        replay.once(_table, summed)
        with st.container(horizontal=True):
            export.download("Channels as CSV", "loupe-channels-of-the-set.csv", lambda: rows(summed))
            export.download("Every image as NPZ", "loupe-channels-of-the-set.npz", lambda: _arrays(selection, found))


def rows(summed: Summary) -> list[dict[str, float]]:
    """A row for each channel, those with the largest mean first."""
    columns = _columns(summed)
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _columns(summed: Summary) -> dict[str, list[Any]]:
    order = np.argsort(-summed.mean, kind="stable")
    columns = {
        "mean": summed.mean,
        "standard deviation": summed.deviation,
        "lower quartile": summed.quartiles[0],
        "median": summed.quartiles[1],
        "upper quartile": summed.quartiles[2],
        "share among the five most supporting": summed.supporting,
        "share among the five most opposing": summed.opposing,
    }
    return {"channel": order.tolist(), **{name: one[order].tolist() for name, one in columns.items()}}


def _table(summed: Summary) -> None:
    st.dataframe(_columns(summed), hide_index=True, height=320)


def _arrays(selection: Selection, found: SetAttribution) -> dict[str, np.ndarray]:
    names = np.array([selection.photos.names[one] for one in found.positions], str)
    fields = ("positive", "negative", "predicted", "probability", "scores", "values")
    return {"names": names, **{name: getattr(found, name) for name in fields}}
