"""Choosing attribution methods, their parameters, and how their maps are drawn."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any, Literal, get_args, get_origin, get_type_hints

import streamlit as st

import cache
from interp import attribution
from interp.images import ImageSet
from interp.models import inputs
from interp.set_pass import evenly
from interp.types import Classifier, Heatmaps
from pages.parts.kit import address, waiting
from pages.parts.kit.text import plain

# Above it a number is a slip of the keyboard: 100,000 steps of Integrated Gradients take a day.
LARGEST = 2000
REFERENCES = 20
# Passes from which on it is worth measuring one before.
LONG = 30
# What the page fills in, and the reader does not.
GIVEN = {"references"}
CONTROL = attribution.Random.title
CLASSICS = "The classics"
_GRADIENT_CAMS = ("Grad-CAM", "Grad-CAM++", "XGrad-CAM", "Layer-CAM", "Eigen-CAM", "Guided Grad-CAM")
PRESETS = {
    CLASSICS: ("Gradient", "Integrated Gradients", "Grad-CAM", "Occlusion"),
    "Captum's tutorial": ("Integrated Gradients", "Gradient SHAP", "SmoothGrad", "Occlusion"),
    "The CAM family": (*_GRADIENT_CAMS, "Score-CAM", "Ablation-CAM"),
    "Fast: a few passes": (
        "Gradient",
        "Sensitivity",
        "Input × Gradient",
        "DeepLIFT",
        "Deconvolution",
        "Guided Backprop",
        "LRP",
        *_GRADIENT_CAMS,
    ),
    "All": tuple(title for title in attribution.METHODS if title != CONTROL),
}


def choose(scope: cache.Scope, classifier: Classifier) -> tuple[attribution.Method, ...]:
    """Draw the pickers of methods; the random control is always among them.

    What cannot run on the classifier is not offered, and says why.
    """
    obstacles = waiting.value(scope.shared.gather("obstacles", attribution.obstacles, classifier))
    titles = [title for title in attribution.METHODS if title not in obstacles]
    presets = {name: [title for title in some if title in titles] for name, some in PRESETS.items()}
    default = presets[CLASSICS]
    address.seed("methods", default, valid=lambda some: set(some) <= set(titles), parse=lambda text: text.split(","))
    st.session_state["preset"] = next(
        (name for name, some in presets.items() if set(some) == set(st.session_state["methods"]) - {CONTROL}), None
    )
    st.selectbox(
        "Methods",
        list(presets),
        key="preset",
        index=None,
        placeholder="Your own choice",
        on_change=lambda: _take(presets),
        help="Noise stands beside them in any case, as the control.",
    )
    chosen = st.multiselect("Methods", titles, key="methods", label_visibility="collapsed")
    address.publish("methods", None if set(chosen) == set(default) else ",".join(chosen))
    if obstacles:
        with st.popover(f"{len(obstacles)} cannot run here", type="tertiary"):
            st.text("\n\n".join(obstacles.values()))
    control = attribution.Random()
    methods = [attribution.METHODS[title]() for title in titles if title in chosen]
    return tuple(methods if control in methods else [*methods, control])


def plan(scope: cache.Scope, classifier: Classifier, methods: Sequence[attribution.Method], images: int) -> None:
    """Say what the comparison costs, before it runs: passes, and from `LONG` on also seconds and memory."""
    passes = images * attribution.planned_passes(classifier, methods)
    cost = f"Takes {passes:,.0f} forward-and-backward passes"
    if passes >= LONG:
        job = scope.shared.gather("pass", attribution.measured_pass, classifier)
        job.wait(waiting.PATIENCE)
        if job.state == "done":
            cost += f": about {waiting.duration(passes * job.value.seconds)}, and {job.value.memory / 1e6:,.0f} MB"
    st.caption(f"{cost}. Cheap methods come first.")


def _take(presets: dict[str, list[str]]) -> None:
    if st.session_state["preset"] is not None:
        st.session_state["methods"] = presets[st.session_state["preset"]]


def with_references(
    methods: Sequence[attribution.Method], scope: cache.Scope, classifier: Classifier, photos: ImageSet
) -> tuple[attribution.Method, ...]:
    """The methods; the one that compares with other pictures is given some, spread over the whole image set."""
    if not any(isinstance(method, attribution.GradientShap) for method in methods):
        return tuple(methods)
    positions = tuple(evenly(len(photos), REFERENCES).tolist())
    references = waiting.value(scope.shared.read("references", inputs.read, classifier, photos, positions))
    return tuple(
        dataclasses.replace(method, references=references) if isinstance(method, attribution.GradientShap) else method
        for method in methods
    )


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
    fields = tuple(field for field in fields if field.name not in GIVEN)
    return {
        field.name: _parameter(
            classifier, parameter_key(method.title, field.name), kinds[field.name], field.default, drawn=drawn
        )
        for field in fields
    }


def parameter_key(title: str, name: str) -> str:
    """The key of the widget for a parameter of the method with this title."""
    return f"{title.lower().replace(' ', '-')}.{name}"


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
    elif isinstance(default, float):
        chosen = address.seed(key, default, valid=lambda share: 0 <= share <= 1, parse=float)
        if drawn:
            chosen = st.number_input(name, 0.0, 1.0, step=0.05, key=key)
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


def ordered(
    results: Sequence[tuple[attribution.Method, Heatmaps]], methods: Sequence[attribution.Method]
) -> tuple[tuple[attribution.Method, Heatmaps], ...]:
    """Results in the order in which the methods were chosen; they come in the order of their cost."""
    place = {type(method): position for position, method in enumerate(methods)}
    return tuple(sorted(results, key=lambda result: place[type(result[0])]))
