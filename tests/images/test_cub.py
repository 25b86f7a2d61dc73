from pathlib import Path

from interp import images
from tests.images.drawing import plain

BIRDS = ("001.Black_footed_Albatross/B_0001.jpg", "002.Laysan_Albatross/L_0002.jpg")


def birds(root: Path) -> Path:
    for name in BIRDS:
        plain(root / "images" / name, size=(40, 30))
    (root / "images.txt").write_text("".join(f"{i} {name}\n" for i, name in enumerate(BIRDS, 1)))
    (root / "classes.txt").write_text("1 001.Black_footed_Albatross\n2 002.Laysan_Albatross\n")
    (root / "image_class_labels.txt").write_text("1 1\n2 2\n")
    (root / "bounding_boxes.txt").write_text("1 10.0 5.0 20.0 10.0\n2 0.0 0.0 -4.0 3.0\n")
    (root / "train_test_split.txt").write_text("1 0\n2 1\n")
    (root / "parts").mkdir()
    (root / "parts" / "parts.txt").write_text("1 back\n2 beak\n")
    return root


def test_the_birds_have_their_boxes_and_classes(tmp_path: Path) -> None:
    photos = images.load(birds(tmp_path / "CUB_200_2011"))
    assert photos.labels == ("001.Black_footed_Albatross", "002.Laysan_Albatross")
    assert photos[0].mask.sum() == 200 and photos[0].mask[5:15, 10:30].all() and photos[1].mask is None
    assert photos.account.marks == {"used": 1, "that cannot be drawn": 1}
    assert photos.account.files == {
        "pictures of the set": 2,
        "annotation files": 4,
        "annotations and text, not used": 2,
    }
    assert any(one.name == "bounding_boxes.txt, picture 2" for one in photos.problems)


def test_in_one_folder_the_files_say_the_class(tmp_path: Path) -> None:
    birds(tmp_path)
    for name in BIRDS:
        (tmp_path / "images" / name).rename(tmp_path / "images" / Path(name).name)
        (tmp_path / "images" / name).parent.rmdir()
    photos = images.load(tmp_path)
    assert photos.labels == ("001.Black_footed_Albatross", "002.Laysan_Albatross") and photos.annotated == {0}


def test_another_list_of_pictures_is_none_of_these(tmp_path: Path) -> None:
    birds(tmp_path)
    for text in ("one two\n", "\0", "1\n", b"\xff\xfe"):
        content = text if isinstance(text, bytes) else text.encode()
        (tmp_path / "images.txt").write_bytes(content)
        photos = images.load(tmp_path)
        assert len(photos) == 2 and not photos.annotated
        assert sum(photos.account.files.values()) == 8
