"""Annotations of any kind, told apart by what is given: COCO JSON, Pascal VOC XML, or a folder of masks."""

from __future__ import annotations

import os
from pathlib import Path

from interp.images import coco, files, voc
from interp.images.annotation import Annotation, MaskFile
from interp.images.files import Boundary
from interp.images.problems import Problems, printable
from interp.images.records import Record, Records

MASKS = frozenset({".png", ".bmp", ".tif", ".tiff", ".gif"})


def read(path: Path, boundary: Boundary) -> Records:
    """What a COCO JSON, a Pascal VOC XML, a folder of such XMLs, or a folder of mask pictures says.

    Raises `ValueError` for anything else, and for a file that is malformed.
    """
    if path.is_dir():
        return _folder(path, boundary)
    readers = {".json": coco.read, ".xml": voc.read}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise ValueError(
            f"{printable(path.name)}: annotations are read from a COCO file (.json), a Pascal VOC file (.xml), a "
            "folder of these, or a folder of PNG masks that are called as the pictures are."
        )
    return reader(path)


def _folder(folder: Path, boundary: Boundary) -> Records:
    problems = Problems()
    listing = files.list_folder(folder, boundary, problems)
    boxes = [relative for relative in listing.annotations if relative.lower().endswith(".xml")]
    masks = [file for file in listing.pictures if os.path.splitext(file.relative)[1].lower() in MASKS]
    if not boxes and not masks:
        raise ValueError(
            f"{printable(folder.name)}: the folder holds neither Pascal VOC files (.xml) nor masks (.png). For a COCO "
            "file give the file itself."
        )
    if boxes:
        read = voc.read_all(folder, boxes)
        problems.extend(read.problems)
        return Records(read.records, problems.listed(), read.contents)
    records = tuple(Record(os.path.splitext(mask.relative)[0], Annotation((MaskFile(mask.path),))) for mask in masks)
    return Records(records, problems.listed(), (files.digest(masks, ()).encode(),))
