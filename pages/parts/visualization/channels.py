"""A layer as a sheet of its channels' pictures, and one channel from all sides."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import streamlit as st

import cache
from interp import feature_visualization as fv
from interp.embedding import Cells, Features, Representation
from interp.figures.style import RIGHT
from interp.images import ImageSet, UnreadableImage
from interp.models import inputs
from interp.types import Classifier, Layer
from pages.parts import clicks, controls, drawn, gallery, representations, waiting
from pages.parts.layout import Selection
from pages.parts.text import plain, shortened
from pages.parts.visualization import making
from pages.parts.visualization.making import Card

EACH = 24
IMAGES = 6
CHANNEL = "fv.channel"
FACETS = 4


def view(selection: Selection, title: str, picture, side) -> None:
    """The sheet of a layer, page by page, and below it the channel that was clicked."""
    classifier, visitor = selection.classifier, selection.visitor
    with side:
        layer = choose_layer(classifier)
        channel = choose_channel(layer)
        making.quality()
        colours = making.colours(visitor, title, selection)
    how = making.settings(classifier, colours)
    pages = -(-layer.channels // EACH)
    with picture:
        clicks.listen({"channel": _take})
        page = st.pagination(pages, default=channel // EACH + 1, key=f"fv-page-{layer.name}") if pages > 1 else 1
        shown = range((page - 1) * EACH, min(page * EACH, layer.channels))
        reading = _strengths(visitor, f"{title}/strengths", selection, layer)
        place = st.container()
        objectives = [fv.Channel(layer.name, one) for one in shown]
        found, _ = making.asked(visitor, f"{title}/sheet", classifier, how, objectives)
        told = [
            Card(f"Channel {one}", making.line(found.get(row), _best(reading, one)), f"channel:{one}", one == channel)
            for row, one in enumerate(shown)
        ]
        with place:
            making.cards([_pixels(found.get(row)) for row in range(len(shown))], told)
            finished = {
                one: made for row, one in enumerate(shown) if (made := found.get(row)) and made.step == made.steps
            }
            _share([(made.value, _best(reading, one)) for one, made in finished.items()])
        st.markdown(f"#### {plain(layer.name)}, channel {channel}")
        detail(selection, title, layer, channel, how)
        if waiting.settled(reading):
            images(selection, title, layer, channel, reading.value)


def _share(pairs: list[tuple[float, float | None]]) -> None:
    """Say how many of the finished pictures drive their channel harder than every image of the set."""
    judged = [achieved > strongest for achieved, strongest in pairs if strongest is not None]
    if judged:
        st.caption(
            f"{sum(judged)} of these {len(judged)} pictures drive their channel harder than every image of the set "
            "does, by the mean over all positions."
        )


def choose_layer(classifier: Classifier, key: str = "fv.layer") -> Layer:
    """Draw the picker of a layer with maps."""
    layers = [one for one in classifier.layers if one.kind != "flat" and one.block_end]
    last = classifier.last_spatial_layer
    names = {one.name: f"{one.name} · {one.channels} channels" for one in [*layers, *[last] * (last not in layers)]}
    middle = list(names)[len(names) // 2]
    return classifier.layer(controls.listed("Layer", key, list(names), default=middle, named=names.__getitem__))


def choose_channel(layer: Layer, key: str = CHANNEL, label: str = "Channel") -> int:
    """Draw the field for a channel's number."""
    if st.session_state.get(key, 0) >= layer.channels:
        st.session_state[key] = 0
    return controls.number(label, key, 0, low=0, high=layer.channels - 1)


def _take(value: str) -> None:
    if value.isdecimal():
        st.session_state[CHANNEL] = int(value)


def _pixels(made: fv.Picture | None) -> np.ndarray | None:
    return None if made is None else made.pixels


def _strengths(visitor: cache.Visitor, slot: str, selection: Selection, layer: Layer) -> cache.Job:
    """The job that reads how strongly each image drives each channel: at its maximum, and on average."""
    asked = tuple(Representation(layer.name, pooling).resolved(selection.classifier) for pooling in ("max", "mean"))
    return representations.ask(visitor, slot, selection.classifier, selection.photos, asked)


def _best(reading: cache.Job, channel: int) -> float | None:
    """The mean activation of the image that drives a channel most; None while the images are read."""
    if reading.state != "done" or not len(reading.value[1]):
        return None
    return float(reading.value[1].values[:, channel].max())


def detail(
    selection: Selection,
    title: str,
    layer: Layer,
    channel: int,
    how: fv.Settings,
) -> None:
    """One channel: what drives it up and down, frame by frame, and from other sides."""
    classifier, visitor = selection.classifier, selection.visitor
    objective = fv.Channel(layer.name, channel)
    question = cache.call(fv.before_rectifier, classifier, layer.name)
    source = waiting.value(visitor.ask(f"{title}/rectified", question))[channel]
    down = () if source is None else (-source,)
    names = ("drives it up", "drives it down" + (", before the rectifier" if source != objective else ""))
    job = visitor.ask(f"{title}/channel", cache.call(fv.optimizing, classifier, (objective, *down), how))
    place = st.container()
    done = waiting.settled(job)
    frames = job.value.frames if done else tuple(job.partial[-1:])
    if frames:
        with place:
            film(frames, names[: 1 + len(down)], job.value.dead.tolist() if done else [])
    if source is None:
        st.caption(
            "It never goes below zero, and no layer was found of which it is the positive part: nothing drives it down."
        )
    if done:
        _facets(selection, title, layer, objective, how, float(job.value.values[0]))


def film(frames: tuple[fv.Frame, ...], names: tuple[str, ...], dead: list[bool], *, side: int = 190) -> None:
    """The pictures at a step of the optimization that is chosen with a slider, and the curve of the objectives."""
    steps = [frame.step for frame in frames]
    step = steps[-1]
    if len(steps) > 1:
        step = st.select_slider("Step", steps, value=steps[-1], key=f"fv-step-{steps[-1]}")
    frame = frames[steps.index(step)]
    pictures, curve = st.columns([3, 2], gap="medium")
    with pictures:
        told = [
            Card(
                f"{name}", "dead: nothing drives it" if any(dead[i : i + 1]) else f"{abs(value):.3g} after {step} steps"
            )
            for i, (name, value) in enumerate(zip(names, frame.values.tolist(), strict=True))
        ]
        making.cards([fv.bytes_of(one) for one in frame.pixels], told, side=side)
    with curve:
        drawn.once(_curve, frames[-1], names)


def _curve(frame: fv.Frame, names: tuple[str, ...]) -> None:
    if not len(frame.curve):
        return
    figure = go.Figure()
    for i, name in enumerate(names):
        figure.add_scatter(y=frame.curve[:, i].tolist(), name=name, mode="lines")
    figure.update_layout(
        height=250,
        margin={"l": 4, "r": 4, "t": 30, "b": 4},
        title={"text": "The objective, step by step", "font": {"size": 13}},
        legend={"orientation": "h", "y": -0.25},
    )
    st.plotly_chart(figure, config={"displayModeBar": False})


def _facets(
    selection: Selection, title: str, layer: Layer, objective: fv.Channel, how: fv.Settings, value: float
) -> None:
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
        job = selection.visitor.ask(
            f"{title}/facets", cache.call(fv.optimizing, selection.classifier, (diverse,), several)
        )
        place = st.container()
        done = waiting.settled(job)
        frame = job.value.frames[-1] if done else (job.partial[-1] if job.partial else None)
        if frame is not None:
            with place:
                told = [Card(f"Facet {one + 1}", f"step {frame.step} of {frame.steps}") for one in range(FACETS)]
                making.cards([fv.bytes_of(one) for one in frame.pixels], told, side=150)


def images(
    selection: Selection,
    title: str,
    layer: Layer,
    channel: int,
    strengths: tuple[Features, Features],
) -> None:
    """The images of the set that drive the channel most and least, the place marked, and the spectrum of all."""
    values = strengths[0].values[:, channel]
    order = np.argsort(-values, kind="stable")
    ends = (order[:IMAGES], order[::-1][:IMAGES])
    st.markdown(f"**Images of {plain(selection.photos.name)}**, by their largest activation; the frame is where it is.")
    for name, rows in zip(("Most", "Least"), ends, strict=True):
        positions = strengths[0].indices[rows]
        question = cache.call(framed, selection.classifier, selection.photos, layer, channel, positions)
        job = selection.visitor.ask(f"{title}/images-{name}", question)
        if waiting.settled(job):
            told = [
                Card(shortened(selection.photos.names[position], 24), f"{values[row]:.3g}")
                for row, position in zip(rows, positions, strict=True)
            ]
            st.caption(f"{name}")
            making.cards(job.value, told, side=104)
    drawn.once(_spectrum, values)


def framed(
    classifier: Classifier, photos: ImageSet, layer: Layer, channel: int, positions: np.ndarray
) -> tuple[np.ndarray, ...]:
    """The images as the classifier sees them, with a frame where the channel is largest; grey where one is gone."""
    found = []
    for position in positions.tolist():
        try:
            one = inputs.read(classifier, photos, (position,))
        except UnreadableImage:
            found.append(np.full((*classifier.input_size, 3), 200, np.uint8))
            continue
        [grid] = fv.map_of(classifier, one, layer.name, channel)
        place = int(grid.flatten().argmax())
        seen = fv.bytes_of(one.pixels[0])
        window = Cells(tuple(grid.shape), np.array([place])).window(0, seen.shape[:2])
        found.append(gallery.framed(seen, window))
    return tuple(found)


def _spectrum(values: np.ndarray) -> None:
    figure = go.Figure(go.Histogram(x=values, nbinsx=40, marker_color=RIGHT.colour))
    figure.update_layout(
        height=180,
        margin={"l": 4, "r": 4, "t": 30, "b": 4},
        title={"text": "The spectrum: every image's largest activation", "font": {"size": 13}},
        yaxis_title="images",
        bargap=0.05,
    )
    st.plotly_chart(figure, config={"displayModeBar": False})
