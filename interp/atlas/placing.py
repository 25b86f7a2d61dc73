"""Positions of another image on an atlas's map, and the same image positions in another atlas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int

from interp import embedding
from interp.atlas.cells import MapExtent
from interp.atlas.sampling import PositionSamples, SamplePlaces
from interp.embedding import Projection, ProjectionMethod, Quality
from interp.models import hooks
from interp.passes.grids import on_grid
from interp.passes.receptive_fields import ReceptiveFields
from interp.set_pass import evenly
from interp.types import Classifier, Fingerprinted, Images

ASKED, AMONG, USUAL = 1_000, 48, 0.9


@dataclass(frozen=True, eq=False)
class PlacedPositions(Fingerprinted):
    """Where the p positions of a layer's grid of `grid` rows and columns lie on an atlas's map, row by row.

    `places` are in [0, 1] of the map. `distance` is the cosine distance to the nearest sample, beside `usual`, that of
    nine tenths of the samples to the nearest one of another image: what is much further is like nothing on the map.
    """

    grid: tuple[int, int]
    places: Float[np.ndarray, "p 2"]
    distance: Float[np.ndarray, " p"]
    usual: float

    def cells(self, grid: int) -> Int[np.ndarray, " p"]:
        """Of each position, the cell of a grid of that size that it falls into, counted row by row."""
        column, row = np.minimum((self.places * grid).astype(np.int64), grid - 1).T
        return row * grid + column


@dataclass(frozen=True, eq=False)
class MapLayout:
    """How samples were laid out: their points, by which method, and the rectangle that grids cover."""

    points: Float[np.ndarray, "n 2"]
    method: ProjectionMethod
    extent: MapExtent

    @property
    def projection(self) -> Projection:
        """The same as a projection whose quality was not asked."""
        unasked = np.zeros(0)
        return Projection(self.points, (), Quality(0, "cosine", unasked, unasked, unasked), self.method)


def placed(classifier: Classifier, samples: PositionSamples, layout: MapLayout, images: Images) -> PlacedPositions:
    """Where the positions of one image lie on a map of samples, which stays as it is (see `embedding.place`).

    Raises `ValueError` for more than one image, and samples of another classifier.
    """
    if len(images) != 1:
        raise ValueError(f"{len(images)} images were given: place one at a time.")
    layer, known = classifier.layer(samples.layer), samples.activations
    if layer.channels != known.shape[1]:
        raise ValueError(f"The atlas is of another classifier: {layer.name} has {layer.channels} channels here.")
    with torch.no_grad(), hooks.activations(classifier, [layer.name]) as taken:
        classifier.module(images.pixels.to(classifier.device))
    maps = on_grid(taken[layer.name], layer).float()[0]
    own, grid = maps.flatten(1).T.cpu().numpy(), (maps.shape[1], maps.shape[2])
    points = embedding.place(own, known, layout.projection)
    found = embedding.nearest_to(own, known, 1, metric="cosine")
    usual = float(np.quantile(_to_other_images(samples), USUAL))
    return PlacedPositions(grid, layout.extent.within(points), found.distances[:, 0], usual)


def _to_other_images(samples: PositionSamples) -> Float[np.ndarray, " m"]:
    """Of samples spread over all, the cosine distance to the nearest one of another image, or to the last looked at.

    Those of the same image see much of the same picture, and a new image has no such neighbours.
    """
    known, rows = samples.activations, evenly(len(samples), ASKED)
    found = embedding.nearest_to(known[rows], known, min(AMONG, len(known)), metric="cosine")
    other = samples.images[found.indices] != samples.images[rows][:, None]
    first = np.where(other.any(axis=1), other.argmax(axis=1), found.count - 1)
    return found.distances[np.arange(len(rows)), first]


@dataclass(frozen=True, eq=False)
class LinkedSamples(Fingerprinted):
    """Samples of another atlas at the same places of the same images, each once, as rows of its samples.

    `unmatched` of the samples asked for have none: their image has no sample there that is near enough.
    """

    rows: Int[np.ndarray, " m"]
    unmatched: int


def linked(
    samples: SamplePlaces,
    rows: Int[np.ndarray, " r"],
    others: SamplePlaces,
    fields: ReceptiveFields,
    other_fields: ReceptiveFields,
) -> LinkedSamples:
    """The samples of another atlas of the same images that lie where these do: the same image positions light up.

    Of an image's samples there, the one whose centre in the picture is nearest counts, as long as it is no further off
    than a step of the coarser of the two grids. `fields` are those of the two layers, over pictures of any two sizes.
    """
    own, its = _centres(samples, fields), _centres(others, other_fields)
    step = max(1 / min(samples.grid), 1 / min(others.grid))
    order = np.argsort(others.images, kind="stable")
    starts, ends = (
        np.searchsorted(others.images, samples.images[rows], side=side, sorter=order) for side in ("left", "right")
    )
    found, unmatched = [], 0
    for row, start, end in zip(rows, starts, ends, strict=True):
        of_image = order[start:end]
        away = np.abs(its[of_image] - own[row]).max(axis=1) if len(of_image) else np.zeros(0)
        if len(away) and away.min() <= step + 1e-9:
            found.append(of_image[int(away.argmin())])
        else:
            unmatched += 1
    return LinkedSamples(np.unique(np.array(found, np.int64)), unmatched)


def _centres(samples: SamplePlaces, fields: ReceptiveFields) -> Float[np.ndarray, "n 2"]:
    """Where each sample's position has its centre, in shares of the picture's height and width."""
    row, column = np.divmod(samples.places, samples.grid[1])
    return np.stack([fields.centres_y[row] / fields.size[0], fields.centres_x[column] / fields.size[1]], axis=1)
