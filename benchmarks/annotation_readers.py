"""Our readers of annotations beside those of supervision and datumaro: agreement, and what malformed files do.

    python -m benchmarks.annotation_readers --other /tmp/venv/bin/python

The other interpreter has `supervision` and `datumaro` installed; this file runs in it, too, once for each input.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import subprocess
import sys
import tempfile
from pathlib import Path

SIZE = (120, 90)
LIBRARIES = ("supervision", "datumaro")
AGREED = {"COCO boxes": "coco", "COCO polygons": "coco", "COCO run lengths": "coco", "YOLO": "yolo", "VOC": "voc"}
LAUGHS = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 9))


def main() -> None:
    """Print both tables, or read one folder by one library."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--other", default=sys.executable)
    parser.add_argument("--read", nargs=3, metavar=("LIBRARY", "FORM", "FOLDER"))
    given = parser.parse_args()
    if given.read:
        print(
            json.dumps(
                {"ours": _ours, "supervision": _supervision, "datumaro": _datumaro}[given.read[0]](*given.read[1:])
            )
        )
        return
    print("| input | ours | supervision | datumaro |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as place:
        for form, kind in AGREED.items():
            folder, truth = Path(place) / form, {}
            _write(folder, form, truth)
            print(f"| {form} | " + " | ".join(_agreement(given.other, one, kind, folder, truth) for one in _ALL) + " |")
        for name, change in MALFORMED.items():
            folder = Path(place) / name
            kind = "voc" if name.startswith("VOC") else "coco"
            change(folder)
            print(f"| {name} | " + " | ".join(_outcome(given.other, one, kind, folder) for one in _ALL) + " |")


_ALL = ("ours", *LIBRARIES)


def _run(other: str, library: str, form: str, folder: Path) -> dict[str, list] | str:
    """Each picture's boxes, as a library reads them in a process of its own; or what became of it."""
    python = sys.executable if library == "ours" else other
    command = [python, "-W", "ignore", "-m", "benchmarks.annotation_readers", "--read", library, form, str(folder)]
    try:
        # A library that keeps on allocating is stopped at 8 GB.
        done = subprocess.run(["prlimit", "--as=8000000000", *command], capture_output=True, text=True, timeout=60)
    except subprocess.TimeoutExpired:
        return "hangs"
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit {done.returncode}"
        return last[:80]
    return json.loads(done.stdout.strip().splitlines()[-1])


def _agreement(other: str, library: str, form: str, folder: Path, truth: dict[str, list]) -> str:
    found = _run(other, library, form, folder)
    if isinstance(found, str):
        return found
    overlaps = [
        max((_overlap(box, one) for one in found.get(name, [])), default=0.0)
        for name, boxes in truth.items()
        for box in boxes
    ]
    return f"{sum(overlaps) / len(overlaps):.3f}"


def _outcome(other: str, library: str, form: str, folder: Path) -> str:
    found = _run(other, library, form, folder)
    if isinstance(found, str):
        return f"error: {found.partition(':')[0] if library != 'ours' else found}"
    said = found.pop("said", [])
    marks = sum(len(boxes) for boxes in found.values())
    return f"{len(found)} pictures, {marks} marks{', said' if said else ''}"


def _overlap(one: list[float], other: list[float]) -> float:
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    both = max(across, 0) * max(down, 0)
    return both / (sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)) - both)


def _ours(form: str, folder: str) -> dict[str, list]:
    import numpy as np

    from interp import images

    photos = images.load(folder)
    found: dict[str, list] = {"said": [f"{one.name}: {one.reason}" for one in photos.problems]}
    for name, sample in zip(photos.names, photos, strict=True):
        boxes = []
        for mark in sample.marking.annotation.marks if sample.marking else ():
            drawn = np.logical_or.reduce(
                [
                    shape.draw(*SIZE)
                    if not sample.marking.annotation.shares
                    else shape.scaled(*map(float, SIZE)).draw(*SIZE)
                    for shape in mark.shapes
                ]
            )  # type: ignore
            rows, columns = np.nonzero(drawn)
            boxes.append([float(columns.min()), float(rows.min()), columns.max() + 1.0, rows.max() + 1.0])
        found[Path(name).name] = boxes
    return found


def _supervision(form: str, folder: str) -> dict[str, list]:
    import supervision

    held = Path(folder) / "images" / "default"
    readers = supervision.DetectionDataset
    if form == "coco":
        found = readers.from_coco(str(held), f"{folder}/annotations/instances_default.json")
    elif form == "yolo":
        found = readers.from_yolo(str(held), f"{folder}/labels", f"{folder}/data.yaml")
    else:
        found = readers.from_pascal_voc(str(held), f"{folder}/Annotations")
    return {Path(path).name: boxes.xyxy.tolist() for path, _, boxes in found}


def _datumaro(form: str, folder: str) -> dict[str, list]:
    import datumaro

    logged: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: logged.append(record.getMessage())
    logging.getLogger().addHandler(handler)
    found = datumaro.Dataset.import_from(folder, {"coco": "coco_instances", "voc": "voc_detection"}.get(form, form))
    read: dict[str, list] = {}
    for item in found:
        boxes = read.setdefault(f"{Path(item.id).name}.png", [])
        for one in item.annotations:
            if hasattr(one, "get_bbox"):
                left, top, width, height = one.get_bbox()
                boxes.append([left, top, left + width, top + height])
    return read | ({"said": logged} if logged else {})


def _pictures(folder: Path, names: tuple[str, ...] = ("a.png", "b.png")) -> None:
    from PIL import Image

    (folder / "images" / "default").mkdir(parents=True)
    for name in names:
        Image.new("RGB", SIZE).save(folder / "images" / "default" / name)


def _write(folder: Path, form: str, truth: dict[str, list]) -> None:
    """Twenty pictures with two random boxes each, in one form; `truth` takes them."""
    chance = random.Random(form)
    names = tuple(f"{number:02d}.png" for number in range(20))
    _pictures(folder, names)
    for name in names:
        truth[name] = []
        for _ in range(2):
            left, top = chance.randrange(60), chance.randrange(40)
            truth[name].append([left, top, left + chance.randint(5, 50), top + chance.randint(5, 45)])
    if form == "YOLO":
        (folder / "data.yaml").write_text("names: [bee]\ntrain: images/default\n")
        (folder / "labels").mkdir()
        for name, boxes in truth.items():
            lines = b"".join(_yolo(*box) for box in boxes)
            (folder / "labels" / name.replace(".png", ".txt")).write_bytes(lines)
    elif form == "VOC":
        for name, boxes in truth.items():
            _voc(folder, name, boxes)
    else:
        kind = form.removeprefix("COCO ")
        _coco(folder, [(name, _mark(box, kind)) for name, boxes in truth.items() for box in boxes], names)


def _yolo(left: int, top: int, right: int, bottom: int) -> bytes:
    width, height = SIZE
    x, y = (left + right) / 2 / width, (top + bottom) / 2 / height
    return f"0 {x} {y} {(right - left) / width} {(bottom - top) / height}\n".encode()


def _mark(box: list, kind: str = "boxes") -> dict:
    left, top, right, bottom = box
    width, height = SIZE
    mark: dict = {"bbox": [left, top, right - left, bottom - top], "area": 1, "iscrowd": 0, "segmentation": []}
    if kind == "polygons":
        mark["segmentation"] = [[left, top, right, top, right, bottom, left, bottom]]
    if kind == "run lengths":
        runs = [left * height + top]
        for _ in range(right - left):
            runs += [bottom - top, height - bottom + top]
        runs[-1] = width * height - sum(runs[:-1])
        mark |= {"segmentation": {"size": [height, width], "counts": runs}, "iscrowd": 1}
    return mark


def _coco(folder: Path, marks: list[tuple[str, dict]], names: tuple[str, ...], size: tuple[int, int] = SIZE) -> None:
    document = {
        "images": [
            {"id": i, "file_name": name, "width": size[0], "height": size[1]} for i, name in enumerate(names, 1)
        ],
        "annotations": [
            {"id": i, "image_id": names.index(name) + 1, "category_id": 1, **mark}
            for i, (name, mark) in enumerate(marks, 1)
        ],
        "categories": [{"id": 1, "name": "bee", "supercategory": ""}],
    }
    (folder / "annotations").mkdir(parents=True, exist_ok=True)
    (folder / "annotations" / "instances_default.json").write_text(json.dumps(document))


def _voc(folder: Path, name: str, boxes: list, head: str = "", label: str = "bee") -> None:
    objects = "".join(
        f"<object><name>{label}</name><bndbox><xmin>{left + 1}</xmin><ymin>{top + 1}</ymin><xmax>{right}</xmax>"
        f"<ymax>{bottom}</ymax></bndbox></object>"
        for left, top, right, bottom in boxes
    )
    for folder_of, content in (
        (
            "Annotations",
            f"{head}<annotation><filename>{name}</filename><size><width>{SIZE[0]}</width><height>{SIZE[1]}"
            f"</height><depth>3</depth></size>{objects}</annotation>",
        ),
        ("ImageSets/Main", ""),
    ):
        (folder / folder_of).mkdir(parents=True, exist_ok=True)
        if content:
            (folder / folder_of / name.replace(".png", ".xml")).write_text(content)
    with (folder / "ImageSets" / "Main" / "default.txt").open("a") as stream:
        stream.write(f"{name.removesuffix('.png')}\n")
    # datumaro reads classes that are not VOC's own only where they are listed so.
    (folder / "labelmap.txt").write_text("# label:color_rgb:parts:actions\nbackground:0,0,0::\nbee:128,0,0::\n")


def _malformed(change: dict, *, size: tuple[int, int] = SIZE, names: tuple[str, ...] = ("a.png", "b.png")):
    """Two pictures with a good box each, and a malformed mark beside the first's."""

    def write(folder: Path) -> None:
        _pictures(folder)
        good = [(name, _mark([10, 10, 40, 40])) for name in ("a.png", "b.png")]
        _coco(folder, [*good, ("a.png", _mark([10, 10, 40, 40]) | change)], names, size)

    return write


def _cut(folder: Path) -> None:
    _malformed({})(folder)
    file = folder / "annotations" / "instances_default.json"
    file.write_text(file.read_text()[:-100])


def _laughing(folder: Path) -> None:
    _pictures(folder)
    _voc(folder, "b.png", [[10, 10, 40, 40]])
    _voc(folder, "a.png", [[10, 10, 40, 40]], f'<!DOCTYPE a [<!ENTITY l0 "{"ha" * 50}">{LAUGHS}]>', "&l8;")


_NEGATIVE = {"segmentation": {"size": [90, 120], "counts": [-5, 10, 10795]}, "iscrowd": 1}
_COMPRESSED = {"segmentation": {"size": [90, 120], "counts": "o51e:1"}, "iscrowd": 1}
MALFORMED = {
    "size of another picture": _malformed({}, size=(33, 90)),
    "outline of two corners, good box": _malformed({"segmentation": [[1, 1, 5, 5]]}),
    "outline alone, of two corners": _malformed({"segmentation": [[1, 1, 5, 5]], "bbox": None}),
    "negative run lengths": _malformed(_NEGATIVE),
    "compressed, negative": _malformed(_COMPRESSED),
    "NaN in a box": _malformed({"bbox": [float("nan"), 1, 5, 5]}),
    "texts in a box": _malformed({"bbox": ["1", "1", "5", "5"]}),
    "unknown category": _malformed({"category_id": 9}),
    "picture that is not there": _malformed({}, names=("a.png", "b.png", "gone.png")),
    "file cut short": _cut,
    "VOC, entities that expand to 10 GB": _laughing,
}

if __name__ == "__main__":
    main()
