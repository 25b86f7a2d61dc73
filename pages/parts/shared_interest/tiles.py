"""The eight cases as a picture that teaches them: prediction right or wrong × how saliency and annotation overlap."""

from __future__ import annotations

import base64
from html import escape

import streamlit as st

from interp.figures import style
from interp.figures.interest import COLOURS
from interp.shared_interest import CASES, Thresholds
from pages.parts.shared_interest import settings
from pages.parts.shared_interest.known import NAMES, Known

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
CSS = f"""<style>
.cases{{display:grid;grid-template-columns:repeat(4,minmax(0,1fr));gap:6px;font-size:12.5px;line-height:1.3}}
.cases .head{{align-self:end;padding:0 2px;opacity:.8}}
.cases button,.aside button{{font:inherit;color:inherit;text-align:left;background:rgba(128,128,128,.07);cursor:pointer;
border:1px solid rgba(128,128,128,.3);border-radius:6px;padding:6px 8px;margin:0}}
.cases button{{border-left-width:6px;display:flex;flex-direction:column}}
.cases button:hover,.aside button:hover{{background:rgba(128,128,128,.18)}}
.cases button[aria-pressed=true],.aside button[aria-pressed=true]{{outline:2px solid currentColor}}
.cases button.none{{opacity:.65}}
.cases .top{{display:flex;gap:8px;align-items:center}}
.cases .top img{{width:60px;flex:none;border-radius:3px}}
.cases .count{{font-size:20px;font-weight:600;line-height:1.1}}
.cases b,.cases .said{{display:block}}
.cases b{{margin-top:4px}}
.aside{{display:flex;flex-wrap:wrap;gap:6px;margin-top:6px;font-size:12.5px}}
.aside button{{padding:2px 8px}}
@media (max-width:900px){{.cases{{grid-template:repeat(4,auto)/repeat(2,minmax(0,1fr));grid-auto-flow:column}}
.cases .head{{display:none}}}}
.cases .right{{--mark:{style.RIGHT.colour}}} .cases .wrong{{--mark:{style.WRONG.colour}}}
</style>"""


def draw(known: Known, chosen: tuple[str, ...]) -> None:
    """Draw the tiles with how many images each case has; a click on one says `case:` and its number in `NAMES`."""
    st.caption(settings.said(known))
    st.html(html(known.counts, len(known), known.thresholds, chosen))


def html(counts: dict[str, int], total: int, thresholds: Thresholds, chosen: tuple[str, ...] = ()) -> str:
    """The tiles; `counts` by case, with their shares of `total` images, those `chosen` pressed."""
    # Right cases stand in the first row, wrong ones in the second; `CASES` has them in turns.
    tiles = [_tile(name, counts, total, name in chosen) for name in (*CASES[0:8:2], *CASES[1:8:2])]
    heads = "".join(f'<div class="head">{text}</div>' for text in _heads(thresholds))
    aside = "".join(_chip(name, counts[name], name in chosen) for name in ASIDE if counts[name] or name in chosen)
    return f'{CSS}<div class="cases">{heads}{"".join(tiles)}</div><div class="aside">{aside}</div>'


def _heads(thresholds: Thresholds) -> tuple[str, ...]:
    """What each column has in common, with the rule that puts an image there."""
    low, high = f"{thresholds.low:.2f}", f"{thresholds.high:.2f}"
    return (
        f"<b>The same place</b>IoU ≥ {high}",
        f"<b>A part of it</b>SC ≥ {high}, GTC ≤ {low}",
        f"<b>It and more</b>GTC ≥ {high}, SC ≤ {low}",
        f"<b>Elsewhere</b>IoU ≤ {low}",
    )


def _tile(name: str, counts: dict[str, int], total: int, pressed: bool) -> str:
    place = NAMES.index(name)
    right = place % 2 == 0
    count = counts[name]
    kind = ("right" if right else "wrong") + (" none" if not count else "")
    word = f'<span style="color:var(--mark)">{"✓ right" if right else "✗ wrong"}</span>'
    share = f"{count / total:.0%} · " if total else ""
    return (
        f'<button class="{kind}" style="border-left-color:{COLOURS[name]}" data-click="case:{place}" '
        f'aria-pressed="{str(pressed).lower()}">'
        f'<span class="top">{schematic(_PATTERNS[place // 2])}<span><span class="count">{count:,}</span><br>'
        f"{share}{word}</span></span>"
        f'<b>{name.capitalize()}</b><span class="said">{escape(SENTENCES[name])}</span></button>'
    )


def schematic(pattern: str) -> str:
    """A small drawing: the annotation as an outline, the saliency as a filled area."""
    left, top, width, height = _MARKED[pattern]
    x, y, across, down = _SALIENT[pattern]
    box = f'x="{left}" y="{top}" width="{width}" height="{height}" rx="2" fill="none"'
    drawing = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 60 44"><rect width="60" height="44" fill="#8c9096"/>'
        f'<ellipse cx="{x}" cy="{y}" rx="{across}" ry="{down}" fill="{style.LINES["for"]}" fill-opacity=".75"/>'
        f'<rect {box} stroke="#000" stroke-width="3.4"/>'
        f'<rect {box} stroke="{style.OUTLINE_COLOR}" stroke-width="1.8"/></svg>'
    )
    # As a picture, since Streamlit takes drawings out of the page's HTML.
    return f'<img alt="" src="data:image/svg+xml;base64,{base64.b64encode(drawing.encode()).decode()}">'


def _chip(name: str, count: int, pressed: bool) -> str:
    return (
        f'<button data-click="case:{NAMES.index(name)}" aria-pressed="{str(pressed).lower()}" '
        f'title="{escape(ASIDE[name])}"><b>{count:,}</b> {name}</button>'
    )
