"""Marks by class, and marks that cannot be drawn: the picture stays, and every good mark counts."""

import json
from pathlib import Path

import numpy as np
import pytest

from interp import images
from interp.images.annotation import Annotation, Mark
from interp.images.own_marks import own_names
from interp.images.shapes import Box
from tests.images import forms
from tests.images.drawing import coco, plain

SIZE = (120, 90)


def two_classes(folder: Path, place: str = "bee/a.png", names: tuple[str, str] = ("bee", "flower")) -> images.ImageSet:
    """A bee of 20 × 20 and a flower of 120 × 80 in one picture."""
    plain(folder / place, size=SIZE)
    image = {"id": 1, "file_name": place.rpartition("/")[2], "width": 120, "height": 90}
    marks = [
        {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 60, 20, 20]},
        {"id": 2, "image_id": 1, "category_id": 2, "bbox": [0, 0, 120, 80]},
    ]
    categories = [{"id": i, "name": name} for i, name in enumerate(names, start=1)]
    coco(folder / "x.coco.json", [image], marks, categories)
    return images.load(folder)


def test_for_a_class_its_own_marks_count(tmp_path: Path) -> None:
    sample = two_classes(tmp_path)[0]
    assert sample.label == "bee" and sample.mask.sum() == 400
    # The flower's 120 × 80 and the bee's 20 × 20, all but four rows of which lie in it.
    assert sample.marked().sum() == 9600 and sample.marked({"flower"}).sum() == 9600
    assert sample.marked({"wasp"}) is None


def test_shared_interest_of_a_class_uses_its_own_marks(tmp_path: Path) -> None:
    import torch

    from interp import shared_interest

    sample = two_classes(tmp_path)[0]
    saliency = torch.zeros(1, 90, 120)
    # Of the bee's columns 10 to 30 and rows 60 to 80 the half on the left, and as much beside it.
    saliency[0, 60:80, 0:20] = 1
    scores = shared_interest.iou_coverage(torch.as_tensor(sample.mask)[None], saliency)
    assert scores[0].item() == pytest.approx(200 / 600)


def test_a_picture_whose_class_has_no_mark_there_is_unmarked(tmp_path: Path) -> None:
    plain(tmp_path / "bee" / "b.png", size=SIZE)
    photos = two_classes(tmp_path, "moth/a.png", ("bee", "flower"))
    moth = photos[photos.labels.index("moth")]
    assert moth.mask is None and moth.unmarked == "What is marked in it is 'bee', 'flower', and its label is 'moth'."
    assert moth.marked().sum() == 9600


def test_marks_called_as_no_label_is_all_count(tmp_path: Path) -> None:
    plain(tmp_path / "Bombus" / "b.png", size=SIZE)
    sample = two_classes(tmp_path, "Apis/a.png", ("insect", "plant"))[0]
    assert sample.label == "Apis" and sample.mask.sum() == 9600


def test_one_folder_alone_is_no_label_where_marks_are_called_otherwise(tmp_path: Path) -> None:
    photos = two_classes(tmp_path, "Apis/a.png", ("insect", "plant"))
    assert photos.labels == ("plant",) and photos[0].mask.sum() == 9600
    assert any("All pictures lie in 'Apis', which is no label" in one.text for one in photos.account.findings)


@pytest.mark.parametrize("label", ["Honey Bee", "honey_bee", "HONEY-BEE"])
def test_names_of_classes_are_compared_as_people_read_them(tmp_path: Path, label: str) -> None:
    photos = two_classes(tmp_path, f"{label}/a.png", ("honey bee", "flower"))
    assert photos[0].mask.sum() == 400


def test_own_names_by_hand() -> None:
    bee, both, none = (
        Annotation(tuple(Mark((Box(0.0, 0.0, 1.0, 1.0),), name) for name in names))
        for names in (("bee",), ("bee", "moth"), (None,))
    )
    forms_of = {"label": ("moth", "moth", "moth", None)}
    assert own_names(forms_of, {0: bee, 1: both, 2: none, 3: bee}) == {0: frozenset(), 1: frozenset({"moth"})}
    assert own_names({"label": ("wasp",) * 4}, {0: bee, 1: both}) == {}


def opened(folder: Path, *annotations: dict) -> images.ImageSet:
    plain(folder / "a.png", size=(20, 10))
    image = {"id": 1, "file_name": "a.png", "width": 20.0, "height": "10"}
    marks = [{"id": i, "image_id": 1.0, "category_id": 1.0, **one} for i, one in enumerate(annotations)]
    (folder / "x.json").write_text(
        json.dumps({"images": [image], "annotations": marks, "categories": [{"id": 1, "name": "cat"}]})
    )
    return images.load(folder)


GOOD = {"bbox": [0, 0, 3, 2]}
DEGENERATE = {
    "a polygon of two corners": {"segmentation": [[1, 1, 5, 5]]},
    "a polygon on a line": {"segmentation": [[1, 1, 5, 5, 9, 9]]},
    "a polygon outside": {"segmentation": [[90, 90, 95, 90, 95, 95]]},
    "texts": {"segmentation": [["1", "1", "5", "1", "5", "5"]]},
    "None": {"segmentation": [[None] * 6]},
    "true and false": {"segmentation": [[True, False, True, True, False, False]]},
    "beyond all numbers": {"segmentation": [[1e300, 0, 1, 1, 2, 2]]},
    "negative run lengths": {"segmentation": {"size": [10, 20], "counts": [-5, 205]}},
    "too large run lengths": {"segmentation": {"size": [10, 20], "counts": [0, 10**12]}},
    "compressed, negative": {"segmentation": {"size": [10, 20], "counts": "o5"}},
}


@pytest.mark.parametrize("kind", DEGENERATE)
def test_a_degenerate_outline_costs_neither_its_box_nor_the_picture(tmp_path: Path, kind: str) -> None:
    photos = opened(tmp_path, DEGENERATE[kind] | {"bbox": [4, 4, 6, 5]}, GOOD)
    assert photos.labels == ("cat",) and photos[0].mask.sum() == 6 * 5 + 3 * 2
    assert photos.account.marks == {"used": 2}
    [problem] = photos.problems
    assert problem.name == "a.png, annotation 0" and problem.reason.endswith("Its box is marked instead.")


@pytest.mark.parametrize("kind", DEGENERATE)
def test_a_degenerate_outline_alone_costs_itself(tmp_path: Path, kind: str) -> None:
    photos = opened(tmp_path, DEGENERATE[kind], GOOD)
    assert photos[0].mask.sum() == 6 and photos.account.marks == {"used": 1, "that cannot be drawn": 1}
    assert [one.name for one in photos.problems] == ["a.png, annotation 0"]


@pytest.mark.parametrize(
    "box", [[float("nan"), 0, 5, 5], [0, 0, float("inf"), 5], ["0", "0", "5", "5"], [0, 0, True, 5]]
)
def test_boxes_of_no_numbers_cost_themselves(tmp_path: Path, box: list) -> None:
    photos = opened(tmp_path, {"bbox": box}, GOOD)
    assert photos[0].mask.sum() == 6 and photos.account.marks == {"used": 1, "that cannot be drawn": 1}


def test_one_degenerate_ring_among_good_ones_costs_nothing(tmp_path: Path) -> None:
    photos = opened(tmp_path, {"segmentation": [[1, 1, 5, 5], [4, 4, 10, 4, 10, 9, 4, 9]]})
    assert photos[0].mask.sum() == 30 and photos.account.marks == {"used": 1} and not photos.problems


def test_keypoints_beside_a_box_are_passed_over(tmp_path: Path) -> None:
    photos = opened(tmp_path, {"bbox": [4, 4, 6, 5], "keypoints": [5, 5, 2, 6, 6, 1], "num_keypoints": 2})
    assert photos[0].mask.sum() == 30 and not photos.problems


def test_whole_numbers_may_be_written_with_a_point(tmp_path: Path) -> None:
    photos = opened(tmp_path, GOOD)
    assert photos.labels == ("cat",) and photos.account.marks == {"used": 1} and not photos.problems


def test_an_image_listed_twice_has_its_marks_once(tmp_path: Path) -> None:
    plain(tmp_path / "a.png", size=SIZE)
    document = json.loads(forms.coco("a.png", SIZE, (1, 1, 5, 5)))
    document["images"] *= 2
    (tmp_path / "x.json").write_text(json.dumps(document))
    photos = images.load(tmp_path)
    assert photos.account.marks == {"used": 1} and photos[0].mask.sum() == 16
    assert "is another image's" in photos.problems[0].reason


def test_via_says_a_class_by_a_ticked_box(tmp_path: Path) -> None:
    plain(tmp_path / "a.png", size=SIZE)
    document = json.loads(forms.via("a.png", {"name": "rect", "x": 1, "y": 1, "width": 4, "height": 4}))
    [picture] = document["_via_img_metadata"].values()
    picture["regions"][0]["region_attributes"] = {"kind": {"bee": True}, "seen": ""}
    (tmp_path / "v.json").write_text(json.dumps(document["_via_img_metadata"]))
    assert images.load(tmp_path).labels == ("bee",)
    for odd in (None, 5, "x", [None], {"0": None}):
        picture["regions"] = odd
        (tmp_path / "v.json").write_text(json.dumps(document))
        assert len(images.load(tmp_path)) == 1


def test_tags_flags_and_choices_are_labels(tmp_path: Path) -> None:
    cases = {
        "cvat": ("x.xml", forms.cvat("a.png", SIZE, '<tag label="bee"/>' + forms.cvat_box((0, 0, 9, 9), "flower"))),
        "labelme": ("a.json", forms.labelme("a.png", SIZE, [], {"bee": True, "moth": False})),
        "label studio": ("x.json", forms.label_studio("a.png", [{"type": "choices", "value": {"choices": ["bee"]}}])),
    }
    for name, (file, content) in cases.items():
        plain(tmp_path / name / "a.png", size=SIZE)
        (tmp_path / name / file).write_bytes(content)
        photos = images.load(tmp_path / name)
        assert photos.labels == ("bee",) and "bee" in photos.label_sets[0], name


def test_yolo_lines_that_are_none_are_named_and_the_rest_counts(tmp_path: Path) -> None:
    for name in "abc":
        plain(tmp_path / f"{name}.png", size=(20, 10))
    good = "0 0.5 0.5 0.2 0.4\n"
    (tmp_path / "a.txt").write_text(good + "0 0.5 0.5 0 0.4\n0 0.1 0.1\n0 nan 1 1 1\n1 0 0 0.5 0 0.5 1 0 1\n")
    (tmp_path / "b.txt").write_text(good + "7 0.5 0.5 0.2 0.4 0.93\n")
    (tmp_path / "c.txt").write_text(good)
    (tmp_path / "classes.txt").write_text("bee\nmoth\n")
    photos = images.load(tmp_path)
    # 4 × 4 pixels around the centre; the left half in 'a'.
    assert photos[0].marked({"bee"}).sum() == 16 and photos[0].marked({"moth"}).sum() == 100
    assert photos.labels == ("moth", "bee", "bee") and photos.account.marks == {"used": 5, "that cannot be drawn": 3}
    reasons = {one.name: one.reason for one in photos.problems}
    assert {"a.txt, line 2", "a.txt, line 3", "a.txt, line 4", "b.txt, line 2"} <= set(reasons)
    assert "There is no class 7: 2 have names" in reasons["b.txt, line 2"]


def test_text_beside_pictures_is_no_yolo(tmp_path: Path) -> None:
    plain(tmp_path / "a.png")
    (tmp_path / "a.txt").write_text("A bee on a flower.\n")
    photos = images.load(tmp_path)
    assert not photos.annotated and [one.name for one in photos.account.unused] == ["a.txt"]
    assert np.array_equal(photos.labels, [None])


@pytest.mark.parametrize(("kind", "count"), [("rectangle", 4), ("rotation", 4), ("oriented_rectangle", 4)])
def test_rectangles_by_four_corners(tmp_path: Path, kind: str, count: int) -> None:
    plain(tmp_path / "a.png", size=SIZE)
    corners = forms.corners((10, 20, 40, 50))
    assert len(corners) == count
    (tmp_path / "a.json").write_bytes(forms.labelme("a.png", SIZE, [forms.labelme_shape(kind, corners)]))
    assert images.load(tmp_path)[0].mask.sum() == 900


def test_what_was_renamed_with_its_picture_is_found_by_its_own_name(tmp_path: Path) -> None:
    for name in ("a", "b"):
        plain(tmp_path / f"{name}.png", size=SIZE)
    box = forms.labelme_shape("rectangle", [[1, 1], [5, 5]])
    (tmp_path / "a.json").write_bytes(forms.labelme("IMG_1234.jpg", SIZE, [box]))
    (tmp_path / "b-boxes.xml").write_bytes(forms.voc("b.png", SIZE, (1, 1, 7, 7)))
    photos = images.load(tmp_path)
    assert [sample.mask.sum() for sample in photos] == [16, 36] and not photos.problems


def test_label_studios_second_annotators_are_said(tmp_path: Path) -> None:
    plain(tmp_path / "a.png", size=SIZE)
    document = json.loads(forms.label_studio("a.png", [forms.label_studio_box((0, 0, 30, 30), SIZE)]))
    other = {"result": [forms.label_studio_box((0, 0, 60, 60), SIZE)]}
    document[0]["annotations"] = [{"was_cancelled": True, **other}, *document[0]["annotations"], other]
    (tmp_path / "x.json").write_text(json.dumps(document))
    photos = images.load(tmp_path)
    assert photos[0].mask.sum() == 900
    assert any("1 pictures were annotated more than once" in one.text for one in photos.account.findings)


@pytest.mark.parametrize("keypoints", ["0.1 0.1 0.2 0.2", "0.1 0.1 2 0.2 0.2 1", "0.1 0.1"])
def test_keypoints_of_yolo_are_no_corners(tmp_path: Path, keypoints: str) -> None:
    plain(tmp_path / "images" / "a.png", size=SIZE)
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").write_text(f"0 0.5 0.5 0.5 0.2 {keypoints}\n")
    (tmp_path / "data.yaml").write_text("kpt_shape: [2, 2]\nnames:\n  0: person\n")
    photos = images.load(tmp_path)
    # 60 × 18 pixels.
    assert photos.labels == ("person",) and photos[0].mask.sum() == 1080
