"""What a visitor has drawn by hand in this session, for each image set, with what can be undone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import streamlit as st

from interp.images import ImageSet
from interp.images.drawings import Drawing, drawn_part

MOST_UNDONE = 50
_KEPT, _LAST, _SET = "handmade", "handmade-last", "handmade-set"


@dataclass(frozen=True, eq=False)
class KeptDrawings:
    """The drawings on a set's images by position, what each was before its last changes, and the set's source."""

    photos: ImageSet
    source: str | None
    drawings: Mapping[int, Drawing] = field(default_factory=dict)
    before: Mapping[int, tuple[Drawing, ...]] = field(default_factory=dict)

    @property
    def positions(self) -> list[int]:
        """Where something is drawn."""
        return [position for position, drawing in sorted(self.drawings.items()) if drawing.regions]


def drawings_on(photos: ImageSet) -> KeptDrawings:
    """What is kept of a set; of the set of drawn images, what is kept of the one that they come from.

    Of a set whose files have changed, what was drawn on those that have not is kept.
    """
    every = st.session_state.get(_KEPT, {})
    drawn_on = drawn_set()
    if drawn_on is not None and drawn_on.fingerprint == photos.fingerprint:
        return every[st.session_state[_LAST]]
    found = every.get(photos.fingerprint)
    if found is None:
        source = st.session_state.get("images")
        before = [one for one in every.values() if one.source == source and one.photos.name == photos.name]
        found = carried(before[-1], photos) if before else KeptDrawings(photos, source)
        if found.positions:
            _keep(found)
    return found


def carried(those: KeptDrawings, photos: ImageSet) -> KeptDrawings:
    """What was drawn on a set, for the same one as it is now: on the images whose files are as they were."""
    now = {state: place for place in range(len(photos)) if (state := photos.state(place)) is not None}
    states = {before: state for before in those.drawings if (state := those.photos.state(before)) is not None}
    moved = {before: now[state] for before, state in states.items() if state in now}
    return KeptDrawings(
        photos,
        those.source,
        {place: those.drawings[before] for before, place in moved.items()},
        {place: those.before[before] for before, place in moved.items() if before in those.before},
    )


def place(photos: ImageSet, position: int) -> int:
    """The position, in the set that is drawn on, of an image of that set or of the set of drawn images."""
    those = drawings_on(photos)
    return position if those.photos.fingerprint == photos.fingerprint else those.positions[position]


def drawn_set() -> ImageSet | None:
    """The images of the set that was drawn on last that have a region, annotated with what was drawn; None for none."""
    return st.session_state.get(_SET)


def change(those: KeptDrawings, position: int, drawing: Drawing) -> None:
    """Keep another drawing of an image; what it was can be had back by `undo`. For a callback."""
    before = those.drawings.get(position, Drawing(drawing.size))
    if before.fingerprint == drawing.fingerprint:
        return
    history = (*those.before.get(position, ()), before)[-MOST_UNDONE:]
    drawings = {**those.drawings, position: drawing}
    _keep(replace(those, drawings=drawings, before={**those.before, position: history}))


def undo(those: KeptDrawings, position: int) -> None:
    """Take back the last change of an image's drawing. For a callback."""
    history = those.before.get(position, ())
    if history:
        drawings = {**those.drawings, position: history[-1]}
        _keep(replace(those, drawings=drawings, before={**those.before, position: history[:-1]}))


def add(those: KeptDrawings, drawings: Mapping[int, Drawing]) -> None:
    """Keep the drawings of a file beside what is there, each image's in the place of what it had."""
    for position, drawing in drawings.items():
        change(those, position, drawing)
        those = st.session_state[_KEPT].get(those.photos.fingerprint, those)


def _keep(those: KeptDrawings) -> None:
    st.session_state.setdefault(_KEPT, {})[those.photos.fingerprint] = those
    st.session_state[_LAST] = those.photos.fingerprint
    st.session_state[_SET] = drawn_part(those.photos, those.drawings) if those.positions else None
    if not those.positions and st.session_state.get("images") == "drawn":
        st.session_state["images"] = those.source
