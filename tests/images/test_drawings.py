"""Annotations drawn by hand: regions joined and cut, laid over a set, written as COCO JSON and read as they were."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import cache
from interp import images
from interp.images import drawn_coco
from interp.images.annotation import Annotation, Mark
from interp.images.decoding import TRANSPOSITIONS, DecodedImage
from interp.images.drawings import Drawing, Region, drawn_part, laid_over, turned, turned_back
from interp.images.editing import Stroke, marked
from interp.images.image_set import Concept, ImageSet
from interp.images.shapes import Box, Polygon, RunLengths
from tests.images.drawing import saved

SIZE = (20, 12)
BOX = Box(2.0, 1.5, 9.25, 8.0)
LASSO = Polygon(((3.0, 2.0), (17.5, 4.25), (11.0, 11.0), (5.0, 10.0)))
BRUSH = Stroke(((4.0, 4.0), (14.5, 7.25)), 2.3)


def box(*edges: float) -> Box:
    return Box(*map(float, edges))


def photographs(**options) -> ImageSet:
    return ImageSet(
        name="three",
        description="Three pictures.",
        fingerprint="three",
        names=["a/one.png", "a/two.png", "b/two.png"],
        read=lambda i: DecodedImage(Image.new("RGB", SIZE, (i, i, i))),
        **options,
    )


def drawing() -> Drawing:
    return Drawing(SIZE).added(BOX, "cat", "n02123045").added(LASSO, "dog").added(BRUSH)


def test_a_drawing_is_the_union_of_its_regions() -> None:
    found = drawing()
    assert [type(region.shape) for region in found.regions] == [Box, Polygon, RunLengths]
    over = laid_over(photographs(), {1: found})
    assert over.annotated == {1} and over[0].mask is None
    assert (over[1].marked() == BOX.draw(*SIZE) | LASSO.draw(*SIZE) | BRUSH.draw(*SIZE)).all()
    # The larger of those with a class is its label, and what has none counts for every class.
    assert over[1].label == "dog" and (over[1].mask == LASSO.draw(*SIZE) | BRUSH.draw(*SIZE)).all()


def test_regions_are_joined_cut_and_renamed_one_at_a_time() -> None:
    found = drawing()
    joined = found.joined(0, BRUSH)
    assert (joined.mask(0) == BOX.draw(*SIZE) | BRUSH.draw(*SIZE)).all()
    cut = joined.cut(0, LASSO)
    assert (cut.mask(0) == joined.mask(0) & ~LASSO.draw(*SIZE)).all()
    assert cut.regions[1:] == found.regions[1:] and cut.regions[0].label == "cat"
    assert len(found.cut(0, box(0, 0, 20, 12)).regions) == 2
    assert found.cut(0, box(18, 0, 20, 2)) is found
    assert [one.label for one in found.named(2, "bird").regions] == ["cat", "dog", "bird"]
    assert [one.label for one in found.without(1).regions] == ["cat", None]


def test_what_covers_nothing_is_no_region_and_what_leaves_the_picture_ends_at_its_edge() -> None:
    assert Drawing(SIZE).added(box(30, 30, 40, 40)).regions == ()
    assert Drawing(SIZE).added(box(3.1, 3.1, 3.2, 3.2)).regions == ()
    [region] = Drawing(SIZE).added(box(-5, -5, 10, 40)).regions
    assert region.shape == box(0, 0, 10, 12)


def test_what_was_drawn_stands_in_the_place_of_what_there_was() -> None:
    whole = Annotation((Mark((box(0, 0, 20, 12),)),), SIZE)
    over = laid_over(photographs(annotations={0: whole, 2: whole}), {0: Drawing(SIZE).added(BOX)})
    assert (over[0].mask == BOX.draw(*SIZE)).all() and over[2].mask.all() and over.annotated == {0, 2}

    def concepts(i: int) -> tuple[Concept, ...]:
        return (Concept("shape", "shape", np.ones((12, 20), bool)),)

    scenes = laid_over(photographs(concepts=concepts), {0: Drawing(SIZE).added(BOX)})
    assert (scenes[0].mask == BOX.draw(*SIZE)).all() and scenes[1].mask.all()
    assert scenes[0].concepts[0].mask.all()


def test_an_image_without_a_label_takes_that_of_its_largest_region() -> None:
    found = Drawing(SIZE).added(box(0, 0, 3, 3), "cat", "n02123045").added(box(0, 0, 9, 9), "dog").added(LASSO)
    over = laid_over(photographs(label_forms={"label": ("fish", None, None)}), {0: found, 1: found})
    assert over.labels == ("fish", "dog", None)
    wnid = laid_over(photographs(), {2: found.without(1)})
    assert wnid.labels == (None, None, "n02123045") and wnid.label_forms["label"] == (None, None, "cat")


def test_the_drawn_images_are_a_set_of_their_own() -> None:
    part = drawn_part(photographs(), {2: drawing(), 0: drawing(), 1: Drawing(SIZE)})
    assert part.names == ("a/one.png", "b/two.png") and part.annotated == {0, 1}
    assert part[1].image.getpixel((0, 0)) == (2, 2, 2)


def test_the_fingerprint_changes_with_every_stroke_and_name() -> None:
    first = drawing()
    others = [
        first.without(2),
        first.joined(0, BRUSH),
        first.cut(1, BRUSH),
        first.named(0, "lynx"),
        first.named(0, "cat", "n1"),
        Drawing((20, 13), first.regions[:2]),
    ]
    marks = [laid_over(photographs(), {1: one}).fingerprint for one in (first, *others)]
    marks += [laid_over(photographs(), {0: first}).fingerprint, photographs().fingerprint]
    assert len(set(marks)) == len(marks)
    assert laid_over(photographs(), {1: drawing()}).fingerprint == marks[0]
    keys = [cache.call(len, laid_over(photographs(), {1: one})).key for one in (first, drawing(), others[0])]
    assert keys[0] == keys[1] != keys[2]


def test_a_position_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="Image 3 does not exist: three has 3"):
        laid_over(photographs(), {3: drawing()})


def test_coco_json_is_read_as_it_was_written() -> None:
    given = {0: drawing(), 2: drawing().cut(0, BRUSH)}
    text = drawn_coco.write(photographs(), given)
    found, problems = drawn_coco.read(text.encode(), "drawn.json", photographs())
    assert not problems
    # All that the digest covers: sizes, shapes to the last bit, labels, WordNet ids.
    assert {i: one.fingerprint for i, one in found.items()} == {i: one.fingerprint for i, one in given.items()}
    assert found[0].regions[0].shape == BOX and found[0].regions[1].shape == LASSO
    assert drawn_coco.write(photographs(), found) == text


def test_our_own_loader_and_pycocotools_read_the_same_masks(tmp_path: Path) -> None:
    from pycocotools.coco import COCO

    for name in ("one.png", "two.png"):
        Image.new("RGB", SIZE).save(tmp_path / name)
    photos = images.load(tmp_path)
    given = {0: drawing(), 1: Drawing(SIZE).added(LASSO, "dog").joined(0, BRUSH)}
    path = tmp_path / "drawn.coco.json"
    path.write_text(drawn_coco.write(photos, given))
    loaded, over = images.load(path), laid_over(photos, given)
    assert loaded.problems == () and loaded.labels == over.labels
    with redirect_stdout(io.StringIO()):
        peer = COCO(str(path))
    for i in (0, 1):
        assert (loaded[i].mask == over[i].mask).all()
        annotations = peer.loadAnns(peer.getAnnIds(imgIds=[i + 1]))
        for index, annotation in enumerate(annotations):
            # Its polygons have another rule for pixels at their border.
            different = peer.annToMask(annotation).astype(bool) ^ given[i].mask(index)
            assert different.sum() <= (0 if isinstance(given[i].regions[index].shape, RunLengths) else 14)
            assert annotation["area"] == given[i].mask(index).sum()
    assert [one["name"] for one in peer.loadCats(peer.getCatIds())] == ["cat", "dog", None]
    assert peer.getCatIds(catNms=["dog"]) == [2]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("shape", [BOX, LASSO, marked(BRUSH.draw(*SIZE)), BRUSH])
def test_shapes_turn_as_pictures_do(shape, orientation: int) -> None:
    upright = SIZE if orientation < 5 else SIZE[::-1]
    mask = Image.fromarray(shape.draw(*SIZE))
    if orientation in TRANSPOSITIONS:
        mask = mask.transpose(TRANSPOSITIONS[orientation])
    there = turned(shape, orientation, SIZE)
    # No centre of a pixel lies on an edge of these shapes but at the left and the top.
    assert (there.draw(*upright) ^ np.asarray(mask)).sum() <= (8 if shape is BOX else 0)
    back = turned_back(there, orientation, SIZE)
    assert (back.draw(*SIZE) == shape.draw(*SIZE)).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photograph_comes_back_with_what_was_drawn_on_it_upright(tmp_path: Path, orientation: int) -> None:
    saved(tmp_path / "one.png", np.zeros((12, 20, 3), np.uint8), orientation=orientation)
    photos = images.load(tmp_path)
    picture = photos.picture(0)
    # Drawn in the upright picture's upper left quarter.
    width, height = picture.image.size
    corner = box(0.0, 0.0, width / 2, height / 2)
    kept = Drawing(picture.stored_size).added(turned_back(corner, picture.orientation, picture.stored_size), "cat")
    assert (laid_over(photos, {0: kept})[0].mask == corner.draw(width, height)).all()
    (tmp_path / "drawn.coco.json").write_text(drawn_coco.write(photos, {0: kept}))
    assert (images.load(tmp_path / "drawn.coco.json")[0].mask == corner.draw(width, height)).all()
    found, _ = drawn_coco.read((tmp_path / "drawn.coco.json").read_bytes(), "drawn", photos)
    assert found[0].fingerprint == kept.fingerprint


def test_a_file_that_was_annotated_upright_is_understood(tmp_path: Path) -> None:
    saved(tmp_path / "one.png", np.zeros((12, 20, 3), np.uint8), orientation=6)
    photos = images.load(tmp_path)
    document = {
        "images": [{"id": 1, "file_name": "one.png", "width": 12, "height": 20}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 6, 10]}],
    }
    found, _ = drawn_coco.read(json.dumps(document).encode(), "upright", photos)
    assert (laid_over(photos, found)[0].mask == box(0, 0, 6, 10).draw(12, 20)).all()


def test_what_does_not_fit_is_reported_and_the_rest_goes_on() -> None:
    text = json.loads(drawn_coco.write(photographs(), {0: drawing(), 2: drawing()}))
    text["images"].append({"id": 9, "file_name": "elsewhere.png", "width": 20, "height": 12})
    text["images"].append({"id": 10, "file_name": "a/two.png", "width": 40, "height": 24})
    text["annotations"].append({"id": 90, "image_id": 9, "category_id": 1, "bbox": [1, 1, 5, 5]})
    text["annotations"].append({"id": 91, "image_id": 10, "category_id": 1, "bbox": [1, 1, 5, 5]})
    text["annotations"].append({"id": 92, "image_id": 1, "category_id": 1, "bbox": [100, 1, 5, 5]})
    text["annotations"].append({"id": 93, "image_id": 1, "category_id": 77, "bbox": [1, 1, 5, 5]})
    found, problems = drawn_coco.read(json.dumps(text).encode(), "file.json", photographs())
    assert sorted(found) == [0, 2] and len(found[0].regions) == 4 and found[0].regions[3].label is None
    said = {one.name: one.reason for one in problems}
    assert "40 × 24" in said["a/two.png"] and "No image of the set" in said["elsewhere.png"]
    assert "lies outside the picture" in said["a/one.png, annotation 92"]


def test_a_name_without_its_folder_is_enough_where_only_one_is_called_so() -> None:
    text = drawn_coco.write(photographs(), {0: drawing()}).replace("a/one.png", "one.png")
    assert list(drawn_coco.read(text.encode(), "file", photographs())[0]) == [0]
    both = drawn_coco.write(photographs(), {1: drawing()}).replace("a/two.png", "two.png")
    with pytest.raises(ValueError, match=r"file: nothing in it fits an image of three. two\.png"):
        drawn_coco.read(both.encode(), "file", photographs())


def test_several_polygons_of_one_annotation_are_one_region() -> None:
    text = json.loads(drawn_coco.write(photographs(), {0: Drawing(SIZE).added(BOX, "cat")}))
    text["annotations"][0]["segmentation"].append([10, 9, 19, 9, 19, 11, 10, 11])
    found, _ = drawn_coco.read(json.dumps(text).encode(), "file", photographs())
    [region] = found[0].regions
    assert isinstance(region, Region) and isinstance(region.shape, RunLengths)
    assert (found[0].mask(0) == BOX.draw(*SIZE) | box(10, 9, 19, 11).draw(*SIZE)).all()


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"[1]", "it holds a list"), (b"{", "not valid JSON"), (b'{"images": []}', "'annotations'")],
)
def test_what_is_no_coco_file_is_refused_by_name(content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=f"^mine.json.*{message}"):
        drawn_coco.read(content, "mine.json", photographs())
