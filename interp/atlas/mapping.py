"""An atlas as it is shown and kept: cells, and where samples lie, without what was seen at each of them."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, TypeVar

import numpy as np
from jaxtyping import Float, Int

from interp import progress
from interp.atlas.adding import CONSIDERED
from interp.atlas.building import NOTEBOOKS, Atlas, atlas_of, grids, laid_out, of_class, subset, whitened
from interp.atlas.cells import LEAST, AtlasCells, MapExtent
from interp.atlas.inverted import LevelTargets, best_real
from interp.atlas.placing import MapLayout, PlacedPositions, placed
from interp.atlas.sampling import PositionSamples, SampledLayer, SamplePlaces, SamplingPass
from interp.atlas.two_classes import contrasting
from interp.embedding import ProjectionMethod, projecting
from interp.images import ImageSet, Problem
from interp.set_pass import by_chunks
from interp.set_pass.running import ItemStore
from interp.types import Classifier, Fingerprinted, Images

POWER = 4
"""Of the cosine, in what inverted pictures make large: as in the published notebooks; the recipe has 2."""

T = TypeVar("T")

InvertedVector = Literal["mean", "whitened"]


@dataclass(frozen=True)
class AtlasSettings:
    """How an atlas is made: its samples, their layout, the finest grid, and what is inverted with which power.

    `of` are the classes that it is about: none, one (a class atlas), or two (laid out by the difference of what samples
    add to them, whatever `method`). Of whitened vectors correlations between channels are taken out. Raises
    `ValueError` for more than two classes.
    """

    sampled: SampledLayer
    method: ProjectionMethod = NOTEBOOKS
    grid: int = 20
    least: int = LEAST
    inverted: InvertedVector = "mean"
    power: float | int = POWER
    of: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if len(self.of) > 2:
            raise ValueError(f"An atlas of {len(self.of)} classes has no axes: take one or two, or all of them.")


@dataclass(frozen=True, eq=False)
class AtlasMap(Fingerprinted):
    """An atlas without its samples' activations.

    `samples` says where each is in its image, `points` where it lies on the map as it was projected, over which grids
    cover `extent`, and `labels` which class it adds most to. `levels` are the cells, coarse grids first; what is
    inverted are their means or, where there are any, `directions`, and `best` is any sample's best score with each.
    `total` is the number of samples of the whole set, of which an atlas of classes has some.
    `trust` has the projection's trustworthiness, continuity and share of neighbours kept, each in [0, 1]; it is empty,
    and `total` 0, as long as that is being asked.
    """

    samples: SamplePlaces
    points: Float[np.ndarray, "n 2"]
    extent: MapExtent
    labels: Int[np.ndarray, " n"]
    levels: tuple[AtlasCells, ...]
    best: tuple[Float[np.ndarray, " _"], ...]
    directions: tuple[Float[np.ndarray, "_ k"], ...]
    considered: int
    total: int
    trust: Mapping[str, float]
    problems: tuple[Problem, ...] = ()

    @cached_property
    def places(self) -> Float[np.ndarray, "n 2"]:
        """Where samples lie, in [0, 1] from the left and from the top."""
        return self.extent.within(self.points)

    @cached_property
    def targets(self) -> tuple[LevelTargets, ...]:
        """What is inverted of each level."""
        vectors = self.directions or tuple(one.mean for one in self.levels)
        return tuple(
            LevelTargets(one.grid, one.row, one.column, own, best)
            for one, own, best in zip(self.levels, vectors, self.best, strict=True)
        )

    def level(self, grid: int) -> AtlasCells:
        """The cells of one of its grids. Raises `ValueError` for one that it does not have."""
        for one in self.levels:
            if one.grid == grid:
                return one
        offered = ", ".join(str(one.grid) for one in self.levels)
        raise ValueError(f"The atlas has no grid of {grid} cells a side: it has {offered}.")


def sampling(
    classifier: Classifier, photos: ImageSet, item: SampledLayer, *, kept: ItemStore | None = None
) -> Generator[None, None, PositionSamples]:
    """The samples of a layer over a set, chunk by chunk: what is kept of it is not computed again.

    Raises `ValueError` where no image can be read, and as `sampled` does.
    """
    steps = by_chunks(SamplingPass(), classifier, photos, (item,), kept=kept)
    found: PositionSamples = (yield from _quietly(steps))[0]
    if not len(found):
        raise ValueError(f"No image of {photos.name} could be read, so there are no samples.")
    return found


def arranging(
    classifier: Classifier, photos: ImageSet, settings: AtlasSettings, *, kept: ItemStore | None = None
) -> Generator[Atlas | None, None, tuple[Atlas, int]]:
    """An atlas with its samples, and the number of samples of the whole set.

    Yields nothing, often, and the atlas as soon as its samples are laid out, before the quality of that is known.
    Raises `ValueError` as `sampling`, `of_class` and `project` do.
    """
    samples = yield from sampling(classifier, photos, settings.sampled, kept=kept)
    sizes, least = grids(settings.grid), settings.least
    if len(settings.of) == 2:
        first, second = settings.of
        atlas = yield from _quietly(contrasting(samples, first, second, sizes, least=least))
        return atlas, len(samples)
    own = subset(samples, of_class(samples, settings.of[0])) if settings.of else samples
    steps, early = projecting(own.activations, settings.method), None
    while True:
        try:
            frame = next(steps)
        except StopIteration as stop:
            atlas = atlas_of(own, stop.value, sizes, least=least) if early is None else early
            return replace(atlas, projection=stop.value), len(samples)
        if frame.step == frame.total and frame.points.shape[1] == 2:
            extent = MapExtent.of(frame.points)
            unasked = MapLayout(frame.points, settings.method, extent).projection
            early = laid_out(own, unasked, frame.points, extent, sizes, least=least)
        yield early


def mapping(
    classifier: Classifier, photos: ImageSet, settings: AtlasSettings, *, kept: ItemStore | None = None
) -> Generator[AtlasMap | None, None, AtlasMap]:
    """The atlas of a layer over a set, as it is shown; yields nothing, often, so that other work may go first.

    As soon as samples are laid out it yields the whole without its `trust`. Chunks of samples are left in `kept`, and
    found there. Raises `ValueError` as `arranging` does.
    """
    steps = arranging(classifier, photos, settings, kept=kept)
    early: AtlasMap | None = None
    while True:
        try:
            laid = next(steps)
        except StopIteration as stop:
            atlas, total = stop.value
            break
        if laid is not None and early is None:
            early = _shown(laid, settings, 0)
        yield early
    shown = _shown(atlas, settings, total) if early is None else early
    _remark(classifier, shown, settings)
    quality = atlas.projection.quality
    trust = {
        "trustworthiness": quality.trustworthiness,
        "continuity": quality.continuity,
        "neighbours kept": quality.preservation,
    }
    return replace(shown, total=total, trust=trust)


def _remark(classifier: Classifier, shown: AtlasMap, settings: AtlasSettings) -> None:
    """Say what the map lacks."""
    if shown.considered < len(classifier.labels):
        progress.remark(
            f"What a sample adds was computed for the {CONSIDERED} most probable classes of its image: of others it "
            "counts as nothing."
        )
    if shown.levels[-1].grid < settings.grid:
        progress.remark(
            f"The {settings.grid} × {settings.grid} grid has no cell with {settings.least} samples, so there is none."
        )


def _shown(atlas: Atlas, settings: AtlasSettings, total: int) -> AtlasMap:
    samples, means = atlas.samples, [one.mean for one in atlas.levels]
    directions = [whitened(samples, one) for one in means] if settings.inverted == "whitened" else []
    best = [best_real(samples.activations, one, settings.power) for one in directions or means]
    return AtlasMap(
        samples.whereabouts,
        atlas.points.astype(np.float32),
        atlas.extent,
        samples.labels,
        atlas.levels,
        tuple(one.astype(np.float32) for one in best),
        tuple(directions),
        samples.considered,
        total,
        {},
        samples.problems,
    )


def placing(
    classifier: Classifier,
    photos: ImageSet,
    settings: AtlasSettings,
    mapped: AtlasMap,
    images: Images,
    *,
    kept: ItemStore | None = None,
) -> Generator[None, None, PlacedPositions]:
    """Where the positions of one image lie on a map of `mapping`; its samples are read from `kept`, or again.

    Raises `ValueError` as `placed` does.
    """
    samples = yield from sampling(classifier, photos, settings.sampled, kept=kept)
    if len(settings.of) == 1:
        samples = subset(samples, of_class(samples, settings.of[0]))
    if len(settings.of) == 2 or len(samples) != len(mapped.points):
        raise ValueError("A map of two classes has axes of its own: place images on the atlas of the layer.")
    return placed(classifier, samples, MapLayout(mapped.points, settings.method, mapped.extent), images)


def _quietly(steps: Generator[object, None, T]) -> Generator[None, None, T]:
    """The same steps, of which what they yield is kept from whoever waits for the whole."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value
        yield None
