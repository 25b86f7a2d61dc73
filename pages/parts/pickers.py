"""Choosing: the image set, and one image of it or some."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

import cache
from interp import images as image_sets
from interp import models
from interp.images import ImageSet
from interp.models import LabelMatch
from interp.models.scenes import bundled
from interp.types import Classifier
from pages.parts import address, handmade, server, waiting
from pages.parts.text import shortened

UPLOADS, SELECTED, DRAWN = "uploads", "selected", "drawn"
_OF_THE_SESSION = (UPLOADS, SELECTED, DRAWN)
LARGE = 2000
MORE = 2000
BESIDE = 7
_BUNDLED = tuple(offer.source for offer in image_sets.available(None))


@dataclass(frozen=True)
class Source:
    """An image set as it was chosen: a bundled one's name or a path, and where its annotations lie, if elsewhere."""

    path: str
    annotations: str | None


# Pasted pictures are put into the uploader, so that they take its way, with its limits.
_PASTE = st.components.v2.component(
    "loupe_paste",
    js="""
export default function () {
  const paste = (event) => {
    const pictures = [...(event.clipboardData?.files ?? [])].filter((file) => file.type.startsWith("image/"));
    const input = document.querySelector(".st-key-uploads input[type=file]");
    if (!pictures.length || !input) return;
    const transfer = new DataTransfer();
    pictures.forEach((file) => transfer.items.add(file));
    input.files = transfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    event.preventDefault();
  };
  document.addEventListener("paste", paste);
  return () => document.removeEventListener("paste", paste);
}
""",
)


def images(model: str) -> Source:
    """Draw the picker of image sets and the uploader; gives what `image_set` takes."""
    root = server.options().images
    offers = {offer.source: offer.title for offer in _offered_images(root)}
    uploaded = st.session_state.get(UPLOADS) or []
    if uploaded:
        offers[UPLOADS] = f"Your uploads ({len(uploaded)})"
    if selected := st.session_state.get(SELECTED):
        offers[SELECTED] = f"Your selection ({len(selected):,})"
    if drawn_on := handmade.drawn_set():
        offers[DRAWN] = f"Drawn by hand ({len(drawn_on):,})"
    default = _fitting(model, list(offers))
    typed = root is not None
    wished = address.seed("images", default, valid=lambda one: _valid(one, offers, typed=typed), parse=str)
    if more := image_sets.MORE_SCENES.fullmatch(wished or ""):
        offers[wished] = f"{int(more[1]):,} further scenes"
    path = st.selectbox(
        "Images",
        list(offers),
        format_func=lambda one: offers.get(one, one),
        key="images",
        accept_new_options=typed,
        help="Choose a set, or type the path of one inside the server's image folder." if typed else None,
    )
    address.publish("images", None if path in (default, *_OF_THE_SESSION) else path)
    if path == "scenes" or more:
        _more_scenes(int(more[1]) if more else MORE)
    annotations = _annotations() if typed and path not in (*_BUNDLED, *_OF_THE_SESSION) and not more else None
    st.file_uploader(
        "Add your own: drop, choose, or paste",
        accept_multiple_files=True,
        key=UPLOADS,
        on_change=_turn_to_uploads,
        help="JPEG, PNG, WebP, TIFF or BMP; up to 50 MB each. They stay in this browser session.",
    )
    _PASTE(key="paste", height=0)
    return Source(path or default, annotations)


def _valid(source: str | None, offers: dict[str, str], *, typed: bool) -> bool:
    if source in offers:
        return True
    return bool(source) and (typed or image_sets.MORE_SCENES.fullmatch(source) is not None)


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


def _annotations() -> str | None:
    """Draw the field for annotations that lie elsewhere than the pictures; gives their path, or None."""
    with st.expander("Annotations", expanded=bool(st.query_params.get("annotations"))):
        address.seed("annotations", "", valid=lambda text: True, parse=str)
        path = st.text_input(
            "File or folder",
            key="annotations",
            placeholder="masks",
            help="A COCO JSON, a Pascal VOC XML, or a folder of XMLs or of PNG masks named like the pictures; its path "
            "inside the server's image folder.",
        ).strip()
        address.publish("annotations", path or None)
    return path or None


def image_set(visitor: cache.Visitor, source: Source) -> ImageSet:
    """The chosen set. Where it cannot be opened the page ends here and says why."""
    if source.path == UPLOADS:
        return _uploaded(st.session_state[UPLOADS])
    if source.path == SELECTED:
        return st.session_state[SELECTED]
    if source.path == DRAWN and (drawn_on := handmade.drawn_set()):
        return drawn_on
    root = None if source.path in _BUNDLED else server.options().images
    stamps = tuple(server.stamp(root / path) for path in (source.path, source.annotations) if root and path)
    question = cache.call(_open_images, source.path, source.annotations, root, stamps)
    return waiting.value(visitor.ask("shared/images", question, disk=False, device="images"))


def keep(photos: ImageSet, positions: Sequence[int], position: int) -> None:
    """Make some images of a set the set that all pages work on in this session; for a callback.

    It goes on with the same image, where that is among them.
    """
    st.session_state[SELECTED] = image_sets.subset(photos, positions)
    st.session_state["images"] = SELECTED
    st.session_state["image"] = positions.index(position) if position in positions else 0
    st.session_state["beside"] = []


def match(classifier: Classifier, photos: ImageSet) -> LabelMatch:
    """The set's labels as the classifier's classes."""
    return cache.get(cache.call(models.match_set, classifier, photos), disk=False, device="lists")


def image(photos: ImageSet, *, default: int = 0) -> int:
    """Draw the picker of one image; gives its position in the set."""
    positions = _positions(photos)
    address.seed("image", default, valid=range(len(photos)).__contains__, parse=lambda text: positions.get(text, -1))
    if len(photos) <= LARGE:
        chosen = st.selectbox(
            "Image", range(len(photos)), format_func=lambda i: shortened(photos.names[i], 48), key="image"
        )
    else:
        chosen = st.number_input(f"Image, 0 to {len(photos) - 1:,}", 0, len(photos) - 1, key="image")
        st.text(shortened(photos.names[chosen], 48))
    address.publish("image", photos.names[chosen])
    return chosen


def further_images(photos: ImageSet, first: int) -> tuple[int, ...]:
    """Draw the picker of images to put beside the first; gives the positions of all, the first one included."""
    positions = _positions(photos)

    def parse(text: str) -> list[int]:
        return [positions[name] for name in text.split("|") if name in positions]

    address.seed("beside", [], valid=lambda some: all(one in range(len(photos)) for one in some), parse=parse)
    if len(photos) > LARGE:
        return (first,)
    chosen = st.multiselect(
        "Beside it",
        range(len(photos)),
        format_func=lambda i: shortened(photos.names[i], 48),
        key="beside",
        max_selections=BESIDE,
        placeholder="Up to 7 other images",
    )
    address.publish("beside", "|".join(photos.names[i] for i in chosen) or None)
    return (first, *(one for one in chosen if one != first))


def _positions(photos: ImageSet) -> dict[str, int]:
    return cache.get(cache.call(_index, photos), disk=False, device="lists")


def _index(photos: ImageSet) -> dict[str, int]:
    return {name: position for position, name in enumerate(photos.names)}


def _open_images(path: str, annotations: str | None, root: Path | None, stamps: tuple[int, ...]) -> ImageSet:
    return image_sets.load(path, annotations=annotations, root=root)


# As resources, which are not copied: unpickling a hundred offers took a tenth of a rerun.
@st.cache_resource(ttl=20, show_spinner=False)
def _offered_images(root: Path | None) -> tuple[image_sets.Offer, ...]:
    return image_sets.available(root)


def _fitting(model: str, sources: list[str]) -> str:
    """The set that shows a classifier at work before anybody has chosen one."""
    if model in bundled.REASON_OF:
        return "scenes"
    if model in sources:
        return model
    own = [source for source in sources if source not in (*_BUNDLED, *_OF_THE_SESSION)]
    return own[0] if own else "photographs"


def _turn_to_uploads() -> None:
    st.session_state["images"] = UPLOADS if st.session_state[UPLOADS] else None


def _uploaded(files: list[UploadedFile]) -> ImageSet:
    marks = tuple(file.file_id for file in files)
    if st.session_state.get("uploads_read", (None,))[0] != marks:
        read = image_sets.from_files([(file.name, file.getvalue()) for file in files], name=UPLOADS)
        st.session_state["uploads_read"] = (marks, read)
    return st.session_state["uploads_read"][1]
