"""A photograph as a flow: what groups of channels bring from layer to layer, and at last to the classes."""

from __future__ import annotations

import streamlit as st

from interp import channels
from interp.channels import Flow
from interp.set_pass import evenly
from interp.types import Images, Layer
from pages.parts.channels.subject import Subject
from pages.parts.flows import drawing
from pages.parts.kit import controls, waiting
from pages.parts.kit.targets import TOP
from pages.parts.kit.text import plain

READING = drawing.READING


def view(subject: Subject, picture, side) -> None:
    """The flow of the first photograph."""
    places = layers_of(subject)
    with side:
        most = min(5, len(places))
        chosen = controls.slid("Layers", "ch.flow", min(4, most), low=2, high=most, step=1) if most > 2 else most
        narrow = min(min(one.channels, one.height * one.width) for one in places)
        count = controls.slid("Groups", "ch.flow-groups", min(5, narrow), low=2, high=max(3, min(8, narrow)), step=1)
    if most < 2:
        picture.info("A flow leads from layer to layer, and this classifier has one layer with a map.")
        return
    names = tuple(places[one].name for one in evenly(len(places), chosen))
    with picture:
        position, target = subject.positions[0], subject.targets[0]
        if len(subject.positions) > 1:
            st.caption(f"The flow is of one photograph, the first: {plain(subject.selection.photos.names[position])}.")
        batch = Images(subject.batch.pixels[:1], subject.batch.names[:1])
        top = subject.probabilities[0].topk(min(TOP, subject.probabilities.shape[1])).indices.tolist()
        wanted = tuple(dict.fromkeys([*top[:3], target.positive]))
        job = subject.scope.compute("flow", channels.flow, subject.classifier, batch, target, names, count, wanted)
        found: Flow = waiting.value(job)
        drawing.draw(subject.classifier, batch, target, found, key="ch-flow")


def layers_of(subject: Subject) -> list[Layer]:
    """The layers that a flow may lead through: those whose channels mean something new, up to the explained one."""
    found = list(channels.stations(subject.classifier))
    names = [one.name for one in found]
    last = names.index(subject.layer.name) + 1 if subject.layer.name in names else len(found)
    return found[:last] if last > 1 else found
