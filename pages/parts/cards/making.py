"""Having pictures made, and drawing them as cards while they become clearer."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import streamlit as st
from jaxtyping import UInt8
from PIL import Image

import cache
from cache.each import each
from interp import feature_visualization as fv
from interp.feature_visualization import Colours, Objective, Picture, Settings
from interp.types import Classifier
from pages.parts.kit import controls, replay, waiting
from pages.parts.kit.selection import Selection

Bytes = UInt8[np.ndarray, "h w 3"]
QUALITIES = {"Preview": 64, "Good": 256, "Fine": 1024, "Finest": 2048}

CSS = """<style>
.made{display:grid;align-items:start;grid-template-columns:repeat(auto-fill,minmax(var(--side),1fr));gap:8px;
font-size:12.5px;line-height:1.35}
.made button,.made figure{font:inherit;color:inherit;text-align:left;background:none;border:2px solid transparent;
border-radius:6px;padding:3px;margin:0;min-width:0}
.made button{cursor:pointer} .made button:hover{background:rgba(128,128,128,.15)}
.made .chosen{border-color:#0072B2}
.made img,.made .blank{display:block;width:100%;aspect-ratio:1;border-radius:4px;object-fit:cover}
.made .blank{background:rgba(128,128,128,.15)}
.made span{display:block;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.made .faint{opacity:.75;white-space:normal}
</style>"""


@dataclass(frozen=True)
class Card:
    """What stands under a picture: a title, a line, and what a click on it says (None: it cannot be clicked).

    `about` is read when the picture is pointed at; the title where there is none.
    """

    title: str
    line: str = ""
    click: str | None = None
    chosen: bool = False
    about: str = ""


def settings(selection: Selection, count: int | None = None, *, side: int = fv.SIDE) -> Settings:
    """How pictures are made, in so many steps; the page ends here until that is known.

    None leaves their number to what was chosen in `quality`. `side` is what `fv.usual` calls so.
    """
    scope, some = selection.scope, count or steps()
    usual = scope.gather(f"usual-{some}-{side}", fv.usual, selection.classifier, some, colours(selection), side=side)
    return waiting.value(usual)


def steps() -> int:
    """How many steps the chosen quality takes."""
    return QUALITIES[st.session_state.get("fv.quality", "Good")]


def colours(selection: Selection) -> Colours:
    """Those of photographs for a classifier of ImageNet's classes, else those that the image set has."""
    return waiting.value(selection.scope.survey("colours", fv.colours_of, selection.classifier, selection.photos))


def quality() -> None:
    """Draw the choice of how long pictures are optimized."""
    controls.one_of(
        "Quality",
        "fv.quality",
        list(QUALITIES),
        default="Good",
        help="64, 256, 1,024 or 2,048 steps of the optimization. Pictures are kept: wanted again, they come at once.",
    )


def asked(
    scope: cache.Scope, slot: str, classifier: Classifier, how: Settings, objectives: Sequence[Objective]
) -> tuple[dict[int, Picture], bool]:
    """The pictures by their objectives' places, as far as they are, and whether they are finished; draws progress."""
    job = ask(scope, slot, classifier, how, objectives)
    done = waiting.settled(job)
    return so_far(job), done


def ask(
    scope: cache.Scope, slot: str, classifier: Classifier, how: Settings, objectives: Sequence[Objective]
) -> cache.Job:
    """The job that makes a picture for each objective; each is kept by itself."""
    size = max(1, fv.batch_for(classifier, how) // how.copies)
    return scope.gather(slot, each, fv.pictures, classifier, (how,), tuple(objectives), size)


def so_far(job: cache.Job) -> dict[int, Picture]:
    """The pictures that are there, finished or not, by their objectives' places."""
    if waiting.there(job):
        return dict(enumerate(job.value))
    return job.partial[-1] if job.partial else {}


def in_each_way(
    scope: cache.Scope,
    slot: str,
    classifier: Classifier,
    ways: dict[str, Settings],
    objectives: Sequence[Objective],
    place,
    *,
    about: Mapping[str, str] | None = None,
    side: int = 150,
) -> list[Picture] | None:
    """Draw one objective's pictures made in several ways as cards in a place; gives them when all are finished."""
    # Of one visitor's jobs the newest comes first, so the first way is asked for last.
    asked = [ask(scope, f"{slot}/{name}", classifier, ways[name], objectives) for name in reversed(ways)]
    jobs = asked[::-1]
    done = all(waiting.settled(job) for job in jobs)
    made = [so_far(job).get(0) for job in jobs]
    with place:
        told = [Card(name, line(one), about=(about or {}).get(name, "")) for name, one in zip(ways, made, strict=True)]
        cards([None if one is None else one.pixels for one in made], told, side=side)
    return [one for one in made if one is not None] if done else None


def cards(pictures: Sequence[UInt8[np.ndarray, "h w 3"] | None], told: Sequence[Card], *, side: int = 100) -> None:
    """Draw pictures with what stands under them, as one element; None is a picture that is not there yet."""
    replay.once(_cards, tuple(pictures), tuple(told), side)


def _cards(pictures: Sequence[np.ndarray | None], told: Sequence[Card], side: int) -> None:
    made = "".join(_card(picture, card, side) for picture, card in zip(pictures, told, strict=True))
    st.html(f'{CSS}<div class="made" style="--side:{side}px">{made}</div>')


def _card(picture: np.ndarray | None, card: Card, side: int) -> str:
    image = '<span class="blank"></span>' if picture is None else f'<img src="{address(picture, side)}" alt="">'
    line = f'<span class="faint">{escape(card.line)}</span>' if card.line else ""
    about = escape(card.about or card.title)
    inside = f"{image}<span>{escape(card.title)}</span>{line}"
    chosen = ' class="chosen"' if card.chosen else ""
    if card.click is None:
        return f'<figure{chosen} title="{about}">{inside}</figure>'
    return f'<button{chosen} data-click="{escape(card.click)}" title="{about}">{inside}</button>'


def address(picture: UInt8[np.ndarray, "h w 3"], side: int) -> str:
    """A picture as a data address, small pictures enlarged in whole blocks."""
    times = max(1, round(1.5 * side / picture.shape[1])) if picture.shape[1] < side else 1
    stream = io.BytesIO()
    Image.fromarray(picture.repeat(times, axis=0).repeat(times, axis=1)).save(stream, "WEBP", quality=82, method=2)
    return f"data:image/webp;base64,{base64.b64encode(stream.getvalue()).decode()}"


def line(picture: Picture | None, best: float | None = None) -> str:
    """What a picture achieves, in words for its card."""
    if picture is None:
        return "waiting"
    if picture.dead:
        return "dead: nothing drives it"
    if picture.step < picture.steps:
        return f"step {picture.step} of {picture.steps}"
    beside = "" if best is None else f", images\u00a0≤\u00a0{best:.3g}"
    return f"{picture.value:.3g}{beside}" + (f" · {picture.fault}" if picture.fault else "")
