"""One image large: as it is in the file, or as the network sees it."""

from __future__ import annotations

import streamlit as st
from PIL import Image

import cache
from interp.figures.framed import as_seen, in_file
from interp.images import ImageSet
from interp.images.subset import alone
from interp.types import Classifier
from pages.parts.kit import controls, replay, waiting
from pages.parts.kit.text import plain

SHOWN = ("File", "Network input")
SEEN_HELP = "Scaled, cropped and, for a network of grey pictures, without colours: each pixel before mean and std."


def draw(scope: cache.Scope, classifier: Classifier, photos: ImageSet, position: int) -> bool:
    """Draw an image as it is in the file or as the network sees it, as is chosen; gives whether it is read already."""
    network = controls.one_of("Shown", "overview.shown", SHOWN, help=SEEN_HELP) == SHOWN[1]
    if not large(ask(scope, classifier, photos, position, seen=network), photos.names[position]):
        return False
    if network:
        st.caption(f"What the network sees: {plain(classifier.preprocessing.description)}.")
    return True


def ask(scope: cache.Scope, classifier: Classifier, photos: ImageSet, position: int, *, seen: bool) -> cache.Job:
    """The job that reads an image as it is in the file or, pixel by pixel, as the network sees it."""
    # Of its own file alone, so that others of the set may change.
    one = alone(photos, position)
    return scope.read("closeup", as_seen, classifier, one, 0) if seen else scope.read("closeup", in_file, one, 0)


def large(job: cache.Job, name: str) -> bool:
    """Draw the picture of a job once it is read; gives whether it is. What is wrong with a file stands in its place."""
    done = waiting.settled(job)
    if done:
        replay.once(_large, job.value, name, known_by=(job.key, name))
    return done


def _large(picture: Image.Image, name: str) -> None:
    st.image(enlarged(picture), width="stretch", alt=name)


def enlarged(image: Image.Image, smallest: int = 256) -> Image.Image:
    """A picture at least that wide, each of its pixels a square block, so that tiny ones are seen as they are."""
    factor = -(-smallest // image.width)
    return image if factor <= 1 else image.resize((image.width * factor, image.height * factor), resample=0)
