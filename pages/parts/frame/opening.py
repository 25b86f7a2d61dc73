"""Opening image sets of the server's folder, anew where their files have changed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

import cache
from interp import images as image_sets
from interp.images import ImageSet
from pages.parts.kit import server, waiting

# A folder in which something is written all the time is listed anew once for each drawing of a page.
ATTEMPTS = 2


@dataclass(frozen=True)
class Source:
    """An image set as it was chosen: a bundled one's name or a path, and where its annotations lie, if elsewhere.

    `marked` are the values of its masks that mean that something is marked; None leaves it to what they hold.
    """

    path: str
    annotations: str | None
    marked: tuple[int, ...] | None = None


def image_set(scope: cache.Scope, source: Source, root: Path | None) -> ImageSet:
    """The set as its files are now. Where it cannot be opened the page ends here and says why."""
    stamps = tuple(server.stamp(root / path) for path in (source.path, source.annotations) if root and path)
    place, attempts = (source, root), 0
    while True:
        opened = cache.call(_open, source, root, stamps, _times()[place])
        photos = waiting.value(scope.shared.ask("images", opened, disk=False, queue=cache.Queue.SETS))
        attempts += 1
        if not photos.changed() or attempts == ATTEMPTS:
            return photos
        # Whoever finds it first opens it for all.
        _times()[place] += 1


@st.cache_resource
def _times() -> Counter[tuple[Source, Path | None]]:
    """How often each set was found to have changed."""
    return Counter()


def _open(source: Source, root: Path | None, stamps: tuple[int, ...], times: int) -> ImageSet:
    return image_sets.load(source.path, annotations=source.annotations, root=root, marked=source.marked)
