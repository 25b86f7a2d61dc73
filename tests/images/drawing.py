"""What several tests draw: pictures with a known place in them, and files that say where it is."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

ORIENTATION = 0x0112


def saved(path: Path, pixels: np.ndarray, *, orientation: int = 1) -> Path:
    """The pixels as they are stored, with an EXIF orientation that says how to turn them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    Image.fromarray(pixels).save(path, exif=exif)
    return path


def plain(path: Path, *, size: tuple[int, int] = (8, 6)) -> Path:
    return saved(path, np.zeros((size[1], size[0], 3), dtype=np.uint8))


def coco(path: Path, images: list, annotations: list, categories: list | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    categories = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}] if categories is None else categories
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    return path


def voc(path: Path, name: str, boxes: list[tuple[str, int, int, int, int]], size: tuple[int, int] | None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    said = f"<size><width>{size[0]}</width><height>{size[1]}</height></size>" if size else ""
    objects = "".join(
        f"<object><name>{label}</name><bndbox><xmin>{x0}</xmin><ymin>{y0}</ymin><xmax>{x1}</xmax><ymax>{y1}</ymax>"
        "</bndbox></object>"
        for label, x0, y0, x1, y1 in boxes
    )
    path.write_text(f"<annotation><filename>{name}</filename>{said}{objects}</annotation>")
    return path


def iou(one, other) -> float:
    one, other = np.asarray(one), np.asarray(other)
    return float((one & other).sum() / (one | other).sum())
