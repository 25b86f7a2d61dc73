import os
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from interp import images
from tests.images.drawing import coco, plain, voc


def reasons(photos: images.ImageSet) -> str:
    return "\n".join(f"{problem.name}: {problem.reason}" for problem in photos.problems)


def test_a_flat_folder(tmp_path: Path) -> None:
    for name in ("b.png", "a.JPG", "c.webp", ".hidden.png", "__MACOSX/._a.png"):
        plain(tmp_path / name)
    photos = images.load(str(tmp_path))
    assert photos.names == ("a.JPG", "b.png", "c.webp") and set(photos.labels) == {None}
    assert photos[0].image.size == (8, 6) and not photos.problems and photos.name == tmp_path.name


def test_one_subfolder_for_each_class(tmp_path: Path) -> None:
    for name in ("cat/1.png", "cat/2.png", "dog/1.png"):
        plain(tmp_path / name)
    photos = images.load(tmp_path)
    assert photos.names == ("cat/1.png", "cat/2.png", "dog/1.png") and photos.labels == ("cat", "cat", "dog")
    assert photos[2].label == "dog" and photos[2].group is None


def test_classes_under_a_split_are_grouped_by_it(tmp_path: Path) -> None:
    for name in ("train/cat/1.png", "val/cat/1.png", "val/dog/1.png"):
        plain(tmp_path / name)
    photos = images.load(tmp_path)
    assert photos.labels == ("cat", "cat", "dog") and photos.groups == ("train", "val", "val")


def test_files_named_like_imagenets_have_its_ids(tmp_path: Path) -> None:
    for name in ("n01440764_10040.JPEG", "n02085620_7.JPEG", "other.JPEG"):
        plain(tmp_path / name)
    assert images.load(tmp_path).labels == ("n01440764", "n02085620", None)


def test_the_real_folder_in_its_three_ways(imagenet: Path) -> None:
    whole, flat, boxes = (images.load(imagenet / part) for part in ("", "images", "boxes.coco.json"))
    assert len(whole) == len(flat) == 200 and len(boxes) == 18
    assert whole.labels == flat.labels and whole.labels[0] == "n01440764"
    assert whole.label_forms["label"][0] == boxes.labels[0] == "tench" and whole.label_forms["class_index"][1] == "5"
    assert whole.groups[0] == "fish" and len(whole.annotated) == 18 and not flat.annotated
    assert all("not a picture" in one.reason for one in whole.problems) and not flat.problems and not boxes.problems


def test_an_index_gives_order_labels_and_groups(tmp_path: Path) -> None:
    for name in ("images/a.png", "b.png", "unlisted.png"):
        plain(tmp_path / name)
    (tmp_path / "index.csv").write_text(
        "\ufefffile, class_index,wnid,label,group\nb.png,3,,dog,x\na.png,0,n00000001,cat,\n", encoding="utf-8"
    )
    photos = images.load(tmp_path)
    assert photos.names == ("b.png", "images/a.png") and photos.labels == ("dog", "n00000001")
    assert photos.groups == ("x", None) and photos.label_forms["class_index"] == ("3", "0")
    assert photos[1].image.size == (8, 6)


def test_rows_that_lead_nowhere_or_out_are_named(tmp_path: Path) -> None:
    plain(tmp_path / "outside.png")
    plain(tmp_path / "set" / "a.png")
    (tmp_path / "set" / "index.csv").write_text(
        f'file,class_index\na.png,x\ngone.png,1\n../outside.png,1\n{tmp_path}/outside.png,1\n"",1\n"a\0b.png",2\n'
    )
    photos = images.load(tmp_path / "set")
    assert photos.names == ("a.png",) and photos.labels == (None,)
    for expected in (
        "line 2: The class index is 'x'",
        "line 3: The picture 'gone.png' was not found",
        "line 4: '../outside.png' leads out",
        f"line 5: '{tmp_path}/outside.png' leads out",
        "line 6: The column 'file' is empty",
    ):
        assert expected in reasons(photos)


def test_voc_layout_takes_its_annotations_along(tmp_path: Path) -> None:
    for name in ("one", "two"):
        plain(tmp_path / "JPEGImages" / f"{name}.png", size=(20, 10))
    voc(tmp_path / "Annotations" / "one.xml", "one.png", [("cat", 1, 1, 2, 2), ("dog", 3, 2, 12, 6)], (20, 10))
    photos = images.load(tmp_path)
    assert photos.names == ("one.png", "two.png") and photos.labels == ("dog", None) and photos.annotated == {0}
    expected = np.zeros((10, 20), dtype=bool)
    expected[1:6, 2:12] = True
    assert (photos[0].mask == expected).all()
    expected[0:2, 0:2] = True
    assert (photos[0].marked() == expected).all()
    assert images.load(tmp_path / "Annotations").names == ("one.png",)
    assert images.load(tmp_path / "Annotations" / "one.xml").labels == ("dog",)


def test_imagenets_own_layout(tmp_path: Path) -> None:
    plain(tmp_path / "train" / "n01440764" / "n01440764_10040.JPEG", size=(20, 10))
    plain(tmp_path / "train" / "n01440764" / "n01440764_7.JPEG", size=(20, 10))
    for stem, written in (("n01440764_10040", "n01440764_10040"), ("n01440764_7", "%s")):
        voc(tmp_path / "boxes" / "n01440764" / f"{stem}.xml", written, [("n01440764", 1, 1, 4, 4)], (20, 10))
    photos = images.load(tmp_path / "train", annotations=tmp_path / "boxes")
    assert photos.annotated == {0, 1} and photos.labels == ("n01440764",) * 2 and not photos.problems
    assert photos[0].mask is not None and photos[0].mask.sum() == 16


def test_boxes_beside_the_pictures(tmp_path: Path) -> None:
    plain(tmp_path / "one.png", size=(20, 10))
    voc(tmp_path / "one.xml", "elsewhere/one.png", [("cat", 1, 1, 4, 4)], None)
    photos = images.load(tmp_path)
    assert photos.annotated == {0} and photos.labels == ("cat",)


def test_masks_by_stem(tmp_path: Path) -> None:
    plain(tmp_path / "pictures" / "cat" / "1.jpg")
    plain(tmp_path / "pictures" / "cat" / "2.jpg")
    (tmp_path / "masks").mkdir()
    Image.fromarray(np.eye(6, 8, dtype=np.uint8)).save(tmp_path / "masks" / "2.png")
    Image.new("L", (8, 6)).save(tmp_path / "masks" / "3.png")
    photos = images.load(tmp_path / "pictures", annotations=tmp_path / "masks")
    assert photos.annotated == {1} and (photos[1].mask == np.eye(6, 8, dtype=bool)).all()
    assert "3: It is annotated, but no picture" in reasons(photos)


def test_an_ambiguous_annotation_is_named(tmp_path: Path) -> None:
    for name in ("a/1.png", "b/1.png"):
        plain(tmp_path / "set" / name)
    file = coco(tmp_path / "marks.json", [{"id": 1, "file_name": "1.png"}], [])
    photos = images.load(tmp_path / "set", annotations=file)
    assert not photos.annotated and "2 pictures are called so" in reasons(photos)


def test_of_two_coco_files_the_first_that_marks_a_picture_counts(tmp_path: Path) -> None:
    for name in ("1.png", "2.png"):
        plain(tmp_path / name)
    box = {"id": 1, "image_id": 1, "category_id": 1}
    both = [{"id": 1, "file_name": "1.png"}, {"id": 2, "file_name": "2.png"}]
    coco(tmp_path / "a.coco.json", both[:1], [box | {"bbox": [0, 0, 2, 2]}])
    coco(tmp_path / "b.coco.json", both, [box | {"bbox": [0, 0, 8, 6]}, box | {"image_id": 2, "bbox": [0, 0, 3, 3]}])
    photos = images.load(tmp_path)
    assert [photos[i].mask.sum() for i in (0, 1)] == [4, 9]
    assert "1.png: It is marked by COCO, which counts" in reasons(photos)
    assert photos.account.marks == {"used": 2, "of pictures that another file marks": 1}


def test_other_files_are_named_or_counted(tmp_path: Path) -> None:
    plain(tmp_path / "1.png")
    (tmp_path / "notes.txt").touch()
    assert [problem.name for problem in images.load(tmp_path).problems] == ["notes.txt"]
    for i in range(30):
        (tmp_path / f"{i}.mp4").touch()
    problems = images.load(tmp_path).problems
    assert [one.name for one in problems] == ["notes.txt", "30 files"] and "30 .mp4" in problems[1].reason


def test_names_of_any_bytes(tmp_path: Path) -> None:
    for name in (b"a\nb.png", b"caf\xe9.png", b"![](http:x).png", "Käse.png".encode()):
        path = os.fsdecode(os.fsencode(tmp_path) + b"/" + name.replace(b"/", b":"))
        plain(tmp_path / "plain.PNG").rename(path)
    photos = images.load(tmp_path)
    assert len(photos) == 4 and all(name.isprintable() and name.encode() for name in photos.names)
    assert all(sample.image.size == (8, 6) for sample in photos)


def test_links_in_a_circle_and_to_nowhere(tmp_path: Path) -> None:
    plain(tmp_path / "cat" / "1.png")
    (tmp_path / "cat" / "again").symlink_to(tmp_path)
    (tmp_path / "cat" / "2.png").symlink_to(tmp_path / "nowhere")
    photos = images.load(tmp_path)
    assert photos.names == ("cat/1.png",) and "cat/2.png: The link leads nowhere" in reasons(photos)


def test_the_fingerprint_follows_the_content(tmp_path: Path) -> None:
    plain(tmp_path / "cat" / "1.png")
    seen = [images.load(tmp_path).fingerprint]
    assert images.load(tmp_path).fingerprint == seen[0]
    os.utime(tmp_path / "cat" / "1.png", ns=(1, 1))
    seen.append(images.load(tmp_path).fingerprint)
    (tmp_path / "cat").rename(tmp_path / "dog")
    seen.append(images.load(tmp_path).fingerprint)
    voc(tmp_path / "dog" / "1.xml", "1.png", [("cat", 1, 1, 3, 3)], None)
    seen.append(images.load(tmp_path).fingerprint)
    voc(tmp_path / "dog" / "1.xml", "1.png", [("cat", 1, 1, 3, 4)], None)
    seen.append(images.load(tmp_path).fingerprint)
    assert len(set(seen)) == 5


def test_a_picture_that_vanishes_is_named_when_asked_for(tmp_path: Path) -> None:
    plain(tmp_path / "1.png")
    (tmp_path / "2.png").write_bytes(b"")
    photos = images.load(tmp_path)
    (tmp_path / "1.png").unlink()
    with pytest.raises(images.UnreadableImage, match="^1.png: the file is not there any more"):
        photos[0]
    with pytest.raises(images.UnreadableImage, match="^2.png: the file is empty"):
        photos[1]


def test_twenty_thousand_pictures_are_listed_without_being_opened(tmp_path: Path) -> None:
    for folder in range(20):
        (tmp_path / f"class-{folder}").mkdir()
        for i in range(1000):
            (tmp_path / f"class-{folder}" / f"{i:05d}.jpg").touch()
    began = time.perf_counter()
    photos = images.load(tmp_path)
    seconds = time.perf_counter() - began
    assert len(photos) == 20_000 and photos.labels[-1] == "class-9"
    tracemalloc.start()
    images.load(tmp_path / "class-0")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # Ten times what it takes on two shared cores, so that only a change in kind fails.
    assert seconds < 4 and peak < 3e6


def test_a_path_from_the_root_is_no_guess_where_all_pictures_lie_in_images(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        plain(tmp_path / "images" / name)
    for written in ("images/", ""):
        (tmp_path / "index.csv").write_text(f"file,label\n{written}a.png,cat\n{written}b.png,dog\n")
        photos = images.load(tmp_path)
        assert photos.names == ("a.png", "b.png") and photos.labels == ("cat", "dog")
        assert {one.kind for one in photos.account.findings} == {"recognized"}


def test_where_annotations_lie_is_part_of_what_they_say(tmp_path: Path) -> None:
    for name in ("one/a.png", "two/a.png"):
        plain(tmp_path / name, size=(20, 10))
    marks = [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 4, 4]}]
    file = coco(tmp_path / "one" / "marks.json", [{"id": 1, "file_name": "a.png"}], marks)
    first = images.load(tmp_path)
    file.rename(tmp_path / "two" / "marks.json")
    second = images.load(tmp_path)
    assert first.annotated == {0} and second.annotated == {1} and first.fingerprint != second.fingerprint


def test_masks_that_lie_elsewhere_are_watched_each(tmp_path: Path) -> None:
    plain(tmp_path / "set" / "a.png", size=(8, 6))
    (tmp_path / "masks").mkdir()
    Image.fromarray(np.eye(6, 8, dtype=np.uint8)).save(tmp_path / "masks" / "a.png")
    photos = images.load(tmp_path / "set", annotations=tmp_path / "masks")
    assert not photos.changed() and photos[0].mask.sum() == 6
    Image.fromarray(np.eye(6, 8, 1, dtype=np.uint8)).save(tmp_path / "masks" / "a.png")
    assert photos[0].mask is None and "has changed since the set was opened" in photos[0].unmarked
    assert photos.changed()


def test_a_part_of_a_set_has_no_account_of_the_whole(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        plain(tmp_path / name)
    photos = images.load(tmp_path)
    assert photos.account is not None and images.subset(photos, [1]).account is None
    assert photos.counting_from(1).account is photos.account
