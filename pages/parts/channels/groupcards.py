"""Groups of channels as they are drawn: the photographs in their colours, a card for each, and a table of effects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import streamlit as st
from jaxtyping import Float, UInt8

from interp.figures import style
from interp.figures.grouped import colour
from pages.parts.cards.making import address
from pages.parts.kit.text import shortened

SIDE, SMALL = 136, 64
EDGE = 0.04
"""So far from a photograph's edge, in shares of its side, a group's number stays."""
CSS = f"""<style>
.painted{{display:flex;flex-wrap:wrap;gap:8px}}
.painted div{{position:relative;width:var(--side)}} .painted img{{display:block;width:100%;border-radius:4px}}
.painted span,.group .number{{background:#fff;color:#000;border:2px solid var(--own);border-radius:10px;font-size:11px;
font-weight:600;line-height:16px;min-width:20px;text-align:center;padding:0 3px}}
.painted span{{position:absolute;transform:translate(-50%,-50%)}}
.groups{{display:grid;grid-template-columns:repeat(auto-fill,minmax(270px,1fr));gap:10px;font-size:12.5px;
line-height:1.4}}
.group{{border:1px solid rgba(128,128,128,.3);border-top:5px solid var(--own);border-radius:6px;padding:7px}}
.group img,.group .blank{{border-radius:4px;display:block;background:rgba(128,128,128,.15);object-fit:cover}}
.group .large{{width:{SIDE}px;height:{SIDE}px}} .group .small{{width:{SMALL}px;height:{SMALL}px}}
.group .row{{display:flex;gap:6px;flex-wrap:wrap;margin-bottom:4px}} .group .number{{display:inline-block}}
.group .rest{{flex:1;min-width:{SIDE}px;align-content:flex-start}}
.group button{{font:inherit;color:inherit;background:none;border:1px solid rgba(128,128,128,.4);border-radius:4px;
padding:0 5px;margin:2px 3px 0 0;cursor:pointer}}
.group button:hover{{background:rgba(128,128,128,.15)}}
.effects{{border-collapse:collapse;font-size:12.5px}} .effects td,.effects th{{padding:3px 6px;text-align:right;
border:1px solid rgba(128,128,128,.25)}} .effects th{{font-weight:600}} 
.effects .name{{white-space:nowrap;text-align:left}} .effects .faint{{opacity:.75;font-weight:400}}
.effects i{{display:inline-block;width:10px;height:10px;border-radius:2px;background:var(--own);margin-right:5px}}
.wide{{overflow-x:auto}}
</style>"""


@dataclass(frozen=True, eq=False)
class Card:
    """What a group's card shows; `effect` and `picture` are None while they are being made.

    `where` are the photographs, lit where the group is; `channels` its strongest, with their shares of the direction;
    `walks` what a click on the group, and on each of these channels, says.
    """

    share: float
    attribution: float
    effect: float | None
    picture: UInt8[np.ndarray, "h w 3"] | None
    where: tuple[UInt8[np.ndarray, "h w 3"], ...]
    channels: tuple[tuple[int, float], ...]
    walks: tuple[str, ...]


def photographs(
    seen: Sequence[UInt8[np.ndarray, "h w 3"]],
    painted: Sequence[tuple[UInt8[np.ndarray, "h w 3"], Sequence[tuple[float, float] | None]]],
    names: Sequence[str],
) -> None:
    """The photographs in the groups' colours, the groups' numbers where they are strongest; one alone as it is, too."""
    side = 320 if len(painted) == 1 else 164
    made = f'<div><img src="{address(seen[0], side)}" alt="{escape(names[0])}"></div>' if len(painted) == 1 else ""
    for (picture, places), name in zip(painted, names, strict=True):
        numbers = "".join(
            f'<span style="--own:{colour(group)};top:{_inside(place[0])};left:{_inside(place[1])}">{group + 1}</span>'
            for group, place in enumerate(places)
            if place is not None
        )
        about = escape(name)
        made += f'<div><img src="{address(picture, side)}" alt="{about}" title="{about}">{numbers}</div>'
    st.html(f'{CSS}<div class="painted" style="--side:{side}px">{made}</div>')


def _inside(share: float) -> str:
    return f"{min(max(share, EDGE), 1 - EDGE):.1%}"


def cards(told: Sequence[Card]) -> None:
    """A card for each group, as one element; clicks say `walk:` and where to."""
    st.html(f'{CSS}<div class="groups">{"".join(_card(group, one) for group, one in enumerate(told))}</div>')


def _card(group: int, card: Card) -> str:
    several = len(card.where) > 1
    picture = _image(card.picture, "large", f"what group {group + 1} looks for")
    where = "".join(_image(one, "small" if several else "large", "where it is active") for one in card.where)
    effect = "being measured" if card.effect is None else f"{card.effect:+.3g}"
    chips = "".join(
        f'<button data-click="walk:{escape(walk)}" title="what channel {k} is made of">{k} · {share:.0%}</button>'
        for (k, share), walk in zip(card.channels, card.walks[1:], strict=True)
    )
    mean = "mean " if several else ""
    return (
        f'<div class="group" style="--own:{colour(group)}"><div class="row">{picture}'
        f'<div class="row rest">{where}</div></div>'
        f'<span class="number">{group + 1}</span> <b>{card.share:.0%}</b> of the activation<br>'
        f"{mean}attribution <b>{card.attribution:+.3g}</b>, measured effect <b>{effect}</b><br>"
        f"channels {chips}<br>"
        f'<button data-click="walk:{escape(card.walks[0])}">What it is made of, layer by layer →</button></div>'
    )


def _image(picture: np.ndarray | None, size: str, about: str) -> str:
    if picture is None:
        return f'<span class="blank {size}" title="{about}: being made"></span>'
    side = SIDE if size == "large" else SMALL
    return f'<img class="{size}" src="{address(picture, side)}" alt="{about}" title="{about}">'


def effects(
    classes: Sequence[str],
    logits: Float[np.ndarray, " c"],
    measured: Float[np.ndarray, "g c"],
    estimated: Float[np.ndarray, "g c"],
    together: Float[np.ndarray, " c"],
) -> None:
    """Groups by classes, measured and estimated, on one scale of colours with zero in its middle."""
    most = float(max(np.abs(measured).max(initial=0), np.abs(estimated).max(initial=0))) or 1.0
    head = "".join(
        f'<th colspan="2" title="{escape(name)}">{escape(shortened(name, 22))}<br><span class="faint">logit {one:.3g}'
        "</span></th>"
        for name, one in zip(classes, logits, strict=True)
    )
    kinds = '<th class="faint">measured</th><th class="faint">estimate</th>' * len(classes)
    rows = "".join(
        f'<tr><th class="name" style="--own:{colour(group)}"><i></i>Group {group + 1}</th>'
        + "".join(_cell(one, most) + _cell(other, most) for one, other in zip(row, measured_not, strict=True))
        + "</tr>"
        for group, (row, measured_not) in enumerate(zip(measured, estimated, strict=True))
    )
    sums = zip(together, estimated.sum(axis=0), strict=True)
    last = "".join(f"<td>{one:+.3g}</td><td>{other:+.3g}</td>" for one, other in sums)
    st.html(
        f'{CSS}<div class="wide"><table class="effects"><tr><th></th>{head}</tr><tr><th></th>{kinds}</tr>{rows}'
        f'<tr><th class="name">All at once</th>{last}</tr></table></div>'
    )


def _cell(value: float, most: float) -> str:
    red, green, blue, _ = style.colours(style.signed(), np.array([0.5 + 0.5 * value / most]))[0]
    ink = "#000" if 0.3 * red + 0.59 * green + 0.11 * blue > 130 else "#fff"
    return f'<td style="background:rgb({red},{green},{blue});color:{ink}">{value:+.2f}</td>'
