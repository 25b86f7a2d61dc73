"""Choosing: the classifier, the image set, one image of it, and the class to explain."""

from __future__ import annotations

import streamlit as st
import torch
from streamlit.runtime.uploaded_file_manager import UploadedFile

import cache
from interp import images as image_sets
from interp import models
from interp.images import ImageSet
from interp.models import LabelMatch
from interp.types import Classifier, Target
from pages.parts import address, server, waiting
from pages.parts.text import plain, shortened

UPLOADS = "uploads"
LARGE = 2000
TOP = 5
PREDICTED, NOTHING = -1, -2

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


def model() -> str:
    """Draw the picker of classifiers; gives the name that `models.load` takes."""
    offers = {offer.name: offer for offer in _offered_models(server.options().models)}
    default = next(iter(offers))
    address.seed("model", default, valid=offers.__contains__, parse=str)
    name = st.selectbox(
        "Classifier",
        list(offers),
        format_func=lambda name: offers[name].title,
        key="model",
        help="Bundled ones, your own (from the folder given with --models), and torchvision's by name.",
    )
    address.publish("model", None if name == default else name)
    if offers[name].note:
        st.caption(plain(offers[name].note))
    return name


def ask_model(visitor: cache.Visitor, name: str) -> cache.Job:
    """The job that loads a classifier; whoever asks for the same one waits for the same job."""
    folder = server.options().models
    stamp = _stamp(folder)
    return visitor.ask("shared/model", cache.call(_load_model, name, folder, stamp), disk=False, device="loading")


def images(model: str) -> str:
    """Draw the picker of image sets and the uploader; gives the source that `image_set` takes."""
    offers = {offer.source: offer.title for offer in _offered_images(server.options().images)}
    uploaded = st.session_state.get(UPLOADS) or []
    if uploaded:
        offers[UPLOADS] = f"Your uploads ({len(uploaded)})"
    default = _fitting(model, list(offers))
    address.seed("images", default, valid=offers.__contains__, parse=str)
    source = st.selectbox("Images", list(offers), format_func=offers.__getitem__, key="images")
    address.publish("images", None if source in (default, UPLOADS) else source)
    st.file_uploader(
        "Add your own: drop, choose, or paste",
        accept_multiple_files=True,
        key=UPLOADS,
        on_change=_turn_to_uploads,
        help="JPEG, PNG, WebP, TIFF or BMP; up to 50 MB each. They stay in this browser session.",
    )
    _PASTE(key="paste", height=0)
    return source


def image_set(visitor: cache.Visitor, source: str) -> ImageSet:
    """The chosen set. Where it cannot be opened the page ends here and says why."""
    if source == UPLOADS:
        return _uploaded(st.session_state[UPLOADS])
    root = server.options().images
    stamp = _stamp(root / source) if root else 0
    job = visitor.ask("shared/images", cache.call(_open_images, source, root, stamp), disk=False, device="loading")
    return waiting.value(job)


def match(classifier: Classifier, photos: ImageSet) -> LabelMatch:
    """The set's labels as the classifier's classes."""
    return cache.get(cache.call(_match, classifier, photos), disk=False)


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


def _positions(photos: ImageSet) -> dict[str, int]:
    return cache.get(cache.call(_index, photos), disk=False)


def _index(photos: ImageSet) -> dict[str, int]:
    return {name: position for position, name in enumerate(photos.names)}


def _match(classifier: Classifier, photos: ImageSet) -> LabelMatch:
    return models.match_labels(photos.labels, classifier)


def _load_model(name: str, folder, stamp: int) -> Classifier:
    return models.load(name, folder=folder)


def _open_images(source: str, root, stamp: int) -> ImageSet:
    bundled = source in {offer.source for offer in image_sets.available(None)}
    return image_sets.load(source, root=None if bundled else root)


@st.cache_data(ttl=20, show_spinner=False)
def _offered_models(folder) -> tuple:
    return models.available(folder)


@st.cache_data(ttl=20, show_spinner=False)
def _offered_images(root) -> tuple:
    return image_sets.available(root)


def _fitting(model: str, sources: list[str]) -> str:
    """The set that shows a classifier at work before anybody has chosen one."""
    if model in sources:
        return model
    bundled = {offer.source for offer in _offered_images(None)}
    own = [source for source in sources if source not in bundled | {UPLOADS}]
    return own[0] if own else "photographs"


def _stamp(path) -> int:
    """When a file or folder last changed: a changed one is read again."""
    return path.stat().st_mtime_ns if path is not None and path.exists() else 0


def _turn_to_uploads() -> None:
    st.session_state["images"] = UPLOADS if st.session_state[UPLOADS] else "digits"


def _uploaded(files: list[UploadedFile]) -> ImageSet:
    marks = tuple(file.file_id for file in files)
    if st.session_state.get("uploads_read", (None,))[0] != marks:
        read = image_sets.from_files([(file.name, file.getvalue()) for file in files], name=UPLOADS)
        st.session_state["uploads_read"] = (marks, read)
    return st.session_state["uploads_read"][1]


def target(classifier: Classifier, probabilities: torch.Tensor) -> Target:
    """Draw the pickers of the class to explain, and of one to set it against."""
    order = probabilities.argsort(descending=True).tolist()
    top = order[:TOP]
    classes = top + [index for index in range(len(order)) if index not in top]

    def title(index: int) -> str:
        if index == PREDICTED:
            return f"the predicted one: {classifier.labels[order[0]]}"
        share = f" · {probabilities[index]:.1%}" if index in top else ""
        return f"{classifier.labels[index]}{share}"

    known = [PREDICTED, *classes]
    address.seed("target", PREDICTED, valid=known.__contains__, parse=int)
    positive = st.selectbox("Class to explain", known, format_func=title, key="target")
    address.publish("target", None if positive == PREDICTED else str(positive))
    positive = order[0] if positive == PREDICTED else positive

    others = [NOTHING, *(index for index in classes if index != positive)]
    address.seed("against", NOTHING, valid=others.__contains__, parse=int)
    negative = st.selectbox(
        "Set against",
        others,
        format_func=lambda index: "nothing: the class's own score" if index == NOTHING else title(index),
        key="against",
        help="With a second class the maps explain the difference of the two scores: why this one and not that.",
    )
    address.publish("against", None if negative == NOTHING else str(negative))
    return Target(positive, None if negative == NOTHING else negative)
