import gc
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from interp import images
from interp.images.uploads import BLOCK, Depot, Uploads, megabytes


def png(grey: int) -> bytes:
    stream = io.BytesIO()
    Image.new("L", (5, 4), grey).save(stream, "PNG")
    return stream.getvalue()


def test_good_files_stay_and_bad_ones_are_named() -> None:
    photos = images.from_files([("a.png", png(1)), ("bad.jpg", b"text"), ("b.png", png(2)), ("", b"")], name="mine")
    assert photos.name == "mine" and photos.names == ("a.png", "b.png")
    assert [np.asarray(sample.image)[0, 0, 0] for sample in photos] == [1, 2]
    assert [problem.name for problem in photos.problems] == ["bad.jpg", ""]
    assert "not a picture" in photos.problems[0].reason and "empty" in photos.problems[1].reason


def test_pasted_files_of_one_name_stay_apart() -> None:
    photos = images.from_files([("image.png", png(1)), ("image.png", png(2))])
    assert photos.names == ("image.png", "image.png (2)")


def test_the_fingerprint_is_of_the_bytes() -> None:
    one = images.from_files([("a.png", png(1))]).fingerprint
    assert one == images.from_files([("a.png", png(1))]).fingerprint
    assert one != images.from_files([("a.png", png(2))]).fingerprint
    assert one != images.from_files([("b.png", png(1))]).fingerprint
    assert images.from_files([("a", png(1)), ("b", png(2))]).fingerprint != one


def test_nothing_but_bad_files_is_an_empty_set() -> None:
    photos = images.from_files([("bad.jpg", b"text")])
    assert len(photos) == 0 and len(photos.problems) == 1 and photos.labels == ()
    assert len(images.from_files([])) == 0


@pytest.fixture
def depot() -> Depot:
    return Depot(60_000)


def folder(depot: Depot) -> list[Path]:
    return sorted(Path(depot._folder.name).iterdir())


def noise(seed: int, side: int = 60) -> bytes:
    stream = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 255, (side, side, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(stream, "PPM")
    return stream.getvalue()


def test_what_is_kept_lies_on_disk_and_goes_when_nobody_uses_it(depot: Depot) -> None:
    mine = Uploads(depot, limit=40_000)
    assert mine.add([("a.png", png(1)), ("bad.jpg", b"text"), ("b.png", png(2))]) == 2
    assert [problem.name for problem in mine.refused] == ["bad.jpg"]
    photos = mine.image_set()
    assert photos.names == ("a.png", "b.png") and photos.problems == mine.refused
    assert [np.asarray(sample.image)[0, 0, 0] for sample in photos] == [1, 2]
    assert photos.fingerprint == images.from_files([("a.png", png(1)), ("b.png", png(2))]).fingerprint
    assert len(folder(depot)) == 2 and all(one.stat().st_mode & 0o077 == 0 for one in folder(depot))
    mine.discard(mine.files[0].digest)
    # A computation that is under way still reads it.
    assert np.asarray(photos[0].image)[0, 0, 0] == 1 and mine.budget.used == 2 * BLOCK
    del photos
    gc.collect()
    assert len(folder(depot)) == 1 and mine.budget.used == BLOCK == depot.budget.used
    mine.clear()
    gc.collect()
    assert not folder(depot) and not mine.budget.used and not depot.budget.used


def test_the_files_go_with_their_visitor(depot: Depot) -> None:
    mine = Uploads(depot, limit=40_000)
    mine.add([("a.png", png(1))])
    del mine
    gc.collect()
    assert not folder(depot) and not depot.budget.used


def test_a_visitor_who_has_gone_leaves_nothing(depot: Depot) -> None:
    mine = Uploads(depot, limit=40_000)
    mine.add([("a.png", png(1))])
    photos = mine.image_set()
    mine.close()
    assert not folder(depot) and not depot.budget.used and not mine.files
    with pytest.raises(images.UnreadableImage, match="a.png: the file is not there any more"):
        photos[0]
    mine.add([("b.png", png(2))])
    assert len(folder(depot)) == 1


def test_the_folder_goes_with_the_last_file() -> None:
    depot = Depot(60_000)
    mine = Uploads(depot, limit=40_000)
    place = Path(depot._folder.name)
    assert place.stat().st_mode & 0o077 == 0
    mine.add([("a.png", png(1))])
    del depot
    gc.collect()
    assert place.is_dir() and len(mine.image_set()[0].name)
    del mine
    gc.collect()
    assert not place.exists()


def test_each_visitor_and_all_together_have_a_budget(depot: Depot) -> None:
    mine, others = Uploads(depot, limit=25_000), Uploads(depot, limit=60_000)
    # 60 × 60 × 3 bytes, and a header of 13.
    assert mine.add([("a.ppm", noise(1)), ("b.ppm", noise(2)), ("c.ppm", noise(3)), ("d.png", png(1))]) == 2
    assert [problem.name for problem in mine.refused] == ["c.ppm", "d.png"]
    assert "do not fit into your 0.1 MB for uploads" in mine.refused[0].reason
    assert others.add([(f"{i}.ppm", noise(i)) for i in range(5)]) == 3
    assert "the server keeps 0.1 MB of all visitors' uploads" in others.refused[0].reason
    assert depot.budget.used == 5 * 10_813
    mine.clear()
    gc.collect()
    assert others.add([("z.ppm", noise(9))]) == 1 and not others.refused


def test_what_only_circles_hold_makes_room(depot: Depot) -> None:
    mine = Uploads(depot, limit=25_000)
    mine.add([("a.ppm", noise(1)), ("b.ppm", noise(2))])
    circle: list = [mine.files]
    circle.append(circle)
    gc.disable()
    try:
        del circle
        mine.clear()
        assert mine.lingering and len(folder(depot)) == 2
        assert mine.add([("c.ppm", noise(3))]) == 1
    finally:
        gc.enable()
    assert len(folder(depot)) == 1 and not mine.lingering


def test_a_full_disk_is_said_and_costs_no_budget(depot: Depot, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self, content: bytes) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Depot, "write", full)
    mine = Uploads(depot, limit=40_000)
    assert mine.add([("a.png", png(1))]) == 0
    assert "No space left on device" in mine.refused[0].reason and not mine.budget.used and not depot.budget.used


def test_the_same_file_twice_is_kept_once(depot: Depot) -> None:
    mine = Uploads(depot, limit=40_000)
    assert mine.add([("a.png", png(1)), ("a.png", png(1)), ("a.png", png(2))]) == 2
    assert mine.refused[0].reason == "it is among your uploads already."
    assert mine.image_set().names == ("a.png", "a.png (2)")


@pytest.mark.parametrize(("size", "said"), [(1, "0.1"), (800_000, "0.8"), (1_000_000, "1"), (45_300_000, "45")])
def test_sizes_are_said_in_megabytes(size: int, said: str) -> None:
    assert megabytes(size) == said
