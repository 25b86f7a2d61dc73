"""Parts of a set that are counted one by one add up to the bits of one run over it; what does not fit is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from interp import images, models
from interp.class_summary import files, part_files, summarize
from interp.class_summary.__main__ import main
from interp.class_summary.parts import SummaryPart, count_part, merge
from interp.images import ImageSet
from interp.types import Classifier
from interp.units.counting import UnitPass
from tests.class_summary.sets import pictures

LABELS = ("cat", "dog", None, "cat", "cat", "horse", "dog", None, "dog")
BROKEN = (3, 7)


def through_files(parts: list[SummaryPart], folder: Path) -> dict[str, SummaryPart]:
    found = {}
    for part in parts:
        path = folder / f"part{part.number}.npz"
        part_files.save(part, path)
        found[path.name] = part_files.load(path)
        assert found[path.name].fingerprint == part.fingerprint
    return found


@pytest.mark.parametrize("of", [1, 2, 3, 9])
@pytest.mark.parametrize("by", ["labels", "predictions"])
def test_parts_add_up_to_the_whole(tiny: Classifier, tmp_path: Path, of: int, by) -> None:
    photos = pictures(tiny, LABELS, broken=BROKEN)
    whole = summarize(tiny, photos, by=by)
    parts = [count_part(tiny, photos, number, of, by=by) for number in range(of, 0, -1)]
    found = merge(through_files(parts, tmp_path))
    assert found.fingerprint == whole.fingerprint and len(found.problems) == 2
    assert found.unlabelled == (2 if by == "labels" else 0)


@pytest.mark.slow
def test_three_parts_of_forty_scenes_are_the_file_of_one_run(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    classifier, photos = models.load("scenes-honest", device="cpu"), images.load("scenes:40")
    assert len(photos) == 40
    layers = ["mixed3a", "mixed3b", "mixed4a"]
    given = ["run", "scenes-honest", "scenes:40", "--device", "cpu", "--layers", ",".join(layers)]
    parts = [str(tmp_path / f"part{number}.npz") for number in (1, 2, 3)]
    for number, part in zip((1, 2, 3), parts, strict=True):
        assert main([*given, "--part", f"{number}/3", "-o", part]) == 0
    assert "part 3/3 of scenes" in capsys.readouterr().out.lower()
    assert main(["merge", parts[2], parts[0], parts[1], "-o", str(tmp_path / "merged.npz")]) == 0
    assert "40 images of 10 of 10 classes" in capsys.readouterr().out
    files.save(summarize(classifier, photos, layers), tmp_path / "whole.npz")
    assert (tmp_path / "merged.npz").read_bytes() == (tmp_path / "whole.npz").read_bytes()


def test_parts_are_chunks_of_the_pass_over_the_whole(tiny: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are enough of them; then the same images run together."""
    batches: list[list[int]] = []
    running = UnitPass.run

    def run(work, classifier, items, context, seen):
        batches.append([one.input.position for one in seen])
        return running(work, classifier, items, context, seen)

    monkeypatch.setattr(UnitPass, "run", run)
    monkeypatch.setattr(UnitPass, "batch_size", lambda *given: 5)
    photos = pictures(tiny, ("cat", "dog") * 150)
    whole = summarize(tiny, photos)
    expected, batches[:] = list(batches), []
    parts = {str(number): count_part(tiny, photos, number, 2) for number in (1, 2)}
    assert batches == expected and merge(parts).fingerprint == whole.fingerprint
    assert [one.read for one in parts.values()] == [96, 204]
    batches.clear()
    # The pass has four chunks.
    parts = {str(number): count_part(tiny, photos, number, 5) for number in range(1, 6)}
    assert batches != expected and merge(parts).fingerprint == whole.fingerprint
    assert [one.read for one in parts.values()] == [60] * 5


def test_a_part_may_have_no_class_and_a_set_may_not(tiny: Classifier, tmp_path: Path) -> None:
    photos = pictures(tiny, ("cat", None, None, None))
    parts = [count_part(tiny, photos, number, 2) for number in (1, 2)]
    assert not parts[1].marks[0].images.any()
    assert merge(through_files(parts, tmp_path)).fingerprint == summarize(tiny, photos).fingerprint
    with pytest.raises(ValueError, match="has a label that is a class of tiny-0"):
        count_part(tiny, pictures(tiny, (None, "sofa")), 1, 2)
    broken = pictures(tiny, ("cat", "dog"), broken=(0, 1))
    with pytest.raises(ValueError, match="No image of pictures could be read"):
        merge({str(number): count_part(tiny, broken, number, 2) for number in (1, 2)})
    with pytest.raises(ValueError, match="No parts are given"):
        merge({})


@pytest.mark.parametrize(
    ("number", "of", "said"),
    [(0, 2, "no part 0/2: the 2 parts are 1/2 to 2/2"), (3, 2, "no part 3/2"), (1, 5, "4 images make no 5 parts")],
)
def test_a_part_that_there_is_not_is_refused(tiny: Classifier, number: int, of: int, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        count_part(tiny, pictures(tiny, ("cat",) * 4), number, of)


@pytest.fixture
def folder(tiny: Classifier, tmp_path: Path) -> Path:
    """Two parts of a set, as `part1.npz` and `part2.npz`."""
    photos = pictures(tiny, LABELS, broken=BROKEN)
    through_files([count_part(tiny, photos, number, 2) for number in (1, 2)], tmp_path)
    return tmp_path


DIFFERENT: dict[str, tuple[Callable[[Classifier, ImageSet], SummaryPart], str]] = {
    "weights": (
        lambda tiny, photos: count_part(replace(tiny, fingerprint="other"), photos, 2, 2),
        "different classifiers: both are called tiny-0",
    ),
    "names": (
        lambda tiny, photos: count_part(replace(tiny, name="large"), photos, 2, 2),
        "different classifiers: tiny-0 and large",
    ),
    "labels of the set": (
        lambda tiny, photos: count_part(tiny, pictures(tiny, ("dog", *LABELS[1:])), 2, 2),
        "different sets of images: both are called pictures",
    ),
    "images of the set": (
        lambda tiny, photos: count_part(tiny, pictures(tiny, LABELS[:-1], name="fewer"), 2, 2),
        "different sets of images: pictures and fewer",
    ),
    "layers": (
        lambda tiny, photos: replace(count_part(tiny, photos, 2, 2), layers=("conv1", "other")),
        "different layers: 'conv1, conv2' and 'conv1, other'",
    ),
    "share": (lambda tiny, photos: count_part(tiny, photos, 2, 2, share=0.01), "different shares: 0.03 and 0.01"),
    "parts": (lambda tiny, photos: count_part(tiny, photos, 2, 3), "different numbers of parts: 2 and 3"),
    "classes": (
        lambda tiny, photos: replace(count_part(tiny, photos, 2, 2), by="predictions"),
        "different ways to count images: by labels and by predictions",
    ),
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_parts_of_different_things_are_refused(
    tiny: Classifier, folder: Path, what: str, capsys: pytest.CaptureFixture
) -> None:
    made, said = DIFFERENT[what]
    part_files.save(made(tiny, pictures(tiny, LABELS, broken=BROKEN)), folder / "part2.npz")
    one, two, to = (str(folder / name) for name in ("part1.npz", "part2.npz", "summary.npz"))
    assert main(["merge", one, two, "-o", to]) == 1
    assert f"{one} and {two} are of {said}" in capsys.readouterr().err and not Path(to).exists()


def test_a_part_that_is_missing_or_given_twice_is_refused(folder: Path, capsys: pytest.CaptureFixture) -> None:
    one, two, to = (str(folder / name) for name in ("part1.npz", "part2.npz", "summary.npz"))
    assert main(["merge", two, "-o", to]) == 1
    assert "Of the 2 parts there is no 1/2: give all of them." in capsys.readouterr().err
    assert main(["merge", one, two, one, "-o", to]) == 1
    assert f"{one} is given twice" in capsys.readouterr().err
    copy = str(folder / "copy.npz")
    Path(copy).write_bytes(Path(one).read_bytes())
    assert main(["merge", one, two, copy, "-o", to]) == 1
    assert f"{one} and {copy} are both part 1/2: give each once." in capsys.readouterr().err
    assert main(["merge", one, two, "-o", str(folder / "none" / "summary.npz")]) == 1
    assert "There is no folder" in capsys.readouterr().err and not Path(to).exists()


@pytest.mark.parametrize("part", ["2", "2/", "two/8", "0/0", "9/8", "-1/8", "1/8/8"])
def test_a_command_for_no_part_is_refused(part: str, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    given = ["run", "scenes-honest", "scenes:20", "--device", "cpu", f"--part={part}", "-o", str(tmp_path / "a.npz")]
    assert main(given) == 1
    assert "part" in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_what_is_no_part_is_refused(tiny: Classifier, folder: Path, capsys: pytest.CaptureFixture) -> None:
    one, other, to = (str(folder / name) for name in ("part1.npz", "other.npz", "summary.npz"))
    files.save(summarize(tiny, pictures(tiny, LABELS)), Path(other))
    assert main(["merge", one, other, "-o", to]) == 1
    assert f"{other} is no part of a class summary: it says that it is 'class summary'." in capsys.readouterr().err
    Path(other).write_text("text")
    assert main(["merge", one, other, "-o", to]) == 1
    assert "those are .npz files, which this is not" in capsys.readouterr().err
    assert main(["merge", one, str(folder / "none.npz"), "-o", to]) == 1
    assert "none.npz" in capsys.readouterr().err
    with pytest.raises(ValueError, match="is no class summary: it says that it is 'part of a class summary'"):
        files.load(Path(one))


def changed(path: Path, about: dict[str, object], entries: dict[str, object]) -> Path:
    """The file with other arrays; of those named None there are none."""
    with np.load(path) as arrays:
        kept = {name: arrays[name] for name in arrays.files}
    said = json.loads(str(kept.pop("about"))) | about
    kept |= {"about": np.array(json.dumps(said))} | {name: np.asarray(one) for name, one in entries.items()}
    np.savez(path, allow_pickle=False, **{name: one for name, one in kept.items() if entries.get(name, "") is not None})
    return path


@pytest.mark.parametrize(
    ("about", "entries"),
    [
        ({}, {"counts_1": None}),
        ({}, {"counts_1": np.zeros((2, 3, 5), np.int32)}),
        ({}, {"images": np.arange(4)}),
        ({}, {"gaps_0": np.array([5])}),
        ({}, {"gaps_0": np.full(3, 2**40), "numbers_0": np.ones(3, np.int64)}),
        # A candidate, or a channel, that there is not.
        ({}, {"gaps_0": np.array([200]), "numbers_0": np.array([1])}),
        ({}, {"channels_0_1": np.array([0, 1, 2, 70])}),
        ({}, {"joints_0_1": np.array([0, 0, 0, 1])}),
        ({"labels": ["cat"]}, {}),
        ({"layers": ["conv1"]}, {}),
        ({"layers": ["conv1", "conv2", "conv3"]}, {}),
        ({"share": 0.5}, {}),
        ({"by": "guesses"}, {}),
        ({"number": 3}, {}),
        ({"wirings": []}, {}),
        ({"problems": 3}, {}),
    ],
    ids=str,
)
def test_a_part_whose_tables_do_not_fit_is_damaged(
    folder: Path, about: dict[str, object], entries: dict[str, object]
) -> None:
    with pytest.raises(ValueError, match=r"part1.npz is a part of a class summary that is damaged"):
        part_files.load(changed(folder / "part1.npz", about, entries))


def test_a_part_that_is_cut_or_changed_is_damaged(folder: Path) -> None:
    path = folder / "part1.npz"
    whole, expected = path.read_bytes(), part_files.load(path).fingerprint
    for length in (len(whole) // 3, len(whole) - 30):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="damaged"):
            part_files.load(path)
    for place in range(100, len(whole), 41):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
        try:
            assert part_files.load(path).fingerprint == expected
        except ValueError as error:
            assert "part1.npz" in str(error)
