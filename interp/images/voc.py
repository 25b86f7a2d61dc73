"""Pascal VOC's annotation format: one XML for each picture, with boxes; ImageNet's own boxes are written so.

Source: Everingham 2010, 'The PASCAL Visual Object Classes Challenge', development kit.
"""

from __future__ import annotations

import os
from pathlib import Path
from xml.etree import ElementTree
from xml.parsers import expat

from interp import progress
from interp.images import files
from interp.images.annotation import Annotation, Box, finite
from interp.images.coco import WORDNET_ID, clipped
from interp.images.problems import Problems, printable
from interp.images.records import Record, Records

LARGEST_XML = 10_000_000
EXPECTED = "a Pascal VOC file is expected: <annotation> with <object>s, each with a <name> and a <bndbox>."


def read(path: Path) -> Records:
    """One XML file. Raises `ValueError` that names the file, and the line where it is known, if it is not VOC."""
    content = files.content(path, limit=LARGEST_XML)
    problems = Problems()
    record = _record(content, path, path.stem, problems)
    return Records((record,), problems.listed(), (content,))


def read_all(folder: Path, relatives: list[str]) -> Records:
    """Several XML files, by their paths in a folder; one that cannot be read is listed as a problem."""
    problems, records, contents = Problems(), [], []
    for relative in progress.steps(relatives, "Reading boxes"):
        try:
            content = files.content(folder / relative, limit=LARGEST_XML)
            records.append(_record(content, folder / relative, relative.removesuffix(".xml"), problems))
            contents.append(os.fsencode(relative) + b"\0" + content)
        except ValueError as error:
            problems.add("annotation files that cannot be read", relative, str(error))
    return Records(tuple(records), problems.listed(), tuple(contents))


def _record(content: bytes, path: Path, stem: str, problems: Problems) -> Record:
    root = parsed(content, printable(path.name))
    size = _size(root)
    boxes, largest, label = [], -1.0, None
    names = [(element.findtext("name") or "").strip() for element in root.iter("object")]
    for position, element in enumerate(root.iter("object"), start=1):
        try:
            box = _box(element, size)
        except ValueError as error:
            problems.add("boxes that cannot be drawn", f"{path.name}, object {position}", f"{error}.")
            continue
        boxes.append(box)
        area = (box.right - box.left) * (box.bottom - box.top)
        if area > largest:
            largest, label = area, (element.findtext("name") or "").strip() or None
    is_id = label is not None and WORDNET_ID.fullmatch(label) is not None
    # The XML's own name is the surer one: in ImageNet's boxes <filename> is sometimes '%s', or lacks its extension.
    given = (root.findtext("filename") or "").strip()
    same = Path(given.replace("\\", "/")).stem == Path(stem).name
    parent = Path(stem).parent.as_posix()
    file = (given if parent == "." else f"{parent}/{given}") if same else stem
    annotation = Annotation(tuple(boxes), size) if boxes else None
    present = frozenset(name for name in names if name)
    return Record(file, annotation, None if is_id else label, label if is_id else None, present)


def parsed(content: bytes, name: str) -> ElementTree.Element:
    """The root of an XML document. Refuses a document type, so that no entity can be declared and expanded."""

    def refuse(*_: object) -> None:
        raise ValueError(f"{name}: it declares a document type, which is refused since it can hide more; {EXPECTED}")

    builder = ElementTree.TreeBuilder()
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        reason = expat.ErrorString(error.code)
        raise ValueError(f"{name}, line {error.lineno}: this is not valid XML ({reason}); {EXPECTED}") from None
    except LookupError:
        raise ValueError(f"{name}: its encoding is not known; save it as UTF-8.") from None
    root = builder.close()
    if root.tag != "annotation":
        raise ValueError(f"{name}: it begins with <{printable(root.tag)[:40]}>; {EXPECTED}")
    return root


def _size(root: ElementTree.Element) -> tuple[int, int] | None:
    try:
        width, height = (int(root.findtext(f"size/{side}") or 0) for side in ("width", "height"))
    except ValueError:
        return None
    # Some tools write 0 × 0 where they did not know.
    return (width, height) if width > 0 and height > 0 else None


def _box(element: ElementTree.Element, size: tuple[int, int] | None) -> Box:
    """VOC counts pixels from 1 and includes the last, so that xmin 1 is the left edge 0 and xmax 3 the right edge 3."""
    texts = [element.findtext(f"bndbox/{side}") for side in ("xmin", "ymin", "xmax", "ymax")]
    try:
        left, top, right, bottom = finite([float(text or "") for text in texts])
    except ValueError:
        raise ValueError(f"Its <bndbox> holds {texts!r:.100}; give the numbers xmin, ymin, xmax and ymax") from None
    return clipped(Box(left - 1, top - 1, right, bottom), size)
