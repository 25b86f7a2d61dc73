"""Class prototypes: pictures of a class made in several ways, beside its real images (Montavon 2017; Nguyen 2016)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch

import cache
from interp import feature_visualization as fv
from interp.feature_visualization import Settings
from interp.models import inputs, scenes_prior
from interp.models.scenes import bundled
from interp.types import Classifier
from pages.parts.cards import making, picturecards
from pages.parts.cards.picturecards import PictureCard
from pages.parts.feature_visualization.objectives import choose_class
from pages.parts.kit import waiting
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain, shortened

SHOWN = 6
# In units of the logit, as found by looking: less leaves noise, more leaves no class.
DENSITY, CODE = 0.1, 0.02


@dataclass(frozen=True)
class Way:
    """One way to make a class's picture: its name, what it does, and how."""

    name: str
    about: str
    how: Settings


def view(selection: Selection, picture, side) -> None:
    """The class's prototypes, and its images."""
    classifier, scope = selection.classifier, selection.scope
    with side:
        target = choose_class(selection)
        making.quality()
        how = making.settings(selection)
    labels = [position for position, label in enumerate(selection.labels.indices) if label == target]
    with picture:
        st.markdown(f"Pictures with a high score for **{plain(classifier.labels[target])}**, each made in another way.")
        given = waiting.value(scope.survey("means", fv.mean_images, classifier, selection.photos, tuple(labels)))
        ways = _ways(classifier, how, making.colours(selection), given)
        place = st.container()
        made = making.in_each_way(
            scope,
            "ways",
            classifier,
            {way.name: way.how for way in ways},
            (fv.Logit(target),),
            place,
            about={way.name: way.about for way in ways},
        )
        st.caption(
            "Numbers are logits. A high score does not make a picture a good example of the class: only a density "
            "expert or a generator keeps it near real images."
            + ("" if bundled.of_scenes(classifier) else " Both are bundled for scenes only, so they are left out here.")
        )
        near = st.container()
        _images(selection, labels, target)
        if made is not None:
            with near:
                _nearest(selection, target, [way.name for way in ways], made)


def _nearest(selection: Selection, target: int, ways: Sequence[str], made: Sequence[fv.Picture]) -> None:
    """For each prototype the image of the set that the classifier's last spatial layer takes to be most like it."""
    classifier, scope, photos = selection.classifier, selection.scope, selection.photos
    layer = classifier.last_spatial_layer.name
    st.markdown(
        f"**The nearest image of {plain(photos.name)}** to each of them, by the cosine of the mean features of "
        f"{plain(layer)}, the last spatial layer"
    )
    [means] = waiting.value(scope.gather("features", fv.strengths, classifier, layer, photos, cache.CachedItems()))
    if not len(means):
        st.caption("None of these images could be opened.")
        return
    pixels = tuple(one.pixels for one in made)
    near = waiting.value(scope.compute("nearest", fv.nearest, classifier, pixels, layer, means.values))
    positions = tuple(int(means.indices[one.row]) for one in near)
    shown = waiting.value(scope.read("nearest-images", inputs.read, classifier, photos, positions))
    labels = selection.labels.indices
    captions = [
        PictureCard(
            way,
            f"{one.cosine:.2f} · {_label(selection, labels[position], target)}",
            about=shortened(photos.names[position], 60),
        )
        for way, one, position in zip(ways, near, positions, strict=True)
    ]
    picturecards.draw([fv.bytes_of(one) for one in shown.pixels], captions, side=150)


def _label(selection: Selection, label: int | None, target: int) -> str:
    if label is None:
        return "its class is not known"
    name = shortened(selection.classifier.labels[label], 30)
    return f"{name}: this class" if label == target else f"{name}: another class"


def _ways(classifier: Classifier, how: Settings, colours: fv.Colours, means: tuple[torch.Tensor, ...]) -> list[Way]:
    size = how.parameterization.resolution(classifier)[0]
    whole, *own = means
    ways = [
        Way("Plain pixels", "from noise, nothing else", Settings(how.steps, fv.Pixels(size), transforms=())),
        Way("Fourier", "decorrelated colours, moved about at each step", how),
        Way("From the mean", "begun at the mean of all images", _begun(how, whole)),
        *[Way("From the class's mean", "begun at the mean of its images", _begun(how, one)) for one in own],
    ]
    if not bundled.of_scenes(classifier):
        return ways
    prior = scenes_prior.load()
    expert = (fv.Density(prior, DENSITY),)
    code = fv.Code(prior, CODE)
    return [
        *ways,
        Way(
            "With a density expert",
            "unlikely pictures cost",
            Settings(how.steps, fv.Fourier(prior.size, colours), regularizers=expert),
        ),
        Way("In a generator's code", "only what the generator can draw", Settings(how.steps, code, transforms=())),
        *[
            Way(
                "Code, from the class's mean",
                "begun at the code of its mean image",
                Settings(how.steps, code, transforms=(), start=fv.FromPictures(one)),
            )
            for one in own
        ],
    ]


def _begun(how: Settings, pixels: torch.Tensor) -> Settings:
    return Settings(how.steps, how.parameterization, start=fv.FromPictures(pixels))


def _images(selection: Selection, positions: Sequence[int], target: int) -> None:
    name = plain(selection.classifier.labels[target])
    if not positions:
        st.caption(f"{plain(selection.photos.name)} has no image with the label {name} to compare with.")
        return
    chosen = tuple(positions[i] for i in np.linspace(0, len(positions) - 1, min(SHOWN, len(positions))).astype(int))
    job = selection.scope.read("class-images", inputs.read, selection.classifier, selection.photos, chosen)
    st.markdown(f"**Images of {name}**, {len(chosen)} of {len(positions)}")
    if waiting.settled(job):
        captions = [PictureCard(shortened(selection.photos.names[position], 24)) for position in chosen]
        picturecards.draw([fv.bytes_of(one) for one in job.value.pixels], captions, side=104)
