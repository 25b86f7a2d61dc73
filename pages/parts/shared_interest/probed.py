"""What a probed region brings: all classes ranked, two rankings compared, and one class's map."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
import torch
from jaxtyping import Bool, Int, UInt8

import cache
from interp.attribution.every_class import ClassMaps
from interp.figures import regions as figures
from interp.shared_interest import probing
from interp.shared_interest.probing import ClassSaliency, Probe, Score
from interp.types import Classifier, Images
from pages.parts.cards import gallery
from pages.parts.kit import canvas, export
from pages.parts.kit.text import plain, shortened

NAMES: dict[str, Score] = {
    "IoU": "iou",
    "Ground-truth coverage": "ground_truth_coverage",
    "Saliency coverage": "saliency_coverage",
    "Evidence inside": "evidence",
}
REGIONS = ("Region 1", "Region 2")
INK_NAMES = ("orange", "blue")
COLOURS = (figures.FIRST, figures.SECOND)
PICTURED, MOVERS = 8, 8
FINE = 448
"""So many pixels a side, at least, is a picture painted with, where whole blocks of the classifier's allow that."""


@dataclass(frozen=True, eq=False)
class Probed:
    """Everything about one image: the maps, their saliency and the probe of each region, and how they are ranked."""

    classifier: Classifier
    batch: Images
    maps: ClassMaps
    masks: tuple[Bool[np.ndarray, "h w"], ...]
    saliency: tuple[ClassSaliency, ...]
    probes: tuple[Probe, ...]
    name: str
    among: int | None

    @property
    def score(self) -> Score:
        """The score that ranks."""
        return NAMES[self.name]

    def order(self, region: int) -> Int[np.ndarray, " m"]:
        """The classes from the best on."""
        return self.probes[region].ranked(self.score, self.among)


def passes(maps: ClassMaps) -> str:
    """What the maps cost, and what they would have cost one by one."""
    count = len(maps.coarse)
    if maps.closed:
        how = (
            f"and {maps.backward} backward passes through what follows layer {maps.layer}, from which all others follow"
        )
    else:
        how = f"and {maps.backward:,} backward passes, through what follows layer {maps.layer} only"
    return (
        f":material/speed: All {count:,} maps from **1 forward pass** {plain(how)} ({maps.below:.0%} of the network's "
        f"multiplications lie before it). Asked for one by one, they are {count:,} forward and {count:,} backward "
        "passes. Methods that go back to the pixels have no such way: they need a whole backward pass for each class."
    )


def rankings(probed: Probed) -> int:
    """Draw the ranking by the region, or two side by side; gives the class that is looked at."""
    predicted = int(probed.probes[0].probabilities.argmax())
    said = [_said(probed, region, predicted) for region in range(len(probed.probes))]
    if len(probed.probes) == 1:
        st.markdown(said[0])
        _pictures(probed, 0)
        picked = [_table(probed, 0)]
    else:
        picked = []
        for region, column in enumerate(st.columns(2, gap="medium")):
            with column:
                st.markdown(said[region])
                _pictures(probed, region)
                picked.append(_table(probed, region))
        _moved(probed)
    export.download("All classes as CSV", "probing.csv", lambda: _rows(probed))
    newest = st.session_state.get("probe-clicked", (None, None))
    clicked = tuple(picked)
    if clicked != newest[0]:
        before = newest[0] or (None,) * len(clicked)
        different = [one for one, old in zip(clicked, before, strict=False) if one != old and one is not None]
        newest = (clicked, different[0] if different else None)
        st.session_state["probe-clicked"] = newest
    _, last = newest
    return int(probed.order(0)[0]) if last is None else last


def _said(probed: Probed, region: int, predicted: int) -> str:
    order, found = probed.order(region), probed.probes[region]
    best, labels = int(order[0]), probed.classifier.labels
    rank = int(probing.places(order, len(labels))[predicted])
    said = f"**{REGIONS[region]}** ({INK_NAMES[region]}): first is **{plain(labels[best])}**, "
    said += _number(probed, found, best)
    word = "the most probable class" if probed.classifier.multi_label else "the prediction"
    if best == predicted:
        return f"{said}; it is also {word} ({found.probabilities[best]:.1%})."
    evidence = int(probing.places(found.ranked("evidence", probed.among), len(labels))[predicted])
    other = "" if probed.score == "evidence" else f" By evidence inside it is number {evidence:,}."
    return (
        f"{said} (probability {found.probabilities[best]:.1%}); {word}, **{plain(labels[predicted])}** "
        f"({found.probabilities[predicted]:.1%}), is number {rank:,} of {len(order):,}, "
        f"{_number(probed, found, predicted)}.{other}"
    )


def _number(probed: Probed, found: Probe, index: int) -> str:
    value = found.values(probed.score)[index]
    return f"{value:.1f} logits" if probed.score == "evidence" else f"{probed.name} {value:.2f}"


def _pictures(probed: Probed, region: int) -> None:
    """The maps of the first classes."""
    order = probed.order(region)[:PICTURED].tolist()
    labels, found = probed.classifier.labels, probed.probes[region]
    pictures = cache.figure(small_pictures, probed.batch, probed.maps, order, probed.masks[region : region + 1])
    captions = [
        f"{rank}. {shortened(labels[one], 18)} {_number(probed, found, one).rsplit(' ', 1)[-1]}"
        if probed.score != "evidence"
        else f"{rank}. {shortened(labels[one], 18)} {found.evidence[one]:.1f}"
        for rank, one in enumerate(order, start=1)
    ]
    gallery.draw(pictures, [labels[one] for one in order], captions)


def _table(probed: Probed, region: int) -> int | None:
    """All classes as a table whose rows can be chosen; gives the chosen row's class."""
    order, found = probed.order(region), probed.probes[region]
    labels = probed.classifier.labels
    columns = {
        "rank": np.arange(1, len(order) + 1),
        "class": [labels[one] for one in order],
        **{name: found.values(score)[order] for name, score in NAMES.items()},
        "probability": found.probabilities[order],
    }
    if len(probed.probes) == 2:
        other = probing.places(probed.order(1 - region), len(labels))[order]
        columns = {"rank": columns["rank"], f"in {1 - region + 1}": other} | columns
    shares = {name: st.column_config.NumberColumn(format="%.2f") for name in NAMES if name != "Evidence inside"}
    chosen = st.dataframe(
        export.shown(columns),
        hide_index=True,
        height=310,
        # Another ranking is another table: a row that was chosen in the one before is another class now.
        key=f"probe-table-{region}-{zlib.crc32(order.tobytes())}",
        on_select="rerun",
        selection_mode="single-row",
        column_order=[name for name in columns if name not in NAMES or len(probed.probes) == 1 or name == probed.name],
        column_config={
            **shares,
            "Evidence inside": st.column_config.NumberColumn(format="%.1f"),
            "probability": st.column_config.NumberColumn(format="percent"),
            f"in {1 - region + 1}": st.column_config.NumberColumn(help="The class's rank in the other region."),
        },
    )
    rows = chosen["selection"]["rows"]
    return int(order[rows[0]]) if rows and rows[0] < len(order) else None


def _moved(probed: Probed) -> None:
    """The classes that the second region ranks most differently."""
    first, second = probed.order(0), probed.order(1)
    labels = probed.classifier.labels
    before, after = probing.places(first, len(labels)), probing.places(second, len(labels))
    found = probing.movers(first, second, MOVERS).tolist()
    if not found:
        st.caption("Both regions rank all classes alike.")
        return
    st.markdown("**Biggest changes of rank** from region 1 to region 2, as a ratio")
    rows = [
        {
            "class": labels[one],
            "rank by region 1": int(before[one]),
            "rank by region 2": int(after[one]),
            f"{probed.name}, region 1": float(probed.probes[0].values(probed.score)[one]),
            f"{probed.name}, region 2": float(probed.probes[1].values(probed.score)[one]),
            "probability": float(probed.probes[0].probabilities[one]),
        }
        for one in found
    ]
    number = st.column_config.NumberColumn
    shown = {f"{probed.name}, region {one}": number(format="%.2f") for one in (1, 2)}
    st.dataframe(export.shown(rows), hide_index=True, column_config=shown | {"probability": number(format="percent")})


def closeup(probed: Probed, index: int) -> None:
    """One class's map, large, with the regions and its saliency."""
    picture = cache.figure(
        painted, probed.batch, probed.masks, probed.maps.enlarged([index])[0], probed.saliency[0], index
    )
    found = probed.probes[0]
    numbers = " and ".join(_number(probed, one, index) for one in probed.probes)
    st.markdown(
        f"The map of **{plain(probed.classifier.labels[index])}** · {numbers} · probability "
        f"{found.probabilities[index]:.1%}"
    )
    about = f"The image with its region, and what is salient for {probed.classifier.labels[index]}"
    st.image(picture, width="stretch", alt=about)
    empty = found.overlap.salient[index] == 0
    st.caption(
        "Its map is zero everywhere: nothing in the layer speaks for it."
        if empty
        else "Bright where the map is large; inside the white line is its saliency. Orange is region 1"
        + (", blue region 2" if len(probed.masks) > 1 else "")
        + ". Choose a class by a click on its row below."
    )


def _rows(probed: Probed) -> list[dict[str, Any]]:
    rows = []
    for one in probed.order(0).tolist():
        row = {"class": probed.classifier.labels[one], "index": one, "probability": probed.probes[0].probabilities[one]}
        for number, found in enumerate(probed.probes, start=1):
            row |= {f"{name}, region {number}": float(found.values(score)[one]) for name, score in NAMES.items()}
        rows.append(row)
    return rows


def blocks(batch: Images) -> int:
    """How many times finer than the classifier's pixels a picture is painted."""
    return max(1, FINE // min(batch.pixels.shape[2:]))


def painted(
    batch: Images,
    masks: tuple[Bool[np.ndarray, "h w"], ...],
    heatmap: torch.Tensor | None,
    classes: ClassSaliency | None,
    index: int = 0,
) -> UInt8[np.ndarray, "rows columns 3"]:
    """The image with the regions' outlines, `blocks` times as fine; with a map, that over it, and its saliency's."""
    picture = np.asarray(canvas.picture(batch.pixels[0]))
    times = blocks(batch)

    def large(one: np.ndarray) -> np.ndarray:
        return one.repeat(times, axis=0).repeat(times, axis=1)

    paper, filled = large(picture), 0.25
    parts = []
    if heatmap is not None and classes is not None:
        paper, filled = figures.glazed(paper, large(heatmap.numpy())), 0.0
        parts.append(figures.Painted(large(classes.mask(index)), figures.SALIENCY))
    for number, (mask, colour) in enumerate(zip(masks, COLOURS, strict=False), start=1):
        text = str(number) if len(masks) > 1 else ""
        parts.append(figures.Painted(large(mask), colour, filled, text))
    return figures.paint(paper, parts)


def small_pictures(
    batch: Images, maps: ClassMaps, order: list[int], masks: tuple[Bool[np.ndarray, "h w"], ...]
) -> list[UInt8[np.ndarray, "rows columns 3"]]:
    """The maps of some classes over the image, with the regions; too small for more lines than these."""
    picture = np.asarray(canvas.picture(batch.pixels[0]))
    parts = [figures.Painted(mask, colour) for mask, colour in zip(masks, COLOURS, strict=False)]
    return [figures.paint(figures.glazed(picture, maps.enlarged([one])[0].numpy()), parts) for one in order]
