"""What the views of class summaries ask for: the summary of the set, and the graph of a class with its support."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

import cache
from interp import class_summary
from interp.class_summary import ClassGraph, ClassSummary, GraphSettings
from interp.types import Classifier
from pages.parts.class_summary.counting import CountedSelection
from pages.parts.kit import address, controls, problems, waiting
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain

KEPT = 0.15
"""How much of each layer's rank the graph keeps at first."""
CHOSEN = "Chosen"
MOST_LAYERS = 12
"""So many rows can still be told apart."""
SHARES = {"3%": 0.03, "1%": 0.01}


def choose_layers(selection: Selection, picture) -> tuple[str, ...] | None:
    """Draw the choice of layers; None, with the reason drawn in `picture`, where fewer than two are chosen."""
    classifier = selection.classifier
    offered: dict[str, tuple[str, ...]] = {}
    try:
        blocks = class_summary.summary_layers(classifier)
        ends = tuple(one.name for one in classifier.layers if one.name in blocks and one.block_end)
        offered = {"Blocks": blocks} | ({"Ends of stages": ends} if 1 < len(ends) < len(blocks) else {})
    except ValueError as error:
        picture.caption(f":material/info: {plain(str(error), limit=600)}")
    help = (
        "Blocks: the layers at which the network's blocks end. Ends of stages: of blocks of one map size the last. "
        "Chosen: any layers that have maps."
    )
    chosen = controls.one_of("Layers", "cs.layers", [*offered, CHOSEN], help=help)
    return offered[chosen] if chosen in offered else _chosen_layers(classifier, picture)


def _chosen_layers(classifier: Classifier, picture) -> tuple[str, ...] | None:
    """Draw the list of all layers with maps; None, with what is missing drawn, for fewer than two."""
    names = [one.name for one in classifier.layers if one.kind != "flat"]

    def parse(text: str) -> list[str]:
        return [one for one in text.split("|") if one in names]

    address.seed("cs.chosen", names[-2:], valid=lambda some: set(some) <= set(names), parse=parse)
    some = st.multiselect("Layers of the graph", names, key="cs.chosen", max_selections=MOST_LAYERS)
    address.publish("cs.chosen", "|".join(some) or None)
    if len(some) < 2:
        picture.info("A class summary says how layers build on each other: choose two of them at least.")
        return None
    return tuple(one for one in names if one in some)


def choose_share() -> float:
    """Draw the choice of how much of a layer's activation the marked channels make up."""
    help = "A channel counts in an image where it is among the few that make up this share of its layer's activation."
    return SHARES[controls.one_of("Marked", "cs.share", list(SHARES), help=help)]


def summary(counted: CountedSelection | None, layers: Sequence[str], share: float) -> tuple[ClassSummary | None, bool]:
    """The summary so far (None: nothing yet), and whether that is all; progress is drawn where this is called."""
    if counted is None:
        return None, False
    given = (counted.chosen.classifier, counted.chosen.photos, tuple(layers), share)
    how = {**counted.keywords, "kept": cache.CachedItems()}
    # All views of the page ask for it, and no other page.
    job = counted.chosen.scope.at("").compute("summary", class_summary.summing, *given, **how)
    done = waiting.settled(job)
    found: ClassSummary | None = job.latest(None)
    if done and found is not None:
        problems.left_out(found.problems)
    return found, done


def graph(summary: ClassSummary, number: int, settings: GraphSettings) -> ClassGraph:
    """The class's graph, of what has been counted so far."""
    return cache.figure(class_summary.graph, summary, number, settings)


def judging(counted: CountedSelection, summary: ClassSummary, number: int, settings: GraphSettings) -> cache.Job:
    """The job that says how firmly the class's graph stands."""
    chosen, how = counted.chosen, {**counted.keywords, "kept": cache.CachedItems()}
    given = (chosen.classifier, chosen.photos, summary.layers, summary.share, number, settings)
    return chosen.scope.compute("judged", class_summary.judging, *given, **how)


def choose_class(
    summary: ClassSummary, key: str = "cs.class", label: str = "Class", other_than: int = -1
) -> int | None:
    """Draw the list of the classes that have images; None where there is none yet."""
    names = {str(one): summary.labels[one] for one in summary.seen.tolist() if one != other_than}
    if not names:
        return None
    return int(controls.listed(label, key, list(names), named=names.__getitem__))


def choose_settings() -> GraphSettings:
    """Draw the slider for how much of each layer's rank the graph keeps."""
    kept = controls.slid(
        "Kept of each layer", "cs.kept", KEPT, low=0.025, high=0.6, step=0.025,
        help="The share of each layer's PageRank that the vertices make up. Summit's published graphs keep 7.5% of "
        "layers of 256 to 832 channels; narrower layers need more to show anything.",
    )  # fmt: skip
    return GraphSettings(share=kept)
