"""Exports of the usual tools, opened at their root: what is read, and that every file is accounted for."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from interp import images
from tests.images import forms
from tests.images.drawing import plain

SIZE, BOX = (40, 30), (9, 5, 25, 17)
PIXELS = 16 * 12


def walked(folder: Path) -> int:
    """How many files lie in a folder and below."""
    return sum(len(files) for _, _, files in os.walk(folder))


def put(path: Path, content: bytes | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def picture(path: Path) -> Path:
    return plain(path, size=SIZE)


def boxes(names: list[str], labels: list[str | None]) -> dict:
    """A COCO document: each picture with a box of its label, or with nothing."""
    left, top, right, bottom = BOX
    found = sorted({label for label in labels if label})
    return {
        "info": {},
        "licenses": [],
        "images": [
            {"id": i, "file_name": name, "width": SIZE[0], "height": SIZE[1]} for i, name in enumerate(names, start=1)
        ],
        "annotations": [
            {
                "id": i,
                "image_id": i,
                "category_id": found.index(label) + 1,
                "bbox": [left, top, right - left, bottom - top],
                "segmentation": [],
                "area": PIXELS,
                "iscrowd": 0,
            }
            for i, label in enumerate(labels, start=1)
            if label
        ],
        "categories": [{"id": i, "name": name} for i, name in enumerate(found, start=1)],
    }


def roboflow_coco(root: Path) -> None:
    for split in ("train", "valid", "test"):
        names = [f"{name}_jpg.rf.{split}00.jpg" for name in "ab"]
        for name in names:
            picture(root / split / name)
        put(root / split / "_annotations.coco.json", json.dumps(boxes(names, ["bee", None])))
    put(root / "README.dataset.txt", "bees > 2024\nhttps://universe.example\n")
    put(root / "README.roboflow.txt", "bees - v1\n")


def roboflow_yolo(root: Path) -> None:
    for split in ("train", "valid", "test"):
        for name in "ab":
            picture(root / split / "images" / f"{name}_jpg.rf.{split}00.jpg")
            content = forms.yolo(SIZE, BOX, 1) if name == "a" else b""
            put(root / split / "labels" / f"{name}_jpg.rf.{split}00.txt", content)
    put(root / "data.yaml", "train: ../train/images\nval: ../valid/images\n\nnc: 2\nnames: ['moth', 'bee']\n")
    put(root / "README.dataset.txt", "bees > 2024\n")


def roboflow_voc(root: Path) -> None:
    for split in ("train", "valid", "test"):
        for name in "ab":
            picture(root / split / f"{name}_jpg.rf.{split}00.jpg")
        name = f"a_jpg.rf.{split}00.jpg"
        put(root / split / f"a_jpg.rf.{split}00.xml", forms.voc(name, SIZE, BOX))
        put(root / split / f"b_jpg.rf.{split}00.xml", "<annotation><filename>b.jpg</filename></annotation>")


def roboflow_csv(root: Path) -> None:
    left, top, right, bottom = BOX
    for split in ("train", "valid", "test"):
        for name in "ab":
            picture(root / split / f"{name}_jpg.rf.{split}00.jpg")
        rows = f"a_jpg.rf.{split}00.jpg,{SIZE[0]},{SIZE[1]},bee,{left},{top},{right},{bottom}\n"
        put(root / split / "_annotations.csv", "filename,width,height,class,xmin,ymin,xmax,ymax\n" + rows)


def cvat_images(root: Path) -> None:
    for name in "ab":
        picture(root / "images" / f"{name}.jpg")
    content = forms.cvat("a.jpg", SIZE, forms.cvat_box(BOX)).decode()
    empty = f'<image id="1" name="b.jpg" width="{SIZE[0]}" height="{SIZE[1]}"></image>'
    put(root / "annotations.xml", content.replace("</annotations>", f"{empty}</annotations>"))


def cvat_subset(root: Path) -> None:
    for name in "ab":
        picture(root / "images" / "default" / f"{name}.jpg")
    put(root / "annotations.xml", forms.cvat("a.jpg", SIZE, forms.cvat_box(BOX)))


def cvat_coco(root: Path) -> None:
    for name in "ab":
        picture(root / "images" / "default" / f"{name}.jpg")
    document = json.dumps(boxes(["a.jpg", "b.jpg"], ["bee", None]))
    put(root / "annotations" / "instances_default.json", document)


def cvat_yolo(root: Path) -> None:
    for name in "ab":
        picture(root / "obj_train_data" / f"{name}.jpg")
    put(root / "obj_train_data" / "a.txt", forms.yolo(SIZE, BOX))
    put(root / "obj_train_data" / "b.txt", "")
    put(root / "obj.names", "bee\nmoth\n")
    put(root / "obj.data", "classes = 2\ntrain = data/train.txt\nnames = data/obj.names\nbackup = backup/\n")
    put(root / "train.txt", "data/obj_train_data/a.jpg\ndata/obj_train_data/b.jpg\n")


def cvat_voc(root: Path) -> None:
    for name in "ab":
        picture(root / "JPEGImages" / f"{name}.jpg")
    put(root / "Annotations" / "a.xml", forms.voc("a.jpg", SIZE, BOX))
    put(root / "ImageSets" / "Main" / "default.txt", "a\nb\n")
    put(root / "labelmap.txt", "# label:color_rgb:parts:actions\nbackground:0,0,0::\nbee:128,0,0::\n")


def label_studio_json(root: Path) -> None:
    for name in ("0a1b2c3d-a.jpg", "4e5f6071-b.jpg"):
        picture(root / "images" / name)
    tasks = json.loads(forms.label_studio("0a1b2c3d-a.jpg", [forms.label_studio_box(BOX, SIZE)]))
    tasks += json.loads(forms.label_studio("4e5f6071-b.jpg", []))
    put(root / "project-1-at-2024.json", json.dumps(tasks))


def label_studio_min(root: Path) -> None:
    for name in "ab":
        picture(root / f"{name}.jpg")
    region = forms.label_studio_box(BOX, SIZE)
    value = region["value"] | {"original_width": SIZE[0], "original_height": SIZE[1]}
    tasks = [
        {"image": "/data/upload/1/0a1b2c3d-a.jpg", "id": 1, "label": [value], "annotator": 1, "annotation_id": 1},
        {"image": "/data/upload/1/4e5f6071-b.jpg", "id": 2, "annotator": 1, "annotation_id": 2},
    ]
    put(root / "export.json", json.dumps(tasks))


def label_studio_coco(root: Path) -> None:
    for name in ("0a1b2c3d-a.jpg", "4e5f6071-b.jpg"):
        picture(root / "images" / name)
    names = ["images/0a1b2c3d-a.jpg", "images\\4e5f6071-b.jpg"]
    put(root / "result.json", json.dumps(boxes(names, ["bee", None])))


def label_studio_yolo(root: Path) -> None:
    for name in "ab":
        picture(root / "images" / f"0a1b2c3d-{name}.jpg")
        put(root / "labels" / f"0a1b2c3d-{name}.txt", forms.yolo(SIZE, BOX) if name == "a" else "")
    put(root / "classes.txt", "bee\nmoth\n")
    put(root / "notes.json", json.dumps({"categories": [{"id": 0, "name": "bee"}], "info": {"year": 2024}}))


def label_studio_voc(root: Path) -> None:
    for name in "ab":
        picture(root / "images" / f"0a1b2c3d-{name}.jpg")
    put(root / "Annotations" / "0a1b2c3d-a.xml", forms.voc("0a1b2c3d-a", SIZE, BOX))


def labelme(root: Path) -> None:
    for name in "ab":
        picture(root / f"{name}.jpg")
    shape = forms.labelme_shape("rectangle", [list(BOX[:2]), list(BOX[2:])])
    put(root / "a.json", forms.labelme("a.jpg", SIZE, [shape]))


def labelme_apart(root: Path) -> None:
    for name in "ab":
        picture(root / "images" / f"{name}.jpg")
    shape = forms.labelme_shape("polygon", forms.corners(BOX))
    put(root / "json" / "a.json", forms.labelme("..\\images\\a.jpg", SIZE, [shape]))


def ultralytics(root: Path) -> None:
    for split in ("train", "val"):
        for name in "ab":
            picture(root / "images" / split / f"{name}.jpg")
        put(root / "labels" / split / "a.txt", forms.yolo_polygon(SIZE, BOX))
    put(root / "data.yaml", "path: .\ntrain: images/train\nval: images/val\nnames:\n  0: bee\n  1: moth\n")


def coco_own(root: Path) -> None:
    names = ["000000000001.jpg", "000000000002.jpg"]
    for name in names:
        picture(root / "val2017" / name)
    put(root / "annotations" / "instances_val2017.json", json.dumps(boxes(names, ["bee", None])))
    captions = boxes(names, [None, None]) | {"annotations": [{"id": 1, "image_id": 1, "caption": "A bee."}]}
    del captions["categories"]
    put(root / "annotations" / "captions_val2017.json", json.dumps(captions))
    keypoints = boxes(names, ["person", None])
    keypoints["annotations"][0]["keypoints"] = [1, 1, 2] * 17
    put(root / "annotations" / "person_keypoints_val2017.json", json.dumps(keypoints))


def voc_own(root: Path) -> None:
    for name in "ab":
        picture(root / "JPEGImages" / f"2007_{name}.jpg")
        put(root / "ImageSets" / "Main" / "bee_train.txt", "2007_a 1\n2007_b -1\n")
    put(root / "Annotations" / "2007_a.xml", forms.voc("2007_a.jpg", SIZE, BOX))
    for folder in ("SegmentationClass", "SegmentationObject"):
        (root / folder).mkdir()
        mask = Image.fromarray(np.pad(np.ones((12, 16), np.uint8), ((5, 13), (9, 15))))
        mask.putpalette([0, 0, 0, 128, 0, 0])
        mask.save(root / folder / "2007_a.png")


def via(root: Path) -> None:
    for name in "ab":
        picture(root / f"{name}.jpg")
    left, top, right, bottom = BOX
    shape = {"name": "rect", "x": left, "y": top, "width": right - left, "height": bottom - top}
    put(root / "via_region_data.json", forms.via("a.jpg", shape))


def pets(root: Path) -> None:
    for name in "ab":
        picture(root / "images" / f"Abyssinian_{name}.jpg")
        trimap = np.full((SIZE[1], SIZE[0]), 2, np.uint8)
        trimap[BOX[1] : BOX[3], BOX[0] : BOX[2]] = 1
        trimap[BOX[1], BOX[0] : BOX[2]] = 3
        path = root / "annotations" / "trimaps" / f"Abyssinian_{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(trimap).save(path)
    put(root / "annotations" / "xmls" / "Abyssinian_a.xml", forms.voc("Abyssinian_a.jpg", SIZE, BOX, "cat"))
    put(root / "annotations" / "list.txt", "#Image CLASS-ID SPECIES BREED ID\nAbyssinian_a 1 1 1\nAbyssinian_b 1 1 1\n")
    put(root / "annotations" / "README", "pets\n")


def carvana(root: Path) -> None:
    for name in "ab":
        picture(root / "train" / f"{name}_01.jpg")
        mask = Image.fromarray(np.pad(np.full((12, 16), 255, np.uint8), ((5, 13), (9, 15))))
        (root / "train_masks").mkdir(exist_ok=True)
        mask.save(root / "train_masks" / f"{name}_01_mask.gif")


def isic(root: Path) -> None:
    for name in "ab":
        picture(root / "ISIC2018_Task1-2_Training_Input" / f"ISIC_000{name}.jpg")
        mask = Image.fromarray(np.pad(np.full((12, 16), 255, np.uint8), ((5, 13), (9, 15))))
        folder = root / "ISIC2018_Task1_Training_GroundTruth"
        folder.mkdir(exist_ok=True)
        mask.save(folder / f"ISIC_000{name}_segmentation.png")


SPLITS = ("test", "test", "train", "train", "valid", "valid")
THREE = ("bee", None) * 3
ONE, NONE = ("bee", None), (None, None)
# The export; labels, groups; how many marks are used and how many are named as not; unused files, by name.
LAYOUTS: dict[str, tuple[Callable[[Path], None], tuple, tuple, dict, list[str]]] = {
    "Roboflow COCO": (roboflow_coco, THREE, SPLITS, {"used": 3}, ["README.dataset.txt", "README.roboflow.txt"]),
    "Roboflow YOLO": (roboflow_yolo, THREE, SPLITS, {"used": 3}, ["README.dataset.txt"]),
    "Roboflow VOC": (roboflow_voc, THREE, SPLITS, {"used": 3}, []),
    "Roboflow CSV": (roboflow_csv, THREE, SPLITS, {"used": 3}, []),
    "CVAT images": (cvat_images, ONE, NONE, {"used": 1}, []),
    "CVAT images, a subset": (cvat_subset, ONE, NONE, {"used": 1}, []),
    "CVAT COCO": (cvat_coco, ONE, NONE, {"used": 1}, []),
    "CVAT YOLO": (cvat_yolo, ONE, NONE, {"used": 1}, ["train.txt"]),
    "CVAT VOC": (cvat_voc, ONE, NONE, {"used": 1}, ["ImageSets/Main/default.txt", "labelmap.txt"]),
    "Label Studio JSON": (label_studio_json, ONE, NONE, {"used": 1}, []),
    "Label Studio JSON-MIN": (label_studio_min, ONE, NONE, {"used": 1}, []),
    "Label Studio COCO": (label_studio_coco, ONE, NONE, {"used": 1}, []),
    "Label Studio YOLO": (label_studio_yolo, ONE, NONE, {"used": 1}, ["notes.json"]),
    "Label Studio VOC": (label_studio_voc, ONE, NONE, {"used": 1}, []),
    "LabelMe": (labelme, ONE, NONE, {"used": 1}, []),
    "LabelMe, apart": (labelme_apart, ONE, NONE, {"used": 1}, []),
    "Ultralytics": (ultralytics, ONE * 2, ("train", "train", "val", "val"), {"used": 2}, []),
    "COCO's own": (
        coco_own,
        ONE,
        ("val2017",) * 2,
        {"used": 1, "that cannot be drawn": 1, "of pictures that another file marks": 1},
        ["annotations/captions_val2017.json", "annotations/person_keypoints_val2017.json"],
    ),
    "VOC's own": (
        voc_own,
        ONE,
        NONE,
        {"used": 1, "of pictures that another file marks": 2},
        ["ImageSets/Main/bee_train.txt", "SegmentationClass/2007_a.png", "SegmentationObject/2007_a.png"],
    ),
    "VIA": (via, ONE, NONE, {"used": 1}, []),
    "Carvana": (carvana, NONE, ("train",) * 2, {"used": 2}, []),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_export_opens_at_its_root(tmp_path: Path, layout: str) -> None:
    written, labels, groups, marks, unused = LAYOUTS[layout]
    written(tmp_path / "export")
    photos = images.load(tmp_path / "export")
    account = photos.account
    assert account is not None
    assert photos.labels == labels and photos.groups == groups
    for sample in photos:
        if sample.label == "bee":
            assert sample.mask is not None and sample.mask.sum() == PIXELS and sample.mask[BOX[1], BOX[0]]
        elif sample.mask is not None:
            assert sample.mask.sum() in (0, PIXELS)
    assert account.marks == marks
    assert sorted(one.name for one in account.unused) == unused and all(one.reason for one in account.unused)
    assert sum(account.files.values()) == walked(tmp_path / "export")
    assert sum(account.labels.values()) == len(photos) == account.files["pictures of the set"]


def test_oxfords_pets(tmp_path: Path) -> None:
    pets(tmp_path / "pets")
    photos = images.load(tmp_path / "pets")
    assert photos.names == ("Abyssinian_a.jpg", "Abyssinian_b.jpg") and photos.labels == ("cat", None)
    # The XML counts where there is one, and the trimap's ones where there is none.
    assert photos[0].mask.sum() == PIXELS and photos[1].mask.sum() == PIXELS - 16
    assert photos.account.marks == {"used": 2, "of pictures that another file marks": 1}
    assert sum(photos.account.files.values()) == walked(tmp_path / "pets")


def test_isics_two_folders(tmp_path: Path) -> None:
    isic(tmp_path / "isic")
    photos = images.load(tmp_path / "isic")
    assert len(photos) == 2 and [sample.mask.sum() for sample in photos] == [PIXELS] * 2
    assert photos.account.files == {"pictures of the set": 2, "masks": 2}


def test_roboflows_table_of_several_classes(tmp_path: Path) -> None:
    for split in ("train", "valid"):
        for name in "ab":
            picture(tmp_path / split / f"{name}_jpg.rf.0.jpg")
        rows = "a_jpg.rf.0.jpg, 1, 0\nb_jpg.rf.0.jpg, 1, 1\n"
        put(tmp_path / split / "_classes.csv", "filename, bee, moth\n" + rows)
    photos = images.load(tmp_path)
    assert photos.label_sets == (frozenset({"bee"}), frozenset({"bee", "moth"})) * 2
    assert sum(photos.account.files.values()) == walked(tmp_path) == 6 and not photos.account.unused


def test_classes_in_folders_beside_a_file_of_boxes(tmp_path: Path) -> None:
    for name in ("bee/1.jpg", "moth/1.jpg"):
        picture(tmp_path / "train" / name)
    put(tmp_path / "boxes.json", json.dumps(boxes(["bee/1.jpg", "moth/1.jpg"], ["bee", "bee"])))
    photos = images.load(tmp_path)
    assert photos.labels == ("bee", "moth") and photos.groups == ("train", "train")
    assert photos[0].mask.sum() == PIXELS and photos[1].mask is None and "'bee'" in photos[1].unmarked


def test_a_damaged_file_among_good_ones_costs_its_own_marks(tmp_path: Path) -> None:
    for form, (written, labels, _, _, _) in LAYOUTS.items():
        if form.startswith(("Roboflow", "Ultralytics")) and form != "Roboflow CSV":
            root = tmp_path / form.replace(" ", "-")
            written(root)
            [first, *_] = sorted(one for one in root.rglob("*a*") if one.suffix in (".json", ".xml", ".txt"))
            if first.name.startswith("README"):
                continue
            first.write_bytes(b"{\x00 nonsense")
            photos = images.load(root)
            assert len(photos) == len(labels) and len(photos.annotated) == sum(map(bool, labels)) - 1
            assert sum(photos.account.files.values()) == walked(root)


def test_annotations_of_pictures_that_are_not_there(tmp_path: Path) -> None:
    picture(tmp_path / "a.jpg")
    put(tmp_path / "x.json", json.dumps(boxes(["a.jpg", "gone.jpg"], ["bee", "bee"])))
    put(tmp_path / "y.json", json.dumps(boxes(["other.jpg"], ["bee"])))
    photos = images.load(tmp_path)
    assert photos.account.marks == {"used": 1, "without a picture": 2}
    assert [one.name for one in photos.account.unused] == ["y.json"]
    assert "none of the pictures that it names is here" in photos.account.unused[0].reason


def test_a_folder_of_annotations_alone_finds_pictures_beside_it(tmp_path: Path) -> None:
    voc_own(tmp_path)
    photos = images.load(tmp_path / "Annotations")
    assert photos.names == ("2007_a.jpg",) and photos[0].mask.sum() == PIXELS
    assert photos.account.files == {"annotation files": 1, "pictures of the set": 1}
