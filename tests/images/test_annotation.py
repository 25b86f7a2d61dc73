import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as oracle

from interp import images
from interp.images.annotation import Annotation, Mark, Marking
from interp.images.masks import MaskFile
from interp.images.shapes import Box, Polygon, RunLengths, decompressed, polygon
from interp.types import Preprocessing
from tests.images.drawing import coco, iou, saved, voc

PREPROCESSINGS = [
    Preprocessing(crop=(224, 224), resize=256),
    Preprocessing(crop=(299, 299), resize=342, interpolation="bicubic"),
    Preprocessing(crop=(160, 200), resize=None),
    Preprocessing(crop=(64, 64), resize=64),
]


def test_a_box_by_hand() -> None:
    expected = np.zeros((4, 5), dtype=bool)
    expected[1:3, 1:4] = True
    assert (Box(1.0, 1.0, 4.0, 3.0).draw(5, 4) == expected).all()
    assert (Box(1.4, 0.6, 4.4, 3.4).draw(5, 4) == expected).all()
    assert Box(-9.0, -9.0, 99.0, 99.0).draw(5, 4).all()


def test_a_polygon_by_hand() -> None:
    # The triangle under the diagonal holds the pixels whose centre is left of it.
    mask = Polygon(((0.0, 0.0), (4.0, 4.0), (0.0, 4.0))).draw(4, 4)
    assert (mask | np.eye(4, dtype=bool) == np.tri(4, dtype=bool)).all()


def test_a_rectangle_is_the_same_as_box_and_as_polygon() -> None:
    corners = ((3.0, 2.0), (11.0, 2.0), (11.0, 7.0), (3.0, 7.0))
    assert (Polygon(corners).draw(14, 9) == Box(3.0, 2.0, 11.0, 7.0).draw(14, 9)).all()


@pytest.mark.parametrize("seed", range(5))
def test_polygons_agree_with_pycocotools_to_a_boundary_pixel(seed: int) -> None:
    rng = np.random.default_rng(seed)
    angles = np.sort(rng.uniform(0, 2 * np.pi, 12))
    radius = rng.uniform(15, 60, 12)
    corners = np.stack([70 + radius * np.cos(angles), 60 + radius * np.sin(angles)], axis=1)
    ours = polygon(corners.ravel().tolist()).draw(140, 120)
    theirs = oracle.decode(oracle.frPyObjects([corners.ravel().tolist()], 120, 140))[..., 0].astype(bool)
    near = np.zeros_like(ours)
    for rows in (-1, 0, 1):
        for columns in (-1, 0, 1):
            near |= np.roll(theirs, (rows, columns), (0, 1)) != theirs
    assert ours.any() and not ((ours != theirs) & ~near).any()
    assert iou(ours, theirs) > 0.95


def test_a_polygon_beyond_the_picture_is_cut_off() -> None:
    mask = Polygon(((-50.0, 2.0), (90.0, 2.0), (90.0, 5.0), (-50.0, 5.0))).draw(10, 8)
    assert mask[2:5].all() and mask.sum() == 30


@pytest.mark.parametrize("seed", range(6))
def test_run_lengths_agree_with_pycocotools(seed: int) -> None:
    rng = np.random.default_rng(seed)
    small = rng.random((7, 9)) < 0.5
    truth = np.asarray(Image.fromarray(small).resize((9 * 23, 7 * 31), Image.Resampling.NEAREST))
    compressed = oracle.encode(np.asfortranarray(truth.astype(np.uint8)))
    counts = decompressed(compressed["counts"].decode())
    height, width = truth.shape
    assert (RunLengths(np.array(counts), width, height).draw(width, height) == truth).all()
    back = oracle.decode(oracle.frPyObjects({"size": [height, width], "counts": counts}, height, width))
    assert (back == truth).all()


def test_run_lengths_by_hand() -> None:
    mask = RunLengths(np.array([1, 2, 3]), 3, 2).draw(3, 2)
    assert (mask == [[False, True, False], [True, False, False]]).all()


@pytest.mark.parametrize(
    ("counts", "width", "height", "reason"),
    [
        ([5], 2, 2, "sum to 5, and 2 × 2 pixels are 4"),
        ([-1, 5], 2, 2, "sum to 4"),
        ([2**62, 2**62, 2**62, 2**62], 4, 4, "sum to"),
        ([10**12], 10**6, 10**6, "give 1 to 50,000,000 pixels"),
        ([0], 0, 5, "give 1 to"),
    ],
)
def test_run_lengths_that_do_not_fit_are_refused(counts: list, width: int, height: int, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        RunLengths(np.array(counts), width, height)


@pytest.mark.parametrize("text", ["\x00", "zz~", "é", "o" * 50, "P"])
def test_compressed_run_lengths_of_other_characters_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="compressed run lengths"):
        decompressed(text)


@pytest.mark.parametrize("numbers", [[1, 2, 3, 4], [1, 2, 3, 4, 5, 6, 7], [0, 0, 1, 1, 2, "x"], [0, 0, 1, 1, 2, 1e300]])
def test_polygons_of_other_things_are_refused(numbers: list) -> None:
    with pytest.raises(ValueError, match="coordinate"):
        polygon(numbers)


def test_masks_of_every_mode(tmp_path: Path) -> None:
    truth = np.zeros((6, 8), dtype=np.uint8)
    truth[2:4, 3:7] = 1
    void = Image.fromarray(np.where(truth == 1, 15, 255).astype(np.uint8))
    void = Image.frombytes("P", void.size, void.tobytes())
    void.putpalette([0] * 768)
    palette = Image.frombytes("P", void.size, (truth * 3).tobytes())
    palette.putpalette([0] * 768)
    cases = {
        "ones": Image.fromarray(truth),
        "white": Image.fromarray(truth * 255),
        "bits": Image.fromarray(truth.astype(bool)),
        "colour": Image.fromarray(np.stack([truth * 0, truth * 200, truth * 0], axis=2)),
        "alpha": Image.fromarray(np.stack([truth * 0 + 255] * 3 + [truth * 255], axis=2)),
        "deep": Image.fromarray(truth.astype(np.uint16) * 256),
        "palette": palette,
        "void": void,
    }
    for name, picture in cases.items():
        picture.save(tmp_path / f"{name}.png")
        assert (MaskFile(str(tmp_path / f"{name}.png")).read() == truth.astype(bool)).all(), name


def test_a_mask_of_other_proportions_or_damaged_is_refused(tmp_path: Path) -> None:
    Image.new("L", (5, 50)).save(tmp_path / "mask.png")
    marking = Marking(Annotation((Mark((MaskFile(str(tmp_path / "mask.png")),)),)), (80, 60))
    with pytest.raises(ValueError, match="^The mask is for 5 × 50 pixels, and the picture has 80 × 60"):
        marking.mask()
    (tmp_path / "mask.png").write_bytes(b"no mask")
    with pytest.raises(ValueError, match="^mask.png: .*Save it as PNG again"):
        marking.mask()


def test_an_annotation_of_other_proportions_is_refused() -> None:
    with pytest.raises(ValueError, match="^Its annotation is for 40 × 400 pixels.*30 × 20"):
        Marking(Annotation((Mark((Box(0.0, 0.0, 5.0, 5.0),)),), (40, 400)), (30, 20)).mask()


def test_all_shapes_are_united() -> None:
    marks = tuple(
        Mark((one,)) for one in (Box(0.0, 0.0, 3.0, 10.0), Box(7.0, 0.0, 10.0, 10.0), Box(0.0, 0.0, 1.0, 1.0))
    )
    mask = Marking(Annotation(marks), (10, 10)).mask()
    assert mask is not None
    assert mask[:, :3].all() and mask[:, 7:].all() and not mask[:, 3:7].any()


# One place, drawn white into a black picture of 300 × 200 as stored, and said in every form of annotation.
WIDTH, HEIGHT = 300, 200
LEFT, TOP, RIGHT, BOTTOM = 90, 50, 210, 160


def place() -> np.ndarray:
    stored = np.zeros((HEIGHT, WIDTH), dtype=bool)
    stored[TOP:BOTTOM, LEFT:RIGHT] = True
    return stored


def annotated(form: str, folder: Path) -> images.ImageSet:
    image = {"id": 1, "file_name": "place.png", "width": WIDTH, "height": HEIGHT}
    size = {"size": [HEIGHT, WIDTH]}
    encoded = oracle.encode(np.asfortranarray(place().astype(np.uint8)))
    flat = place().T.ravel()
    edges = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff([0, *edges, len(flat)]).tolist()
    corners = [LEFT, TOP, RIGHT, TOP, RIGHT, BOTTOM, LEFT, BOTTOM]
    marks = {
        "box": {"bbox": [LEFT, TOP, RIGHT - LEFT, BOTTOM - TOP]},
        "polygon": {"segmentation": [corners]},
        "two polygons": {
            "segmentation": [
                [LEFT, TOP, 150, TOP, 150, BOTTOM, LEFT, BOTTOM],
                [150, TOP, RIGHT, TOP, RIGHT, BOTTOM, 150, BOTTOM],
            ]
        },
        "run lengths": {"segmentation": {**size, "counts": runs}},
        "compressed": {"segmentation": {**size, "counts": encoded["counts"].decode()}},
    }
    if form in marks:
        file = coco(folder / "marks.json", [image], [{"id": 1, "image_id": 1, "category_id": 1, **marks[form]}])
        return images.load(file)
    if form == "voc":
        box = ("cat", LEFT + 1, TOP + 1, RIGHT, BOTTOM)
        return images.load(voc(folder / "place.xml", "place.png", [box], (WIDTH, HEIGHT)))
    (folder.parent / "masks").mkdir()
    Image.fromarray(place()).save(folder.parent / "masks" / "place.png")
    return images.load(folder, annotations=folder.parent / "masks")


@pytest.mark.parametrize("orientation", [1, 3, 6, 7, 8])
@pytest.mark.parametrize("form", ["box", "polygon", "two polygons", "run lengths", "compressed", "voc", "mask"])
def test_every_form_marks_what_the_model_sees(tmp_path: Path, form: str, orientation: int) -> None:
    folder = tmp_path / "pictures"
    saved(folder / "place.png", np.repeat(place()[..., None] * np.uint8(255), 3, axis=2), orientation=orientation)
    photos = annotated(form, folder)
    assert photos.annotated == {0}
    sample = photos[0]
    assert sample.mask is not None and sample.mask.shape == sample.image.size[::-1]
    assert iou(sample.mask, np.asarray(sample.image)[..., 0] > 127) > 0.999
    for preprocessing in PREPROCESSINGS:
        seen = preprocessing.pixels(sample.image)[0] > 0.5
        assert iou(preprocessing.annotation(sample.mask), seen) > 0.97


def test_an_annotation_in_upright_coordinates_is_not_turned(tmp_path: Path) -> None:
    stored = np.repeat(np.rot90(place())[..., None] * np.uint8(255), 3, axis=2)
    saved(tmp_path / "place.png", np.ascontiguousarray(stored), orientation=6)
    # The JSON gives the size of the picture as it is seen, so the annotator saw it upright.
    sample = annotated("box", tmp_path)[0]
    assert sample.image.size == (WIDTH, HEIGHT)
    assert iou(sample.mask, np.asarray(sample.image)[..., 0] > 127) > 0.999
    assert iou(sample.mask, place()) == 1


def test_the_boxes_of_real_photographs_lie_inside(imagenet: Path) -> None:
    said = json.loads((imagenet / "boxes.coco.json").read_text())
    photos = images.load(imagenet / "boxes.coco.json")
    assert len(photos) == len(photos.annotated) == 18 and not photos.problems
    for sample, image in zip(photos, said["images"], strict=True):
        truth = np.zeros((image["height"], image["width"]), dtype=bool)
        for annotation in said["annotations"]:
            if annotation["image_id"] == image["id"]:
                left, top, width, height = annotation["bbox"]
                truth[round(top) : round(top + height), round(left) : round(left + width)] = True
        assert sample.mask is not None and sample.mask.shape == sample.image.size[::-1]
        assert iou(sample.mask, truth) > 0.97
