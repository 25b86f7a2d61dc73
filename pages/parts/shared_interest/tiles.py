"""The eight cases as a picture that teaches them: prediction right or wrong × how saliency and annotation overlap."""

from __future__ import annotations

import functools
from typing import Any

import streamlit as st

from interp.figures import style
from interp.figures.interest import COLOURS
from interp.images.data_urls import svg_url
from interp.shared_interest import CASES, Thresholds
from pages.parts.kit import markup
from pages.parts.shared_interest import settings
from pages.parts.shared_interest.scored_set import NAMES, ScoredSet

SENTENCES = {
    "human aligned": "Right, and it looks where people do.",
    "confuser": "Wrong, though it looks where people do.",
    "sufficient subset": "Right, from a part of what people marked.",
    "insufficient subset": "Wrong: it sees only a part of what people marked.",
    "context dependent": "Right, but it needs the surroundings, too.",
    "context confusion": "Wrong: the surroundings are taken along.",
    "sufficient context": "Right, but from something else.",
    "distractor": "Wrong: it looks at something else.",
}
ASIDE = {
    "unclassified": "Scores in between: none of the eight cases fits. The thresholds decide how many these are.",
    "no annotation": "Nobody has marked anything in these images. A click opens 'Draw', where you can.",
    "no saliency": "The map singles out no pixel: it is constant, or nothing is above the limit.",
    "no label": "The image's label is not among the classifier's classes, so nobody knows right from wrong.",
}
# Left, top, width and height in a picture of 60 × 44: what people marked, and where the map is large.
_MARKED = {"same": (17, 9, 26, 26), "part": (11, 6, 38, 32), "more": (22, 13, 16, 17), "elsewhere": (6, 8, 21, 24)}
_SALIENT = {
    "same": (30, 22, 14, 13.5),
    "part": (37, 27, 6.5, 6),
    "more": (30, 22, 26, 19.5),
    "elsewhere": (45, 27, 10, 11),
}
_PATTERNS = tuple(_MARKED)


def draw(scored_set: ScoredSet, chosen: tuple[str, ...]) -> None:
    """Draw the tiles with how many images each case has; a click on one says `case:` and its number in `NAMES`."""
    st.caption(settings.sentence(scored_set))
    st.html(html(scored_set.counts, len(scored_set), scored_set.thresholds, chosen))


def html(counts: dict[str, int], total: int, thresholds: Thresholds, chosen: tuple[str, ...] = ()) -> str:
    """The tiles; `counts` by case, with their shares of `total` images, those `chosen` pressed."""
    # Right cases stand in the first row, wrong ones in the second; `CASES` has them in turns.
    tiles = [
        _button(name, SENTENCES[name], counts, chosen)
        | {"colour": COLOURS[name], "drawing": schematic(_PATTERNS[NAMES.index(name) // 2])}
        for name in (*CASES[0:8:2], *CASES[1:8:2])
    ]
    chips = [_button(name, text, counts, chosen) for name, text in ASIDE.items() if counts[name] or name in chosen]
    return markup.html("cases.html", heads=_heads(thresholds), tiles=tiles, total=total, chips=chips)


def _button(name: str, sentence: str, counts: dict[str, int], chosen: tuple[str, ...]) -> dict[str, Any]:
    """What a case's tile says; cases in even places are right."""
    place = NAMES.index(name)
    return {"place": place, "name": name, "sentence": sentence, "count": counts[name], "pressed": name in chosen}


def _heads(thresholds: Thresholds) -> tuple[tuple[str, str], ...]:
    """What each column has in common, with the rule that puts an image there."""
    low, high = f"{thresholds.low:.2f}", f"{thresholds.high:.2f}"
    return (
        ("The same place", f"IoU ≥ {high}"),
        ("A part of it", f"SC ≥ {high}, GTC ≤ {low}"),
        ("It and more", f"GTC ≥ {high}, SC ≤ {low}"),
        ("Elsewhere", f"IoU ≤ {low}"),
    )


@functools.cache
def schematic(pattern: str) -> str:
    """A small drawing as a data URL: the annotation as an outline, the saliency as a filled area."""
    colours = {"colour": style.LINES["for"], "outline": style.OUTLINE_COLOR}
    # As a picture, since Streamlit takes drawings out of the page's HTML.
    return svg_url(markup.html("schematic.svg", marked=_MARKED[pattern], salient=_SALIENT[pattern], **colours))
