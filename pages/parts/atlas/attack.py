"""'Attack it': a cell's picture pasted into a corner of all images, beside noise of the same size."""

from __future__ import annotations

import numpy as np
import streamlit as st
from jaxtyping import UInt8

import cache
from interp import atlas
from interp.atlas import CORNERS, ForetoldPatches, PastedPatch, PatchTrial
from pages.parts.atlas import asking, cell, drawing, of_class
from pages.parts.atlas.asking import AtlasResults
from pages.parts.atlas.map_view import CellPlace
from pages.parts.cards import picturecards
from pages.parts.cards.picturecards import PictureCard
from pages.parts.kit import controls, waiting
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain

PICTURES = ("Inverted", "Real patch")
READING = (
    "**Attack it** (Carter et al. 2019). The picture of the chosen cell is pasted into a corner of every image of the "
    "set. *Changed* is the share of all images that are then taken for another class than before; *to the class* is, "
    "of the images that were not taken for it before, the share that now are. Noise patches of the same size say what "
    "covering the corner does by itself. Published, for patches chosen by eye: about 2 of 5 fool the classifier. "
    "Below the map the choice is made by the atlas alone: the five cells that argue most for the class are tried "
    "beside five at random. *Pitfall:* a patch may work because it shows the class, and then nobody is fooled."
)


def view(selection: Selection, picture, side) -> None:
    """The map, the patch, and what it does."""
    target = of_class.choose_class(selection, side, "at.target", "To be taken for")
    if target is None:
        picture.info("The classifier has no classes, so nothing can be taken for another.")
        return
    with side:
        kind = controls.one_of("Paste", "at.paste", PICTURES)
        corner = controls.one_of("Corner", "at.corner", CORNERS, default="bottom right")
        percent = controls.slid("Side, % of the picture's", "at.side", 30, low=10, high=60, step=5)
        settings = asking.choose(selection)
    with picture:
        top = st.container()
        found = asking.results(selection, settings)
        if found is None:
            return
        with top:
            chosen = drawing.draw(found, key="atlas-attack", value=target, height=520)
            cell.panel(found, chosen)
        how = (kind, percent / 100, corner)
        if chosen is None:
            st.info("Click a cell: its picture is pasted into all images.")
        else:
            _pasted(found, chosen, target, how)
        foretelling(found, target, how)


def _pasted(found: AtlasResults, place: CellPlace, target: int, how: tuple[str, float, str]) -> None:
    """One cell's picture, and what it does to the set."""
    number = [one.grid for one in found.mapped.levels].index(place[0])
    pictures = pictures_of(found, number, how[0])
    row = found.mapped.levels[number].at(*place[1:])
    own = None if pictures is None else pictures[row]
    if own is None:
        st.caption("The cell's picture is not there yet.")
        return
    patch = PastedPatch(own, how[1], how[2])  # pyright: ignore[reportArgumentType]
    selection = found.selection
    given = (selection.classifier, selection.photos, (patch,), target)
    job = selection.scope.gather("attack", atlas.trying, *given, kept=cache.CachedItems())
    picturecards.draw([own], [PictureCard("the patch", how[0].lower())], side=96)
    place_for = st.container()
    waiting.settled(job)
    trial: PatchTrial | None = job.latest(None)
    if trial is not None:
        with place_for:
            st.markdown(_said(found, trial, target))


def _said(found: AtlasResults, trial: PatchTrial, target: int) -> str:
    own, noise, name = trial.effects[0], trial.noise, plain(found.labels[target])
    return (
        f"With it in the corner **{own.changed:.0%}** of {own.images:,} images are taken for another class than before "
        f"(noise {noise.changed:.0%}), and **{own.to_target:.0%}** of the {own.others:,} that were not taken for "
        f"*{name}* now are (noise {noise.to_target:.0%})."
    )


def pictures_of(found: AtlasResults, number: int, kind: str) -> UInt8[np.ndarray, "m s s 3"] | None:
    """The pictures of a level's cells; None as long as not all of them are there."""
    if kind == PICTURES[1]:
        return found.patches[number] if number < len(found.patches) else None
    if found.inverted is None or not found.inverted.levels[number].made.all():
        return None
    return found.inverted.levels[number].pictures


def foretelling(
    found: AtlasResults, target: int, how: tuple[str, float, str], slot: str = "foretold"
) -> ForetoldPatches | None:
    """Draw what the atlas foretells: the cells that argue most for the class, tried beside random ones."""
    st.markdown(f"#### What the atlas foretells for *{plain(found.labels[target])}*")
    number = len(found.mapped.levels) - 1
    pictures = pictures_of(found, number, how[0])
    if pictures is None:
        st.caption("It is tried as soon as all pictures are there.")
        return None
    selection, level = found.selection, found.mapped.levels[number]
    given = (selection.classifier, selection.photos, level, pictures, target)
    job = selection.scope.gather(slot, atlas.fooling, *given, share=how[1], corner=how[2], kept=cache.CachedItems())
    place = st.container()
    waiting.settled(job)
    tried: ForetoldPatches | None = job.latest(None)
    if tried is None:
        return None
    with place:
        _cards(tried, pictures)
        st.markdown(
            f"The five cells that argue most for it turn **{tried.share:.0%}** of the other images into it, on "
            f"average; five cells at random {tried.share_of_random:.0%}, noise {tried.share_of_noise:.0%}."
        )
    return tried


def _cards(tried: ForetoldPatches, pictures: UInt8[np.ndarray, "m s s 3"]) -> None:
    rows = [*tried.foretold.tolist(), *tried.random.tolist()]
    kinds = ["foretold"] * len(tried.foretold) + ["random"] * len(tried.random)
    effects = tried.trial.effects
    cards = [PictureCard(f"{one.to_target:.0%}", kind) for one, kind in zip(effects, kinds, strict=True)]
    picturecards.draw([pictures[row] for row in rows], cards, side=80)
