"""The format of VGG's Image Annotator (VIA 2): one JSON with the regions of each picture.

Source: Dutta & Zisserman 2019, 'The VIA annotation software for images, audio and video'; files of VIA 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from interp.images.records import Marks, RecordReading
from interp.images.shapes import Box, Polygon, clipped, ellipse, finite, polygon, polygon_area

FORM = "VIA"


def pictures(document: object) -> Sequence[Mapping]:
    """The pictures that a JSON file of VIA describes; none where it is no such file."""
    if isinstance(document, dict) and isinstance(document.get("_via_img_metadata"), dict):
        document = document["_via_img_metadata"]
    if not isinstance(document, dict) or not document:
        return []
    found = [one for one in document.values() if isinstance(one, dict) and "filename" in one and "regions" in one]
    return found if len(found) == len(document) else []


def read(document: object, relative: str, reading: RecordReading) -> None:
    """Add what the file says of each picture. A region's label is its only attribute, or the one called as a label."""
    folder = relative.rpartition("/")[0]
    for picture in pictures(document):
        file, marks = str(picture["filename"]), Marks()
        held = picture["regions"]
        regions = list(held.values()) if isinstance(held, dict) else held if isinstance(held, list) else []
        for position, region in enumerate(regions, start=1):
            reading.mark_count += 1
            region = region if isinstance(region, dict) else {}
            label = _label(region.get("region_attributes"))
            marks.seen(label)
            try:
                shape, area = _shape(region.get("shape_attributes"))
            except ValueError as error:
                reading.unread(f"{file}, region {position}", f"{error}.")
                continue
            marks.add((shape,), area, label)
        label = _label(picture.get("file_attributes"))
        reading.add(marks.record(f"{folder}/{file}".lstrip("/"), None, upright=True, label=label), relative)


def _label(attributes: object) -> str | None:
    if not isinstance(attributes, dict):
        return None
    texts = {key: text for key, value in attributes.items() if (text := _text(value))}
    called = [key for key in texts if key.lower() in ("label", "class", "name", "type", "category", "object")]
    chosen = called[:1] or (list(texts) if len(texts) == 1 else [])
    return texts[chosen[0]] if chosen else None


def _text(value: object) -> str:
    """What an attribute says: a text, or the first box that is ticked."""
    if isinstance(value, dict):
        value = next((key for key, ticked in value.items() if ticked is True), "")
    return value.strip() if isinstance(value, str) else ""


def _shape(given: object) -> tuple[Box | Polygon, float]:
    shape = given if isinstance(given, dict) else {}
    kind = shape.get("name")

    def numbers(*keys: str) -> list[float]:
        return finite([shape.get(key) for key in keys])

    if kind == "rect":
        left, top, width, height = numbers("x", "y", "width", "height")
        return clipped(Box(left, top, left + width, top + height), None), width * height
    if kind in ("polygon", "polyline"):
        xs, ys = shape.get("all_points_x"), shape.get("all_points_y")
        if kind == "polyline" or not isinstance(xs, list) or not isinstance(ys, list) or len(xs) != len(ys):
            raise ValueError("It is no polygon: it has no area, or as many x as y are missing")
        outline = polygon([one for pair in zip(xs, ys, strict=True) for one in pair])
    elif kind == "circle":
        x, y, radius = numbers("cx", "cy", "r")
        outline = ellipse(x, y, radius, radius)
    elif kind == "ellipse":
        x, y, across, down = numbers("cx", "cy", "rx", "ry")
        turn = shape.get("theta", 0.0)
        [degrees] = finite([turn * 57.29577951308232 if isinstance(turn, int | float) else turn])
        outline = ellipse(x, y, across, down, degrees)
    else:
        raise ValueError(f"A region of the kind {kind!r:.40} has no area, or is not known")
    return outline, polygon_area(outline)
