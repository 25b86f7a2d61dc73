"""Choosing how images are arranged on maps: which methods, with which parameters, one map or several side by side."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import streamlit as st

from interp import embedding
from interp.embedding import PCA, TSNE, UMAP
from interp.embedding.neighbours import Metric
from pages.parts.kit import controls

ONE, ALL, SWEEP, SEEDS, FILM = "One map", "All three", "Other settings", "Other seeds", "Layer by layer"
VIEWS = (ONE, ALL, SWEEP, SEEDS, FILM)
METHODS = {method.title: method for method in (TSNE, UMAP, PCA)}
DIMENSIONS = {"Flat": 2, "In space": 3}
METRICS: dict[str, Metric] = {"Euclidean": "euclidean", "Cosine": "cosine"}
SEED_COUNT = 3
FEWEST = 4
"""So many images t-SNE and UMAP need."""
PERPLEXITIES = (2, 5, 30, 50, 100)
NEIGHBOURS, DISTANCES = (5, 15, 50), (0.0, 0.1, 0.5)
HELP = {
    "view": "One map; PCA, t-SNE and UMAP side by side; the same method under other settings, or other seeds; or the "
    "same images at successive layers, as a film.",
    "perplexity": "t-SNE: about how many neighbours each image pays heed to. Small ones show small clumps, also where "
    "there are none.",
    "neighbours": "UMAP: how many neighbours each image is joined to. Few show detail, many the whole.",
    "distance": "UMAP: how close points may lie on the map. Small ones make clusters look tighter than they are.",
    "metric": "Cosine compares directions, whatever the length of the vectors.",
    "reduction": "Distances are taken after PCA to so many components: less noise, and faster. 0 takes all features.",
    "exaggeration": "t-SNE: how much stronger images attract each other during the first steps.",
    "start": "From where images set out: the first principal axes (UMAP: the graph's own), or at random.",
    "iterations": "t-SNE: how many steps are taken down the gradient.",
    "seed": "What is random in a method begins with it. The same seed gives the same map.",
}


@dataclass(frozen=True)
class Arrangement:
    """What is drawn: one of `VIEWS`, and the methods, one for each map (for a film: one for all layers)."""

    view: str
    methods: tuple[embedding.ProjectionMethod, ...]

    @property
    def metric(self) -> Metric:
        """The distance that the methods go by."""
        searches = [search for search in (method.search() for method in self.methods) if search is not None]
        return searches[0].metric if searches else "euclidean"


@dataclass(frozen=True)
class _Settings:
    perplexity: int
    neighbours: int
    distance: float
    dimensions: int
    metric: Metric
    reduction: int | None
    exaggeration: int
    random: bool
    iterations: int
    seed: int

    def method(self, title: str) -> embedding.ProjectionMethod:
        """The method of this title with these settings."""
        if title == PCA.title:
            return PCA(self.dimensions)
        if title == TSNE.title:
            return TSNE(
                perplexity=self.perplexity,
                exaggeration=self.exaggeration,
                initialization="random" if self.random else "pca",
                metric=self.metric,
                iterations=self.iterations,
                dimensions=self.dimensions,
                reduction=self.reduction,
                seed=self.seed,
            )
        return UMAP(
            neighbours=self.neighbours,
            minimum_distance=self.distance,
            metric=self.metric,
            dimensions=self.dimensions,
            initialization="random" if self.random else "spectral",
            reduction=self.reduction,
            seed=self.seed,
        )


def choose(count: int, *, film: bool = True) -> Arrangement:
    """Draw view, method and parameters for so many points; gives what is to be arranged.

    `film` says whether the points come from a classifier's layers, of which there are several.
    """
    if count < FEWEST:
        st.caption(f":material/info: t-SNE and UMAP need at least {FEWEST} images, so PCA is shown.")
        return Arrangement(ONE, (PCA(),))
    view = controls.one_of("Show", "map.view", [one for one in VIEWS if film or one != FILM], help=HELP["view"])
    offered = [title for title in METHODS if title != PCA.title or view in (ONE, FILM)]
    title = "" if view == ALL else controls.one_of("Method", "map.method", offered)
    settings = _settings(view, title, count)
    return Arrangement(view, _methods(view, title, settings, count))


def _methods(view: str, title: str, settings: _Settings, count: int) -> tuple[embedding.ProjectionMethod, ...]:
    if view == ALL:
        return tuple(settings.method(one) for one in (PCA.title, TSNE.title, UMAP.title))
    method = settings.method(title)
    if view == SEEDS:
        return tuple(dataclasses.replace(method, seed=settings.seed + one) for one in range(SEED_COUNT))
    if view != SWEEP:
        return (method,)
    if isinstance(method, TSNE):
        most = TSNE.largest_perplexity(count)
        chosen = [one for one in PERPLEXITIES if one <= most] or [max(1, most)]
        return tuple(dataclasses.replace(method, perplexity=one) for one in chosen)
    sizes = [one for one in NEIGHBOURS if one < count] or [settings.neighbours]
    return tuple(
        dataclasses.replace(method, neighbours=neighbours, minimum_distance=distance)
        for neighbours in sizes
        for distance in DISTANCES
    )


def _settings(view: str, title: str, count: int) -> _Settings:
    tsne, umap = title in ("", TSNE.title), title in ("", UMAP.title)
    swept = view == SWEEP
    most = max(1, min(200, TSNE.largest_perplexity(count)))
    perplexity, neighbours, distance = min(30, most), min(15, max(2, count - 1)), 0.1
    if tsne and not swept and most > 2:
        perplexity = controls.slid(
            "Perplexity", "map.perplexity", perplexity, low=2, high=most, step=1, help=HELP["perplexity"]
        )
    if umap and not swept and count > 3:
        neighbours = controls.slid(
            "Neighbours", "map.neighbours", neighbours, low=2, high=min(200, count - 1), step=1, help=HELP["neighbours"]
        )
        distance = controls.slid(
            "Minimum distance", "map.distance", distance, low=0.0, high=1.0, step=0.05, help=HELP["distance"]
        )
    # A film is laid layer on layer in the plane.
    dimensions = 2 if view in (FILM, SEEDS) else DIMENSIONS[controls.one_of("Map", "map.dimensions", list(DIMENSIONS))]
    return _Settings(perplexity, neighbours, distance, dimensions, *_rare(tsne=tsne, umap=umap))


def _rare(*, tsne: bool, umap: bool) -> tuple[Metric, int | None, int, bool, int, int]:
    """What is seldom changed: metric, reduction, exaggeration, a random start, iterations, seed."""
    if not tsne and not umap:
        return "euclidean", None, 12, False, 750, 0
    with st.expander("Parameters", key="arranging", on_change="rerun") as place:
        drawn = bool(place.open)
        metric = controls.one_of("Distance", "map.metric", list(METRICS), help=HELP["metric"], drawn=drawn)
        reduction = controls.number(
            "Components", "map.components", 0, low=0, high=500, help=HELP["reduction"], drawn=drawn
        )
        start = controls.one_of("Start", "map.start", ("Axes", "Random"), help=HELP["start"], drawn=drawn)
        seed = controls.number("Seed", "map.seed", 0, low=0, high=999, help=HELP["seed"], drawn=drawn)
        exaggeration = controls.number(
            "Exaggeration", "map.exaggeration", 12, low=1, high=100, help=HELP["exaggeration"], drawn=drawn and tsne
        )
        iterations = controls.number(
            "Steps", "map.steps", 750, low=10, high=5000, help=HELP["iterations"], drawn=drawn and tsne
        )
    return METRICS[metric], reduction or None, exaggeration, start == "Random", iterations, seed
