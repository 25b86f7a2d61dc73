"""Label Studio's own exports, 'JSON' and 'JSON-MIN': a list of tasks, each with what was marked in its picture.

Source: Label Studio's documentation, 'Export annotations'; a brush's run lengths are those of thi.ng's rle-pack.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from interp.images.coco import whole
from interp.images.decoding import LARGEST_PICTURE
from interp.images.editing import marked
from interp.images.problems import printable
from interp.images.records import Marks, RecordReading
from interp.images.shapes import Box, Polygon, RunLengths, ellipse, finite, polygon, polygon_area, turned_box
from interp.types import Finding

FORM = "Label Studio"
LABELS = re.compile(r"(rectangle|polygon|ellipse|brush|keypoint|hyper|timeseries|video|image)?labels")
# Uploaded files are called so on the server: eight hexadecimal digits, a hyphen, and the name that they had.

_Size = tuple[int, int] | None


def looks_like(document: object) -> bool:
    """Whether what a JSON file holds is a list of tasks."""
    if not isinstance(document, list) or not document or not all(isinstance(one, dict) for one in document):
        return False
    return all(_picture(one) is not None for one in document[:20]) and any(
        "annotations" in one or "completions" in one or _regions_of_min(one) for one in document
    )


def read(document: list, relative: str, reading: RecordReading) -> None:
    """Add what the file says of each task's picture; of several annotations of one, the first that is not cancelled."""
    folder = relative.rpartition("/")[0]
    several = sum(len(_annotations(task)) > 1 for task in document)
    if several:
        text = f"{printable(relative)}: {several:,} pictures were annotated more than once; the first of each counts."
        reading.findings.append(Finding("guessed", text))
    for task in document:
        file = _picture(task)
        if file is None:
            reading.problems.add("images without a name", relative, "A task names no picture.")
            continue
        marks, choices, regions = Marks(), [], _regions(task)
        # Without the picture's size coordinates are shares of it.
        size = next((known for _, known in regions if known is not None), None)
        for position, (value, _) in enumerate(regions, start=1):
            chosen = value.get("choices")
            if isinstance(chosen, list):
                choices += [one for one in chosen if isinstance(one, str)]
                continue
            reading.mark_count += 1
            label = _label(value)
            marks.seen(label)
            try:
                shape, area = _shape(value, size)
            except ValueError as error:
                reading.unread(f"{file}, region {position}", f"{error}.")
                continue
            marks.add((shape,), area, label)
        for choice in choices:
            marks.seen(choice)
        choice = next(iter(choices), None)
        named = f"{folder}/{file}".lstrip("/")
        reading.add(marks.record(named, size, shares=size is None, upright=True, label=choice), relative)


def _picture(task: Mapping) -> str | None:
    """The picture's path in the export: behind '?d=' where it lay on the server's disk, else the whole."""
    data = task.get("data", task)
    held = data if isinstance(data, dict) else {}
    texts = [one for one in held.values() if isinstance(one, str)]
    preferred = [held[key] for key in ("image", "img", "url") if isinstance(held.get(key), str)]
    found = next((one for one in (*preferred, *texts) if re.search(r"\.\w{3,5}($|\?)|\?d=", one)), None)
    if found is None:
        return None
    _, _, local = found.partition("?d=")
    return re.sub(r"^[a-z0-9]+://[^/]*/|^/", "", local or found.partition("?")[0]) or None


def _regions(task: Mapping) -> list[tuple[Mapping, _Size]]:
    if "annotations" not in task and "completions" not in task:
        return [(one, _size(one)) for one in _regions_of_min(task)]
    kept = _annotations(task)
    found = _dicts(kept[0].get("result")) if kept else []
    return [(one["value"], _size(one)) for one in found if isinstance(one.get("value"), dict)]


def _annotations(task: Mapping) -> list[Mapping]:
    """What was made of a task, without what was cancelled."""
    made = _dicts(task.get("annotations", task.get("completions")))
    return [one for one in made if not one.get("was_cancelled")]


def _dicts(held: object) -> list[Mapping]:
    return [one for one in held if isinstance(one, dict)] if isinstance(held, list) else []


def _regions_of_min(task: Mapping) -> list[Mapping]:
    """The regions of a task of JSON-MIN, which stand beside its picture; a choice there is a text."""
    regions: list[Mapping] = []
    for key, held in task.items():
        if isinstance(held, list) and held and all(isinstance(one, dict) and _has_labels(one) for one in held):
            regions += held
        elif key in ("choice", "choices", "class") and isinstance(held, str):
            regions.append({"choices": [held]})
    return regions


def _has_labels(region: Mapping) -> bool:
    return any(isinstance(key, str) and LABELS.fullmatch(key) for key in region)


def _size(region: Mapping) -> _Size:
    width, height = whole(region.get("original_width")), whole(region.get("original_height"))
    if width is None or height is None or width < 1 or height < 1 or width * height > LARGEST_PICTURE:
        return None
    return width, height


def _label(value: Mapping) -> str | None:
    names = [held for key, held in value.items() if isinstance(key, str) and LABELS.fullmatch(key)]
    return next((name[0] for name in names if isinstance(name, list) and name and isinstance(name[0], str)), None)


def _shape(value: Mapping, size: _Size) -> tuple[Box | Polygon | RunLengths, float]:
    """A region in pixels, or in shares of its picture where that has no size. Coordinates are per cent of each side."""
    across, down = (1.0, 1.0) if size is None else (float(size[0]), float(size[1]))
    if isinstance(value.get("rle"), list):
        return _brushed(value["rle"], size)
    if isinstance(value.get("points"), list):
        pairs = [one for one in value["points"] if isinstance(one, list) and len(one) == 2]
        numbers = finite([number for pair in pairs for number in pair])
        outline = polygon([number * (down if i % 2 else across) / 100 for i, number in enumerate(numbers)])
        return outline, polygon_area(outline)
    keys = ("x", "y", "radiusX", "radiusY") if "radiusX" in value else ("x", "y", "width", "height")
    if not all(key in value for key in keys):
        raise ValueError("It has no area, or is of a kind that is not known")
    x, y, first, second = finite([value[key] for key in keys])
    [turned] = finite([value.get("rotation", 0)])
    if turned and size is None:
        raise ValueError("It is turned, and 'original_width' and 'original_height' are missing")
    x, y, first, second = x * across / 100, y * down / 100, first * across / 100, second * down / 100
    if "radiusX" in value:
        outline = ellipse(x, y, first, second, turned)
        return outline, polygon_area(outline)
    if not first or not second:
        raise ValueError("Its box is empty")
    # Label Studio turns a rectangle around its upper left corner.
    return turned_box(Box(x, y, x + first, y + second), turned, (x, y)), first * second


def _brushed(packed: list, size: _Size) -> tuple[RunLengths, float]:
    if size is None or not all(isinstance(one, int) and 0 <= one < 256 for one in packed):
        raise ValueError("Its brush has no bytes, or its picture no size")
    values = _unpacked(bytes(packed), 4 * size[0] * size[1])
    mask = values.reshape(size[1], size[0], 4)[..., 3] > 0
    if not mask.any():
        raise ValueError("Its brush marks no pixel")
    return marked(mask), float(mask.sum())


def _unpacked(packed: bytes, expected: int) -> np.ndarray:
    """Bytes from rle-pack: a head of sizes, then runs of one value, or of values that differ, in turn as a bit says."""
    bits = "".join(f"{byte:08b}" for byte in packed)
    place = 0

    def number(width: int) -> int:
        nonlocal place
        if place + width > len(bits):
            raise ValueError("Its brush's run lengths end too early")
        place += width
        return int(bits[place - width : place], 2)

    if number(32) != expected:
        raise ValueError(f"Its brush is not for a picture of {expected // 4:,} pixels")
    word = number(5) + 1
    if word != 8:
        raise ValueError(f"Its brush has values of {word} bits, and 8 are read")
    sizes = [number(4) + 1 for _ in range(4)]
    values, filled = np.zeros(expected, np.uint8), 0
    while filled < expected:
        repeated = number(1)
        end = filled + 1 + number(sizes[number(2)])
        if end > expected:
            raise ValueError("Its brush's run lengths are longer than its picture")
        if repeated:
            values[filled:end] = number(word)
        else:
            values[filled:end] = [number(word) for _ in range(end - filled)]
        filled = end
    return values
