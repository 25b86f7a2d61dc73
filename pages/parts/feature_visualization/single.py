"""One channel from all sides: its pictures up and down, others that differ, and the images of the set."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

import cache
from interp import feature_visualization as fv
from interp.embedding import Features
from interp.figures import framed
from interp.figures.feature_visualization import spectrum
from interp.types import Layer
from pages.parts.cards import picturecards
from pages.parts.cards.picturecards import PictureCard
from pages.parts.feature_visualization import lesson
from pages.parts.feature_visualization.film import FRAMES, film, reel
from pages.parts.kit import charts, replay, waiting
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain, shortened

IMAGES = 6
FACETS = 4


def detail(
    selection: Selection,
    layer: Layer,
    channel: int,
    how: fv.Settings,
) -> float | None:
    """One channel: what drives it up and down, frame by frame, and from other sides.

    Gives what its finished picture achieves.
    """
    classifier, scope = selection.classifier, selection.scope
    objective = fv.Channel(layer.name, channel)
    source = waiting.value(scope.compute("rectified", fv.before_rectifier, classifier, layer.name))[channel]
    filmed = replace(how, frames=FRAMES)

    def ask(name: str, one: fv.Objective) -> cache.Job:
        return scope.compute(name, fv.optimizing, classifier, (one,), filmed)

    # What is asked for last is made first: the picture that drives it up is there before the other is begun.
    down = None if source is None else ask("down", -source)
    job = ask("up", objective)
    place = st.container()
    done = waiting.settled(job)
    reels = [reel("drives it up", job)]
    if down is not None and done:
        waiting.settled(down)
        reels.append(reel("drives it down" + (", before the rectifier" if source != objective else ""), down))
    with place:
        if found := [one for one in reels if one is not None]:
            film(found)
    if source is None:
        st.caption(
            "It never goes below zero, and no layer was found of which it is the positive part: nothing drives it down."
        )
    if not done:
        return None
    value = float(job.value.values[0])
    _facets(selection, layer, objective, how, value)
    lesson.draw(selection, objective, how)
    return value


def _facets(selection: Selection, layer: Layer, objective: fv.Channel, how: fv.Settings, value: float) -> None:
    """Pictures that drive the channel and differ from each other in their textures."""
    with st.expander("Other pictures that make it respond", key="fv-facets", on_change="rerun") as opened:
        if not opened.open:
            return
        st.caption(
            "Made together; likeness costs: pictures whose channels occur together in the same way lose what "
            "the picture above achieves."
        )
        several = fv.Settings(how.steps, how.parameterization, copies=FACETS)
        diverse = objective + max(value, 1e-3) * fv.Diversity(layer.name)
        job = selection.scope.compute("facets", fv.optimizing, selection.classifier, (diverse,), several)
        place = st.container()
        done = waiting.settled(job)
        frame = job.value.frames[-1] if done else (job.partial[-1] if job.partial else None)
        if frame is not None:
            with place:
                captions = [
                    PictureCard(f"Facet {one + 1}", f"step {frame.step} of {frame.steps}") for one in range(FACETS)
                ]
                picturecards.draw([fv.bytes_of(one) for one in frame.pixels], captions, side=150)


def images(
    selection: Selection,
    layer: Layer,
    channel: int,
    means: Features,
    made: float | None,
) -> None:
    """The images of the set that drive the channel most and least, the place marked, and the spectrum of all."""
    values = means.values[:, channel]
    order = np.argsort(-values, kind="stable")
    ends = (order[:IMAGES], order[::-1][:IMAGES])
    st.markdown(
        f"**Images of {plain(selection.photos.name)}**, by the channel's mean over all positions, as the picture "
        "above was made; the frame is where the channel is largest."
    )
    for name, rows in zip(("Most", "Least"), ends, strict=True):
        positions = means.indices[rows]
        job = selection.scope.compute(
            f"images-{name}", framed.strongest, selection.classifier, selection.photos, layer, channel, positions
        )
        if waiting.settled(job):
            captions = [
                PictureCard(shortened(selection.photos.names[position], 24), f"{values[row]:.3g}")
                for row, position in zip(rows, positions, strict=True)
            ]
            st.caption(f"{name}")
            picturecards.draw(job.value, captions, side=104)
    replay.once(_spectrum, values)
    if made is not None and len(values):
        best = float(values.max())
        beats = "harder than" if made > best else "no harder than"
        st.caption(f"The picture reaches {made:.3g}, {beats} every image: the best of them reaches {best:.3g}.")


def _spectrum(values: np.ndarray) -> None:
    charts.draw(spectrum(values), config={"displayModeBar": False})
