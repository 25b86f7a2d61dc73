"""LabelMe's format: one JSON beside each picture, with named shapes.

Source: the files of wkentaro/labelme, versions 3 to 5.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath

import numpy as np
from PIL import Image

from interp.images.decoding import LARGEST_PICTURE
from interp.images.problems import printable
from interp.images.records import Marks, RecordReading
from interp.images.shapes import (
    Box,
    Polygon,
    RunLengths,
    clipped,
    ellipse,
    finite,
    inside,
    laid,
    polygon,
    polygon_area,
)

FORM = "LabelMe"
WITHOUT_AREA = ("point", "points", "line", "linestrip")
FOUR_CORNERS = ("rectangle", "rotation", "oriented_rectangle")


def looks_like(document: object) -> bool:
    """Whether what a JSON file holds has LabelMe's keys."""
    return isinstance(document, dict) and isinstance(document.get("shapes"), list) and "imagePath" in document


def read(document: Mapping, relative: str, reading: RecordReading) -> None:
    """Add what one file says; of the flags that are set, the first is the picture's label."""
    path = PurePosixPath(relative)
    size, marks = _size(document), Marks()
    for position, shape in enumerate(document["shapes"], start=1):
        reading.mark_count += 1
        place = f"{path.name}, shape {position}"
        if not isinstance(shape, dict):
            reading.unread(place, "It is no object with 'label' and 'points'.")
            continue
        label = shape["label"] if isinstance(shape.get("label"), str) else None
        marks.seen(label)
        try:
            drawn, area = _shape(shape, size)
        except ValueError as error:
            reading.unread(place, f"{error}.")
            continue
        marks.add((drawn,), area, label)
    flags = document.get("flags")
    flagged = [name for name, given in flags.items() if given is True] if isinstance(flags, dict) else []
    for flag in flagged:
        marks.seen(flag)
    given = document.get("imagePath")
    file = PurePosixPath(given.replace("\\", "/")) if isinstance(given, str) and given else path.with_suffix("")
    # A path that leads up and down again is one of another computer as often as not: its tail is what counts.
    parts = [part for part in file.parts if part not in ("..", "/")]
    named = (path.parent / "/".join(parts)).as_posix()
    found = marks.record(named, size, upright=True, label=next(iter(flagged), None))
    # Whoever renames pictures renames what lies beside them, and not what is written there.
    reading.add(replace(found, otherwise=path.with_suffix("").as_posix()), relative)


def _size(document: Mapping) -> tuple[int, int] | None:
    width, height = document.get("imageWidth"), document.get("imageHeight")
    if not isinstance(width, int | float) or not isinstance(height, int | float) or not (0 < width < 1e9 > height > 0):
        return None
    return max(round(width), 1), max(round(height), 1)


def _shape(shape: Mapping, size: tuple[int, int] | None) -> tuple[Box | Polygon | RunLengths, float]:
    kind, points = shape.get("shape_type") or "polygon", shape.get("points")
    if not isinstance(points, list) or not all(isinstance(one, list) and len(one) == 2 for one in points):
        raise ValueError("Its 'points' are no list of pairs [x, y]")
    numbers = finite([number for point in points for number in point])
    if kind in WITHOUT_AREA:
        raise ValueError(f"It is a {kind}, which has no area")
    # Newer versions, and AnyLabeling, write rectangles by their four corners, turned or not.
    if kind == "polygon" or (kind in FOUR_CORNERS and len(points) == 4):
        outline = inside(polygon(numbers), size)
        return outline, polygon_area(outline)
    if len(numbers) != 4:
        raise ValueError(f"A {kind!s:.20} has two points, and it has {len(points)}")
    x0, y0, x1, y1 = numbers
    if kind == "rectangle":
        box = clipped(Box(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)), size)
        return box, (box.right - box.left) * (box.bottom - box.top)
    if kind == "circle":
        radius = float(np.hypot(x1 - x0, y1 - y0))
        outline = ellipse(x0, y0, radius, radius)
        return outline, polygon_area(outline)
    if kind == "mask":
        return _mask(shape.get("mask"), size, (x0, y0))
    raise ValueError(f"A shape of the type {kind!r:.40} is not known")


def _mask(given: object, size: tuple[int, int] | None, corner: tuple[float, float]) -> tuple[RunLengths, float]:
    """A PNG in base64, laid at its upper left corner."""
    if size is None or size[0] * size[1] > LARGEST_PICTURE or not isinstance(given, str):
        raise ValueError("It is a mask without its pixels, or its picture has no size")
    try:
        with Image.open(io.BytesIO(base64.b64decode(given)), formats=("PNG",)) as image:
            if image.width > size[0] + 1 or image.height > size[1] + 1:
                raise ValueError("Its mask is larger than its picture")
            drawn = np.asarray(image.convert("L")) > 0
    except Exception as error:  # As for pictures: damaged bytes lead Pillow's decoders anywhere.
        raise ValueError(f"Its mask cannot be read ({printable(str(error))[:100]})") from None
    left, top = max(round(corner[0]), 0), max(round(corner[1]), 0)
    within = drawn[: max(size[1] - top, 0), : max(size[0] - left, 0)]
    if not within.any():
        raise ValueError("Its mask marks no pixel")
    return laid(within, left, top, size), float(within.sum())
