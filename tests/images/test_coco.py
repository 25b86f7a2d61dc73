import json
import re
from pathlib import Path

import numpy as np
import pytest

from interp import images
from interp.images import coco as reader
from tests.images.drawing import coco, plain

PICTURE = {"id": 1, "file_name": "a.png", "width": 20, "height": 10}


def opened(folder: Path, *annotations: dict, picture: dict | None = None, categories: list | None = None):
    plain(folder / "a.png", size=(20, 10))
    marks = [{"id": i, "image_id": 1, "category_id": 1, **annotation} for i, annotation in enumerate(annotations)]
    return images.load(coco(folder / "marks.json", [picture or PICTURE], marks, categories))


def test_the_label_is_the_largest_annotations(tmp_path: Path) -> None:
    small, large = {"bbox": [0, 0, 2, 2]}, {"segmentation": [[3, 3, 9, 3, 9, 9, 3, 9]], "category_id": 2}
    photos = opened(tmp_path, small, large)
    assert photos.labels == ("dog",)
    assert photos[0].mask is not None and photos[0].mask.sum() == 36
    assert photos[0].marked().sum() == 4 + 36 and photos[0].marked({"cat"}).sum() == 4


def test_a_category_may_say_its_wordnet_id(tmp_path: Path) -> None:
    box = {"bbox": [0, 0, 2, 2]}
    assert opened(tmp_path, box, categories=[{"id": 1, "name": "n01440764"}]).label_forms == {"wnid": ("n01440764",)}
    photos = opened(tmp_path, box, categories=[{"id": 1, "name": "tench", "wnid": "n01440764"}])
    assert photos.labels == ("n01440764",) and photos.label_forms["label"] == ("tench",)


def test_an_empty_segmentation_falls_back_on_the_box(tmp_path: Path) -> None:
    photos = opened(tmp_path, {"segmentation": [], "bbox": [1, 1, 4, 4]})
    assert photos[0].mask is not None and photos[0].mask.sum() == 16


def test_run_lengths_say_the_size_where_the_image_does_not(tmp_path: Path) -> None:
    runs = {"segmentation": {"size": [10, 20], "counts": [0, 10, 190]}}
    mask = opened(tmp_path, runs, picture={"id": 1, "file_name": "a.png"})[0].mask
    assert mask is not None and mask[:, 0].all() and not mask[:, 1:].any()


def test_a_box_beyond_the_picture_is_cut_off(tmp_path: Path) -> None:
    mask = opened(tmp_path, {"bbox": [-5, -5, 8, 100]})[0].mask
    expected = np.zeros((10, 20), dtype=bool)
    expected[:, :3] = True
    assert (mask == expected).all()


@pytest.mark.parametrize("place", ["", "images/", "../train2017/", "../images/train2017/", "../images/"])
def test_pictures_are_found_in_the_usual_places(tmp_path: Path, place: str) -> None:
    plain(tmp_path / "annotations" / place / "a.png")
    photos = images.load(coco(tmp_path / "annotations" / "instances_train2017.json", [PICTURE], []))
    assert photos.names == ("a.png",)


def test_pictures_are_found_in_a_named_folder(tmp_path: Path) -> None:
    plain(tmp_path / "elsewhere" / "deep" / "a.png")
    file = coco(tmp_path / "x" / "marks.json", [PICTURE | {"file_name": "deep\\a.png"}], [])
    assert images.load(file, annotations=tmp_path / "elsewhere").names == ("deep/a.png",)
    with pytest.raises(ValueError, match="a.png: beside an annotation file, give the folder of its pictures"):
        images.load(file, annotations=tmp_path / "elsewhere" / "deep" / "a.png")


BAD_ANNOTATIONS = {
    "box outside": ({"bbox": [30, 3, 5, 5]}, "from \\(30, 3\\) to \\(35, 8\\) is empty, or lies outside"),
    "box without area": ({"bbox": [3, 3, 0, 5]}, "is empty"),
    "box of three": ({"bbox": [3, 3, 5]}, "nor a 'bbox' of four numbers"),
    "box of texts": ({"bbox": ["3", 3, 5, 5]}, "a coordinate is '3'"),
    "box of infinities": ({"bbox": [float("nan"), 0, float("inf"), 5]}, "a coordinate is 'nan'"),
    "nothing": ({}, "neither a 'segmentation' nor a 'bbox'"),
    "line": ({"segmentation": [[1, 1, 5, 5]]}, "a polygon has 4 coordinates"),
    "polygon outside": ({"segmentation": [[50, 50, 60, 50, 60, 60]]}, "lies outside the picture"),
    "mixed polygons": ({"segmentation": [[1, 1, 5, 1, 5, 5], 3]}, "mixes lists"),
    "runs of another size": ({"segmentation": {"size": [20, 10], "counts": [200]}}, "for 10 × 20 pixels"),
    "runs too short": ({"segmentation": {"size": [10, 20], "counts": [5, 5]}}, "sum to 10, and 20 × 10 pixels are 200"),
    "runs too long": ({"segmentation": {"size": [10, 20], "counts": [10**11, 1]}}, "sum to 100,000,000,001"),
    "runs negative": ({"segmentation": {"size": [10, 20], "counts": [-5, 205]}}, "run lengths"),
    "runs of texts": ({"segmentation": {"size": [10, 20], "counts": ["5"]}}, "neither whole numbers nor"),
    "runs unsized": ({"segmentation": {"counts": [5]}}, "give \\[height, width\\]"),
    "runs of nothing": ({"segmentation": {"size": [10, 20], "counts": [200]}}, "mark no pixel"),
    "compressed nonsense": (
        {"segmentation": {"size": [10, 20], "counts": "%%%"}},
        "run lengths contain '%'",
    ),
    "unknown category": ({"bbox": [1, 1, 3, 3], "category_id": 77}, "No category has the id 77"),
    "unknown image": ({"bbox": [1, 1, 3, 3], "image_id": 99}, "No image has the id 99"),
    "image id of another kind": ({"bbox": [1, 1, 3, 3], "image_id": [1]}, "No image has the id \\[1\\]"),
}


@pytest.mark.parametrize("case", BAD_ANNOTATIONS)
def test_a_bad_annotation_is_named_and_the_rest_goes_on(tmp_path: Path, case: str) -> None:
    annotation, reason = BAD_ANNOTATIONS[case]
    photos = opened(tmp_path, annotation, {"bbox": [0, 0, 2, 2]})
    assert len(photos) == 1 and photos.labels == ("cat",)
    assert photos[0].mask is not None and photos[0].mask[:2, :2].all()
    (problem,) = photos.problems
    assert re.search(reason, problem.reason)


def test_bad_images_are_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    plain(tmp_path / "a.png")
    bad = [3, {"id": 7}, {"id": 8, "file_name": "b.png", "width": -1, "height": 5}, {"id": 9, "file_name": "gone.png"}]
    huge = {"id": 10, "file_name": "c.png", "width": 10**6, "height": 10**6}
    photos = images.load(coco(tmp_path / "marks.json", [*bad, huge, PICTURE | {"width": None, "height": None}], [5]))
    assert photos.names == ("a.png",) and len(photos.problems) == 8


def test_long_lists_of_problems_are_cut(tmp_path: Path) -> None:
    plain(tmp_path / "a.png")
    missing = [{"id": i + 2, "file_name": f"{i}.png"} for i in range(500)]
    photos = images.load(coco(tmp_path / "marks.json", [PICTURE, *missing], []))
    assert len(photos.problems) == 21 and photos.problems[-1].name == "480 more"


BAD_FILES = {
    "empty": ("", "marks.json, line 1: this is not valid JSON"),
    "cut short": ('{"images": [\n{"id": 1,', "marks.json, line 2: this is not valid JSON.*a COCO file is expected"),
    "list": ("[1]", "marks.json: it holds a list; a COCO file is expected"),
    "number": ("5", "marks.json: it holds a number"),
    "no images": ('{"annotations": []}', "marks.json: 'images' is missing"),
    "no annotations": ('{"images": []}', "marks.json: 'annotations' is missing"),
    "images a text": ('{"images": "x", "annotations": []}', "marks.json: 'images' is a text"),
    "categories an object": ('{"images": [], "annotations": [], "categories": {}}', "'categories' is an object"),
    "deep": ("[" * 100_000, "marks.json: this JSON cannot be read"),
    "huge number": ('{"images": ' + "9" * 5000 + "}", "marks.json: this JSON cannot be read"),
    "no pictures": ('{"images": [], "annotations": []}', "marks.json: none of the 0 pictures"),
    "Latin-1": (b'{"images": "\xe9"}', "marks.json: the text is not UTF-8"),
    "none found": (
        json.dumps({"images": [PICTURE], "annotations": []}),
        "none of the 1 .*'a.png' was not found",
    ),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_what_is_no_coco_file_is_refused_by_name(tmp_path: Path, case: str) -> None:
    content, reason = BAD_FILES[case]
    file = tmp_path / "marks.json"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=reason):
        images.load(file)


def test_a_file_over_the_limit_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "LARGEST_JSON", 1_000_000)
    with open(tmp_path / "marks.json", "wb") as stream:
        stream.truncate(3_000_000)
    with pytest.raises(ValueError, match="marks.json: the file has 3 MB, and the limit is 1 MB"):
        images.load(tmp_path / "marks.json")


def test_all_categories_of_a_picture_are_its_label_set(tmp_path: Path) -> None:
    box = {"bbox": [0, 0, 2, 2]}
    undrawn = {"bbox": [0, 0, 0, 0], "category_id": 2}
    assert opened(tmp_path, box, {**box, "category_id": 2}, box).label_sets == (frozenset({"cat", "dog"}),)
    assert opened(tmp_path, box, undrawn).label_sets == (frozenset({"cat", "dog"}),)
    assert opened(tmp_path).label_sets == (frozenset(),)
    assert opened(tmp_path, box, categories=[]).label_sets is None
    wordnet = [{"id": 1, "name": "tench", "wnid": "n01440764"}, {"id": 2, "name": "n01443537"}]
    assert opened(tmp_path, box, undrawn, categories=wordnet).label_sets == (frozenset({"tench", "n01443537"}),)
