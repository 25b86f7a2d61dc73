from pathlib import Path

import pytest

from interp import images
from tests.images.drawing import coco, plain, voc

BUNDLED = len(images.available(None))


@pytest.fixture
def served(tmp_path: Path) -> Path:
    """A folder that a server offers, with things outside it that it must not give."""
    plain(tmp_path / "root" / "photos" / "cat" / "1.png")
    plain(tmp_path / "root" / "photos" / "dog" / "1.png")
    plain(tmp_path / "secret" / "1.png")
    coco(tmp_path / "root" / "photos.json", [{"id": 1, "file_name": "photos/cat/1.png"}], [])
    coco(tmp_path / "secret" / "marks.json", [{"id": 1, "file_name": "1.png"}], [])
    (tmp_path / "root" / "way-out").symlink_to(tmp_path / "secret")
    (tmp_path / "root" / "photos" / "cat" / "2.png").symlink_to(tmp_path / "secret" / "1.png")
    return tmp_path / "root"


def test_what_is_offered_can_be_loaded(served: Path) -> None:
    offers = images.available(served)
    sources = [offer.source for offer in offers]
    assert sources[:3] == ["scenes", "digits", "photographs"]
    assert {"photos", "photos.json", "photos/cat", "photos/dog"} <= set(sources)
    assert not any("way-out" in source for source in sources)
    for offer in offers[2:]:
        assert len(images.load(offer.source, root=served)) > 0, offer
    assert images.available(None) == offers[:BUNDLED]


def test_the_root_itself_is_offered_where_it_is_a_set(tmp_path: Path) -> None:
    plain(tmp_path / "1.png")
    offer = images.available(tmp_path)[BUNDLED]
    assert offer.title == tmp_path.name and images.load(offer.source, root=tmp_path).names == ("1.png",)


def test_a_folder_called_as_a_bundled_set_stays_reachable(tmp_path: Path) -> None:
    plain(tmp_path / "digits" / "1.png")
    (offer,) = [offer for offer in images.available(tmp_path)[BUNDLED:] if "digits" in offer.source]
    assert images.load(offer.source, root=tmp_path).names == ("1.png",)
    assert len(images.load("digits", root=tmp_path)) == 1797


def test_a_folder_of_many_classes_is_offered_once(tmp_path: Path) -> None:
    for i in range(40):
        plain(tmp_path / "set" / f"class-{i}" / "1.png")
    assert [offer.source for offer in images.available(tmp_path)[BUNDLED:]] == ["set"]


def test_many_sets_of_classes_are_all_offered(tmp_path: Path) -> None:
    for i in range(35):
        plain(tmp_path / f"set-{i}" / "cat" / "1.png")
    assert {f"set-{i}" for i in range(35)} <= {offer.source for offer in images.available(tmp_path)}


def test_voc_is_offered(tmp_path: Path) -> None:
    plain(tmp_path / "devkit" / "JPEGImages" / "1.png")
    voc(tmp_path / "devkit" / "Annotations" / "1.xml", "1.png", [("cat", 1, 1, 3, 3)], None)
    offers = {offer.source: offer for offer in images.available(tmp_path)}
    assert "devkit" in offers and images.load("devkit", root=tmp_path).annotated == {0}


@pytest.mark.parametrize(
    "source",
    ["..", "../secret", "way-out", "way-out/1.png", "photos/../../secret", "/etc", "/etc/passwd", "../no"],
)
def test_paths_outside_are_refused_in_the_same_words(served: Path, source: str) -> None:
    for options in ({}, {"annotations": source}):
        with pytest.raises(ValueError) as caught:
            images.load("photos" if options else source, root=served, **options)
        assert str(caught.value) == (
            f"'{source}' lies outside the folder that this server offers. Give a path inside it, relative to it."
        )
        assert not isinstance(caught.value, FileNotFoundError)


def test_an_absolute_path_inside_is_taken(served: Path) -> None:
    assert len(images.load(str(served / "photos" / "dog"), root=served)) == 1


def test_links_out_of_the_root_are_left_out(served: Path) -> None:
    photos = images.load("photos", root=served)
    assert photos.names == ("cat/1.png", "dog/1.png")
    assert [problem.name for problem in photos.problems] == ["cat/2.png"]
    assert "outside" in photos.problems[0].reason
    assert len(images.load(served / "photos")) == 3


def test_annotation_files_cannot_reach_out(served: Path) -> None:
    wanted = ["../secret/1.png", "photos/cat/2.png", "way-out/1.png", str(served.parent / "secret" / "1.png")]
    listed = [{"id": i, "file_name": name} for i, name in enumerate([*wanted, "photos/dog/1.png"])]
    coco(served / "all.json", listed, [])
    photos = images.load("all.json", root=served)
    assert photos.names == ("photos/dog/1.png",) and len(photos.problems) == len(wanted)
    (served / "index.csv").write_text("file\n" + "\n".join([*wanted, "photos/dog/1.png"]))
    assert images.load(".", root=served).names == ("photos/dog/1.png",)


def test_an_index_that_is_a_link_out_is_not_read(served: Path) -> None:
    (served.parent / "secret" / "index.csv").write_text("password\nhunter2\n")
    (served / "photos" / "index.csv").symlink_to(served.parent / "secret" / "index.csv")
    with pytest.raises(ValueError, match="leads outside") as caught:
        images.load("photos", root=served)
    assert "password" not in str(caught.value)


def test_a_coco_file_that_is_a_link_out_is_not_read(served: Path) -> None:
    marks = [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 2, 2]}]
    file = coco(served.parent / "secret" / "marks.json", [{"id": 1, "file_name": "1.png"}], marks)
    (served / "photos" / "dog" / "x.coco.json").symlink_to(file)
    photos = images.load("photos/dog", root=served)
    assert len(photos) == 1 and not photos.annotated and photos.labels == (None,)
    assert images.load(served / "photos" / "dog").annotated == {0}


def test_masks_and_boxes_that_are_links_out_are_not_read(served: Path) -> None:
    (served / "marks").mkdir()
    (served / "marks" / "1.png").symlink_to(served.parent / "secret" / "1.png")
    with pytest.raises(ValueError, match="holds neither annotations nor masks"):
        images.load("photos/dog", annotations="marks", root=served)
    file = voc(served.parent / "secret" / "1.xml", "1.png", [("password", 1, 1, 3, 3)], None)
    (served / "photos" / "dog" / "1.xml").symlink_to(file)
    assert images.load("photos/dog", root=served).labels == (None,)


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        ("nowhere", FileNotFoundError, "'nowhere' does not exist. Give 'scenes'"),
        ("", ValueError, "No image set is named"),
        ("a\0b", ValueError, "contains a null character"),
        ("x" * 5000, FileNotFoundError, "does not exist"),
        ("circle", FileNotFoundError, "'circle' does not exist"),
        ("photos/dog/1.png", ValueError, "1.png: this is neither a folder nor an annotation file"),
        ("empty", ValueError, "empty: the folder contains no pictures. Put JPEG"),
    ],
)
@pytest.mark.parametrize("rooted", [True, False])
def test_what_cannot_be_opened_is_named(
    served: Path, monkeypatch: pytest.MonkeyPatch, source: str, error: type, message: str, rooted: bool
) -> None:
    (served / "empty").mkdir()
    (served / "circle").symlink_to(served / "circle")
    monkeypatch.chdir(served)
    with pytest.raises(error, match=message):
        images.load(source, root=served if rooted else None)
