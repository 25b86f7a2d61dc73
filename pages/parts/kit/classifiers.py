"""Choosing and loading the classifier."""

from __future__ import annotations

import functools
import gc
import time
from pathlib import Path

# Plotly takes pandas as it finds it, and finds it half imported where another visitor's page is about to import it;
# this import waits for that one.
import pandas  # noqa: F401
import streamlit as st

import cache
from interp import models
from interp.models.scenes import bundled
from interp.types import Classifier
from pages.parts.kit import address, server, warming
from pages.parts.kit.text import plain

LOOKED_AGAIN = 2.0
"""Seconds after which a click in a page looks anew whether the classifier's files have changed."""


def choose() -> str:
    """Draw the picker of classifiers; gives the name that `models.load` takes."""
    offers = {offer.name: offer for offer in _offered_models(server.options().models)}
    default = next(iter(offers))
    address.seed("model", default, valid=offers.__contains__, parse=str)
    name = st.selectbox(
        "Classifier",
        list(offers),
        format_func=lambda name: _shown(offers[name]),
        key="model",
        help="Bundled ones, your own (from the folder given with --models), and torchvision's by name.",
    )
    address.publish("model", None if name == default else name)
    if offers[name].note:
        st.caption(plain(offers[name].note))
    problem = _folder_problem(server.options().models)
    if problem:
        st.warning(plain(problem, limit=1000))
    return name


def _shown(offer: models.Offer) -> str:
    return f"{offer.title} (cannot be loaded)" if offer.group == "own" and offer.note else offer.title


def offers() -> tuple[models.Offer, ...]:
    """The classifiers that may be chosen."""
    return _offered_models(server.options().models)


def choose_second(classifier: Classifier, key: str) -> str | None:
    """Draw the picker of a classifier to set beside the chosen one; gives its name, None where none was chosen."""
    beside = {offer.name: offer for offer in offers() if offer.name != classifier.name}
    default = _natural(classifier)
    address.seed(key, default, valid=lambda one: one is None or one in beside, parse=str)
    name = st.selectbox(
        "Second classifier",
        list(beside),
        format_func=lambda one: beside[one].title,
        key=key,
        index=None,
        placeholder="Choose a second classifier",
    )
    address.publish(key, None if name == default else name)
    return name


def _natural(classifier: Classifier) -> str | None:
    """For a classifier of scenes with a planted reason the honest one, and the other way round."""
    if not bundled.of_scenes(classifier):
        return None
    planted = next(one for one in bundled.REASON_OF if one != bundled.HONEST)
    return planted if classifier.name == bundled.HONEST else bundled.HONEST


def ask(scope: cache.Scope, name: str, slot: str = "model") -> cache.Job:
    """The job that loads a classifier; whoever asks for the same one waits for the same job."""
    folder = server.options().models
    # Whoever edits a description, its code or its weights sees the change, without starting the server again.
    loading = cache.call(_load_model, name, folder, models.stamps(name, folder))
    return scope.ask(slot, loading, disk=False, queue=queue(name))


def state() -> tuple[object, ...]:
    """What is chosen, and its files as they are: equal as long as the same classifier is meant."""
    name = st.session_state["model"]
    return (name, _stamps(name, server.options().models, int(time.monotonic() / LOOKED_AGAIN)))


@functools.lru_cache(maxsize=64)
def _stamps(name: str, folder: Path | None, moment: int) -> tuple[tuple[str, int, int, int], ...]:
    return models.stamps(name, folder)


def queue(name: str) -> str:
    """The queue in which a classifier is loaded: each has its own, so that a slow network holds up nobody else."""
    return f"classifier {name}"


def _load_model(name: str, folder: Path | None, stamps: tuple[tuple[str, int, int, int], ...]) -> Classifier:
    classifier = models.load(name, folder=folder)
    _spare_the_collector()
    warming.begin()
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


@st.cache_resource(ttl=20, show_spinner=False)
def _folder_problem(folder: Path | None) -> str | None:
    return models.folder_problem(folder)
