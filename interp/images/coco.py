"""COCO's annotation format: one JSON with images, annotations (boxes, polygons, run lengths) and categories.

Source: cocodataset.org, 'Data format'; masks as in cocoapi's `maskApi.c`.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from interp.images.decoding import LARGEST_PICTURE
from interp.images.problems import Problems, printable
from interp.images.records import Marks, Record, RecordReading, Records
from interp.images.shapes import (
    Box,
    Polygon,
    RunLengths,
    clipped,
    decompressed,
    finite,
    inside,
    polygon,
    polygon_area,
)
from interp.label_notation import WORDNET_ID

LARGEST_JSON = 500_000_000
EXPECTED = (
    "a COCO file is expected: an object with the lists 'images', 'annotations' and 'categories' (or a file of LabelMe, "
    "Label Studio or VIA)."
)


def read(document: object, content: bytes, relative: str) -> Records:
    """Every image of the file, with what is marked in it; the label is the largest annotation's category.

    `document` is what the content holds. `relative` is the file's path in the folder that was opened; images are named
    relative to the file's own folder. Raises `ValueError` that names the file for what is no COCO file. Annotations
    that refer to a missing image or category, lie outside the picture or are malformed are listed as problems.
    """
    base, _, name = relative.rpartition("/")
    found = opened(document, printable(name))
    contents = [os.fsencode(relative), content]
    reading = RecordReading(problems=found.problems, contents=contents, mark_count=found.annotations)
    for image in found.images:
        reading.add(_record(image, found.categories, reading), relative)
    return reading.done("COCO", (relative,), base)


def looks_like(document: object) -> bool:
    """Whether what a JSON file holds has COCO's lists."""
    images = document.get("images") if isinstance(document, dict) else None
    return isinstance(images, list) and isinstance(document, dict) and isinstance(document.get("annotations"), list)


@dataclass(frozen=True, eq=False)
class Listed:
    """An image of the file: its name, its size (width, height) where it is given, and its annotations as written."""

    file: str
    size: tuple[int, int] | None
    annotations: list[dict]


@dataclass(frozen=True, eq=False)
class Document:
    """A file that was understood: its images, its categories by their ids, and what had to be left out.

    `annotations` is how many it holds in all.
    """

    images: list[Listed]
    categories: dict[int | str, dict]
    problems: Problems
    annotations: int


def opened(given: object, name: str) -> Document:
    """What a COCO file says. Raises `ValueError` that names the file as `read` does."""
    if not isinstance(given, dict):
        raise ValueError(f"{name}: it holds {_kind(given)}; {EXPECTED}")
    document: Mapping[str, object] = given
    images, annotations, categories = (_list(document, key, name) for key in ("images", "annotations", "categories"))
    problems = Problems()
    named = {key: one for one in categories if isinstance(one, dict) and (key := key_of(one.get("id"))) is not None}
    marked = _by_image(images, annotations, problems)
    listed = []
    for position, image in enumerate(images):
        file = _file(image)
        if file is None:
            problems.add("images without a name", f"images[{position}]", "It has no 'file_name'. Add one, as text.")
            continue
        try:
            size = _size(image)
        except ValueError as error:
            size = None
            problems.add("images with an impossible size", file, f"{error}. Its marks are drawn in its own pixels.")
        key = key_of(image.get("id"))
        if key is not None and key not in marked:
            problems.add(
                "images with the id of another", file, f"Its id {key!r:.40} is another image's, whose marks count."
            )
        listed.append(Listed(file, size, marked.pop(key, [])))
    return Document(listed, named, problems, len(annotations))


def _file(image: object) -> str | None:
    if not isinstance(image, dict):
        return None
    names = (image.get(key) for key in ("file_name", "filename", "path", "coco_url"))
    return next((name for name in names if isinstance(name, str) and name), None)


def parsed(content: bytes, name: str) -> object:
    """What a JSON file holds. Raises `ValueError` that names the file, and the line where it is known."""
    try:
        return json.loads(content)
    except json.JSONDecodeError as error:
        raise ValueError(f"{name}, line {error.lineno}: this is not valid JSON ({error.msg}); {EXPECTED}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{name}: the text is not UTF-8; {EXPECTED}") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name}: this JSON cannot be read ({printable(str(error))[:100]}); {EXPECTED}") from None


def why_not(document: object) -> str:
    """Why a JSON file holds no annotations that are read."""
    if not isinstance(document, dict):
        return f"it holds {_kind(document)}; {EXPECTED}"
    missing = next((key for key in ("images", "annotations") if not isinstance(document.get(key), list)), "images")
    return f"{missing!r} is {_kind(document.get(missing))}; {EXPECTED}"


def _list(document: Mapping[str, object], key: str, name: str) -> list:
    found = document.get(key, [] if key == "categories" else None)
    if not isinstance(found, list):
        raise ValueError(f"{name}: {key!r} is {_kind(found)}; {EXPECTED}")
    return found


def _kind(value: object) -> str:
    kinds = {dict: "an object", list: "a list", str: "a text", type(None): "missing", bool: "true or false"}
    return kinds.get(type(value), "a number")


def key_of(value: object) -> int | str | None:
    """An id; 7.0 is 7, as tables write numbers."""
    return value if isinstance(value, int | str) else whole(value)


def _by_image(images: list, annotations: list, problems: Problems) -> dict[int | str | None, list[dict]]:
    marked: dict[int | str | None, list[dict]] = {
        key_of(image.get("id")): [] for image in images if isinstance(image, dict)
    }
    marked.pop(None, None)
    for position, annotation in enumerate(annotations):
        place = f"annotations[{position}]"
        if not isinstance(annotation, dict):
            problems.add("malformed annotations", place, f"It is {_kind(annotation)}; an object is expected.")
            continue
        image = key_of(annotation.get("image_id"))
        if image is None or image not in marked:
            shown = repr(annotation.get("image_id"))[:40]
            problems.add("annotations without an image", place, f"No image has the id {shown}, its 'image_id'.")
            continue
        marked[image].append(annotation)
    return marked


def _size(image: Mapping[str, object]) -> tuple[int, int] | None:
    sides = [image.get("width"), image.get("height")]
    if sides == [None, None]:
        return None
    width, height = (whole(side) for side in sides)
    if width is None or height is None or width < 1 or height < 1:
        raise ValueError(f"Its 'width' and 'height' are {sides[0]!r:.40} and {sides[1]!r:.40}; give numbers from 1 on")
    if width * height > LARGEST_PICTURE:
        raise ValueError(f"It has {width} × {height} pixels, and the limit is {LARGEST_PICTURE:,}")
    return width, height


def whole(value: object) -> int | None:
    """A whole number, which may be written as 120.0 or '120'; None for anything else."""
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        return None
    return int(number) if number.is_integer() else None


def _record(image: Listed, named: Mapping, reading: RecordReading) -> Record:
    marks, size = Marks(), image.size
    for annotation in image.annotations:
        known = key_of(annotation.get("category_id"))
        label, wnid = label_of(named.get(known))
        # What cannot be drawn is in the picture all the same.
        marks.seen(label, wnid)
        place = f"{image.file}, annotation {annotation.get('id', '?')}"
        try:
            found = drawn(annotation, size)
        except ValueError as error:
            reading.unread(place, f"{error}.")
            continue
        marks.add(tuple(found.shapes), found.area, label, wnid)
        size = size or next(((one.width, one.height) for one in found.shapes if isinstance(one, RunLengths)), None)
        if known not in named:
            shown = repr(annotation.get("category_id"))[:40]
            reading.problems.add("annotations without a category", place, f"No category has the id {shown}.")
        if found.left_out:
            reason = f"{found.left_out}. Its box is marked instead."
            reading.problems.add("outlines that cannot be drawn", place, reason)
    return marks.record(image.file, size, labels=bool(named))


def label_of(category: Mapping[str, object] | None) -> tuple[str | None, str | None]:
    """The name and the WordNet id of a category, each where it has one; a name that is such an id counts as it."""
    name, wnid = (None, None) if category is None else (category.get("name"), category.get("wnid"))
    if not isinstance(wnid, str) and isinstance(name, str) and WORDNET_ID.fullmatch(name):
        return None, name
    return (name if isinstance(name, str) else None), (wnid if isinstance(wnid, str) else None)


class CocoShapes(NamedTuple):
    """The shapes of one annotation, their area in square pixels, and why its outline is left out for its box."""

    shapes: list[Box | Polygon | RunLengths]
    area: float
    left_out: str | None = None


def drawn(annotation: Mapping[str, object], size: tuple[int, int] | None) -> CocoShapes:
    """The segmentation of one annotation where there is one that can be drawn, or its box.

    Raises `ValueError` that says what is wrong with an annotation that cannot be drawn.
    """
    segmentation, box, problem = annotation.get("segmentation"), annotation.get("bbox"), None
    if isinstance(segmentation, dict | list) and segmentation:
        try:
            return _runs(segmentation, size) if isinstance(segmentation, dict) else _outlines(segmentation, size)
        except ValueError as error:
            problem = error
    if not isinstance(box, list) or len(box) != 4:
        if problem is not None:
            raise problem
        raise ValueError(f"It has neither a 'segmentation' nor a 'bbox' of four numbers, but {box!r:.60}")
    left, top, width, height = finite(box)
    edges = clipped(Box(left, top, left + width, top + height), size)
    return CocoShapes([edges], width * height, None if problem is None else str(problem))


def _outlines(segmentation: list, size: tuple[int, int] | None) -> CocoShapes:
    """The polygons of a segmentation, without those that enclose nothing. Raises `ValueError` where none is left."""
    # One polygon may be written without the list around it.
    rings = segmentation if isinstance(segmentation[0], list) else [segmentation]
    outlines: list[Box | Polygon | RunLengths] = []
    problem, total = ValueError("Its 'segmentation' is empty"), 0.0
    for ring in rings:
        if not isinstance(ring, list):
            raise ValueError("Its 'segmentation' mixes lists with other values; give a list of polygons")
        try:
            outline = inside(polygon(ring), size)
        except ValueError as error:
            problem = error
            continue
        if area := polygon_area(outline):
            outlines.append(outline)
            total += area
        else:
            problem = ValueError("Its polygon encloses no area")
    if not outlines:
        raise problem
    return CocoShapes(outlines, total)


def _runs(segmentation: Mapping[str, object], size: tuple[int, int] | None) -> CocoShapes:
    given, counts = segmentation.get("size"), segmentation.get("counts")
    if not isinstance(given, list) or len(given) != 2 or not all(type(one) is int for one in given):
        raise ValueError(f"The 'size' of its run lengths is {given!r:.60}; give [height, width]")
    height, width = given
    if size is not None and size != (width, height):
        raise ValueError(f"Its run lengths are for {width} × {height} pixels, and its image has {size[0]} × {size[1]}")
    runs = decompressed(counts) if isinstance(counts, str) else counts
    if not isinstance(runs, list) or not all(type(one) is int and abs(one) < 2**40 for one in runs):
        raise ValueError("The 'counts' of its run lengths are neither whole numbers nor COCO's compressed text")
    try:
        found = RunLengths(np.array(runs, dtype=np.int64), width, height)
    except ValueError as error:
        raise ValueError(f"It cannot be drawn: {error}") from None
    if not found.counts[1::2].any():
        raise ValueError("Its run lengths mark no pixel")
    return CocoShapes([found], float(found.counts[1::2].sum()))
