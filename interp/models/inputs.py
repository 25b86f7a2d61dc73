"""Chosen samples of an image set, as the batch that a classifier takes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from PIL import Image
from torch import Tensor

from interp.images import ImageSet, Problem, Sample, UnreadableImage
from interp.images.editing import marked
from interp.images.problems import printable
from interp.images.shapes import RunLengths
from interp.set_pass.work import Item, SetPass, Value
from interp.types import Classifier, Images


@dataclass(frozen=True, eq=False)
class Input:
    """The image at a position of a set as a classifier sees it, on the processor; without pixels its `problem`.

    `remarks` are sentences on what was guessed or changed in reading it; `state` is what `ImageSet.state` says.
    """

    position: int
    name: str
    pixels: Float[Tensor, "c h w"] | None
    problem: Problem | None = None
    remarks: tuple[str, ...] = ()
    state: tuple | None = None


def attempt(classifier: Classifier, photos: ImageSet, position: int) -> Input:
    """The image at this position of the set, or why it cannot be read: whatever fails is this image's alone."""
    name = photos.names[position]
    try:
        sample = _sample(photos, position)
        pixels = fitted(classifier, sample.image, name)
        return Input(position, name, pixels, remarks=sample.remarks, state=photos.state(position))
    except UnreadableImage as error:
        return Input(position, name, None, Problem(name, str(error)))


@dataclass(frozen=True)
class PicturePass(SetPass[Item, Value]):
    """A pass over what a classifier sees of each image; images that cannot be read are left out and named."""

    def read(self, classifier: Classifier, photos: ImageSet, position: int) -> Input:
        """The image as the classifier sees it, or why it cannot be read."""
        return attempt(classifier, photos, position)

    def run(
        self, classifier: Classifier, items: Sequence[Item], context: Any, seen: Sequence[Input]
    ) -> Sequence[Value]:
        """The value of each item for those images that could be read, with the problems of the others."""
        images, _, problems = readable(classifier, seen)
        if images is None:
            return [self.blank(classifier, item, problems) for item in items]
        read = [one for one in seen if one.pixels is not None]
        parts: Sequence[Any] = self.values(classifier, items, context, images, read)
        return [replace(part, problems=problems + part.problems) for part in parts]

    @abstractmethod
    def values(
        self, classifier: Classifier, items: Sequence[Item], context: Any, images: Images, read: Sequence[Input]
    ) -> Sequence[Value]:
        """The value of each item for images, which are what was read."""


def fitted(classifier: Classifier, image: Image.Image, name: str) -> Float[Tensor, "c h w"]:
    """The picture as the classifier sees it. Raises `UnreadableImage` where it cannot be brought to that size."""
    try:
        return classifier.preprocessing.pixels(image)
    except Exception as error:  # An odd size leads the resizing to other errors in each library.
        detail = "the memory does not suffice" if isinstance(error, MemoryError) else printable(str(error)).rstrip(".")
        width, height = image.size
        reason = (
            f"its {width:,} × {height:,} pixels cannot be fitted to the classifier ({detail or type(error).__name__}). "
            "Supply a copy of usual size and proportions."
        )
        raise UnreadableImage(name, reason) from error


def positions_of(read: Sequence[Input]) -> Int[np.ndarray, " n"]:
    """The positions in the set of what was read."""
    return np.array([one.position for one in read], np.int32)


def readable(classifier: Classifier, inputs: Sequence[Input]) -> tuple[Images | None, list[int], tuple[Problem, ...]]:
    """The images that could be read, as one batch, with their positions in the set, and the problems of the others.

    The batch is on the classifier's device; None where there is no image.
    """
    problems = tuple(one.problem for one in inputs if one.problem is not None)
    read = [one for one in inputs if one.pixels is not None]
    if not read:
        return None, [], problems
    # A picture's colours lie side by side, and networks are loaded with their weights in that order: left as they are,
    # neither this batch nor the network's input is turned round.
    pixels = torch.stack([one.pixels.permute(1, 2, 0) for one in read if one.pixels is not None]).permute(0, 3, 1, 2)
    images = Images(pixels.to(classifier.device), tuple(one.name for one in read))
    return images, [one.position for one in read], problems


def read(classifier: Classifier, photos: ImageSet, positions: Sequence[int]) -> Images:
    """The images at these positions of the set as one batch.

    Raises `UnreadableImage` for a file that cannot be read.
    """
    if not positions:
        return classifier.prepare([])
    return _batch(classifier, [_sample(photos, position) for position in positions])


def read_marked(
    classifier: Classifier, photos: ImageSet, positions: Sequence[int]
) -> tuple[Images, Bool[Tensor, "n h w"]]:
    """As `read`, for one position or more, with what people marked in each as the model sees it.

    Masks are empty where nobody marked anything.
    """
    samples = [_sample(photos, position) for position in positions]
    empty = torch.zeros(classifier.input_size, dtype=torch.bool)
    masks = (sample.mask for sample in samples)
    marked = [empty if mask is None else classifier.preprocessing.annotation(mask) for mask in masks]
    return _batch(classifier, samples), torch.stack(marked)


def _batch(classifier: Classifier, samples: Sequence[Sample]) -> Images:
    pixels = torch.stack([fitted(classifier, sample.image, sample.name) for sample in samples])
    return Images(pixels.to(classifier.device), tuple(sample.name for sample in samples))


def _sample(photos: ImageSet, position: int) -> Sample:
    try:
        return photos[position]
    except UnreadableImage:
        raise
    except Exception as error:
        detail = printable(str(error)).rstrip(".") or type(error).__name__
        reason = f"it cannot be read ({detail}). Copy it again from its source."
        raise UnreadableImage(photos.names[position], reason) from error


def annotation(classifier: Classifier, photos: ImageSet, position: int) -> Bool[Tensor, "h w"] | None:
    """What people marked in one image, in the coordinates of what the model sees; None where nobody did."""
    mask = photos[position].mask
    return None if mask is None else classifier.preprocessing.annotation(mask)


def known_regions(classifier: Classifier, photos: ImageSet, position: int) -> dict[str, RunLengths]:
    """What people marked in a photograph, all but that, and the planted cue, in what the classifier sees.

    What is cut off or empty is left out.
    """
    sample = photos[position]
    masks = {} if sample.mask is None else {"the object": sample.mask, "all but the object": ~sample.mask}
    for concept in sample.concepts:
        if concept.category == "cue":
            masks["the planted cue"] = concept.mask
    fitted = {name: classifier.preprocessing.annotation(mask).numpy() for name, mask in masks.items()}
    return {name: marked(mask) for name, mask in fitted.items() if mask.any()}
