"""From a case to the set: which other images are decided by a channel, and where to go on with them."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st
from jaxtyping import Int

from interp.channels.over_set import SetAttribution, SetTarget, among
from interp.figures import framed
from interp.set_pass import spread
from pages.parts.cards import picturecards
from pages.parts.cards.picturecards import PictureCard
from pages.parts.channels import asking
from pages.parts.channels.subject import CHANNEL
from pages.parts.kit import export, pickers, waiting
from pages.parts.kit.pickers import BESIDE
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain, shortened

SHOWN, TOP = 16, 5

READING = (
    "**From a case to the set.** The images are ordered by what the chosen channel adds to the score of the class that "
    "is explained in each. A channel *decides* an image, here, when it is among the five that support that class most; "
    "what an image would do without it, *Effects* measures. The frame is where the channel is most active."
)


def in_the_set(selection: Selection, layer: str) -> None:
    """For the channel that was clicked last: attribute it in the whole set, and draw the images that it decides.

    In an expander, for views of single photographs; nothing is computed while that is closed.
    """
    channel = st.session_state.get(CHANNEL)
    if channel is None or channel >= selection.classifier.layer(layer).channels:
        return
    heading = f"Which other images are decided by channel {channel}?"
    with st.expander(heading, key="ch-further", on_change="rerun", icon=":material/photo_library:") as opened:
        if not opened.open:
            selection.scope.release("further")
            return
        job = asking.ask(selection, "further", SetTarget(layer), spread(np.arange(len(selection.photos))))
        waiting.settled(job)
        found = asking.latest(job)
        if found is not None and len(found):
            st.caption(f"{len(found):,} images of {plain(selection.photos.name)}, each for its predicted class.")
            gallery(selection, found, channel)


def draw(selection: Selection, found: SetAttribution) -> None:
    """For the channel that was clicked last, the images that it decides; says what to click where none was."""
    channel = st.session_state.get(CHANNEL)
    if channel is None or channel >= found.values.shape[1]:
        st.caption("Click a channel to see which images it decides.")
        return
    st.markdown(f"#### Which images are decided by channel {channel}?")
    gallery(selection, found, channel)


def gallery(selection: Selection, found: SetAttribution, channel: int) -> None:
    """The images that a channel supports most, with what it adds to each, and where to go on with them."""
    photos = selection.photos
    order, decided = ranked(found, channel)
    st.markdown(
        f"It is among the {TOP} that support the class most in **{len(decided):,} of {len(found):,}** images, and "
        f"supports it at all in {int((found.values[:, channel] > 0).sum()):,}. The first {min(SHOWN, len(order))}:"
    )
    shown = order[:SHOWN]
    positions = found.positions[shown]
    layer = selection.classifier.layer(found.target.layer)
    job = selection.scope.compute("decided", framed.strongest, selection.classifier, photos, layer, channel, positions)
    place = st.container()
    drawn_already = job.value if waiting.settled(job) else (None,) * len(shown)
    captions = [
        PictureCard(
            shortened(photos.names[position], 26),
            f"{found.values[row, channel]:+.2f} · {selection.classifier.labels[found.positive[row]]}",
            about=f"{photos.names[position]}: {found.values[row, channel]:+.4f} of {found.scores[row]:.3f} for "
            f"{selection.classifier.labels[found.positive[row]]}",
        )
        for row, position in zip(shown, positions, strict=True)
    ]
    with place:
        picturecards.draw(drawn_already, captions, side=104)
    _onwards(selection, found, channel, decided if len(decided) else shown)


def ranked(found: SetAttribution, channel: int) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " m"]]:
    """The images, as rows, by what the channel adds, most first; and those in which it is among the top five."""
    order = np.argsort(-found.values[:, channel], kind="stable")
    top = among(found.values, TOP)[:, channel]
    return order, order[top[order]]


def _onwards(selection: Selection, found: SetAttribution, channel: int, rows: np.ndarray) -> None:
    """The buttons that lead on with these images."""
    positions = found.positions[rows].tolist()
    kept: tuple[Any, ...] = (selection.photos, positions, positions[0])
    these = f"these {len(positions):,} images" if len(positions) > 1 else "this image"
    with st.container(horizontal=True):
        st.button(
            f"Explore {these}",
            icon=":material/scatter_plot:",
            key="ch-explore",
            on_click=pickers.keep,
            args=(*kept, "pages/embeddings.py"),
            help="As 'Your selection' in the embedding explorer, and on all pages, as long as this tab is open.",
        )
        if st.button(
            "Compare their saliency", icon=":material/blur_on:", key="ch-compare", on_click=_compare, args=(positions,)
        ):
            st.switch_page("pages/saliency.py")
        st.button(
            "Make them an image set", icon=":material/photo_library:", key="ch-keep", on_click=pickers.keep, args=kept
        )
        export.download("As CSV", f"loupe-images-of-channel-{channel}.csv", lambda: listed(selection, found, channel))


def _compare(positions: list[int]) -> None:
    st.session_state["image"], st.session_state["beside"] = positions[0], positions[1 : BESIDE + 1]


def listed(selection: Selection, found: SetAttribution, channel: int) -> list[dict[str, Any]]:
    """A row for each image: what the channel adds to the class's score, and whether it is among the top five."""
    order, decided = ranked(found, channel)
    labels, top = selection.classifier.labels, set(decided.tolist())
    return [
        {
            "image": selection.photos.names[found.positions[row]],
            "class": labels[found.positive[row]],
            "against": labels[found.negative[row]] if found.negative[row] >= 0 else "",
            "predicted": labels[found.predicted[row]],
            "channel": channel,
            "attribution": float(found.values[row, channel]),
            "score": float(found.scores[row]),
            "among the top five": row in top,
        }
        for row in order.tolist()
    ]
