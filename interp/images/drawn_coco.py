"""Drawings as COCO JSON, and back: what is written is read again as it was, by COCO's own tools too."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from interp.images import coco
from interp.images.decoding import UnreadableImage
from interp.images.drawings import Drawing, Region, RegionShape, turned_back
from interp.images.editing import marked
from interp.images.image_set import ImageSet
from interp.images.problems import Problem, Problems
from interp.images.shapes import Box, Polygon, RunLengths

LARGEST = 50_000_000


def write(photos: ImageSet, drawings: Mapping[int, Drawing]) -> str:
    """The drawings of a set's images, by position, as one COCO file.

    A box is written as its four corners and `bbox`, a polygon as its corners, and what was brushed, joined or cut as
    run lengths, without compression; `area` counts pixels. A region without a class has a category without a name.
    """
    categories: dict[tuple[str | None, str | None], int] = {}
    images, annotations = [], []
    for position, drawing in sorted(drawings.items()):
        if not drawing.regions:
            continue
        width, height = drawing.size
        images.append({"id": position + 1, "file_name": photos.names[position], "width": width, "height": height})
        for index, region in enumerate(drawing.regions):
            category = categories.setdefault((region.label, region.wnid), len(categories) + 1)
            about = {"id": len(annotations) + 1, "image_id": position + 1, "category_id": category, "iscrowd": 0}
            annotations.append(about | _shape(region.shape, drawing.mask(index)))
    named = [
        {"id": number, "name": label} | ({} if wnid is None else {"wnid": wnid})
        for (label, wnid), number in categories.items()
    ]
    document = {
        "info": {"description": f"Drawn by hand in Loupe on images of {photos.name}"},
        "images": images,
        "annotations": annotations,
        "categories": named,
    }
    return json.dumps(document, indent=1)


def read(content: bytes, name: str, photos: ImageSet) -> tuple[dict[int, Drawing], tuple[Problem, ...]]:
    """The drawings that a COCO file holds for the images of a set, by position, and what was left out of it.

    Images are found by their name in the set, or by the file name alone where only one is called so. Reads the size of
    each of these from its picture. Raises `ValueError` for what is no COCO file, one of over 50 MB, and one of which
    nothing fits the set.
    """
    if len(content) > LARGEST:
        raise ValueError(f"{name}: the file has {len(content):,} bytes, and the limit is {LARGEST:,}.")
    document = coco.opened(coco.parsed(content, name), name)
    problems, places = document.problems, _places(photos)
    drawings: dict[int, Drawing] = {}
    for image in document.images:
        position = places.get(image.file, places.get(PurePosixPath(image.file).name))
        if not image.annotations:
            continue
        if position is None:
            problems.add("annotations without a picture", image.file, "No image of the set is called so, or several.")
            continue
        try:
            drawing = _drawing(image, photos, position, document.categories, problems)
        except (UnreadableImage, ValueError) as error:
            problems.add("annotations that cannot be drawn", image.file, str(error))
            continue
        if drawing.regions:
            drawings[position] = drawing
    if not drawings:
        listed = "; ".join(f"{one.name}: {one.reason}" for one in problems.listed()[:3])
        raise ValueError(f"{name}: nothing in it fits an image of {photos.name}. {listed}")
    return drawings, problems.listed()


def _places(photos: ImageSet) -> dict[str, int]:
    """Each image's position by its name, and by its file name where no other has the same."""
    files = [PurePosixPath(name).name for name in photos.names]
    counts = Counter(files)
    alone = {file: position for position, file in enumerate(files) if counts[file] == 1}
    return alone | {name: position for position, name in enumerate(photos.names)}


def _drawing(image: coco.Listed, photos: ImageSet, position: int, categories: Mapping, problems: Problems) -> Drawing:
    picture = photos.picture(position)
    stored, upright = picture.stored_size, picture.image.size
    size = image.size or stored
    if size not in (stored, upright):
        raise ValueError(
            f"It is annotated at {size[0]} × {size[1]} pixels, and the picture has {upright[0]} × {upright[1]}."
        )
    regions = []
    for annotation in image.annotations:
        try:
            shapes = coco.drawn(annotation, size).shapes
        except ValueError as error:
            place = f"{image.file}, annotation {annotation.get('id', '?')}"
            problems.add("annotations that cannot be drawn", place, f"{error}.")
            continue
        shape = _one(shapes, size)
        if size != stored:
            # Whoever annotated it saw it upright.
            shape = turned_back(shape, picture.orientation, stored)
        label, wnid = coco.label_of(categories.get(coco.key_of(annotation.get("category_id"))))
        regions.append(Region(shape, label, wnid))
    return Drawing(stored, tuple(regions))


def _one(shapes: list[RegionShape], size: tuple[int, int]) -> RegionShape:
    """Several outlines as the pixels inside any of them, and four corners of a box as a box."""
    if len(shapes) > 1:
        return marked(np.logical_or.reduce([shape.draw(*size) for shape in shapes]))
    [shape] = shapes
    if isinstance(shape, Polygon) and len(shape.corners) == 4:
        (left, top), _, (right, bottom), _ = shape.corners
        if shape.corners == _corners(Box(left, top, right, bottom)) and left < right and top < bottom:
            return Box(left, top, right, bottom)
    return shape


def _corners(box: Box) -> tuple[tuple[float, float], ...]:
    return (box.left, box.top), (box.right, box.top), (box.right, box.bottom), (box.left, box.bottom)


def _shape(shape: RegionShape, mask: np.ndarray) -> dict[str, Any]:
    """A shape as COCO writes it: its segmentation, its box [left, top, width, height], its area in pixels."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    bounds = Box(float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
    if isinstance(shape, RunLengths):
        segmentation: Any = {"size": [shape.height, shape.width], "counts": shape.counts.tolist()}
    else:
        corners = _corners(shape) if isinstance(shape, Box) else shape.corners
        segmentation = [[float(number) for corner in corners for number in corner]]
        bounds = shape if isinstance(shape, Box) else bounds
    box = [bounds.left, bounds.top, bounds.right - bounds.left, bounds.bottom - bounds.top]
    return {"segmentation": segmentation, "bbox": box, "area": int(np.count_nonzero(mask))}
