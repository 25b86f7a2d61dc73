"""Single predictions that change without some units: images as cards, and who is called what instead."""

from __future__ import annotations

import numpy as np
import streamlit as st

import cache
from interp import units
from interp.figures import framed
from interp.figures import units as figures
from interp.types import Layer
from interp.units import PredictionChanges
from pages.parts.cards import picturecards
from pages.parts.cards.picturecards import PictureCard
from pages.parts.kit import charts, clicks, controls, export, problems, replay, waiting
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain, shortened
from pages.parts.units import asking

EACH = 16
ALL = "All"
SIDE = 118


def draw(selection: Selection, layer: Layer, chosen: tuple[int, ...], to: str, *, draws: int = 0) -> None:
    """Ask for the predictions without the units, and draw those that change; with draws also who becomes what."""
    given = (selection.classifier, selection.photos, layer.name, chosen)
    job = selection.scope.gather("changes", units.changing, *given, to=to, draws=draws, kept=cache.CachedItems())
    place = st.container()
    done = waiting.settled(job)
    found: PredictionChanges | None = job.latest(None)
    if found is None or not len(found):
        if done:
            st.info("None of the images could be read.")
        return
    with place:
        st.markdown("**Single predictions**")
        st.markdown(_sentence(selection, found, done))
        if draws:
            replay.once(_moves, found, selection.classifier.labels)
            problems.left_out(found.problems)
        if len(found.changed):
            _cards(selection, found)


def _sentence(selection: Selection, found: PredictionChanges, done: bool) -> str:
    some = "" if done else f" of {len(selection.photos):,}, so far"
    count = len(found.changed)
    said = f"{count:,} of {len(found):,} images{some} ({count / len(found):.1%}) are called something else without them"
    if len(found.drawn_changed):
        random = found.drawn_changed
        said += f"; without as many random units {random.mean():.1%} ({random.min():.1%} to {random.max():.1%})"
    return f"{said}."


def _moves(found: PredictionChanges, labels: tuple[str, ...]) -> None:
    moves = found.moves(len(labels))
    shown = figures.affected(np.diag(np.bincount(found.before, minlength=len(labels))), moves)
    figure = figures.confusions(moves, labels, shown, rows="predicted as it is")
    charts.draw(figure.update_xaxes(title="predicted without them"), config=export.PLOT)


def _cards(selection: Selection, found: PredictionChanges) -> None:
    """Images whose prediction changes, first those that lose most, of one class or of all."""
    classifier, photos = selection.classifier, selection.photos
    labels = classifier.labels
    before = found.before[found.changed]
    numbers, counts = np.unique(before, return_counts=True)
    names = {f"{int(one)}": f"{labels[one]} ({count})" for one, count in zip(numbers, counts, strict=True)}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kept = controls.listed(
            "Predicted before as", "un.changed", [ALL, *names], named=lambda one: names.get(one, one)
        )
        rows = found.changed if kept == ALL else found.changed[before == int(kept)]
        pages = -(-len(rows) // EACH)
        page = st.pagination(pages, key=f"un-changes-{pages}-{kept}") if pages > 1 else 1
    shown = rows[(page - 1) * EACH : page * EACH]
    positions = tuple(found.positions[shown].tolist())
    job = selection.scope.read("changed", framed.seen, classifier, photos, positions)
    squares = job.value if waiting.there(job, 1.0) else (None,) * len(shown)
    cards = [_card(selection, found, row) for row in shown.tolist()]
    clicks.listen({"changed": _take})
    picturecards.draw(squares, cards, side=SIDE)
    waiting.settled(job)
    _onwards(selection, positions)
    export.download("Changes as CSV", "loupe-changed-predictions.csv", lambda: table(selection, found))


def _card(selection: Selection, found: PredictionChanges, row: int) -> PictureCard:
    labels, position = selection.classifier.labels, int(found.positions[row])
    before, after = shortened(labels[found.before[row]], 20), shortened(labels[found.after[row]], 20)
    first, second = found.probability[row, 0, 0], found.probability[row, 1, 1]
    own = asking.label_of(selection, position)
    about = f"{plain(selection.photos.names[position])}" + ("" if own is None else f", labelled {plain(own)}")
    about += f"; {before} falls to {found.probability[row, 0, 1]:.1%}, {after} was {found.probability[row, 1, 0]:.1%}"
    line = f"{first:.0%} → {second:.0%}" + ("" if own is None else f" · {shortened(own, 16)}")
    return PictureCard(f"{before} → {after}", line, f"changed:{position}", _opened() == position, about)


def _take(value: str) -> None:
    if value.isdecimal():
        st.session_state["un-changed"] = int(value)


def _opened() -> int:
    return st.session_state.get("un-changed", -1)


def _onwards(selection: Selection, positions: tuple[int, ...]) -> None:
    """The way to the explanation of the image that was clicked, or of the first."""
    position = _opened() if _opened() in positions else positions[0]
    name = shortened(selection.photos.names[position], 30)
    if st.button(
        f"Why is it called so? Saliency of {plain(name)}",
        icon=":material/blur_on:",
        key="un-why",
        help="Click another card to choose it.",
        on_click=_choose,
        args=(position,),
    ):
        st.switch_page("pages/saliency.py")


def _choose(position: int) -> None:
    st.session_state["image"], st.session_state["beside"] = position, []


def table(selection: Selection, found: PredictionChanges) -> list[dict]:
    """A row for each image whose prediction changes."""
    labels, photos = selection.classifier.labels, selection.photos
    rows = []
    for row in found.changed.tolist():
        position, (old, new) = int(found.positions[row]), found.probability[row]
        rows.append(
            {
                "image": photos.names[position],
                "label": asking.label_of(selection, position),
                "predicted before": labels[found.before[row]],
                "predicted without": labels[found.after[row]],
                "probability of the first, before": float(old[0]),
                "probability of the first, without": float(old[1]),
                "probability of the second, before": float(new[0]),
                "probability of the second, without": float(new[1]),
            }
        )
    return rows
