"""One place in one picture, said in every format of annotations that is read, each as its own tool writes it."""

import base64
import io
import json
from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image

Box = tuple[int, int, int, int]


def coco(name: str, size: tuple[int, int], box: Box, label: str = "bee") -> bytes:
    left, top, right, bottom = box
    return json.dumps(
        {
            "images": [{"id": 1, "file_name": name, "width": size[0], "height": size[1]}],
            "annotations": [
                {"id": 1, "image_id": 1, "category_id": 1, "bbox": [left, top, right - left, bottom - top]}
            ],
            "categories": [{"id": 1, "name": label}],
        }
    ).encode()


def labelme(name: str, size: tuple[int, int], shapes: list[dict], flags: dict | None = None) -> bytes:
    document = {"version": "5.4.1", "flags": flags or {}, "shapes": shapes, "imagePath": name, "imageData": None}
    return json.dumps(document | {"imageHeight": size[1], "imageWidth": size[0]}).encode()


def labelme_shape(kind: str, points: list, label: str = "bee", **more: object) -> dict:
    return {"label": label, "points": points, "group_id": None, "shape_type": kind, "flags": {}, **more}


def labelme_mask(box: Box, size: tuple[int, int], label: str = "bee") -> dict:
    left, top, right, bottom = box
    stream = io.BytesIO()
    Image.fromarray(np.ones((bottom - top, right - left), bool)).save(stream, "PNG")
    text = base64.b64encode(stream.getvalue()).decode()
    return labelme_shape("mask", [[left, top], [right - 1, bottom - 1]], label, mask=text)


def cvat(name: str, size: tuple[int, int], shapes: str) -> bytes:
    return (
        f'<?xml version="1.0" encoding="utf-8"?><annotations><version>1.1</version><image id="0" name="{name}" '
        f'width="{size[0]}" height="{size[1]}">{shapes}</image></annotations>'
    ).encode()


def cvat_box(box: Box, label: str = "bee", rotation: float | None = None) -> str:
    left, top, right, bottom = box
    turned = "" if rotation is None else f' rotation="{rotation}"'
    return (
        f'<box label="{label}" source="manual" occluded="0" xtl="{left}.00" ytl="{top}.00" xbr="{right}.00" '
        f'ybr="{bottom}.00" z_order="0"{turned}></box>'
    )


def label_studio(name: str, regions: list[dict]) -> bytes:
    return json.dumps(
        [{"id": 1, "data": {"image": f"/data/upload/1/{name}"}, "annotations": [{"id": 2, "result": regions}]}]
    ).encode()


def label_studio_box(box: Box, size: tuple[int, int], label: str = "bee") -> dict:
    left, top, right, bottom = box
    width, height = size
    value = {"x": 100 * left / width, "y": 100 * top / height, "rotation": 0, "rectanglelabels": [label]}
    value |= {"width": 100 * (right - left) / width, "height": 100 * (bottom - top) / height}
    return {"type": "rectanglelabels", "original_width": width, "original_height": height, "value": value}


def rle_pack(values: np.ndarray) -> list[int]:
    """Bytes as thi.ng's rle-pack writes them, as the format's own page describes it: runs of at most 2**16."""
    values = values.ravel().tolist()
    bits = f"{len(values):032b}{7:05b}" + "".join(f"{size - 1:04b}" for size in (3, 4, 8, 16))
    place = 0
    while place < len(values):
        end = place
        while end < len(values) and values[end] == values[place] and end - place < 2**16:
            end += 1
        bits += f"1{3:02b}{end - place - 1:016b}{values[place]:08b}"
        place = end
    bits += "0" * (-len(bits) % 8)
    return [int(bits[start : start + 8], 2) for start in range(0, len(bits), 8)]


def label_studio_brush(mask: np.ndarray, label: str = "bee") -> dict:
    height, width = mask.shape
    pixels = np.repeat(mask[..., None] * np.uint8(255), 4, axis=2)
    value = {"format": "rle", "rle": rle_pack(pixels), "brushlabels": [label]}
    return {"type": "brushlabels", "original_width": width, "original_height": height, "value": value}


def via(name: str, shape: Mapping, label: str = "bee") -> bytes:
    region = {"shape_attributes": shape, "region_attributes": {"class": label}}
    picture = {"filename": name, "size": 100, "regions": [region], "file_attributes": {}}
    return json.dumps({"_via_settings": {}, "_via_img_metadata": {f"{name}100": picture}}).encode()


def voc(name: str, size: tuple[int, int], box: Box, label: str = "bee") -> bytes:
    left, top, right, bottom = box
    return (
        f"<annotation><filename>{name}</filename><size><width>{size[0]}</width><height>{size[1]}</height></size>"
        f"<object><name>{label}</name><bndbox><xmin>{left + 1}</xmin><ymin>{top + 1}</ymin><xmax>{right}</xmax>"
        f"<ymax>{bottom}</ymax></bndbox></object></annotation>"
    ).encode()


def yolo(size: tuple[int, int], box: Box, index: int = 0) -> bytes:
    left, top, right, bottom = box
    width, height = size
    x, y = (left + right) / 2 / width, (top + bottom) / 2 / height
    return f"{index} {x} {y} {(right - left) / width} {(bottom - top) / height}\n".encode()


def yolo_polygon(size: tuple[int, int], box: Box, index: int = 0) -> bytes:
    return f"{index} {' '.join(f'{x / size[0]} {y / size[1]}' for x, y in corners(box))}\n".encode()


def corners(box: Box) -> list[list[int]]:
    left, top, right, bottom = box
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


def _points(box: Box) -> str:
    return ";".join(f"{x},{y}" for x, y in corners(box))


def _cvat_mask(box: Box) -> str:
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    return f'<mask label="bee" rle="0, {width * height}" left="{left}" top="{top}" width="{width}" height="{height}"/>'


def _brush(size: tuple[int, int], box: Box) -> dict:
    mask = np.zeros((size[1], size[0]), bool)
    mask[box[1] : box[3], box[0] : box[2]] = True
    return label_studio_brush(mask)


def _unsized(region: dict) -> dict:
    return {"value": region["value"]}


# By the kind of shape: the file's name beside 'a.png', and what stands in it for a picture of a size and a box.
Written = Callable[[tuple[int, int], Box], bytes]
SEEN_UPRIGHT: dict[str, tuple[str, Written]] = {
    "LabelMe rectangle": (
        "a.json",
        lambda size, box: labelme("a.png", size, [labelme_shape("rectangle", [list(box[:2]), list(box[2:])])]),
    ),
    "LabelMe rectangle from below": (
        "a.json",
        lambda size, box: labelme("a.png", size, [labelme_shape("rectangle", [list(box[2:]), list(box[:2])])]),
    ),
    "LabelMe polygon": ("a.json", lambda size, box: labelme("a.png", size, [labelme_shape("polygon", corners(box))])),
    "LabelMe mask": ("a.json", lambda size, box: labelme("a.png", size, [labelme_mask(box, size)])),
    "CVAT box": ("annotations.xml", lambda size, box: cvat("a.png", size, cvat_box(box))),
    "CVAT box half turned": ("annotations.xml", lambda size, box: cvat("a.png", size, cvat_box(box, rotation=180))),
    "CVAT polygon": (
        "annotations.xml",
        lambda size, box: cvat("a.png", size, f'<polygon label="bee" points="{_points(box)}"/>'),
    ),
    "CVAT mask": ("annotations.xml", lambda size, box: cvat("a.png", size, _cvat_mask(box))),
    "Label Studio rectangle": (
        "tasks.json",
        lambda size, box: label_studio("0a1b2c3d-a.png", [label_studio_box(box, size)]),
    ),
    "Label Studio rectangle without a size": (
        "tasks.json",
        lambda size, box: label_studio("a.png", [_unsized(label_studio_box(box, size))]),
    ),
    "Label Studio polygon": (
        "tasks.json",
        lambda size, box: label_studio(
            "a.png",
            [
                {
                    "original_width": size[0],
                    "original_height": size[1],
                    "value": {
                        "points": [[100 * x / size[0], 100 * y / size[1]] for x, y in corners(box)],
                        "polygonlabels": ["bee"],
                    },
                }
            ],
        ),
    ),
    "Label Studio brush": ("tasks.json", lambda size, box: label_studio("a.png", [_brush(size, box)])),
    "VIA rect": (
        "via.json",
        lambda size, box: via(
            "a.png",
            {"name": "rect", "x": box[0], "y": box[1], "width": box[2] - box[0], "height": box[3] - box[1]},
        ),
    ),
    "VIA polygon": (
        "via.json",
        lambda size, box: via(
            "a.png",
            {
                "name": "polygon",
                "all_points_x": [x for x, _ in corners(box)],
                "all_points_y": [y for _, y in corners(box)],
            },
        ),
    ),
    "YOLO box": ("a.txt", yolo),
    "YOLO polygon": ("a.txt", yolo_polygon),
}
EITHER_WAY: dict[str, tuple[str, Written]] = {
    "COCO box": ("marks.json", lambda size, box: coco("a.png", size, box)),
    "VOC box": ("a.xml", lambda size, box: voc("a.png", size, box)),
}
