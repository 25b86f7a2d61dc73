"""What the channels of a class's graph look like: where each is strongest in the images of the class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from interp.class_summary import ChannelKey, ClassGraph
from interp.figures import units as figures
from interp.figures.units import Crop
from interp.images import ImageSet
from interp.images.data_urls import data_url
from interp.passes.receptive_fields import ReceptiveFields, receptive_fields
from interp.types import Classifier
from interp.units import Counted, LayerTally, UnitPass, UnitTally
from pages.parts.class_summary import looks
from pages.parts.kit import over_set, waiting
from pages.parts.kit.selection import Selection

SHOWN = 4
SIDE = 72


@dataclass(frozen=True, eq=False)
class SeenVertices:
    """The tallies of a class's images by layer, and a picture of each vertex as a data URL, once they are made."""

    tallies: dict[str, LayerTally]
    fields: dict[str, ReceptiveFields]
    urls: dict[ChannelKey, str]


def seen(selection: Selection, graph: ClassGraph, number: int, slot: str = "") -> SeenVertices | None:
    """What the vertices are in the images of the class: read in a pass over these alone.

    Progress is drawn where this is called.
    """
    classifier, photos = selection.classifier, selection.photos
    fields = {
        layer: selection.scope.shared.compute(f"fields{slot} {layer}", receptive_fields, classifier, layer)
        for layer in graph.layers
    }
    positions = np.array([one for one, label in enumerate(selection.labels.indices) if label == number], np.int64)
    items = [UnitTally(layer, top=SHOWN, kept=1) for layer in graph.layers]
    job = over_set.ask(selection.scope, f"vertices{slot}", UnitPass(), classifier, photos, items, positions)
    if not all(waiting.settled(one) for one in (job, *fields.values())):
        return None
    tallied: tuple[Counted[LayerTally], ...] = job.value
    if not tallied[0].images:
        return None
    tallies = {one.value.layer: one.value for one in tallied}
    sees = {layer: own.value for layer, own in fields.items()}
    if (made := looks.visualized(selection, graph, slot)) is not None:
        return SeenVertices(tallies, sees, made)
    keys = [one.key for one in graph.vertices]
    wanted = tuple(_crops(tallies[layer], sees[layer], channel) for layer, channel in keys)
    reading = selection.scope.read(f"vertex-pictures{slot}", pictures, classifier, photos, wanted)
    urls = reading.value if waiting.settled(reading) else ()
    return SeenVertices(tallies, sees, dict(zip(keys, urls, strict=False)))


def pictures(classifier: Classifier, photos: ImageSet, each: Sequence[Sequence[Crop]]) -> tuple[str, ...]:
    """For each vertex a square of what it sees in its top images, as a data URL of the size that vertices have."""
    squares = figures.crops(classifier, photos, each)
    return tuple(data_url(_smaller(one), "webp", quality=80) for one in squares)


def name_of(key: ChannelKey) -> str:
    """How a vertex is called in the browser and in the address."""
    return f"{key[0]}:{key[1]}"


def key_of(name: str) -> ChannelKey:
    """The vertex of such a name."""
    layer, _, channel = name.rpartition(":")
    return layer, int(channel)


def picture_of(seen: SeenVertices | None, key: ChannelKey) -> str:
    """A vertex's picture as a data URL; empty while there is none."""
    return "" if seen is None else seen.urls.get(key, "")


def _crops(tally: LayerTally, fields: ReceptiveFields, channel: int) -> tuple[Crop, ...]:
    """Four in a square or, of a class with fewer images, the strongest alone."""
    there = tally.images[channel] >= 0
    count = SHOWN if there.sum() >= SHOWN else 1
    return tuple(
        (int(image), fields.box(*place.tolist()))
        for image, place in zip(tally.images[channel, :count], tally.places[channel, :count], strict=True)
    )


def _smaller(square: UInt8[np.ndarray, "side side 3"]) -> UInt8[np.ndarray, "h w 3"]:
    from PIL import Image

    return np.asarray(Image.fromarray(square).resize((SIDE, SIDE), Image.Resampling.BILINEAR))
