"""Choosing and loading the classifier."""

from __future__ import annotations

import functools
import gc
from pathlib import Path

import streamlit as st

import cache
from interp import models
from interp.types import Classifier
from pages.parts import address, server
from pages.parts.text import plain


def choose() -> str:
    """Draw the picker of classifiers; gives the name that `models.load` takes."""
    offers = {offer.name: offer for offer in _offered_models(server.options().models)}
    default = next(iter(offers))
    address.seed("model", default, valid=offers.__contains__, parse=str)
    name = st.selectbox(
        "Classifier",
        list(offers),
        format_func=lambda name: offers[name].title,
        key="model",
        help="Bundled ones, your own (from the folder given with --models), and torchvision's by name.",
    )
    address.publish("model", None if name == default else name)
    if offers[name].note:
        st.caption(plain(offers[name].note))
    return name


def offers() -> tuple[models.Offer, ...]:
    """The classifiers that may be chosen."""
    return _offered_models(server.options().models)


def ask(visitor: cache.Visitor, name: str, slot: str = "shared/model") -> cache.Job:
    """The job that loads a classifier; whoever asks for the same one waits for the same job."""
    folder = server.options().models
    # Whoever edits a description or its weights sees the change, without starting the server again.
    stamps = () if folder is None else tuple((one.name, server.stamp(one)) for one in sorted(folder.iterdir()))
    return visitor.ask(slot, cache.call(_load_model, name, folder, stamps), disk=False, device="loading")


def _load_model(name: str, folder: Path | None, stamps: tuple[tuple[str, int], ...]) -> Classifier:
    classifier = models.load(name, folder=folder)
    _spare_the_collector()
    return classifier


@functools.cache
def _spare_the_collector() -> None:
    """Let the garbage collector pass over what is there now, once.

    All libraries are loaded: half a million objects that stay, and that it would otherwise go through again every few
    seconds, holding up all visitors for a tenth of a second.
    """
    gc.collect()
    gc.freeze()


# As resources, which are not copied: unpickling a hundred offers took a tenth of a rerun.
@st.cache_resource(ttl=20, show_spinner=False)
def _offered_models(folder: Path | None) -> tuple[models.Offer, ...]:
    return models.available(folder)
