"""The unit's top images, by what they are ranked, and what drives it in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st
from jaxtyping import Float, Int

from interp import units
from interp.figures import saliency
from interp.figures import units as figures
from interp.types import Heatmaps, Images
from interp.units.driving import for_class, in_images
from pages.parts.cards import picturecards
from pages.parts.cards.picturecards import PictureCard
from pages.parts.kit import charts, controls, export, over_set, problems, replay, screens, waiting
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import shortened
from pages.parts.units.asking import UnitResults

SHOWN = 9
EXPLAINED = 4
ROOM = 150
"""So wide, in pixels, a column of maps is at least: on narrow screens there are fewer."""
ORDERS = ("Activation", "Mean activation", "Relevance")
HELP = (
    "Activation: the largest over positions. Mean activation: the mean over positions. Relevance: how much of a "
    "class's score goes through the unit, by LRP (relevance maximization)."
)

READING = (
    "**Top images by relevance.** A unit may be strong in an image and of no use to the class there. Relevance "
    "maximization (Achtibat et al. 2023) ranks images by the unit's relevance for a class instead: the class's logit "
    "is handed back to the layer by LRP, and what the unit has of it is summed over positions. The number is in "
    "logits, and depends on LRP's rules. *LRP through the unit* shows which pixels that relevance comes from: the map"
    " conditioned on the unit and the class. The class is asked of every image, whatever its label."
)


@dataclass(frozen=True, eq=False)
class TopRanking:
    """A unit's images, best first, with what they are ranked by and where the unit is strongest (-1: nowhere).

    `target` is the class where they are ranked by relevance for one.
    """

    images: Int[np.ndarray, " n"]
    values: Float[np.ndarray, " n"]
    places: Int[np.ndarray, "n 2"]
    target: int | None = None


def section(selection: Selection, asked: UnitResults, number: int) -> TopRanking | None:
    """Draw the choice of the order, and the top images."""
    labels = selection.classifier.labels
    order = controls.one_of("Top images by", "un.top", ORDERS if labels else ORDERS[:2], help=HELP)
    ranking = _by_activation(asked, number, order) if order != ORDERS[2] else _by_relevance(selection, asked, number)
    if ranking is None:
        return None
    _cards(selection, asked, ranking)
    return ranking


def _by_activation(asked: UnitResults, number: int, order: str) -> TopRanking:
    tally = asked.tally
    assert tally is not None
    if order == ORDERS[0]:
        return _of(tally.images[number], tally.values[number], tally.places[number])
    nowhere = np.full((tally.mean_images.shape[1], 2), -1)
    return _of(tally.mean_images[number], tally.means[number], nowhere)


def _by_relevance(selection: Selection, asked: UnitResults, number: int) -> TopRanking | None:
    """The images by relevance for a class, at first the one for which the unit is most active."""
    assert asked.tally is not None
    labels = selection.classifier.labels
    best = max(0, int(asked.tally.selectivity[1][number]))
    names = {str(index): label for index, label in enumerate(labels)}
    chosen = int(controls.listed("Relevance for", "un.for", list(names), default=str(best), named=names.__getitem__))
    item = units.ClassRelevance(asked.layer.name, chosen)
    work = units.RelevancePass()
    job = over_set.ask(selection.scope, "relevance", work, selection.classifier, selection.photos, [item])
    done = waiting.settled(job)
    found: tuple[units.RelevantImages, ...] = job.latest(())
    if not found or not found[0].count:
        return None
    if done:
        problems.left_out(found[0].problems)
    return _of(found[0].images[number], found[0].values[number], found[0].places[number], chosen)


def _of(images: np.ndarray, values: np.ndarray, places: np.ndarray, target: int | None = None) -> TopRanking:
    there = images >= 0
    return TopRanking(images[there][:SHOWN], values[there][:SHOWN], places[there][:SHOWN], target)


def _cards(selection: Selection, asked: UnitResults, ranking: TopRanking) -> None:
    photos, whole = selection.photos, (0, 0, *asked.fields.size)
    boxes = tuple(
        ((int(image), whole if place[0] < 0 else asked.fields.box(*place)),)
        for image, place in zip(ranking.images, ranking.places.tolist(), strict=True)
    )
    job = selection.scope.read("crops", figures.crops, selection.classifier, photos, boxes)
    squares = job.value if waiting.there(job, 1.0) else (None,) * len(boxes)
    cut = "whole" if (ranking.places < 0).any() else "cut to what the unit sees where it is strongest"
    st.markdown(f"**Top images**, {cut}")
    cards = []
    for image, value in zip(ranking.images.tolist(), ranking.values.tolist(), strict=True):
        name, label = photos.names[image], photos.labels[image]
        cards.append(PictureCard(f"{value:.3g}", shortened(label or name, 16), about=name))
    picturecards.draw(squares, cards, side=96)
    waiting.settled(job)


def driving(selection: Selection, asked: UnitResults, number: int, ranking: TopRanking) -> None:
    """Draw what drives the unit in its top images: maps of each method, and of relevance for the class."""
    shown = tuple(int(one) for one in ranking.images[:EXPLAINED])
    st.markdown("**What drives it** in these images")
    given = (selection.classifier, selection.photos, shown, number, asked.layer.name)
    through = None
    if ranking.target is not None:
        through = selection.scope.compute("through", for_class, *given, ranking.target)
    job = selection.scope.compute("driving", in_images, *given)
    if not waiting.settled(job):
        return
    images, maps = job.value
    if through is not None and ranking.target is not None and waiting.settled(through):
        label = shortened(selection.classifier.labels[ranking.target], 20)
        maps = ((f"LRP through the unit, for {label}", through.value, True), *maps)
    width = screens.width()
    few = max(2, min(EXPLAINED, width // ROOM))
    keys = (job.key, None if through is None else through.key, len(maps), width)
    replay.once(_maps, images, maps, few, width, known_by=keys)
    screens.watch("unit-width")


def _maps(images: Images, maps: tuple[tuple[str, Heatmaps, bool], ...], few: int, width: int) -> None:
    drawn = [(title, one.values[:few], signed) for title, one, signed in maps]
    names = [shortened(name, 14) for name in images.names[:few]]
    pixels = images.pixels[:few].cpu()
    charts.draw(saliency.grid(pixels, names, drawn, clip=99.0, width=width), config=export.PLOT)
