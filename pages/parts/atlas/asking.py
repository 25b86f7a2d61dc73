"""What the views of an atlas ask for: its map, its real patches, and its inverted pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
from jaxtyping import UInt8

import cache
from interp import atlas, embedding
from interp import feature_visualization as fv
from interp.atlas import AtlasMap, AtlasSettings, InversionSettings, Inverted, SampledLayer
from interp.embedding import ProjectionMethod
from pages.parts.kit import controls, layers, problems, waiting
from pages.parts.kit.selection import Selection

GRIDS = {"10 × 10": 10, "20 × 20": 20, "40 × 40": 40}
LAYOUTS: dict[str, ProjectionMethod] = {
    "UMAP": atlas.NOTEBOOKS,
    "UMAP, wider": atlas.RECIPE,
    "t-SNE": embedding.TSNE(metric="cosine"),
    "PCA": embedding.PCA(),
}
INVERTED = {"Means": "mean", "Whitened": "whitened"}
SAMPLES, MOST_SAMPLES = 16, 64
HELP = {
    "samples": "How many positions of each image are drawn, the edges left out.",
    "layout": "UMAP as in the published notebooks (20 neighbours, minimum distance 0.01), or as in the recipe (50, "
    "0.05); t-SNE; or the first two principal axes. Distances are taken by the cosine, but for PCA.",
    "grid": "How many cells a side the finest level has. Coarser levels are half as fine each.",
    "inverted": "What the pictures are made for: the mean of a cell, or the mean with correlations between channels "
    "taken out (whitened), as in the published notebooks.",
    "seed": "Another seed draws other positions and lays them out anew.",
}


@dataclass(frozen=True, eq=False)
class AtlasResults:
    """An atlas as far as it is there: the map, a patch for each cell of each level, inverted pictures."""

    selection: Selection
    settings: AtlasSettings
    mapped: AtlasMap
    patches: tuple[UInt8[np.ndarray, "m s s 3"], ...]
    inverted: Inverted | None

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the classes."""
        return self.selection.classifier.labels


def choose(selection: Selection, *, of: tuple[int, ...] = (), prefix: str = "at") -> AtlasSettings:
    """Draw the choice of layer, grid, samples, layout and seed; gives the settings.

    The picker opens with the last but one of the layers offered: in the last one the classes are so far apart that the
    map is a few clumps. `prefix` keeps two atlases apart.
    """
    classifier = selection.classifier
    names = [one.name for one in layers.offered(classifier)]
    chosen = layers.choose_layer(classifier, f"{prefix}.layer", default=names[max(0, len(names) - 2)], inner=True)
    grid = GRIDS[controls.one_of("Grid", f"{prefix}.grid", list(GRIDS), default="20 × 20", help=HELP["grid"])]
    with st.expander("Samples, layout, seed"):
        count = controls.number(
            "Positions of each image", f"{prefix}.samples", usual_samples(selection), low=1, high=MOST_SAMPLES,
            help=HELP["samples"],
        )  # fmt: skip
        method = LAYOUTS[atlas_layout(prefix)] if len(of) < 2 else atlas.NOTEBOOKS
        made = controls.one_of("Inverted", f"{prefix}.inverted", list(INVERTED), help=HELP["inverted"])
        seed = controls.number("Seed", f"{prefix}.seed", 0, low=0, high=99, help=HELP["seed"])
    if not isinstance(method, embedding.PCA):
        method = replace(method, seed=seed)  # pyright: ignore[reportCallIssue]
    item = SampledLayer(chosen.name, count, seed=seed)
    return AtlasSettings(item, method, grid, inverted=INVERTED[made], of=of)  # pyright: ignore[reportArgumentType]


def atlas_layout(prefix: str) -> str:
    """Draw the choice of the layout; gives its name in `LAYOUTS`."""
    return controls.one_of("Layout", f"{prefix}.layout", list(LAYOUTS), help=HELP["layout"])


def usual_samples(selection: Selection) -> int:
    """How many positions of each image make about 10,000 samples: 16 at first, more of few images, fewer of many."""
    return max(4, min(30, round(9_600 / max(1, len(selection.photos))))) if len(selection.photos) else SAMPLES


def results(selection: Selection, settings: AtlasSettings, *, slot: str = "atlas") -> AtlasResults | None:
    """The atlas as far as it is there; None while there is no map, with progress drawn where this is called."""
    classifier, photos, scope = selection.classifier, selection.photos, selection.scope
    job = scope.compute(slot, atlas.mapping, classifier, photos, settings, kept=cache.CachedItems())
    done = waiting.settled(job)
    mapped: AtlasMap | None = job.latest(None)
    if mapped is None:
        return None
    if done:
        problems.left_out(mapped.problems)
    nearest = tuple(one.nearest[:, 0] for one in mapped.levels)
    cutting = scope.survey(f"{slot}-patches", atlas.level_patches, classifier, photos, mapped.samples, nearest)
    inverting = _inverting(selection, mapped, settings, slot)
    waiting.settled(cutting)
    cut: tuple[UInt8[np.ndarray, "m s s 3"], ...] = cutting.latest(())
    if inverting is not None:
        waiting.settled(inverting)
    return AtlasResults(selection, settings, mapped, cut, None if inverting is None else inverting.latest(None))


def _inverting(selection: Selection, mapped: AtlasMap, settings: AtlasSettings, slot: str) -> cache.Job | None:
    """The job that inverts all cells; None while it is not known in which colours."""
    classifier, scope = selection.classifier, selection.scope
    colours = scope.survey("colours", fv.colours_of, classifier, selection.photos)
    if not waiting.settled(colours):
        return None
    layer = settings.sampled.layer
    usual = scope.gather(
        f"{slot}-usual", atlas.inversion_settings, classifier, layer, colours.value, power=settings.power
    )
    if not waiting.settled(usual):
        return None
    how: InversionSettings = usual.value
    return scope.compute(
        f"{slot}-inverted", atlas.inverting, classifier, layer, mapped.targets, how, kept=cache.CachedItems()
    )


def cell_patches(selection: Selection, mapped: AtlasMap, rows: Sequence[int], slot: str = "cell-patches") -> cache.Job:
    """The job that cuts the patches of these samples."""
    given = (selection.classifier, selection.photos, mapped.samples, tuple(rows))
    return selection.scope.read(slot, atlas.patches, *given)
