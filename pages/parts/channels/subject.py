"""What is explained: photographs, a layer, and a target for each photograph; with the attribution of the channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import streamlit as st
from jaxtyping import Float, UInt8
from torch import Tensor

import cache
from interp import channels
from interp import feature_visualization as fv
from interp.channels import ChannelAttribution
from interp.figures.spotlight import spotlight
from interp.models import inputs
from interp.types import Classifier, Images, Layer, Target
from pages.parts.cards import making
from pages.parts.kit import address, pickers, predicted, targets, waiting
from pages.parts.kit.layers import choose_layer
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain

LAYER, CHANNEL = "ch.layer", "ch.channel"


@dataclass(frozen=True, eq=False)
class Subject:
    """What the views of the page work on."""

    selection: Selection
    positions: tuple[int, ...]
    batch: Images
    probabilities: Float[Tensor, "n k"]
    attribution: ChannelAttribution

    @property
    def classifier(self) -> Classifier:
        """The classifier that is explained."""
        return self.selection.classifier

    @property
    def scope(self) -> cache.Scope:
        """Where the views ask for work."""
        return self.selection.scope

    @property
    def layer(self) -> Layer:
        """The layer whose channels are explained."""
        return self.attribution.layer

    @property
    def targets(self) -> tuple[Target, ...]:
        """What is explained of each photograph."""
        return self.attribution.targets

    @cached_property
    def mean(self) -> Float[np.ndarray, " k"]:
        """Each channel's attribution, the mean over the photographs."""
        return self.attribution.values.mean(dim=0).numpy()

    def lit(self, row: int, channel: int) -> UInt8[np.ndarray, "h w 3"]:
        """One photograph, lit where the channel fires."""
        return spotlight(fv.bytes_of(self.batch.pixels[row]), self.attribution.activations[row, channel].numpy())


def choose(selection: Selection, picture, side) -> Subject:
    """Draw the pickers of photographs, layer and class; gives what the views work on once it is computed.

    Until then the page ends here, with progress.
    """
    classifier, photos, scope = selection.classifier, selection.photos, selection.scope
    with side:
        positions = pickers.further_images(photos, pickers.image(photos))
        layer = layer_of(classifier)
    with picture:
        batch = waiting.value(scope.read("image", inputs.read, classifier, photos, positions))
        probabilities = waiting.value(scope.compute("classes", Classifier.probabilities, classifier, batch))
        own = predicted.own(classifier, photos, selection.labels, positions, probabilities)
        predicted.predictions(classifier, probabilities, own)
    with side:
        named = [(one, photos.names[one]) for one in positions]
        chosen = targets.choose(classifier, probabilities, own, named)
    with picture:
        found = waiting.value(
            scope.compute("attribution", channels.attribute, classifier, batch, chosen, layer=layer.name)
        )
    return Subject(selection, positions, batch, probabilities, found)


def layer_of(classifier: Classifier) -> Layer:
    """Draw the picker of the layer; the last one with a map is the default.

    The channel that was clicked is forgotten where the layer has no such channel.
    """
    layer = choose_layer(classifier, LAYER, default=classifier.last_spatial_layer.name)
    address.seed(CHANNEL, None, valid=lambda one: one is None or 0 <= one < layer.channels, parse=int)
    address.publish(CHANNEL, None if st.session_state[CHANNEL] is None else str(st.session_state[CHANNEL]))
    return layer


def how(selection: Selection) -> fv.Settings:
    """How the pictures of channels are made: as those on the feature visualization page."""
    return making.settings(selection)


def pictures(
    selection: Selection, slot: str, layer: Layer, shown: Sequence[int]
) -> tuple[dict[int, fv.Picture], cache.Job]:
    """The pictures of some channels, by channel, as far as they are; and the job that makes them.

    They come from the store of feature visualizations, where they are kept one by one.
    """
    objectives = [fv.Channel(layer.name, one) for one in shown]
    job = making.ask(selection.scope, slot, selection.classifier, how(selection), objectives)
    job.wait(waiting.PATIENCE)
    return {shown[row]: made for row, made in making.so_far(job).items()}, job


def states(made: Mapping[int, fv.Picture], *jobs: cache.Job | None) -> tuple[object, ...]:
    """What tells the drawing of some pictures from another: the jobs that make them, and how far each picture is."""
    keys = tuple(job.key for job in jobs if job is not None)
    return (*keys, *((one, picture.step) for one, picture in made.items()))


def named(classifier: Classifier, target: Target) -> str:
    """The target in words."""
    return plain(target.title(classifier.labels))
