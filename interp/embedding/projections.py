"""From features to maps: search the neighbours once, arrange, and measure what came of it."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Float

from interp.embedding.approximate import nearly_nearest
from interp.embedding.checks import usable
from interp.embedding.method import MapFrame, Projection, ProjectionMethod, Search
from interp.embedding.neighbours import Neighbours
from interp.embedding.pca import reduced
from interp.embedding.quality import quality
from interp.embedding.representations import Features
from interp.embedding.toys import Toy
from interp.embedding.tsne import TSNE
from interp.embedding.umap import UMAP

T = TypeVar("T")


def project(
    features: Float[np.ndarray, "n d"],
    method: ProjectionMethod,
    *,
    neighbours: Neighbours | None = None,
    start: Float[np.ndarray, "p m"] | None = None,
    device: torch.device | str = "cpu",
) -> Projection:
    """The map of the images, with frames and quality; the same call gives the same map.

    `neighbours` spares the search where the same features were searched before (`searched`). `start` is a map of the
    same images, such as of another layer, at which t-SNE and UMAP begin in place of their `initialization`; PCA has no
    beginning. `device` is where neighbours and quality are computed. Raises `ValueError` where the features are not
    finite, or too few or too alike for the method, or where the start is no map of them or a single spot.
    """
    return _finished(projecting(features, method, neighbours=neighbours, start=start, device=device))


def projecting(
    features: Float[np.ndarray, "n d"],
    method: ProjectionMethod,
    *,
    neighbours: Neighbours | None = None,
    start: Float[np.ndarray, "p m"] | None = None,
    device: torch.device | str = "cpu",
) -> Generator[MapFrame, None, Projection]:
    """What `project` gives, by way of the frames of the optimization as they come.

    Nothing is held from one frame to the next that others could wait for.
    """
    given = _checked(features, [method])
    search = method.search()
    if search is not None and neighbours is None:
        neighbours = _searched(given, search, device)
    if search is not None and neighbours is not None:
        _check_neighbours(neighbours, given, search)
    if start is not None:
        _check_start(start, given, method)
    return (yield from _arranged(given, method, neighbours, device, start))


def project_each(
    sources: Sequence[Features | Toy], methods: Sequence[ProjectionMethod], *, device: torch.device | str = "cpu"
) -> Generator[tuple[int, MapFrame], None, tuple[Projection, ...]]:
    """The map of each source by the first method, or of one source by each method; by way of (place of the map, frame).

    Methods that differ only in how many neighbours they take share one search. Each map equals the one that `project`
    gives. Raises `ValueError` as `project` does, of one source for all methods and before any work.
    """
    given = [source.features if isinstance(source, Toy) else source.values for source in sources]
    if len(given) == 1:
        return (yield from _by_each(given[0], methods, device))
    found = []
    for place, features in enumerate(given):
        found.append((yield from _named(place, projecting(features, methods[0], device=device))))
    return tuple(found)


def _by_each(
    features: Float[np.ndarray, "n d"], methods: Sequence[ProjectionMethod], device: torch.device | str
) -> Generator[tuple[int, MapFrame], None, tuple[Projection, ...]]:
    given = _checked(features, methods)
    found: dict[Search, Neighbours] = {}
    projections = []
    for place, method in enumerate(methods):
        neighbours = None
        wanted = method.search()
        if wanted is not None:
            widest = _widest(wanted, methods)
            if widest not in found:
                found[widest] = _searched(given, widest, device)
            neighbours = found[widest]
        projections.append((yield from _named(place, _arranged(given, method, neighbours, device))))
    return tuple(projections)


def searched(
    features: Float[np.ndarray, "n d"], methods: Sequence[ProjectionMethod], *, device: torch.device | str = "cpu"
) -> Neighbours:
    """One search that serves all the methods. Raises `ValueError` where they differ in more than how many they take."""
    searches = [search for search in (method.search() for method in methods) if search is not None]
    if not searches:
        raise ValueError("None of the methods takes neighbours, so there is nothing to search.")
    if len({(search.metric, search.reduction) for search in searches}) > 1:
        raise ValueError("The methods differ in metric or reduction, so their neighbours differ: search for each.")
    return _searched(_checked(features, methods), _widest(searches[0], methods), device)


def warm() -> None:
    """Import openTSNE and umap-learn and compile UMAP's loops, so that the first map does not wait for it.

    2 to 3 seconds of processor time, about 20 the first time on a machine: what was compiled is kept on disk.
    """
    points = np.random.default_rng(0).normal(size=(32, 3)).astype(np.float32)
    for method in (TSNE(perplexity=4, iterations=2), UMAP(neighbours=4, epochs=2)):
        project(points, method)


def _named(at: int, steps: Generator[MapFrame, None, Projection]) -> Generator[tuple[int, MapFrame], None, Projection]:
    while True:
        try:
            frame = next(steps)
        except StopIteration as stop:
            return stop.value
        yield at, frame


def _arranged(
    features: Float[np.ndarray, "n d"],
    method: ProjectionMethod,
    neighbours: Neighbours | None,
    device: torch.device | str,
    start: Float[np.ndarray, "n m"] | None = None,
) -> Generator[MapFrame, None, Projection]:
    frames = []
    steps = method.arrange(features, neighbours, start)
    while True:
        try:
            frames.append(next(steps))
        except StopIteration as stop:
            layout = stop.value
            break
        yield frames[-1]
    search = method.search()
    measured = quality(
        features,
        layout.points,
        metric="euclidean" if search is None else search.metric,
        explained=layout.explained,
        divergence=layout.divergence,
        device=device,
    )
    return Projection(frames[-1].points, tuple(frames), measured, method)


def _checked(features: Float[np.ndarray, "n d"], methods: Sequence[ProjectionMethod]) -> Float[np.ndarray, "n d"]:
    given = usable(features)
    for method in methods:
        method.check(given)
    return given


def _searched(features: Float[np.ndarray, "n d"], search: Search, device: torch.device | str) -> Neighbours:
    return nearly_nearest(reduced(features, search.reduction), search.count, metric=search.metric, device=device)


def _check_neighbours(neighbours: Neighbours, features: Float[np.ndarray, "n d"], search: Search) -> None:
    if len(neighbours.indices) != len(features) or neighbours.metric != search.metric:
        raise ValueError(
            f"The neighbours given are those of {len(neighbours.indices)} images by {neighbours.metric} distance; "
            f"needed are those of {len(features)} by {search.metric} distance."
        )
    neighbours.first(search.count)


def _check_start(start: Float[np.ndarray, "p a"], features: Float[np.ndarray, "n d"], method: ProjectionMethod) -> None:
    shape = (len(features), getattr(method, "dimensions", start.shape[1]))
    if start.shape != shape:
        raise ValueError(f"A map of shape {start.shape} is no start for one of shape {shape}: give the same images.")
    if not np.isfinite(start).all() or not np.ptp(start, axis=0).any():
        raise ValueError(
            "A start whose points are not finite, or all at one place, cannot be moved apart: leave it out."
        )


def _widest(search: Search, methods: Sequence[ProjectionMethod]) -> Search:
    """The search that serves all methods whose neighbours are found in the same way."""
    alike = [
        other.count
        for other in (method.search() for method in methods)
        if other is not None and (other.metric, other.reduction) == (search.metric, search.reduction)
    ]
    return Search(max(alike), search.metric, search.reduction)


def _finished(steps: Generator[MapFrame, None, T]) -> T:
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value
