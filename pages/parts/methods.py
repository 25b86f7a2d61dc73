"""Choosing attribution methods, their parameters, and how their maps are drawn."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Literal, get_args, get_origin, get_type_hints

import streamlit as st

from interp import attribution
from interp.types import Heatmaps
from pages.parts import address
from pages.parts.explained import SCALES, VIEWS
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
    settled = []
    for method in methods:
        fields = dataclasses.fields(method)
        if fields:
            st.markdown(f"**{method.title}**")
        hints = get_type_hints(type(method))
        values = {
            field.name: _parameter(classifier, method.title, field.name, hints[field.name], field.default)
            for field in fields
        }
        try:
            changed = dataclasses.replace(method, **values)
            changed.check(classifier)
            settled.append(changed)
        except ValueError as error:
            st.warning(plain(str(error)))
    return tuple(settled)


def _parameter(classifier: Classifier, title: str, name: str, kind: Any, default: Any) -> Any:
    """One parameter's widget: a list for a layer or a choice of words, a number field for a number."""
    key = f"{title.lower().replace(' ', '-')}.{name}"
    if name == "layer":
        layers = [layer for layer in classifier.layers if layer.kind != "flat" and layer.height * layer.width > 1]
        last = classifier.last_spatial_layer.name
        shapes = {layer.name: f"{layer.name} · {layer.channels} × {layer.height} × {layer.width}" for layer in layers}
        address.seed(key, last, valid=shapes.__contains__, parse=str)
        chosen = st.selectbox("layer", list(shapes), format_func=shapes.__getitem__, key=key)
        address.publish(key, None if chosen == last else chosen)
        return chosen
    if get_origin(kind) is Literal:
        address.seed(key, default, valid=get_args(kind).__contains__, parse=str)
        chosen = st.selectbox(name, get_args(kind), key=key)
    else:
        address.seed(key, default, valid=lambda number: number is None or 0 <= number <= LARGEST, parse=int)
        chosen = st.number_input(name, 0, LARGEST, step=1, key=key, placeholder="automatic")
    address.publish(key, None if chosen == default else str(chosen))
    return chosen


def view() -> tuple[str, str]:
    """Draw the choice of how maps are drawn: as what, and on whose colour scale."""
    address.seed("view", next(iter(VIEWS)), valid=VIEWS.__contains__, parse=str)
    view = st.segmented_control("Draw as", list(VIEWS), key="view", required=True, wrap=True)
    address.publish("view", None if view == next(iter(VIEWS)) else view)
    address.seed("scale", next(iter(SCALES)), valid=SCALES.__contains__, parse=str)
    scale = st.segmented_control("Colour scale", list(SCALES), key="scale", required=True)
    address.publish("scale", None if scale == next(iter(SCALES)) else scale)
    return view, scale


def ordered(
    results: Sequence[tuple[attribution.Method, Heatmaps]], methods: Sequence[attribution.Method]
) -> tuple[tuple[attribution.Method, Heatmaps], ...]:
    """Results in the order in which the methods were chosen; they come in the order of their cost."""
    place = {method: position for position, method in enumerate(methods)}
    return tuple(sorted(results, key=lambda result: place.get(result[0], len(place))))
