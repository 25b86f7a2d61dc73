"""Which concepts there are in a set, in which images, and what of one image units and combinations single out."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, UInt8

from interp import progress
from interp.images import ImageSet
from interp.images.picture_bytes import bytes_of
from interp.models import hooks
from interp.models.inputs import read
from interp.passes.grids import on_grid
from interp.set_pass import spread
from interp.types import Classifier, Fingerprinted
from interp.units.combinations import Combinations, combined
from interp.units.concepts import ConceptSource, known_in
from interp.units.exceeding import centres, exceeding
from interp.units.truth import Names

LOOKED_AT = 600
SHOWN = 24


@dataclass(frozen=True, eq=False)
class ConceptImages(Fingerprinted):
    """The concepts in the images that were `looked` at, by name; of each the first images with it, and how many."""

    concepts: Names
    images: tuple[tuple[int, ...], ...]
    counts: tuple[int, ...]
    looked: int


def seen_concepts(
    classifier: Classifier, photos: ImageSet, source: ConceptSource, most: int = LOOKED_AT
) -> Generator[None, None, ConceptImages]:
    """Look for concepts in at most so many images, spread over the set; what cannot be read is left out."""
    found: dict[tuple[str, str], list[int]] = {}
    some = spread(np.arange(len(photos)))[:most].tolist()
    for done, position in enumerate(some):
        progress.report(done, len(some), "Looking for concepts")
        _, known = known_in(classifier, photos, position, source)
        for concept in known.concepts:
            found.setdefault(concept, []).append(position)
        if done % 8 == 0:
            yield
    concepts = tuple(sorted(found))
    images = tuple(tuple(found[one][:SHOWN]) for one in concepts)
    return ConceptImages(concepts, images, tuple(len(found[one]) for one in concepts), len(some))


@dataclass(frozen=True, eq=False)
class ConceptPicture:
    """An image as the classifier sees it, and the mask of a concept in it."""

    pixels: UInt8[np.ndarray, "h w 3"]
    mask: Bool[np.ndarray, "h w"]


def with_masks(
    classifier: Classifier,
    photos: ImageSet,
    positions: tuple[int, ...],
    concept: tuple[str, str],
    source: ConceptSource,
) -> tuple[ConceptPicture, ...]:
    """Images of a set with the masks of a concept; those that cannot be read are left out."""
    found = []
    for position in progress.steps(positions, "Reading images"):
        seen, known = known_in(classifier, photos, position, source)
        if seen.pixels is not None and known.masks is not None and concept in known.concepts:
            mask = known.masks[known.concepts.index(concept)].reshape(classifier.input_size)
            found.append(ConceptPicture(bytes_of(seen.pixels), mask))
    return tuple(found)


def singled_out(
    classifier: Classifier, photos: ImageSet, positions: tuple[int, ...], found: Combinations, row: int
) -> tuple[tuple[Bool[np.ndarray, "h w"], ...], ...]:
    """For each image three masks: of the best unit, of that at a level fitted to the concept, of the combination.

    Raises `UnreadableImage` for a file that cannot be read.
    """
    images = read(classifier, photos, positions)
    with torch.no_grad(), hooks.activations(classifier, [found.layer]) as taken:
        classifier.module(images.pixels)
    maps = on_grid(taken[found.layer], classifier.layer(found.layer)).float().cpu()
    thresholds = found.thresholds if found.features == "thresholded" else None
    sums = combined(maps, found.weights[row : row + 1], found.biases[row : row + 1], thresholds)
    unit, fitted = int(found.units[row]), int(found.fitted_units[row])
    stacked = torch.cat([maps[:, [unit]], maps[:, [fitted]], sums], dim=1)
    levels = [found.thresholds[unit], found.fitted_levels[row], found.levels[row]]
    size = classifier.input_size
    drawn = np.zeros((len(positions), 3, size[0] * size[1]), bool)
    for some in exceeding(stacked, torch.tensor(levels).float(), centres(classifier, found.layer), size):
        drawn[some.rows, some.channels, some.pixels] = True
    return tuple(tuple(one.reshape(size) for one in three) for three in drawn)
