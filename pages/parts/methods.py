"""Choosing attribution methods, their parameters, and how their maps are drawn."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any, Literal, get_args, get_origin, get_type_hints

import streamlit as st

from interp import attribution
from interp.types import Heatmaps
from pages.parts import address
from pages.parts.explained import CLIPS, SCALES, VIEWS, Drawing
from pages.parts.text import plain

# Above it a number is a slip of the keyboard: 100,000 steps of Integrated Gradients take a day.
LARGEST = 2000


def choose() -> tuple[attribution.Method, ...]:
    """Draw the picker of methods; the random control is always among them."""
    titles = list(attribution.METHODS)
    address.seed(
        "methods", titles, valid=lambda some: all(one in titles for one in some), parse=lambda text: text.split(",")
    )
    chosen = st.pills("Methods", titles, selection_mode="multi", key="methods", wrap=True)
    address.publish("methods", None if set(chosen) == set(titles) else ",".join(chosen))
    control = attribution.Random()
    methods = [attribution.METHODS[title]() for title in titles if title in chosen]
    return tuple(methods if control in methods else [*methods, control])


def parameters(classifier: Classifier, methods: Sequence[attribution.Method]) -> tuple[attribution.Method, ...]:
    """Draw each method's parameters; gives the methods with what was set. What cannot be is said, and left out."""
    with st.expander("Parameters", key="parameters", on_change="rerun") as place:
        changed = [_changed(classifier, method, drawn=bool(place.open)) for method in methods]
    settled = []
    for method, values in zip(methods, changed, strict=True):
        try:
            wanted = dataclasses.replace(method, **values)
            wanted.check(classifier)
            settled.append(wanted)
        except ValueError as error:
            st.warning(plain(str(error)))
    return tuple(settled)


def _changed(classifier: Classifier, method: attribution.Method, *, drawn: bool) -> dict[str, Any]:
    """The values of a method's parameters; their fields are drawn only where the reader can see them."""
    fields = dataclasses.fields(method)
    if fields and drawn:
        st.markdown(f"**{method.title}**")
    kinds = _kinds(type(method))
    prefix = method.title.lower().replace(" ", "-")
    return {
        field.name: _parameter(classifier, f"{prefix}.{field.name}", kinds[field.name], field.default, drawn=drawn)
        for field in fields
    }


def _parameter(classifier: Classifier, key: str, kind: Any, default: Any, *, drawn: bool) -> Any:
    """One parameter: a list for a layer or a choice of words, a number field for a number."""
    name = key.partition(".")[2]
    if name == "layer":
        default = classifier.last_spatial_layer.name
        options = _layers(classifier)
        chosen = address.seed(key, default, valid=options.__contains__, parse=str)
        if drawn:
            chosen = st.selectbox(name, list(options), format_func=options.__getitem__, key=key)
    elif get_origin(kind) is Literal:
        chosen = address.seed(key, default, valid=get_args(kind).__contains__, parse=str)
        if drawn:
            chosen = st.selectbox(name, get_args(kind), key=key)
    else:
        chosen = address.seed(key, default, valid=lambda number: number is None or 0 <= number <= LARGEST, parse=int)
        if drawn:
            chosen = st.number_input(name, 0, LARGEST, step=1, key=key, placeholder="automatic")
    chosen = default if chosen is None else chosen
    address.publish(key, None if chosen == default else str(chosen))
    return chosen


def _layers(classifier: Classifier) -> dict[str, str]:
    """The layers with a map, and how each is offered."""
    return {
        layer.name: f"{layer.name} · {layer.channels} × {layer.height} × {layer.width}"
        for layer in classifier.layers
        if layer.kind != "flat" and layer.height * layer.width > 1
    }


@functools.cache
def _kinds(method: type[attribution.Method]) -> dict[str, Any]:
    return get_type_hints(method)


def drawing() -> Drawing:
    """Draw the choice of how maps are drawn: as what, on whose colour scale, and where that ends."""
    view = _one_of("Draw as", "view", list(VIEWS))
    scale = _one_of("Colour scale", "scale", list(SCALES))
    clips = list(CLIPS)
    address.seed("clip", clips[0], valid=clips.__contains__, parse=str)
    clip = st.selectbox(
        "Colours end at",
        clips,
        key="clip",
        help="A few pixels of a gradient are far above the rest: a scale that reaches them shows little else.",
    )
    address.publish("clip", None if clip == clips[0] else clip)
    return Drawing(view, scale, clip)


def _one_of(label: str, key: str, options: list[str]) -> str:
    address.seed(key, options[0], valid=options.__contains__, parse=str)
    chosen = st.segmented_control(label, options, key=key, required=True, wrap=True)
    address.publish(key, None if chosen == options[0] else chosen)
    return chosen or options[0]


def ordered(
    results: Sequence[tuple[attribution.Method, Heatmaps]], methods: Sequence[attribution.Method]
) -> tuple[tuple[attribution.Method, Heatmaps], ...]:
    """Results in the order in which the methods were chosen; they come in the order of their cost."""
    place = {method: position for position, method in enumerate(methods)}
    return tuple(sorted(results, key=lambda result: place.get(result[0], len(place))))
