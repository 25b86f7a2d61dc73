"""The stored sample of 600 scenes that the app opens with, and the script that writes it from its seed.

`python -m interp.images.scenes` writes it anew; each picture is what `draw(honest(SEED, index))` gives.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import astuple
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from interp.images.decoding import read
from interp.images.image_set import Concept, ImageSet
from interp.images.scenes.composing import honest
from interp.images.scenes.concepts import concepts
from interp.images.scenes.drawing import draw
from interp.images.scenes.scene import CLASSES, Segment

SEED = 3
COUNT = 600
PATH = Path(__file__).parent / "sample.zip"
LEGENDS = "legends.json"
# The earliest that a zip file can say, so that the same pictures make the same file.
THEN = (1980, 1, 1, 0, 0, 0)


def write(path: Path = PATH, count: int = COUNT) -> None:
    """Draw the sample and store it: pictures as WebP without loss, segments as PNG, legends as JSON."""
    legends, places = [], []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for index in range(count):
            scene = honest(SEED, index)
            drawing = draw(scene)
            picture, segments = io.BytesIO(), io.BytesIO()
            Image.fromarray(drawing.pixels).save(picture, "WEBP", lossless=True, quality=75, method=4)
            Image.fromarray(drawing.segments).save(segments, "PNG", optimize=True)
            archive.writestr(zipfile.ZipInfo(f"{index:03d}.webp", THEN), picture.getvalue())
            archive.writestr(zipfile.ZipInfo(f"{index:03d}.png", THEN), segments.getvalue())
            legends.append([astuple(segment) for segment in drawing.legend])
            places.append(scene.place)
        text = json.dumps({"places": places, "legends": legends}, separators=(",", ":"))
        info = zipfile.ZipInfo(LEGENDS, THEN)
        info.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(info, text)


def load() -> ImageSet:
    """The 600 scenes, 60 of each class, grouped by place, each with the masks of its object and of every concept."""
    archive, known, digest = _opened()
    legends = known["legends"]

    def what_is_seen(index: int) -> tuple[Concept, ...]:
        legend = tuple(Segment(*fields) for fields in legends[index])
        return concepts(_segments(index), legend, CLASSES[index % len(CLASSES)])

    return ImageSet(
        name="scenes",
        description=(
            f"{len(legends)} scenes of cut paper, drawn by a program: only the object's shape tells its class. "
            "Every picture comes with the masks of its object, its parts and everything else in it."
        ),
        fingerprint=f"scenes {digest}",
        names=[name(CLASSES[index % len(CLASSES)], index) for index in range(len(legends))],
        read=lambda index: read(archive.read(f"{index:03d}.webp"), f"scene {index}"),
        label_forms={"label": tuple(CLASSES[index % len(CLASSES)] for index in range(len(legends)))},
        groups=known["places"],
        concepts=what_is_seen,
    )


def name(label: str, index: int) -> str:
    """What scene `index` is called."""
    return f"{label}-{index:04d}"


@cache
def _opened() -> tuple[zipfile.ZipFile, dict, str]:
    """The archive, in memory, its legends, and a digest of it all. Reading from one archive is safe between threads."""
    content = PATH.read_bytes()
    archive = zipfile.ZipFile(io.BytesIO(content))
    return archive, json.loads(archive.read(LEGENDS)), hashlib.blake2b(content, digest_size=16).hexdigest()


@lru_cache(maxsize=COUNT)
def _segments(index: int) -> UInt8[np.ndarray, "h w"]:
    archive, _, _ = _opened()
    with Image.open(io.BytesIO(archive.read(f"{index:03d}.png"))) as picture:
        return np.array(picture)
