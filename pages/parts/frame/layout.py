"""The frame of every page: title, navigation, and the sidebar in which classifier and images are chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

import cache
from interp.images import ImageSet, Problem
from interp.models import LabelMatch
from interp.types import Classifier
from pages.parts.frame import classifiers, loaded, pickers, server, what_was_read
from pages.parts.kit import markup, replay, waiting
from pages.parts.kit.text import plain

PAGES = {
    "The model": [
        ("app.py", "Overview", ":material/grid_view:"),
        ("pages/feature_visualization.py", "Feature visualization", ":material/texture:"),
    ],
    "One photograph": [
        ("pages/saliency.py", "Saliency comparison", ":material/blur_on:"),
        ("pages/channel_attribution.py", "Channel attribution", ":material/account_tree:"),
    ],
    "The image set": [
        ("pages/embeddings.py", "Embedding explorer", ":material/scatter_plot:"),
        ("pages/shared_interest.py", "Shared Interest", ":material/join_inner:"),
    ],
}


# Of what was changed in reading pictures so many sentences are shown.
SAID = 5
# So many problems stand in full sentences.
FEW = 3
NO_PICTURE = ("By its extension this is not a picture", "By its name it is for people")


@dataclass(frozen=True)
class Selection:
    """What a page works on: who looks, the classifier, the images, and their labels as the classifier's classes."""

    visitor: cache.Visitor
    classifier: Classifier
    photos: ImageSet
    labels: LabelMatch


def page(title: str, sentence: str, *, needs_classes: bool = True) -> Selection:
    """Draw what all pages share, and give what was chosen. Must be a page's first call.

    Where classifier or images cannot be had, the page ends here and says why; the pickers stay. So does a page that
    `needs_classes` for a classifier without a head.
    """
    st.set_page_config(page_title=f"{title} · Loupe", page_icon=":material/search:", layout="wide")
    markup.stylesheet()
    waiting.begin()
    visitor = waiting.visitor()
    for slot in visitor.slots:
        if not slot.startswith((f"{title}/", "shared/")):
            visitor.release(slot)
    with st.sidebar:
        replay.once(_navigation)
        model = classifiers.choose()
        beneath = st.container()
        images, about = pickers.images(model)
    replay.once(_head, title, sentence)
    for problem in server.options().problems:
        st.warning(plain(problem))
    classifier = waiting.value(classifiers.ask(visitor, model))
    photos = pickers.image_set(visitor, images).counting_from(what_was_read.start())
    with beneath:
        replay.once(loaded.facts, classifier)
    labels = pickers.match(classifier, photos)
    with about:
        what_was_read.draw(photos, labels)
    left_out(photos.problems)
    if not len(photos):
        st.info("None of these images could be opened. Choose another set, or add JPEG or PNG files in the sidebar.")
        st.stop()
    if needs_classes and not classifier.labels:
        _without_head(classifier)
        st.stop()
    if not classifier.deterministic:
        # Beside the result, too: on a phone the sidebar is closed.
        st.warning(
            f"{plain(classifier.name)} draws at random: it gives other scores, and other maps, each time that it runs.",
            icon=":material/casino:",
        )
    return Selection(visitor, classifier, photos, labels)


def view_title(selection: Selection, title: str, view: str) -> str:
    """The title under which a view of a page asks for results; what its other views have asked for is stopped."""
    own = f"{title}/{view}"
    for slot in selection.visitor.slots:
        if slot.startswith(f"{title}/") and not slot.startswith(f"{own}/"):
            selection.visitor.release(slot)
    return own


def _without_head(classifier: Classifier) -> None:
    st.info(
        f"This page needs classes, and {plain(classifier.name)} has none: its weights have no head. These pages run on "
        "it:"
    )
    st.page_link("pages/embeddings.py", label="Embedding explorer", icon=":material/scatter_plot:")
    st.page_link("pages/feature_visualization.py", label="Feature visualization", icon=":material/texture:")


def _head(title: str, sentence: str) -> None:
    st.markdown(f"# {title}\n\n{sentence}")


def _navigation() -> None:
    # Every message costs the server as much as a small computation, so headings share theirs.
    heading = "### :material/search: Loupe\n\n"
    for section, links in PAGES.items():
        st.markdown(f"{heading}:gray[:small[{section}]]")
        heading = ""
        for path, label, icon in links:
            st.page_link(path, label=label, icon=icon, width="stretch")


def left_out(problems: Sequence[Problem]) -> None:
    """Name what could not be used, each with its reason; nothing is drawn where there is none."""
    if not problems:
        return
    # What stands beside pictures without being one hides nothing that is worse.
    ordered = sorted(problems, key=lambda one: one.reason.startswith(NO_PICTURE))
    count, worse = len(ordered), not ordered[0].reason.startswith(NO_PICTURE)
    with st.expander(f"{count:,} left out", expanded=worse and count <= FEW):
        rows = [{"what": one.name, "why": one.reason} for one in ordered]
        if count <= FEW:
            st.table(
                {name: [plain(row[name], limit=1000) for row in rows] for name in ("what", "why")}, hide_index=True
            )
        else:
            st.dataframe(rows, hide_index=True)


def read_otherwise(remarks: Sequence[Problem]) -> None:
    """Say in reading which pictures something was guessed or changed; nothing is drawn where there are none."""
    said: dict[str, list[str]] = {}
    for one in remarks:
        said.setdefault(one.reason, []).append(one.name)
    for text, names in list(said.items())[:SAID]:
        which = plain(names[0]) if len(names) == 1 else f"{len(names):,} pictures, such as {plain(names[0])}"
        st.caption(f":material/info: {which}: {plain(text)}")
    if len(said) > SAID:
        rest = {name for names in list(said.values())[SAID:] for name in names}
        st.caption(f":material/info: And {len(rest):,} more in whose reading something was changed.")


def how_to_read(text: str) -> None:
    """Close a page with what its picture means, where it comes from, and where it misleads."""
    replay.once(_how_to_read, text)


def _how_to_read(text: str) -> None:
    with st.expander("How to read this", icon=":material/menu_book:"):
        st.markdown(text)
