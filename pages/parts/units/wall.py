"""All channels of a layer for one picture as a live wall of maps: a photograph, an upload, or what is painted on it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import streamlit as st
import torch
from jaxtyping import Float, Int

import cache
from interp import channels, units
from interp import images as image_sets
from interp.figures import saliency
from interp.figures import wall as figures
from interp.models import inputs
from interp.passes.receptive_fields import receptive_fields
from interp.types import Classifier, Images, Layer
from interp.units import ChannelMaps, WallScale
from pages.parts.kit import charts, clicks, controls, export, markup, pickers, playground, replay, screens, waiting
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain
from pages.parts.units import asking

EACH = 512
TILE = 48
SOURCES = ("The set", "Upload")
ORDERS = ("Layer", "Brightest", "Class effect")
SCALES: dict[str, WallScale] = {"Each in the set": "set", "Each here": "picture", "All alike": "alike"}
SCALE_HELP = (
    "Where the colours end. Each in the set: at the unit's largest activation in any image of the set, so that what is "
    "bright is strong for this unit. Each here: at its largest in this picture, so that faint maps are seen, too. All "
    "alike: at the largest of all units here."
)
ORDER_HELP = (
    "Layer: by number. Brightest: by the brightest place, as drawn. Class effect: by what the unit adds to the score "
    "of the predicted class, gradient times activation summed over positions, the largest first."
)

READING = (
    "**All channels.** The map of every unit of a layer for one picture, drawn as large as the layer's grid has "
    "positions (Yosinski, Clune, Nguyen, Fuchs and Lipson 2015). Paint on the photograph and see which units change: "
    "so one finds what a unit answers to by experiment. Black is zero; where a layer has activations below zero, blue "
    "is below, white zero, red above. What a bright map means depends on the scale that is chosen. The order by class "
    r"effect is by $\sum_{uv} A_{kuv}\,\partial s/\partial A_{kuv}$, $s$ the score of the predicted class: to first "
    "order, and for this picture alone. A wall shows that a unit is active, not what it is for. The large map is "
    "enlarged between the centres of receptive fields; what a unit sees is wider than its bright spot."
)


@dataclass(frozen=True, eq=False)
class WallDrawing:
    """What is drawn: the maps, in which order, each with the end of its scale, and what is read of the scale's ends."""

    maps: ChannelMaps
    order: Int[np.ndarray, " k"]
    ends: Float[np.ndarray, " k"]
    said: tuple[str, ...]
    chosen: int


def view(selection: Selection, picture, side) -> None:
    """The wall of a layer for one picture, and the chosen unit large over it."""
    classifier = selection.classifier
    with side:
        source = controls.one_of("Picture from", "un.from", SOURCES)
        own, position = _source(selection, source)
        layer = asking.choose_layer(classifier)
        number = asking.choose_unit(layer)
        offered = ORDERS if classifier.labels else ORDERS[:2]
        order = controls.one_of("Order", "un.wall-order", offered, help=ORDER_HELP)
        scale = SCALES[controls.one_of("Brightness", "un.scale", list(SCALES), help=SCALE_HELP)]
    with picture:
        clicks.listen({"unit": asking.take})
        if own is None or position is None:
            st.info("Upload a picture, with the button beside: the channels are shown for it.")
            return
        original = waiting.value(own.scope.read("image", inputs.read, classifier, own.photos, (position,)))
        batch = playground.panel(own, position, original)
        st.markdown(f"#### {plain(layer.name)}, all {layer.channels:,} channels of {plain(batch.names[0], limit=80)}")
        large, place = st.container(), st.container()
        # Of one visitor's jobs the newest comes first: what is seen at once is asked for last.
        tally = asking.counting(selection, layer) if scale == "set" else None
        effects = _effects(own, batch, layer) if order == ORDERS[2] else None
        job = own.scope.compute("wall", units.channel_maps, classifier, batch[:1], layer.name)
        with place:
            if waiting.settled(job):
                maps: ChannelMaps = job.value
                _draw(own, maps, scale, order, _largest(tally, layer), effects, number)
                with large:
                    _large(own, batch, maps, number)
        if tally is not None:
            waiting.settled(tally)


def _source(selection: Selection, source: str) -> tuple[Selection | None, int | None]:
    """Where the picture is: one of the set, or one that was uploaded, as a set of its own."""
    if source == SOURCES[0]:
        return selection, pickers.image(selection.photos)
    file = st.file_uploader("A picture", key="un.file")
    if file is None:
        return None, None
    photos = image_sets.from_files([(file.name, file.getvalue())], name="upload")
    for problem in photos.problems:
        st.caption(f":material/error: {plain(problem.name)}: {plain(problem.reason)}")
    return (replace(selection, photos=photos), 0) if len(photos) else (None, None)


def _largest(job: cache.Job | None, layer: Layer) -> np.ndarray | None:
    """Each unit's largest activation in the set, as far as it was seen."""
    if job is None:
        return None
    waiting.there(job)
    own = [one for one in asking.tallies(job) if one.images and one.value.layer == layer.name]
    return own[0].value.values[:, 0] if own else None


def _effects(own: Selection, batch: Images, layer: Layer) -> cache.Job:
    return own.scope.compute("effects", _effects_of, own.classifier, batch[:1], layer.name)


def _effects_of(classifier: Classifier, images: Images, layer: str) -> tuple[int, Float[np.ndarray, " k"]]:
    """The predicted class, and what each unit adds to its score."""
    predicted = int(classifier.logits(images)[0].argmax())
    return predicted, channels.attribute(classifier, images, predicted, layer=layer).values[0].numpy()


def _draw(
    own: Selection,
    maps: ChannelMaps,
    scale: WallScale,
    order: str,
    of_set: np.ndarray | None,
    effects: cache.Job | None,
    number: int,
) -> None:
    """The wall in its order, page by page."""
    if scale == "set" and of_set is None:
        st.caption("The set has not been read yet: until then each channel's brightness is by this picture alone.")
        scale = "picture"
    ends = maps.ends(scale, of_set)
    sequence = np.arange(len(ends)) if order == ORDERS[0] else maps.brightest(ends)
    if effects is not None and waiting.settled(effects):
        predicted, values = effects.value
        sequence = np.argsort(-values, kind="stable")
        name = plain(own.classifier.labels[predicted])
        st.caption(f"From the channel that speaks most for *{name}*, which is predicted, to the one most against it.")
    pages = -(-len(sequence) // EACH)
    page = st.pagination(pages, default=1, key=f"un-wall-{maps.layer}-{order}") if pages > 1 else 1
    shown = sequence[(page - 1) * EACH : page * EACH]
    drawing = WallDrawing(maps, shown, ends, _ends(maps, scale), number)
    known_by = (maps, shown, ends, drawing.said, number)
    replay.once(_wall, drawing, known_by=known_by)


def _ends(maps: ChannelMaps, scale: WallScale) -> tuple[str, ...]:
    most = {
        "set": "the unit's largest in the set",
        "picture": "the unit's largest here",
        "alike": f"{maps.magnitude.max(initial=0):.3g}, the largest here",
    }[scale]
    return (f"minus {most}", "0", most) if maps.signed else ("0", most)


def _wall(drawing: WallDrawing) -> None:
    maps, order = drawing.maps, drawing.order
    sprite = figures.sprite(maps.maps[order], drawing.ends[order], signed=maps.signed)
    high = max(1, round(TILE * maps.maps.shape[1] / maps.maps.shape[2]))
    largest = maps.maps.reshape(len(maps.maps), -1).max(axis=1)
    tiles = [
        {
            "number": one,
            "title": f"Unit {one}, up to {largest[one]:.3g}",
            "chosen": one == drawing.chosen,
            "row": place // sprite.columns,
            "column": place % sprite.columns,
        }
        for place, one in enumerate(order.tolist())
    ]
    scale = figures.scale_css(signed=maps.signed)
    markup.draw("wall.html", sprite=sprite, tile=TILE, high=high, tiles=tiles, scale=scale, ends=drawing.said)


def _large(own: Selection, batch: Images, maps: ChannelMaps, number: int) -> None:
    job = own.scope.compute("fields", receptive_fields, own.classifier, maps.layer)
    if not waiting.settled(job):
        return
    own_map = maps.maps[number]
    st.markdown(
        f"**Unit {number}**, {own_map.min():.3g} to {own_map.max():.3g} here. {plain(job.value.reason, limit=300)}"
    )
    width = screens.width()
    replay.once(_over, batch, maps, number, job.value, width, known_by=(batch, maps, number, job.key, width))
    screens.watch("unit-width")


def _over(batch: Images, maps: ChannelMaps, number: int, fields, width: int) -> None:
    centres = (tuple(fields.centres_y.tolist()), tuple(fields.centres_x.tolist()))
    pixels = batch.pixels[0].cpu()
    size = cast(tuple[int, int], tuple(pixels.shape[1:]))
    large = torch.from_numpy(units.between_centres(maps.maps[number], centres, size))
    panels = [(f"Unit {number}", large, maps.signed)]
    charts.draw(saliency.comparison(pixels, panels, columns=2, width=width), config=export.PLOT)
