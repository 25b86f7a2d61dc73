"""Choosing the image set."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

import cache
from interp import images as sets
from interp import models
from interp.images import ImageSet
from interp.models import LabelMatch
from interp.models.scenes import bundled
from interp.types import Classifier
from pages.parts.frame import opening, uploading, what_was_read
from pages.parts.frame.opening import Source
from pages.parts.kit import address, handmade, server
from pages.parts.kit.pickers import DRAWN, SELECTED
from pages.parts.kit.text import plain

UPLOADS = uploading.KEY
_OF_THE_SESSION = (UPLOADS, SELECTED, DRAWN)
_MISSED = "images-missed"
MORE = 2000
_BUNDLED = tuple(offer.source for offer in sets.available(None))


def images(model: str) -> tuple[Source, DeltaGenerator]:
    """Draw the picker of image sets and the uploader; gives what `image_set` takes, and where to say what it is."""
    root = server.options().images
    # A folder that is called as one of a session's own sets is told apart by the leading dot.
    offers = {
        f"./{offer.source}" if offer.source in _OF_THE_SESSION else offer.source: offer.title
        for offer in _offered_images(root)
    }
    if uploaded := uploading.own().files:
        offers[UPLOADS] = f"Your uploads ({len(uploaded):,})"
    if selected := st.session_state.get(SELECTED):
        offers[SELECTED] = f"Your selection ({len(selected):,})"
    if drawn_on := handmade.drawn_set():
        offers[DRAWN] = f"Drawn by hand ({len(drawn_on):,})"
    default = _fitting(model, list(offers))
    typed = root is not None
    _missed(st.query_params.get("images"))
    # The picker takes a title that is typed for the set of that title, so an address may give it, too.
    titled = {title: source for source, title in reversed(offers.items())}
    wished = address.seed(
        "images",
        default,
        valid=lambda one: _valid(one, offers, typed=typed),
        parse=lambda text: text if text in offers else titled.get(text, text),
    )
    if more := sets.MORE_SCENES.fullmatch(wished or ""):
        offers[wished] = f"{int(more[1]):,} further scenes"
    path = st.selectbox(
        "Images",
        list(offers),
        format_func=lambda one: offers.get(one) or one,
        key="images",
        accept_new_options=typed,
        on_change=_chosen,
        help="Choose a set, or type the path of one inside the server's image folder." if typed else None,
    )
    address.publish("images", None if path in (default, *_OF_THE_SESSION) else path)
    if path == "scenes" or more:
        _more_scenes(int(more[1]) if more else MORE)
    of_the_server = typed and path not in (*_BUNDLED, *_OF_THE_SESSION) and not more
    annotations, marked = _annotations() if of_the_server else (None, None)
    about = st.container()
    uploading.draw(_turn_to_uploads)
    return Source(path or default, annotations, marked), about


def _valid(source: str | None, offers: dict[str, str], *, typed: bool) -> bool:
    if source in offers:
        return True
    if source in _OF_THE_SESSION:
        return False
    return bool(source) and (typed or sets.MORE_SCENES.fullmatch(source) is not None)


def _more_scenes(count: int) -> None:
    """Draw the field for a number of further scenes, which are drawn as they are looked at."""
    with st.popover("More scenes", key="more-scenes", on_change="rerun", type="tertiary") as field:
        if field.open:
            st.number_input(
                "How many",
                min_value=10,
                max_value=1_000_000,
                value=count,
                step=10,
                key="scenes-count",
                on_change=_turn_to_more_scenes,
                help="Drawn anew from a seed, 12 ms each: the same number gives the same scenes.",
            )


def _turn_to_more_scenes() -> None:
    st.session_state["images"] = f"scenes:{st.session_state['scenes-count']}"


def _annotations() -> tuple[str | None, tuple[int, ...] | None]:
    """Draw the fields for annotations that lie elsewhere than the pictures, and for what masks' values mean."""
    address.seed("annotations", "", valid=lambda text: True, parse=str)
    address.seed("marked", "", valid=lambda text: True, parse=str)
    given = any(st.session_state[key] for key in ("annotations", "marked"))
    with st.expander("Annotations", expanded=given):
        path = st.text_input(
            "File or folder",
            key="annotations",
            placeholder="as found",
            help="What marks the pictures is found in the set's own folder. For another: a file of COCO, Pascal VOC, "
            "CVAT, LabelMe, Label Studio or VIA, or a folder of such files, of YOLO's, or of masks named like the "
            "pictures; its path inside the server's image folder.",
        ).strip()
        values = st.text_input(
            "Values of masks that are marked",
            key="marked",
            placeholder="as found",
            help="For masks whose values are not 0 for background: such as 1, or 1, 3.",
        )
        marked, wrong = _numbers(values)
        if wrong:
            st.warning(f"{plain(wrong)!r} is no whole number: give values such as 1, 3.")
    address.publish("annotations", path or None)
    address.publish("marked", values.strip() or None)
    return path or None, marked


def _numbers(text: str) -> tuple[tuple[int, ...] | None, str]:
    """Whole numbers between commas, and the first that is none; None where there is nothing."""
    parts = [part.strip() for part in text.replace(";", ",").split(",") if part.strip()]
    wrong = next((part for part in parts if not (part.isdecimal() and len(part) < 9)), "")
    return (tuple(int(part) for part in parts) if parts and not wrong else None), wrong


def image_set(scope: cache.Scope, source: Source) -> ImageSet:
    """The chosen set. Where it cannot be opened the page ends here and says why."""
    # Beside the result: on a phone the sidebar is closed.
    if missed := st.session_state.get(_MISSED):
        st.info(missed)
    elif (unknown := address.missed("images")) and unknown not in _OF_THE_SESSION:
        st.info(f"There is no image set {plain(unknown)} here, which the address asks for. Another one is shown.")
    if source.path in _OF_THE_SESSION:
        own = _of_the_session(source.path)
        if own is None:
            st.info("There is no such set in this browser session. Choose one, or add pictures, in the sidebar.")
            st.stop()
        return own
    root = None if source.path in _BUNDLED else server.options().images
    return opening.image_set(scope, source, root)


def state() -> tuple[object, ...]:
    """What is chosen of images, and the session's own sets: equal as long as the frame need not be drawn anew."""
    chosen = [st.session_state.get(key) for key in ("images", "annotations", "marked", what_was_read.NUMBERING)]
    return (*chosen, st.session_state.get(SELECTED), handmade.drawn_set(), uploading.own().files)


def match(classifier: Classifier, photos: ImageSet) -> LabelMatch:
    """The set's labels as the classifier's classes."""
    return cache.lookup(models.match_set, classifier, photos)


# As resources, which are not copied: unpickling a hundred offers took a tenth of a rerun.
@st.cache_resource(ttl=20, show_spinner=False)
def _offered_images(root: Path | None) -> tuple[sets.SetOffer, ...]:
    return sets.available(root)


def _fitting(model: str, sources: list[str]) -> str:
    """The set that shows a classifier at work before anybody has chosen one."""
    if model in bundled.REASON_OF:
        return "scenes"
    if model in sources:
        return model
    own = [source for source in sources if source not in (*_BUNDLED, *_OF_THE_SESSION)]
    return own[0] if own else "photographs"


def _turn_to_uploads() -> None:
    st.session_state["images"] = UPLOADS
    _chosen()


def _chosen() -> None:
    st.session_state.pop(_MISSED, None)
    _missed(st.session_state["images"])


def _missed(wished: str | None) -> None:
    """Where a set of another session is asked for, or of none any more, keep the sentence that says so."""
    if wished in _OF_THE_SESSION and _of_the_session(wished) is None:
        said = {UPLOADS: "Uploads", SELECTED: "Selections", DRAWN: "Drawn images"}[wished]
        st.session_state[_MISSED] = (
            f"{said} are there only in the browser session that made them, and this one has none; here is the set that "
            "is shown at first. Choose another, or add your own."
        )


def _of_the_session(path: str) -> ImageSet | None:
    """A set of this session's own; None where it has none."""
    if path == UPLOADS:
        return uploading.own().image_set() if uploading.own().files else None
    return st.session_state.get(SELECTED) if path == SELECTED else handmade.drawn_set()
