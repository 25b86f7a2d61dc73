"""What the values of masks mean."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from interp import images
from interp.images import mask_folders
from interp.images.masks import MaskFile
from tests.images.drawing import plain

WIDTH, HEIGHT = 40, 30
THING = np.zeros((HEIGHT, WIDTH), bool)
THING[5:17, 9:25] = True
BORDER = np.zeros_like(THING)
BORDER[4:18, 8:26] = True
BORDER &= ~THING


def levels(inside: int, outside: int, border: int | None = None) -> np.ndarray:
    found = np.where(THING, inside, outside)
    if border is not None:
        found[BORDER] = border
    return found


def grey(array: np.ndarray, kind: type = np.uint8) -> Image.Image:
    return Image.fromarray(array.astype(kind))


def palette(array: np.ndarray, colours: tuple[int, ...] = (0, 0, 0, 128, 0, 0, 0, 128, 0)) -> Image.Image:
    picture = Image.frombytes("P", (array.shape[1], array.shape[0]), array.astype(np.uint8).tobytes())
    picture.putpalette([*colours, *[9] * (768 - len(colours))])
    return picture


def soft() -> Image.Image:
    large = grey(levels(255, 0)).resize((WIDTH * 4, HEIGHT * 4), Image.Resampling.NEAREST)
    return large.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)


def rgba(colour: np.ndarray, alpha: np.ndarray) -> Image.Image:
    return Image.fromarray(np.stack([colour, colour, colour, alpha], axis=2).astype(np.uint8))


def see_through(colour: int) -> Image.Image:
    return rgba(np.full(THING.shape, colour), levels(255, 0))


def classes() -> np.ndarray:
    found = levels(2, 0)
    found[20:25, 30:38] = 5
    return found


MEANT = {
    "0 and 255": ("png", grey(levels(255, 0)), THING),
    "0 and 1": ("png", grey(levels(1, 0)), THING),
    "one bit": ("png", Image.fromarray(THING), THING),
    "16 bits": ("png", Image.fromarray(levels(65535, 0).astype(np.uint16)), THING),
    "16 bits, 0 and 1": ("png", Image.fromarray(levels(1, 0).astype(np.uint16)), THING),
    "Oxford's trimap": ("png", grey(levels(1, 2, 3)), THING),
    "a trimap of 0, 128 and 255": ("png", grey(levels(255, 0, 128)), THING),
    "a palette, 255 void": ("png", palette(levels(1, 0, 255)), THING),
    "classes": ("png", grey(classes()), classes() > 0),
    "white in colour": ("png", Image.fromarray(np.repeat(levels(255, 0)[..., None], 3, 2).astype(np.uint8)), THING),
    "transparent": ("png", rgba(levels(200, 0), np.full(THING.shape, 255)), THING),
    "black where it is not transparent": ("png", see_through(0), THING),
    "white where it is not transparent": ("png", see_through(255), THING),
    "shares of 1": ("tiff", Image.fromarray(levels(1, 0).astype(np.float32)), THING),
    "WebP": ("webp", grey(levels(255, 0)).convert("RGB"), THING),
    "GIF": ("gif", grey(levels(255, 0)), THING),
    "BMP": ("bmp", grey(levels(255, 0)), THING),
}


def opened(folder: Path, picture: Image.Image, ending: str = "png", **options) -> images.ImageSet:
    plain(folder / "images" / "a.jpg", size=(WIDTH, HEIGHT))
    (folder / "masks").mkdir()
    picture.save(folder / "masks" / f"a.{ending}", **options)
    return images.load(folder)


def reasons(photos: images.ImageSet) -> str:
    return "\n".join(f"{one.name}: {one.reason}" for one in photos.problems)


@pytest.mark.parametrize("kind", MEANT)
def test_what_is_marked(tmp_path: Path, kind: str) -> None:
    ending, picture, expected = MEANT[kind]
    photos = opened(tmp_path, picture, ending, **({"lossless": True} if ending == "webp" else {}))
    assert photos.names == ("a.jpg",) and photos.annotated == {0}, photos.account
    assert (photos[0].mask == expected).all()
    assert any(one.setting == mask_folders.SETTING for one in photos.account.findings)


@pytest.mark.parametrize(("ending", "picture"), [("png", soft()), ("jpg", grey(levels(255, 0)))])
def test_soft_edges_are_cut_at_the_middle(tmp_path: Path, ending: str, picture: Image.Image) -> None:
    mask = opened(tmp_path, picture, ending)[0].mask
    assert mask is not None
    # The place's edges lie between pixels, so that no more than the pixels along them may differ.
    assert not (mask & ~THING & ~BORDER).any() and (mask ^ THING).sum() <= 0.05 * THING.sum()


UNUSED = {
    "all 1": (grey(levels(1, 1)), "no value of it is 0"),
    "all 255": (grey(levels(255, 255)), "no value of it is 0"),
    "no 0": (grey(levels(7, 4)), "no value of it is 0.*: it has 4 .*, 7 "),
    "inverted": (grey(levels(0, 255)), None),
    "inverted, 0 and 1": (grey(levels(0, 1)), None),
}


@pytest.mark.parametrize("kind", UNUSED)
def test_what_may_not_be_scored_is_questioned(tmp_path: Path, kind: str) -> None:
    picture, reason = UNUSED[kind]
    photos = opened(tmp_path, picture)
    assert photos.names == ("a.jpg",) and photos[0].mask is None
    if reason is not None:
        assert re.search(f"masks/a.png: It is not used: {reason}", reasons(photos))
    else:
        [warning] = [one for one in photos.account.findings if one.kind == "warning"]
        assert "it may be the background that is marked" in warning.text and warning.setting == mask_folders.SETTING
    assert photos.account.marks == {"in doubt": 1}
    # Said which values are marked, it is used.
    value = {"all 1": 1, "all 255": 255, "no 0": 7}.get(kind, 0)
    said = images.load(tmp_path, marked=[value])
    expected = np.ones_like(THING) if kind.startswith("all") else THING
    assert (said[0].mask == expected).all() and said.account.marks == {"used": 1}
    assert said.fingerprint != photos.fingerprint


def test_a_mask_of_nothing_marks_nothing(tmp_path: Path) -> None:
    sample = opened(tmp_path, grey(levels(0, 0)))[0]
    assert sample.mask is not None and not sample.mask.any()


def test_a_mask_of_another_size_is_scaled_or_dropped_and_the_picture_stays(tmp_path: Path) -> None:
    double = grey(levels(255, 0)).resize((2 * WIDTH, 2 * HEIGHT), Image.Resampling.NEAREST)
    assert (opened(tmp_path / "double", double)[0].mask == THING).all()
    photos = opened(tmp_path / "other", grey(np.eye(10, 90) * 255))
    assert len(photos) == 1 and photos[0].mask is None
    assert photos.account.marks == {"that do not fit their picture": 1}
    assert "Its mask is for 90 × 10 pixels, and the picture has 40 × 30" in reasons(photos)


def test_masks_that_cannot_be_read(tmp_path: Path) -> None:
    content = {"a": b"", "b": b"\x89PNG\r\n\x1a\nnonsense", "c": None, "d": b"GIF89a"}
    for name, some in content.items():
        plain(tmp_path / "images" / f"{name}.jpg", size=(WIDTH, HEIGHT))
        (tmp_path / "masks").mkdir(exist_ok=True)
        if some is not None:
            (tmp_path / "masks" / f"{name}.png").write_bytes(some)
    Image.fromarray(np.full((HEIGHT, WIDTH), np.nan, np.float32)).save(tmp_path / "masks" / "c.tiff")
    plain(tmp_path / "images" / "e.jpg", size=(WIDTH, HEIGHT))
    grey(levels(255, 0)).save(tmp_path / "masks" / "e.png")
    photos = images.load(tmp_path)
    assert photos.names == tuple(f"{name}.jpg" for name in "abcde")
    for place in range(4):
        sample = photos[place]
        assert sample.mask is None and sample.unmarked is not None and "mask" in sample.unmarked
    assert (photos[4].mask == THING).all()


@pytest.mark.timeout(20)
def test_a_pipe_among_masks_does_not_hang(tmp_path: Path) -> None:
    plain(tmp_path / "images" / "a.jpg", size=(WIDTH, HEIGHT))
    (tmp_path / "masks").mkdir()
    os.mkfifo(tmp_path / "masks" / "a.png")
    photos = images.load(tmp_path)
    assert len(photos) == 1 and photos.account.files == {
        "pictures of the set": 1,
        "links and entries that are refused": 1,
    }
    with pytest.raises(ValueError, match="pipe|ordinary"):
        MaskFile(str(tmp_path / "masks" / "a.png")).read()


@pytest.mark.parametrize(
    "name",
    [
        "masks/a.png",
        "masks/a_mask.png",
        "masks/a-mask.png",
        "masks/a_segmentation.png",
        "a_mask.png",
        "a_mask.gif",
        "train_masks/a_mask.gif",
        "annotations/trimaps/a.png",
        "SegmentationClass/a.png",
        "gt/a.png",
        "groundtruth/a_gt.png",
        "labels/a.png",
        "a_Segmentation.png",
        "masks/a.jpg.png",
        "masks/a_mask_0.png",
    ],
)
def test_masks_are_found_by_folder_and_suffix(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    plain(tmp_path / "pictures" / "a.jpg", size=(WIDTH, HEIGHT))
    grey(levels(255, 0)).save(tmp_path / name)
    photos = images.load(tmp_path)
    assert photos.names == ("a.jpg",) and photos.annotated == {0}, photos.account.sentences
    assert (photos[0].mask == THING).all()
    assert photos.account.files == {"pictures of the set": 1, "masks": 1} and photos.account.marks == {"used": 1}


def test_several_masks_of_one_picture_are_united(tmp_path: Path) -> None:
    plain(tmp_path / "images" / "a.jpg", size=(WIDTH, HEIGHT))
    (tmp_path / "masks").mkdir()
    other = np.zeros_like(THING)
    other[25:28, 30:35] = True
    grey(levels(255, 0)).save(tmp_path / "masks" / "a_mask_0.png")
    grey(other * 255).save(tmp_path / "masks" / "a_mask_1.png")
    assert (images.load(tmp_path)[0].mask == THING | other).all()


@pytest.mark.parametrize("folder", ["mask", "with_mask", "masks"])
def test_pictures_of_people_with_masks_are_no_masks(tmp_path: Path, folder: str) -> None:
    noise = np.random.default_rng(0)
    for one in (f"{folder}/1.png", f"{folder}/2.png", "without/1.png", "without/2.png"):
        (tmp_path / one).parent.mkdir(exist_ok=True)
        Image.fromarray(noise.integers(0, 256, (30, 40, 3), np.uint8)).save(tmp_path / one)
    photos = images.load(tmp_path)
    assert photos.labels == (folder, folder, "without", "without") and not photos.annotated


def coloured() -> np.ndarray:
    found = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    found[THING] = (128, 64, 0)
    found[20:25, 30:38] = (128, 128, 128)
    found[BORDER] = (224, 224, 192)
    return found


LABELMAP = "# label:color_rgb:parts:actions\nbackground:0,0,0::\nbee:128,64,0::\ngrey moth:128,128,128::\n"


def test_cvats_segmentation_masks_give_marks_their_class(tmp_path: Path) -> None:
    for name in ("a", "b"):
        plain(tmp_path / "JPEGImages" / f"{name}.jpg", size=(WIDTH, HEIGHT))
        for folder in ("SegmentationClass", "SegmentationObject"):
            (tmp_path / folder).mkdir(exist_ok=True)
    only_grey = coloured()
    only_grey[(only_grey != 128).any(axis=2)] = 0
    Image.fromarray(coloured()).save(tmp_path / "SegmentationClass" / "a.png")
    Image.fromarray(only_grey).save(tmp_path / "SegmentationClass" / "b.png")
    for name in ("a", "b"):
        Image.fromarray(coloured()).save(tmp_path / "SegmentationObject" / f"{name}.png")
    (tmp_path / "labelmap.txt").write_text(LABELMAP)
    (tmp_path / "ImageSets" / "Segmentation").mkdir(parents=True)
    (tmp_path / "ImageSets" / "Segmentation" / "default.txt").write_text("a\nb\n")
    photos = images.load(tmp_path)
    assert photos.names == ("a.jpg", "b.jpg") and photos.labels == ("bee", "grey moth")
    assert photos.label_sets == (frozenset({"bee", "grey moth"}), frozenset({"grey moth"}))
    moth = np.zeros_like(THING)
    moth[20:25, 30:38] = True
    assert (photos[0].mask == THING).all() and (photos[0].marked({"grey moth"}) == moth).all()
    assert (photos[0].marked() == THING | moth).all() and (photos[1].mask == moth).all()
    assert photos.account.marks == {"used": 3}
    assert photos.account.files == {
        "pictures of the set": 2,
        "masks": 4,
        "annotation files": 1,
        "annotations and text, not used": 1,
    }
    said = " ".join(one.text for one in photos.account.findings)
    assert "labelmap.txt has no name for #e0e0c0 (in 1)" in said and "2 masks of single things are not used" in said


def test_roboflows_semantic_masks_give_marks_their_class(tmp_path: Path) -> None:
    for split in ("train", "valid"):
        plain(tmp_path / split / "a_jpg.rf.0a1b2c.jpg", size=(WIDTH, HEIGHT))
        grey(classes()).save(tmp_path / split / "a_jpg.rf.0a1b2c_mask.png")
        (tmp_path / split / "_classes.csv").write_text("Pixel Value, Class\n0, background\n2, bee\n5, moth\n")
    photos = images.load(tmp_path)
    assert len(photos) == 2 and photos.labels == ("bee", "bee") and photos.groups == ("train", "valid")
    assert (photos[0].mask == (classes() == 2)).all() and (photos[1].marked({"moth"}) == (classes() == 5)).all()
    assert photos.account.marks == {"used": 4}
    assert photos.account.files == {"pictures of the set": 2, "masks": 2, "annotation files": 2}
    assert not photos.problems


def test_camvids_table_of_colours_and_masks_of_a_palette(tmp_path: Path) -> None:
    plain(tmp_path / "images" / "a.jpg", size=(WIDTH, HEIGHT))
    (tmp_path / "labels").mkdir()
    palette(classes() // 2, (0, 0, 0, 128, 64, 0, 224, 224, 192)).save(tmp_path / "labels" / "a.png")
    (tmp_path / "class_dict.csv").write_text("name,r,g,b\nbee,128,64,0\nVoid,0,0,0\nedge,224,224,192\n")
    photos = images.load(tmp_path)
    assert photos.labels == ("bee",) and (photos[0].mask == (classes() == 2)).all()
    assert (photos[0].marked({"edge"}) == (classes() == 5)).all() and photos.account.marks == {"used": 2}


@pytest.mark.parametrize("text", ["bee", "bee:1,2\n", "bee:1,2,300::\n", "\0", "", "a:b,c,d::\n"])
def test_a_damaged_label_map_is_none(tmp_path: Path, text: str) -> None:
    plain(tmp_path / "images" / "a.jpg", size=(WIDTH, HEIGHT))
    (tmp_path / "SegmentationClass").mkdir()
    grey(levels(1, 0)).save(tmp_path / "SegmentationClass" / "a.png")
    (tmp_path / "labelmap.txt").write_text(text)
    photos = images.load(tmp_path)
    assert (photos[0].mask == THING).all() and [one.name for one in photos.account.unused] == ["labelmap.txt"]


def test_of_several_masks_those_that_fit_count(tmp_path: Path) -> None:
    plain(tmp_path / "images" / "a.jpg", size=(WIDTH, HEIGHT))
    (tmp_path / "masks").mkdir()
    grey(levels(255, 0)).save(tmp_path / "masks" / "a_mask_0.png")
    grey(np.eye(10, 90) * 255).save(tmp_path / "masks" / "a_mask_1.png")
    photos = images.load(tmp_path)
    assert (photos[0].mask == THING).all()
    assert photos.account.marks == {"used": 1, "that do not fit their picture": 1}
    assert "Its mask is for 90 × 10 pixels" in reasons(photos)
