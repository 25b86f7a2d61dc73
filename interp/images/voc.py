"""Pascal VOC's annotation format: one XML for each picture, with boxes; ImageNet's own boxes are written so.

Source: Everingham 2010, 'The PASCAL Visual Object Classes Challenge', development kit.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from xml.etree.ElementTree import Element

from interp.images.problems import printable
from interp.images.records import Marks, RecordReading
from interp.images.shapes import Box, Polygon, clipped, finite, polygon, polygon_area
from interp.label_notation import WORDNET_ID

FORM = "Pascal VOC"


def looks_like(root: Element) -> bool:
    """Whether an XML file is of this form."""
    return root.tag == "annotation"


def why_not(root: Element) -> str:
    """Why an XML file holds no annotations that are read."""
    expected = "a Pascal VOC file is expected: <annotation> with <object>s, each with a <name> and a <bndbox>."
    return f"it begins with <{printable(root.tag)[:40]}>; {expected}"


def read(root: Element, relative: str, reading: RecordReading) -> None:
    """Add what one XML file says, whose path in the folder that was opened is given; bad boxes become problems.

    The picture is named in the file's own folder, by the XML's own name where the two disagree.
    """
    path = PurePosixPath(relative)
    size, marks = _size(root), Marks()
    for position, element in enumerate(root.iter("object"), start=1):
        reading.mark_count += 1
        name = (element.findtext("name") or "").strip() or None
        is_id = name is not None and WORDNET_ID.fullmatch(name) is not None
        named = (None, name) if is_id else (name, None)
        marks.seen(*named)
        try:
            shape, area = _shape(element, size)
        except ValueError as error:
            reading.unread(f"{path.name}, object {position}", f"{error}.")
            continue
        marks.add((shape,), area, *named)
    # The XML's own name is the surer one: in ImageNet's boxes <filename> is sometimes '%s', or lacks its extension.
    given = PurePosixPath((root.findtext("filename") or "").strip().replace("\\", "/"))
    file = given.name if given.stem == path.stem else path.stem
    found = marks.record((path.parent / file).as_posix(), size)
    reading.add(replace(found, otherwise=(path.parent / given.name).as_posix() if given.name else None), relative)


def _size(root: Element) -> tuple[int, int] | None:
    try:
        width, height = (round(float(root.findtext(f"size/{side}") or 0)) for side in ("width", "height"))
    except (ValueError, OverflowError):
        return None
    # Some tools write 0 × 0 where they did not know.
    return (width, height) if width > 0 and height > 0 else None


def _shape(element: Element, size: tuple[int, int] | None) -> tuple[Box | Polygon, float]:
    """The box, or the polygon where there is no box.

    VOC counts pixels from 1 and includes the last, so that xmin 1 is the left edge 0 and xmax 3 the right edge 3.
    """
    texts = [element.findtext(f"bndbox/{side}") for side in ("xmin", "ymin", "xmax", "ymax")]
    outline = _outline(element)
    if texts == [None] * 4 and outline is not None:
        return outline, polygon_area(outline)
    try:
        left, top, right, bottom = finite([float(text or "") for text in texts])
    except ValueError:
        raise ValueError(f"Its <bndbox> holds {texts!r:.100}; give the numbers xmin, ymin, xmax and ymax") from None
    return clipped(Box(left - 1, top - 1, right, bottom), size), (right - left + 1) * (bottom - top + 1)


def _outline(element: Element) -> Polygon | None:
    """A polygon as LabelMe (<pt>) or Roboflow (<x1>, <y1>, ...) write it into such files; None where there is none."""
    found = element.find("polygon")
    if found is None:
        return None
    points = [one.findtext(axis) for one in found.iter("pt") for axis in ("x", "y")] or [one.text for one in found]
    try:
        return polygon([float(point or "") for point in points])
    except ValueError:
        return None
