"""The frame of every page: title, navigation, and the sidebar in which classifier and images are chosen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

import cache
from interp.types import Classifier
from pages.parts.frame import image_sets, loaded, what_was_read
from pages.parts.kit import address, classifiers, markup, over_set, pickers, problems, replay, server, waiting
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain


class Link(NamedTuple):
    """A page by its file, its title, and a Material icon; `needs_classes` where it says nothing without a head."""

    file: str
    title: str
    icon: str
    needs_classes: bool = True


OVERVIEW = "Overview"
PAGES = {
    "The model": [
        Link("app.py", OVERVIEW, ":material/grid_view:"),
        Link("pages/feature_visualization.py", "Feature visualization", ":material/texture:", needs_classes=False),
        Link("pages/units.py", "Units", ":material/apps:", needs_classes=False),
        Link("pages/class_summary.py", "Class summaries", ":material/hub:"),
        Link("pages/atlas.py", "Activation atlas", ":material/map:", needs_classes=False),
    ],
    "One photograph": [
        Link("pages/saliency.py", "Saliency comparison", ":material/blur_on:"),
        Link("pages/channel_attribution.py", "Channel attribution", ":material/account_tree:"),
    ],
    "The image set": [
        Link("pages/embeddings.py", "Embedding explorer", ":material/scatter_plot:", needs_classes=False),
        Link("pages/shared_interest.py", "Shared Interest", ":material/join_inner:"),
    ],
}

# Streamlit fetches an icon that is only named from a server of fonts.
ICON = str(Path(__file__).with_name("loupe.svg"))


def page(title: str, sentence: str) -> Selection:
    """Draw what all pages share, and give what was chosen. Must be a page's first call; `body` is the next.

    Where classifier or images cannot be had, the page ends here and says why; the pickers stay. So does a page that
    needs classes, by its entry in `PAGES`, for a classifier without a head.
    """
    st.set_page_config(page_title=f"{title} · Loupe", page_icon=ICON, layout="wide")
    markup.stylesheet()
    pickers.go_on()
    waiting.begin()
    scope = cache.Scope(waiting.visitor(), title).enter()
    with st.sidebar:
        replay.once(_navigation)
        model = classifiers.choose()
        beneath = st.container()
        images, about = image_sets.images(model)
    replay.once(_head, title, sentence)
    if missed := address.missed("model"):
        st.info(f"There is no classifier {plain(missed)} here, which the address asks for. Another one is shown.")
    for problem in server.options().problems:
        st.warning(plain(problem))
    classifier = waiting.value(classifiers.ask(scope.shared, model))
    photos = image_sets.image_set(scope, images).counting_from(what_was_read.start())
    with beneath:
        replay.once(loaded.facts, classifier, cache.prepared.said_of(classifier.fingerprint))
    labels = image_sets.match(classifier, photos)
    with about:
        what_was_read.draw(photos, labels)
    problems.left_out(photos.problems)
    if not len(photos):
        st.info("None of these images could be opened. Choose another set, or add JPEG or PNG files in the sidebar.")
        st.stop()
    without_head = sorted(link for links in PAGES.values() for link in links if not link.needs_classes)
    if not classifier.labels and title not in {link.title for link in without_head}:
        _without_head(classifier, without_head)
        st.stop()
    if not classifier.has_maps and title != OVERVIEW:
        st.info(
            f"This page needs a layer with a map, and {plain(classifier.name)} has none: it looks at the whole picture "
            "at once, as networks of linear layers do. The Overview runs on it."
        )
        st.stop()
    if not classifier.deterministic:
        # Beside the result, too: on a phone the sidebar is closed.
        st.warning(
            f"{plain(classifier.name)} draws at random: it gives other scores, and other maps, each time that it runs.",
            icon=":material/casino:",
        )
    return Selection(scope, classifier, photos, labels)


def body(draw: Callable[[Selection], None], selection: Selection) -> None:
    """Draw all of a page but what stands around it: what is chosen in it draws it anew, and no frame.

    Must be a page's last call. Where something was chosen or changed that the frame depends on, the whole is drawn.
    """
    _body(draw, selection, (classifiers.state(), image_sets.state()))


@st.fragment
def _body(draw: Callable[[Selection], None], selection: Selection, state: tuple[object, ...]) -> None:
    context = get_script_run_ctx()
    if context is not None and context.fragment_ids_this_run:
        # A set whose files have changed is opened anew by the frame.
        if state != (classifiers.state(), image_sets.state()) or selection.photos.changed():
            st.rerun()
        waiting.begin()
    draw(selection)
    over_set.expect_features(selection.scope, selection.classifier, selection.photos)


def _without_head(classifier: Classifier, links: list[Link]) -> None:
    st.info(
        f"This page needs classes, and {plain(classifier.name)} has none: its weights have no head. These pages run on "
        "it:"
    )
    for link in links:
        st.page_link(link.file, label=link.title, icon=link.icon)


def _head(title: str, sentence: str) -> None:
    st.markdown(f"# {title}\n\n{sentence}")


def _navigation() -> None:
    # Every message costs the server as much as a small computation, so headings share theirs.
    heading = "### :material/search: Loupe\n\n"
    for section, links in PAGES.items():
        st.markdown(f"{heading}:gray[:small[{section}]]")
        heading = ""
        for link in links:
            st.page_link(link.file, label=link.title, icon=link.icon, width="stretch")


def how_to_read(text: str) -> None:
    """Close a page with what its picture means, where it comes from, and where it misleads."""
    replay.once(_how_to_read, text)


def _how_to_read(text: str) -> None:
    with st.expander("How to read this", icon=":material/menu_book:"):
        st.markdown(text)
