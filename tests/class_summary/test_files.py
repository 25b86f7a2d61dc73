"""A class summary comes back from its file as it was; what is no such file, or not whole, is said to be so."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from interp.class_summary import ClassSummary, files, summarize
from interp.class_summary.__main__ import main
from interp.types import Classifier
from tests.class_summary.sets import pictures


@pytest.fixture
def summary(tiny: Classifier) -> ClassSummary:
    return summarize(tiny, pictures(tiny, ("cat", "dog", None, "cat", "cat"), broken=(3,)))


@pytest.fixture
def saved(summary: ClassSummary, tmp_path: Path) -> Path:
    path = tmp_path / "summary.npz"
    files.save(summary, path)
    return path


def test_it_comes_back_as_it_was(summary: ClassSummary, saved: Path) -> None:
    found = files.load(saved)
    assert found.fingerprint == summary.fingerprint
    assert (found.of_class(0).influences["conv1", "conv2"] == summary.of_class(0).influences["conv1", "conv2"]).all()
    left_out = {pair: ("attention",) for pair in summary.left_out}
    files.save(replace(summary, left_out=left_out), saved)
    assert files.load(saved).left_out == left_out
    assert [one.name for one in saved.parent.iterdir()] == ["summary.npz"]


def test_it_says_by_what_images_were_counted_and_older_files_were_by_labels(summary: ClassSummary, saved: Path) -> None:
    files.save(replace(summary, by="predictions"), saved)
    assert files.load(saved).by == "predictions"
    with np.load(saved) as arrays:
        about = json.loads(str(arrays["about"]))
    del about["by"]
    older = {"format": 1, "about": np.array(json.dumps(about | {"format": 1}))}
    with np.load(saved) as arrays:
        np.savez(saved, allow_pickle=False, **({one: arrays[one] for one in arrays.files} | {"about": older["about"]}))
    assert files.load(saved).fingerprint == summary.fingerprint and files.load(saved).by == "labels"


def test_equal_summaries_are_equal_files(summary: ClassSummary, saved: Path) -> None:
    before = saved.read_bytes()
    files.save(files.load(saved), saved)
    assert saved.read_bytes() == before


def changed(path: Path, **entries: object) -> Path:
    """The file with other arrays; of those named None there are none."""
    with np.load(path) as arrays:
        kept = {name: arrays[name] for name in arrays.files}
    about = json.loads(str(kept.pop("about"))) | entries.pop("about", {})  # pyright: ignore[reportOperatorIssue]
    kept |= {"about": np.array(json.dumps(about))} | entries
    arrays = {name: np.asarray(one) for name, one in kept.items() if one is not None}
    np.savez(path, allow_pickle=False, **arrays)
    return path


def test_what_is_no_summary_is_refused(saved: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.npz"
    other.write_text("not a file of arrays")
    with pytest.raises(ValueError, match=r"other.npz is no class summary: those are \.npz files"):
        files.load(other)
    np.savez(other, a=np.arange(3))
    with pytest.raises(ValueError, match=r"other.npz is no class summary: it says nothing"):
        files.load(other)
    with pytest.raises(OSError, match=r"none.npz"):
        files.load(tmp_path / "none.npz")
    with pytest.raises(ValueError, match="written by a newer Loupe, in format 3"):
        files.load(changed(saved, about={"format": 3}))
    with pytest.raises(ValueError, match="it says that it is 'atlas'"):
        files.load(changed(saved, about={"kind": "atlas"}))


@pytest.mark.parametrize(
    "entries",
    [
        {"counts_1": None},
        {"images": np.arange(4)},
        {"starts_0": np.zeros(4, np.int64)},
        {"gaps_0": None},
        {"about": {"labels": ["cat"]}},
        {"about": {"layers": ["conv1", "conv2", "conv3"]}},
        {"about": {"problems": 3}},
        {"about": {"by": "guesses"}},
        {"counts_0": np.array("text")},
    ],
    ids=str,
)
def test_tables_that_do_not_fit_are_named_damaged(saved: Path, entries: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="summary.npz is a class summary that is damaged"):
        files.load(changed(saved, **entries))


def test_a_file_that_is_cut_or_changed_is_damaged(saved: Path) -> None:
    whole = saved.read_bytes()
    for length in (len(whole) // 3, len(whole) - 30):
        saved.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="damaged"):
            files.load(saved)
    for place in range(100, len(whole), 41):
        saved.write_bytes(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
        try:
            files.load(saved)
        except ValueError as error:
            assert "summary.npz" in str(error)


def test_writing_that_fails_leaves_what_was_there(
    summary: ClassSummary, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = saved.read_bytes()

    def broken(*arguments: object, **keywords: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(np, "savez_compressed", broken)
    with pytest.raises(OSError, match="No space"):
        files.save(summary, saved)
    assert saved.read_bytes() == before and [one.name for one in saved.parent.iterdir()] == ["summary.npz"]


def test_the_command_counts_a_bundled_set(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    from interp import images

    load = images.load
    monkeypatch.setattr(images, "load", lambda place: few(load(place)))
    path = tmp_path / "summary.npz"
    assert main(["run", "scenes-honest", "scenes", "-o", str(path), "--device", "cpu", "--share", "0.01"]) == 0
    said = capsys.readouterr()
    found = files.load(path)
    assert found.share == 0.01 and found.images.sum() == 12 and "12 images" in said.out and "12 of 12" in said.err
    assert main(["run", "scenes-honest", "scenes", "-o", str(path), "--layers", "nothing,more"]) == 1
    assert "no layer 'nothing'" in capsys.readouterr().err
    assert main(["run", "scenes-honest", "scenes", "-o", str(tmp_path / "none" / "summary.npz")]) == 1
    assert "There is no folder" in capsys.readouterr().err


def few(photos):
    """The first twelve images of a set."""
    from interp.images import ImageSet

    return ImageSet(
        name=photos.name, description="", fingerprint="few", names=photos.names[:12],
        read=photos._read, label_forms={"label": photos.labels[:12]},
    )  # fmt: skip


def test_a_small_file_that_unpacks_to_more_than_there_is_memory_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LARGEST", 1000)
    content = io.BytesIO()
    np.savez_compressed(content, zeros=np.zeros(10_000))
    with pytest.raises(ValueError, match="would take .* GB in memory"):
        files.unpacked(content.getvalue(), "large.npz")
