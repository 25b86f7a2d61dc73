"""CVAT's own format, 'CVAT for images 1.1': one XML with an <image> for each picture, and its shapes in it.

Source: CVAT's documentation, 'XML annotation format'; a mask's run lengths go along the rows of its own rectangle.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element

import numpy as np

from interp.images.decoding import LARGEST_PICTURE
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
    turned_box,
)

FORM = "CVAT"
# What so many take to draw, a minute, is more than ten thousand ordinary masks take.
MOST_PIXELS = 5_000_000_000
WITHOUT_AREA = frozenset({"points", "polyline", "skeleton", "cuboid"})
SHAPES = frozenset({"box", "polygon", "ellipse", "mask"}) | WITHOUT_AREA


def looks_like(root: Element) -> bool:
    """Whether an XML file is of this form."""
    return root.tag == "annotations" and (root.find("image") is not None or root.find("track") is not None)


def read(root: Element, relative: str, reading: RecordReading) -> None:
    """Add what the file says of each image; a tag is the image's label, and what cannot be drawn becomes a problem."""
    pixels = 0.0
    for image in root.iter("image"):
        file = image.get("name", "")
        if not file:
            reading.problems.add("images without a name", relative, "An <image> has no name.")
            continue
        size, marks = _size(image), Marks()
        tags = [tag.get("label") for tag in image.iter("tag")]
        for tag in tags:
            marks.seen(tag)
        for element in image:
            if element.tag not in SHAPES:
                continue
            reading.mark_count += 1
            label = element.get("label")
            marks.seen(label)
            try:
                pixels += _pixels(element)
                if pixels > MOST_PIXELS:
                    raise ValueError(f"The masks of this file have more than {MOST_PIXELS:,} pixels together")
                shape, area = _shape(element, size)
            except (ValueError, OverflowError) as error:
                reading.unread(f"{file}, <{element.tag}>", f"{error}.")
                continue
            marks.add((shape,), area, label)
        folder = relative.rpartition("/")[0]
        reading.add(
            marks.record(f"{folder}/{file}".lstrip("/"), size, upright=True, label=next(iter(tags), None)), relative
        )
    # Videos have tracks, whose pictures are frames that nobody has saved.
    for track in root.iter("track"):
        reading.mark_count += len(track)
        reading.unread(f"{relative}, track {track.get('id', '?')}", "It is of a video: export the task as images.")


def _size(image: Element) -> tuple[int, int] | None:
    try:
        width, height = round(float(image.get("width", "0"))), round(float(image.get("height", "0")))
    except (ValueError, OverflowError):
        return None
    return (width, height) if width > 0 and height > 0 else None


def _shape(element: Element, size: tuple[int, int] | None) -> tuple[Box | Polygon | RunLengths, float]:
    turned = _number(element, "rotation") if element.get("rotation") else 0.0
    if element.tag == "box":
        left, top, right, bottom = (_number(element, side) for side in ("xtl", "ytl", "xbr", "ybr"))
        box = Box(left, top, right, bottom)
        return (turned_box(box, turned) if turned else clipped(box, size)), (right - left) * (bottom - top)
    if element.tag == "polygon":
        points = element.get("points", "")
        try:
            numbers = [float(one) for pair in points.split(";") if pair.strip() for one in pair.split(",")]
        except ValueError:
            raise ValueError(f"Its points are {points!r:.40}; give pairs of numbers as x,y;x,y") from None
        outline = inside(polygon(numbers), size)
        return outline, polygon_area(outline)
    if element.tag == "ellipse":
        x, y, across, down = (_number(element, name) for name in ("cx", "cy", "rx", "ry"))
        outline = ellipse(x, y, across, down, turned)
        return outline, polygon_area(outline)
    if element.tag == "mask":
        return _mask(element, size)
    raise ValueError("It has no area")


def _pixels(element: Element) -> float:
    """How many pixels a mask's rectangle has; 0 for other shapes."""
    return _number(element, "width") * _number(element, "height") if element.tag == "mask" else 0.0


def _mask(element: Element, size: tuple[int, int] | None) -> tuple[RunLengths, float]:
    if size is None:
        raise ValueError("It is a mask, and its image has no width and height")
    left, top, width, height = (int(_number(element, name)) for name in ("left", "top", "width", "height"))
    runs = [int(run) for run in element.get("rle", "").split(",")]
    fits = 0 <= left < left + width <= size[0] and 0 <= top < top + height <= size[1]
    if (
        not fits
        or size[0] * size[1] > LARGEST_PICTURE
        or min(runs) < 0
        or sum(runs) != width * height
        or not any(runs[1::2])
    ):
        raise ValueError(
            f"Its run lengths do not fill its rectangle of {width} × {height} in {size[0]} × {size[1]}, or mark nothing"
        )
    drawn = np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(height, width)
    return laid(drawn, left, top, size), float(drawn.sum())


def _number(element: Element, name: str) -> float:
    try:
        [number] = finite([float(element.get(name, ""))])
    except ValueError:
        raise ValueError(f"Its {name} is {element.get(name)!r:.40}; give a number") from None
    return number
