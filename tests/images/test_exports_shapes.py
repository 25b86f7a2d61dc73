from pathlib import Path

import numpy as np
import pytest

from interp import images
from interp.images.shapes import laid
from tests.images import forms
from tests.images.drawing import iou, saved

WIDTH, HEIGHT = 30, 20
BOX = (9, 5, 21, 16)
TURNS = {1: 0, 3: 2, 6: -1, 8: 1}


def place(width: int = WIDTH, height: int = HEIGHT, box: tuple = BOX) -> np.ndarray:
    mask = np.zeros((height, width), dtype=bool)
    mask[box[1] : box[3], box[0] : box[2]] = True
    return mask


def written(folder: Path, name: str, content: bytes, upright: np.ndarray, orientation: int = 1) -> images.ImageSet:
    """A picture that looks like `upright`, stored as its orientation says, beside a file of annotations."""
    stored = np.rot90(upright, -TURNS[orientation])
    pixels = np.repeat(np.ascontiguousarray(stored)[..., None] * np.uint8(255), 3, axis=2)
    saved(folder / "a.png", pixels, orientation=orientation)
    (folder / name).write_bytes(content)
    return images.load(folder)


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize("form", forms.SEEN_UPRIGHT)
def test_every_shape_marks_the_same_pixels_of_the_upright_picture(tmp_path: Path, form: str, orientation: int) -> None:
    name, content = forms.SEEN_UPRIGHT[form]
    photos = written(tmp_path, name, content((WIDTH, HEIGHT), BOX), place(), orientation)
    sample = photos[0]
    assert (np.asarray(sample.image)[..., 0] > 127).sum() == 132 == place().sum()
    assert sample.mask is not None and (sample.mask == place()).all()
    assert photos.account is not None and photos.account.marks == {"used": 1}
    # Without a file of names YOLO's classes are numbers.
    assert photos.labels == ("0" if form.startswith("YOLO") else "bee",)


@pytest.mark.parametrize("form", forms.SEEN_UPRIGHT)
def test_every_shape_is_scaled_with_its_picture(tmp_path: Path, form: str) -> None:
    # Annotated at twice the size, where the form says one: else twice the size changes nothing, or all are shares.
    name, content = forms.SEEN_UPRIGHT[form]
    given, size, large = content((WIDTH, HEIGHT), BOX), (2 * WIDTH, 2 * HEIGHT), tuple(2 * side for side in BOX)
    unsized = given in (content(size, BOX), content(size, large))
    sample = written(tmp_path, name, given if unsized else content(size, large), place())[0]
    assert sample.mask is not None and (sample.mask == place()).all()
    assert bool(sample.remarks) == (not unsized)


@pytest.mark.parametrize("form", [form for form in forms.SEEN_UPRIGHT if form.startswith(("LabelMe", "CVAT"))])
def test_a_mark_of_other_proportions_is_dropped_and_the_picture_stays(tmp_path: Path, form: str) -> None:
    name, content = forms.SEEN_UPRIGHT[form]
    photos = written(tmp_path, name, content((60, 21), BOX), place())
    assert len(photos) == 1 and photos[0].mask is None and photos.labels == ("bee",)
    assert photos.account is not None and photos.account.marks == {"that do not fit their picture": 1}
    assert "Its annotation is for 60 × 21 pixels, and the picture has 30 × 20" in photos.problems[0].reason


@pytest.mark.parametrize("form", forms.EITHER_WAY)
def test_coco_and_voc_are_in_stored_pixels_unless_their_size_is_the_upright_one(tmp_path: Path, form: str) -> None:
    name, content = forms.EITHER_WAY[form]
    # The stored picture is 20 × 30, shown as 30 × 20: an annotation for 30 × 20 was made upright.
    sample = written(tmp_path / "upright", name, content((WIDTH, HEIGHT), BOX), place(), 6)[0]
    assert (sample.mask == place()).all()
    # Stored, the place's left edge is 5 from the left and its top 30 - 21 = 9 from the top.
    sample = written(tmp_path / "stored", name, content((HEIGHT, WIDTH), (5, 9, 16, 21)), place(), 6)[0]
    assert (sample.mask == place()).all()


def disc(x: float, y: float, across: float, down: float, width: int = 60, height: int = 40) -> np.ndarray:
    columns, rows = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    return ((columns - x) / across) ** 2 + ((rows - y) / down) ** 2 <= 1


ELLIPSES = {
    "LabelMe circle": (
        "a.json",
        forms.labelme("a.png", (60, 40), [forms.labelme_shape("circle", [[30, 20], [30, 30]])]),
        disc(30, 20, 10, 10),
    ),
    "CVAT ellipse": (
        "annotations.xml",
        forms.cvat("a.png", (60, 40), '<ellipse label="bee" cx="30" cy="20" rx="20" ry="8"/>'),
        disc(30, 20, 20, 8),
    ),
    "CVAT ellipse turned": (
        "annotations.xml",
        forms.cvat("a.png", (60, 40), '<ellipse label="bee" cx="30" cy="20" rx="8" ry="14" rotation="90"/>'),
        disc(30, 20, 14, 8),
    ),
    "Label Studio ellipse": (
        "tasks.json",
        forms.label_studio(
            "a.png",
            [
                {
                    "original_width": 60,
                    "original_height": 40,
                    "value": {"x": 50, "y": 50, "radiusX": 25, "radiusY": 25, "rotation": 0, "ellipselabels": ["bee"]},
                }
            ],
        ),
        disc(30, 20, 15, 10),
    ),
    "VIA circle": ("v.json", forms.via("a.png", {"name": "circle", "cx": 30, "cy": 20, "r": 10}), disc(30, 20, 10, 10)),
    "VIA ellipse": (
        "v.json",
        forms.via("a.png", {"name": "ellipse", "cx": 30, "cy": 20, "rx": 8, "ry": 14, "theta": np.pi / 2}),
        disc(30, 20, 14, 8),
    ),
}


@pytest.mark.parametrize("form", ELLIPSES)
def test_circles_and_ellipses(tmp_path: Path, form: str) -> None:
    name, content, expected = ELLIPSES[form]
    sample = written(tmp_path, name, content, np.zeros((40, 60), bool))[0]
    assert sample.mask is not None and iou(sample.mask, expected) > 0.97


def test_label_studio_turns_a_rectangle_around_its_upper_left_corner(tmp_path: Path) -> None:
    # From (30, 10), 20 wide and 10 high, turned by 90° clockwise: it lies below and to the left of that corner.
    region = forms.label_studio_box((30, 10, 50, 20), (60, 40))
    region["value"]["rotation"] = 90
    sample = written(tmp_path, "t.json", forms.label_studio("a.png", [region]), np.zeros((40, 60), bool))[0]
    assert (sample.mask == place(60, 40, (20, 10, 30, 30))).all()


def test_cvat_turns_a_box_around_its_centre(tmp_path: Path) -> None:
    # 20 × 10 around (30, 20) becomes 10 × 20 around it.
    content = forms.cvat("a.png", (60, 40), forms.cvat_box((20, 15, 40, 25), rotation=90))
    sample = written(tmp_path, "annotations.xml", content, np.zeros((40, 60), bool))[0]
    assert (sample.mask == place(60, 40, (25, 10, 35, 30))).all()


def test_a_cvat_mask_runs_along_the_rows_of_its_rectangle(tmp_path: Path) -> None:
    # Three wide and two high at (4, 5): one pixel out, two in, two out, one in.
    mask = '<mask label="bee" rle="1, 2, 2, 1" left="4" top="5" width="3" height="2"/>'
    sample = written(tmp_path, "annotations.xml", forms.cvat("a.png", (60, 40), mask), np.zeros((40, 60), bool))[0]
    assert np.argwhere(sample.mask).tolist() == [[5, 5], [5, 6], [6, 6]]


def test_regions_of_label_studio_with_and_without_a_size_lie_in_one_picture(tmp_path: Path) -> None:
    region, other = (forms.label_studio_box(box, (WIDTH, HEIGHT)) for box in (BOX, (0, 0, 3, 2)))
    other = {"value": other["value"]}
    sample = written(tmp_path, "t.json", forms.label_studio("a.png", [other, region]), place())[0]
    assert (sample.mask == place() | place(box=(0, 0, 3, 2))).all()


@pytest.mark.parametrize("seed", range(20))
def test_a_mask_of_a_part_is_laid_where_it_is(seed: int) -> None:
    chance = np.random.default_rng(seed)
    width, height = (int(one) for one in chance.integers(1, 12, 2))
    columns, rows = int(chance.integers(1, width + 1)), int(chance.integers(1, height + 1))
    left, top = int(chance.integers(0, width - columns + 1)), int(chance.integers(0, height - rows + 1))
    part = chance.random((rows, columns)) < chance.choice([0.5, 0.9, 1.0])
    expected = np.zeros((height, width), bool)
    expected[top : top + rows, left : left + columns] = part
    assert (laid(part, left, top, (width, height)).draw(width, height) == expected).all()
