"""The maps of the embedding explorer: how they are computed, and what is drawn and said."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import cache
from interp import embedding
from interp.embedding import Features, MapFrame, Projection, Toy
from pages.parts.embedding import maps, preview
from pages.parts.embedding.arrangements import ALL, FILM, ONE, SEEDS, SWEEP, Arrangement
from pages.parts.kit import waiting

MapSource = Features | Toy
NOTES = {
    "t-SNE": "Sizes of clusters and distances between them mean nothing.",
    "UMAP": "Sizes of clusters and distances between them mean little.",
    "PCA": "Distances can be larger in the features, never smaller.",
}


def panels(
    scope: cache.Scope, slot: str, sources: tuple[MapSource, ...], arrangement: Arrangement
) -> tuple[tuple[maps.Panel, ...], tuple[Projection, ...]]:
    """The maps as panels; while they are computed, as far as they are, without projections."""
    job = scope.ask(
        slot, cache.call(embedding.project_each, sources, arrangement.methods), queue=cache.Queue.PROJECTIONS
    )
    if waiting.settled(job):
        return finished(job.value, arrangement, sources), job.value
    latest = {place: frame for place, frame in job.partial}
    if not latest and job.state != "failed" and len(sources) == 1 and isinstance(sources[0], Features):
        return preview.panel(scope, sources[0]), ()
    if arrangement.view == FILM:
        latest = dict([max(latest.items())]) if latest else {}
    headed = titles(arrangement, sources)
    return tuple(
        maps.Panel(headed[place], frame.points, note=f"Step {frame.step:,} of {frame.total:,}")
        for place, frame in sorted(latest.items())
    ), ()


def finished(
    projections: tuple[Projection, ...],
    arrangement: Arrangement,
    sources: tuple[MapSource, ...],
    more: tuple[np.ndarray, ...] = (),
) -> tuple[maps.Panel, ...]:
    """Finished maps as panels; with `more`, for each map the place of one more image, which has no film."""
    return cache.figure(_panels, projections, arrangement, _names(sources), more)


def _names(sources: Sequence[MapSource]) -> tuple[str, ...]:
    return tuple(one.title if isinstance(one, Toy) else str(one.representation.layer) for one in sources)


def titles(arrangement: Arrangement, sources: Sequence[MapSource]) -> tuple[str, ...]:
    """What each map is headed with: the method, and what sets it apart from the others."""
    return _titles(arrangement, _names(sources))


def _titles(arrangement: Arrangement, names: tuple[str, ...]) -> tuple[str, ...]:
    if arrangement.view == FILM:
        return tuple(f"{arrangement.methods[0].title}, {name}" for name in names)
    found = []
    for method in arrangement.methods:
        match method:
            case embedding.TSNE() if arrangement.view == SWEEP:
                found.append(f"Perplexity {method.perplexity}")
            case embedding.UMAP() if arrangement.view == SWEEP:
                found.append(f"{method.neighbours} neighbours, minimum distance {method.minimum_distance:g}")
            case embedding.TSNE() | embedding.UMAP() if arrangement.view == SEEDS:
                found.append(f"{method.title}, seed {method.seed}")
            case _:
                found.append(method.title)
    return tuple(found)


def _panels(
    projections: tuple[Projection, ...],
    arrangement: Arrangement,
    names: tuple[str, ...],
    more: tuple[np.ndarray, ...],
) -> tuple[maps.Panel, ...]:
    headed = _titles(arrangement, names)
    notes = [f"{quality(one)} {NOTES[one.method.title]}".strip() for one in projections]
    if arrangement.view == FILM:
        film = np.stack(embedding.aligned([one.points for one in projections]))
        panel = maps.Panel(
            arrangement.methods[0].title,
            film[-1],
            note="Each layer's map is turned and scaled to lie on the one before it.",
            frames=film,
            frame_names=tuple(f"{name}: {quality(one)}" for name, one in zip(names, projections, strict=True)),
            frame_fit="all",
        )
        return (panel,)
    points = [one.points for one in projections]
    if more:
        points = [np.concatenate([one, place]) for one, place in zip(points, more, strict=True)]
    if arrangement.view in (SWEEP, SEEDS):
        points = [points[0], *(embedding.laid(one, points[0], len(projections[0])) for one in points[1:])]
    played = arrangement.view in (ONE, ALL) and not more
    return tuple(
        _panel(title, placed, note, one, played=played)
        for title, placed, note, one in zip(headed, points, notes, projections, strict=True)
    )


def _panel(title: str, points: np.ndarray, note: str, projection: Projection, *, played: bool) -> maps.Panel:
    frames = projection.frames
    if not played or len(frames) < 2 or points.shape[1] != 2:
        return maps.Panel(title, points, note=note)
    return maps.Panel(
        title,
        points,
        note=note,
        frames=np.stack([frame.points for frame in frames]),
        frame_names=tuple(_step(frame) for frame in frames),
        frame_fit="each",
    )


def _step(frame: MapFrame) -> str:
    return f"step {frame.step:,}" + ("" if frame.divergence is None else f", KL {frame.divergence:.2f}")


def quality(projection: Projection) -> str:
    """How well a map keeps neighbours, in one line; nothing for so few images that none could be lost."""
    found = projection.quality
    if found.k == 0:
        return "Too few images to judge the map by their neighbours."
    nearest = "nearest neighbours" if found.k == 1 else f"the {found.k} nearest neighbours"
    kept = f"Keeps {found.preservation:.0%} of {nearest}"
    whole = f" Asked of {found.asked:,} images." if found.asked < len(projection) else ""
    return f"{kept}; trustworthiness {found.trustworthiness:.3f}.{whole}"


def place_of(features: Features, sources: Sequence[MapSource], projections: Sequence[Projection]) -> int | None:
    """The first map of these very features, None where they have none: a film leaves layers out."""
    if not projections:
        return None
    if len(sources) == 1:
        return 0
    same = [isinstance(one, Features) and one.representation == features.representation for one in sources]
    return same.index(True) if any(same) else None
