"""The maps of the embedding explorer: what is known of their images, how they are computed, and what is drawn."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import streamlit as st

import cache
from interp import embedding, images, models
from interp.embedding import Cells, Features, Frame, Projection, Toy
from interp.figures import thumbnails
from interp.images import ImageSet
from interp.models import LabelMatch
from interp.models.predictions import Predictions
from interp.types import Classifier, digest
from pages.parts import maps, waiting
from pages.parts.arrangements import ALL, FILM, ONE, SEEDS, SWEEP, Arrangement
from pages.parts.text import plain, shortened

Source = Features | Toy
CELL = "map.cell"
NOTES = {
    "t-SNE": "Sizes of clusters and distances between them mean nothing.",
    "UMAP": "Sizes of clusters and distances between them mean little.",
    "PCA": "Distances can be larger in the features, never smaller.",
}


@dataclass(frozen=True, eq=False)
class Known:
    """What is known of the images on the maps, row by row; −1 or nan where something is not known.

    `complete` says whether all images have been predicted that can be read. `cells` says which
    position of its image a row is; None where rows are whole images.
    """

    photos: ImageSet
    classifier: Classifier
    positions: np.ndarray
    labels: np.ndarray
    predicted: np.ndarray
    confidence: np.ndarray
    complete: bool
    cells: Cells | None = None

    def __len__(self) -> int:
        return len(self.positions)

    @cached_property
    def fingerprint(self) -> str:
        """A digest of everything."""
        arrays = [self.positions, self.labels, self.predicted, self.confidence]
        arrays += [] if self.cells is None else [self.cells.places]
        return digest(arrays, repr((self.photos.fingerprint, self.classifier.fingerprint, self.complete)))

    @property
    def grouped(self) -> tuple[np.ndarray, tuple[str, ...]]:
        """Each image's group as an index, and the groups' names."""
        groups = [self.photos.groups[one] for one in self.positions]
        names = sorted({one for one in groups if one is not None})
        places = {name: place for place, name in enumerate(names)}
        return np.array([-1 if one is None else places[one] for one in groups], np.int64), tuple(names)


def known(
    classifier: Classifier,
    photos: ImageSet,
    features: Features,
    cells: Cells | None,
    labels: LabelMatch,
    job: cache.Job,
) -> Known:
    """Labels and predictions in the order of the features' rows; `job` is that of the predictions, done or not."""
    job.wait(waiting.PATIENCE)
    complete = job.state == "done"
    predictions = job.value if complete else models.merge([])
    question = cache.call(lined_up, classifier, photos, features, cells, labels, predictions, complete)
    return cache.get(question, disk=False, device="figures")


def lined_up(
    classifier: Classifier,
    photos: ImageSet,
    features: Features,
    cells: Cells | None,
    labels: LabelMatch,
    predictions: Predictions,
    complete: bool,
) -> Known:
    """What is known, row by row; an image that could not be read has no row, in the features or the predictions."""
    row_of = np.full(len(photos), -1)
    row_of[predictions.indices] = np.arange(len(predictions))
    rows = row_of[features.indices]
    own = np.array([-1 if one is None else one for one in labels.indices], np.int64)
    return Known(
        photos,
        classifier,
        features.indices,
        own[features.indices],
        # The last is for images without a prediction, whose row is −1.
        np.append(predictions.predicted, -1)[rows],
        np.append(predictions.confidence, np.nan)[rows],
        complete,
        cells,
    )


def arranged(
    sources: Sequence[Source], methods: Sequence[embedding.Method]
) -> Generator[tuple[int, Frame], None, tuple[Projection, ...]]:
    """The map of each source by one method, or of one source by each method; by way of (number of the map, frame)."""
    if len(sources) == 1:
        places = {method: place for place, method in enumerate(methods)}
        steps = embedding.compare(_values(sources[0]), methods)
        while True:
            try:
                method, frame = next(steps)
            except StopIteration as stop:
                return stop.value
            yield places[method], frame
    found = []
    for place, source in enumerate(sources):
        frames = embedding.projecting(_values(source), methods[0])
        while True:
            try:
                yield place, next(frames)
            except StopIteration as stop:
                found.append(stop.value)
                break
    return tuple(found)


def _values(source: Source) -> np.ndarray:
    return source.features if isinstance(source, Toy) else source.values


def panels(
    visitor: cache.Visitor, slot: str, sources: tuple[Source, ...], arrangement: Arrangement
) -> tuple[tuple[maps.Panel, ...], tuple[Projection, ...]]:
    """The maps as panels; while they are computed, as far as they are, without projections."""
    question = cache.call(arranged, sources, arrangement.methods)
    job = visitor.ask(slot, question, device="projections")
    if waiting.settled(job):
        return finished(job.value, arrangement, sources), job.value
    latest = {place: frame for place, frame in job.partial}
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
    sources: tuple[Source, ...],
    more: tuple[np.ndarray, ...] = (),
) -> tuple[maps.Panel, ...]:
    """Finished maps as panels; with `more`, for each map the place of one more image, which has no film."""
    question = cache.call(_panels, projections, arrangement, _names(sources), more)
    return cache.get(question, disk=False, device="figures")


def _names(sources: Sequence[Source]) -> tuple[str, ...]:
    return tuple(one.title if isinstance(one, Toy) else str(one.representation.layer) for one in sources)


def titles(arrangement: Arrangement, sources: Sequence[Source]) -> tuple[str, ...]:
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
        points = [points[0], *(_laid(one, points[0], len(projections[0])) for one in points[1:])]
    played = arrangement.view in (ONE, ALL) and not more
    return tuple(
        _panel(title, placed, note, one, played=played)
        for title, placed, note, one in zip(headed, points, notes, projections, strict=True)
    )


def _laid(points: np.ndarray, onto: np.ndarray, count: int) -> np.ndarray:
    """A map laid on another by its first `count` points."""
    found = embedding.align(points[:count], onto[:count])
    return found.scale * (points - points[:count].mean(axis=0)) @ found.rotation + found.shift


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


def _step(frame: Frame) -> str:
    return f"step {frame.step:,}" + ("" if frame.divergence is None else f", KL {frame.divergence:.2f}")


def quality(projection: Projection) -> str:
    """How well a map keeps neighbours, in one line; nothing for so few images that none could be lost."""
    found = projection.quality
    if found.k == 0:
        return "Too few images to judge the map by their neighbours."
    nearest = "nearest neighbours" if found.k == 1 else f"the {found.k} nearest neighbours"
    kept = f"Keeps {found.preservation:.0%} of {nearest}"
    return f"{kept}; trustworthiness {found.trustworthiness:.3f}."


def points(about: Known | Toy, more: tuple[str, ...] = ()) -> maps.Points:
    """Names of the points, and what stands on their cards; `more` names further points."""
    return cache.get(cache.call(_points, about, more), disk=False, device="figures")


def _points(about: Known | Toy, more: tuple[str, ...]) -> maps.Points:
    if isinstance(about, Toy):
        return maps.Points(tuple(f"{about.parts[label]}, point {i}" for i, label in enumerate(about.labels)))
    names, labels = about.photos.names, about.classifier.labels
    texts = [
        "\n".join(
            [
                *([f"labelled {labels[label]}"] if label >= 0 else []),
                *([f"predicted {labels[predicted]}, {sure:.0%}"] if predicted >= 0 else []),
            ]
        )
        for label, predicted, sure in zip(about.labels, about.predicted, about.confidence, strict=True)
    ]
    named = [f"{names[position]}{cell_of(about, row)}" for row, position in enumerate(about.positions)]
    return maps.Points((*named, *more), texts=(*texts, *("" for _ in more)))


def cell_of(about: Known, row: int) -> str:
    """Which cell a row is, to be put behind its image's name; nothing for a whole image."""
    if about.cells is None:
        return ""
    down, across = divmod(int(about.cells.places[row]), about.cells.grid[1])
    return f", row {down + 1}, column {across + 1}"


def place_of(features: Features, sources: Sequence[Source], projections: Sequence[Projection]) -> int | None:
    """The first map of these very features, None where they have none: a film leaves layers out."""
    if not projections:
        return None
    if len(sources) == 1:
        return 0
    same = [isinstance(one, Features) and one.representation == features.representation for one in sources]
    return same.index(True) if any(same) else None


def sheets(visitor: cache.Visitor, about: Known) -> thumbnails.Sheets | None:
    """Thumbnails of the images, or the cells, on the maps; none while they are made."""
    photos = about.photos
    if about.cells is not None:
        patches = cache.call(thumbnails.patches, photos, about.classifier, about.positions, about.cells)
        return _ready(visitor.ask("shared/patches", patches, device="reading"))
    if len(about) != len(photos):
        photos = cache.get(cache.call(images.subset, photos, about.positions), disk=False, device="figures")
    return _ready(visitor.ask("shared/thumbnails", cache.call(thumbnails.sheets, photos), device="reading"))


def _ready(job: cache.Job) -> thumbnails.Sheets | None:
    job.wait(waiting.PATIENCE)
    return job.value if job.state == "done" else None


def take(choice: maps.Choice, known: Known) -> None:
    """Make the image that was clicked the one that all pages look at, and its cell the one that this page does."""
    if choice.chosen is not None and choice.chosen < len(known.positions):
        st.session_state["image"] = int(known.positions[choice.chosen])
        if known.cells is not None:
            st.session_state[CELL] = int(known.cells.places[choice.chosen])


def row_of(known: Known, position: int) -> int:
    """The row of the image at this position, or of the cell of it that was clicked; the first where it is not drawn."""
    rows = np.flatnonzero(known.positions == position)
    if not len(rows):
        name = plain(shortened(known.photos.names[position], 60))
        st.caption(f":material/info: {name} is not on the maps: below is the first that is.")
        return 0
    if known.cells is None:
        return int(rows[0])
    centre = (known.cells.grid[0] // 2) * known.cells.grid[1] + known.cells.grid[1] // 2
    wanted = st.session_state.get(CELL, centre)
    return int(rows[np.abs(known.cells.places[rows] - wanted).argmin()])
