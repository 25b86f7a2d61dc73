"""Small image sets with annotations, and scores by hand, for the tests of Shared Interest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from interp.attribution import Gradient, Method
from interp.images import ImageSet, UnreadableImage
from interp.images.annotation import Annotation, Mark
from interp.images.decoding import DecodedImage
from interp.images.shapes import Box
from interp.shared_interest import Counts, Explanation, Scored, Scoring

SIDE = 16
CLASSES = ("cat", "dog", "fish")


def pictures(count: int, seed: int = 0) -> list[Image.Image]:
    rng = np.random.default_rng(seed)
    return [Image.fromarray(rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)) for _ in range(count)]


def box(left: int, top: int, right: int, bottom: int) -> Annotation:
    return Annotation((Mark((Box(float(left), float(top), float(right), float(bottom)),)),))


def boxes(count: int, seed: int = 1) -> dict[int, Annotation]:
    rng = np.random.default_rng(seed)
    found = {}
    for position in range(count):
        left, top = rng.integers(0, 8, 2).tolist()
        width, height = rng.integers(3, 9, 2).tolist()
        found[position] = box(left, top, left + width, top + height)
    return found


def image_set(
    images: Sequence[Image.Image | None],
    annotations: Mapping[int, Annotation],
    labels: Sequence[str | None] | None = None,
    fingerprint: str = "set",
) -> ImageSet:
    """A set of pictures in memory; None is one whose file has gone."""

    def read(position: int) -> DecodedImage:
        image = images[position]
        if image is None:
            raise UnreadableImage(f"{position}.png", "the file is not there any more")
        return DecodedImage(image)

    given = labels or [CLASSES[position % 3] for position in range(len(images))]
    return ImageSet(
        name="set",
        description="",
        fingerprint=fingerprint,
        names=[f"{position}.png" for position in range(len(images))],
        read=read,
        label_forms={"label": tuple(given)},
        annotations=annotations,
    )


def scored(
    rows: Sequence[tuple[int, int, int]],
    labels: Sequence[int] | None = None,
    predicted: Sequence[int] | None = None,
    *,
    positions: Sequence[int] | None = None,
    method: Method | None = None,
    classifier: str = "tiny",
    scoring: Scoring | None = None,
) -> Scored:
    """Scores with these numbers of annotated, salient and shared pixels; all predicted right unless said."""
    count = len(rows)
    own = np.array(labels if labels is not None else [0] * count, np.int32)
    counted = np.array(rows, np.int64).reshape(count, 3).T
    return Scored(
        explanation=Explanation(method or Gradient()),
        scoring=scoring or Scoring(),
        classifier=classifier,
        positions=np.array(positions if positions is not None else range(count), np.int32),
        predicted=np.array(predicted if predicted is not None else own.clip(0), np.int32),
        probability=np.linspace(0.5, 0.9, count),
        labels=own,
        overlap=Counts(*counted),
        continuous=np.linspace(0, 1, count),
        total=count,
    )
