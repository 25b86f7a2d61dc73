"""COCO's annotation format: one JSON with images, annotations (boxes, polygons, run lengths) and categories.

Source: cocodataset.org, 'Data format'; masks as in cocoapi's `maskApi.c`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from interp.images import files
from interp.images.annotation import Annotation, Box, Polygon, RunLengths, Shape, decompressed, finite, polygon
from interp.images.decoding import LARGEST_PICTURE
from interp.images.problems import Problems, printable
from interp.images.records import Record, Records

LARGEST_JSON = 500_000_000
WORDNET_ID = re.compile(r"n\d{8}")
EXPECTED = "a COCO file is expected: an object with the lists 'images', 'annotations' and 'categories'."


def read(path: Path) -> Records:
    """Every image of the file, with the union of its annotations; the label is the largest annotation's category.

    Raises `ValueError` that names the file, and the line where it is known, for what is no COCO file. Annotations
    that refer to a missing image or category, lie outside the picture or are malformed are listed as problems.
    """
    content = files.content(path, limit=LARGEST_JSON)
    document = opened(content, printable(path.name))
    records = [_record(image, document.categories, document.problems) for image in document.images]
    return Records(tuple(records), document.problems.listed(), (content,))


@dataclass(frozen=True, eq=False)
class Listed:
    """An image of the file: its name, its size (width, height) where it is given, and its annotations as written."""

    file: str
    size: tuple[int, int] | None
    annotations: list[dict]


@dataclass(frozen=True, eq=False)
class Document:
    """A file that was understood: its images, its categories by their ids, and what had to be left out."""

    images: list[Listed]
    categories: dict[int | str, dict]
    problems: Problems


def opened(content: bytes, name: str) -> Document:
    """What the bytes of a COCO file say. Raises `ValueError` that names the file as `read` does."""
    document = _parsed(content, name)
    images, annotations, categories = (_list(document, key, name) for key in ("images", "annotations", "categories"))
    problems = Problems()
    named = {one["id"]: one for one in categories if isinstance(one, dict) and isinstance(one.get("id"), int | str)}
    marked = _by_image(images, annotations, problems)
    listed = []
    for position, image in enumerate(images):
        if not isinstance(image, dict) or not isinstance(image.get("file_name"), str) or not image["file_name"]:
            problems.add("images without a name", f"images[{position}]", "It has no 'file_name'. Add one, as text.")
            continue
        try:
            size = _size(image)
        except ValueError as error:
            problems.add("images with an impossible size", image["file_name"], f"{error}.")
            continue
        listed.append(Listed(image["file_name"], size, marked.get(_key(image), [])))
    return Document(listed, named, problems)


def _parsed(content: bytes, name: str) -> Mapping[str, object]:
    try:
        document = json.loads(content)
    except json.JSONDecodeError as error:
        raise ValueError(f"{name}, line {error.lineno}: this is not valid JSON ({error.msg}); {EXPECTED}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{name}: the text is not UTF-8; {EXPECTED}") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name}: this JSON cannot be read ({printable(str(error))[:100]}); {EXPECTED}") from None
    if not isinstance(document, dict):
        raise ValueError(f"{name}: it holds {_kind(document)}; {EXPECTED}")
    return document


def _list(document: Mapping[str, object], key: str, name: str) -> list:
    found = document.get(key, [] if key == "categories" else None)
    if not isinstance(found, list):
        raise ValueError(f"{name}: {key!r} is {_kind(found)}; {EXPECTED}")
    return found


def _kind(value: object) -> str:
    kinds = {dict: "an object", list: "a list", str: "a text", type(None): "missing", bool: "true or false"}
    return kinds.get(type(value), "a number")


def _key(image: Mapping[str, object]) -> int | str | None:
    key = image.get("id")
    return key if isinstance(key, int | str) else None


def _by_image(images: list, annotations: list, problems: Problems) -> dict[int | str | None, list[dict]]:
    marked: dict[int | str | None, list[dict]] = {_key(image): [] for image in images if isinstance(image, dict)}
    marked.pop(None, None)
    for position, annotation in enumerate(annotations):
        place = f"annotations[{position}]"
        if not isinstance(annotation, dict):
            problems.add("malformed annotations", place, f"It is {_kind(annotation)}; an object is expected.")
            continue
        image = annotation.get("image_id")
        if not isinstance(image, int | str) or image not in marked:
            shown = repr(image)[:40]
            problems.add("annotations without an image", place, f"No image has the id {shown}, its 'image_id'.")
            continue
        marked[image].append(annotation)
    return marked


def _size(image: Mapping[str, object]) -> tuple[int, int] | None:
    width, height = image.get("width"), image.get("height")
    if width is None and height is None:
        return None
    if not isinstance(width, int) or not isinstance(height, int) or width < 1 or height < 1:
        raise ValueError(f"Its 'width' and 'height' are {width!r:.40} and {height!r:.40}; give whole numbers from 1 on")
    if width * height > LARGEST_PICTURE:
        raise ValueError(f"It has {width} × {height} pixels, and the limit is {LARGEST_PICTURE:,}")
    return width, height


def _record(image: Listed, named: Mapping, problems: Problems) -> Record:
    shapes: list[Shape] = []
    largest, category, size = -1.0, None, image.size
    present: set[str] = set()
    for annotation in image.annotations:
        known = annotation.get("category_id")
        stated = isinstance(known, int | str) and known in named
        # What cannot be drawn is in the picture all the same.
        present.update([one for one in label_of(named[known]) if one is not None][:1] if stated else ())
        place = f"{image.file}, annotation {annotation.get('id', '?')}"
        try:
            found, area = drawn(annotation, size)
        except ValueError as error:
            problems.add("annotations that cannot be drawn", place, f"{error}.")
            continue
        shapes.extend(found)
        size = size or next(((one.width, one.height) for one in found if isinstance(one, RunLengths)), None)
        if not stated:
            problems.add("annotations without a category", place, f"No category has the id {known!r:.40}.")
        elif area > largest:
            largest, category = area, named[known]
    label, wnid = label_of(category)
    marked = Annotation(tuple(shapes), size) if shapes else None
    return Record(image.file, marked, label, wnid, frozenset(present) if named else None)


def label_of(category: Mapping[str, object] | None) -> tuple[str | None, str | None]:
    """The name and the WordNet id of a category, each where it has one; a name that is such an id counts as it."""
    name, wnid = (None, None) if category is None else (category.get("name"), category.get("wnid"))
    if not isinstance(wnid, str) and isinstance(name, str) and WORDNET_ID.fullmatch(name):
        return None, name
    return (name if isinstance(name, str) else None), (wnid if isinstance(wnid, str) else None)


def drawn(
    annotation: Mapping[str, object], size: tuple[int, int] | None
) -> tuple[list[Box | Polygon | RunLengths], float]:
    """The shapes of one annotation and their area in square pixels; the segmentation where there is one, or the box.

    Raises `ValueError` that says what is wrong with an annotation that cannot be drawn.
    """
    segmentation = annotation.get("segmentation")
    if isinstance(segmentation, dict):
        runs = _runs(segmentation, size)
        inside = float(runs.counts[1::2].sum())
        if not inside:
            raise ValueError("Its run lengths mark no pixel")
        return [runs], inside
    if isinstance(segmentation, list) and segmentation:
        # One polygon may be written without the list around it.
        rings = segmentation if isinstance(segmentation[0], list) else [segmentation]
        if not all(isinstance(ring, list) for ring in rings):
            raise ValueError("Its 'segmentation' mixes lists with other values; give a list of polygons")
        outlines = [_inside(polygon(ring), size) for ring in rings]
        return [*outlines], sum(_area(one) for one in outlines)
    box = annotation.get("bbox")
    if not isinstance(box, list) or len(box) != 4:
        raise ValueError(f"It has neither a 'segmentation' nor a 'bbox' of four numbers, but {box!r:.60}")
    left, top, width, height = finite(box)
    return [clipped(Box(left, top, left + width, top + height), size)], width * height


def clipped(box: Box, size: tuple[int, int] | None) -> Box:
    """The part of the box inside a picture of that size (width, height). Raises `ValueError` where none is."""
    width, height = (math.inf, math.inf) if size is None else (float(size[0]), float(size[1]))
    inside = Box(max(box.left, 0.0), max(box.top, 0.0), min(box.right, width), min(box.bottom, height))
    if inside.left >= inside.right or inside.top >= inside.bottom:
        edges = f"from ({box.left:g}, {box.top:g}) to ({box.right:g}, {box.bottom:g})"
        raise ValueError(f"Its box {edges} is empty, or lies outside the picture")
    return inside


def _inside(ring: Polygon, size: tuple[int, int] | None) -> Polygon:
    xs, ys = zip(*ring.corners, strict=True)
    clipped(Box(min(xs), min(ys), max(xs), max(ys)), size)
    return ring


def _area(ring: Polygon) -> float:
    corners = np.array(ring.corners)
    following = np.roll(corners, -1, axis=0)
    return float(abs((corners[:, 0] * following[:, 1] - corners[:, 1] * following[:, 0]).sum()) / 2)


def _runs(segmentation: Mapping[str, object], size: tuple[int, int] | None) -> RunLengths:
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
        return RunLengths(np.array(runs, dtype=np.int64), width, height)
    except ValueError as error:
        raise ValueError(f"It cannot be drawn: {error}") from None
