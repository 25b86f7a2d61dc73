"""What lies in a models folder costs its own entry in the picker, and nobody else's."""

import os
import re
import unicodedata
from pathlib import Path

import pytest

from interp import models
from interp.models import own_files

RANDOM = 'architecture = "squeezenet1_1"\nweights = "random"\nlabels = ["bee", "moth"]\n'


def offered(folder: Path) -> dict[str, models.Offer]:
    return {offer.name: offer for offer in models.available(folder) if offer.group == "own"}


def put(path: Path, content: str | bytes = RANDOM) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_files_in_subfolders_are_offered_under_their_paths_and_found_by_a_stem_of_their_own(tmp_path: Path):
    put(tmp_path / "birds" / "model.toml")
    put(tmp_path / "cats" / "model.toml")
    put(tmp_path / "cats" / "deep" / "tabby.toml")
    put(tmp_path / ".hidden" / "no.toml")
    assert list(offered(tmp_path)) == ["birds/model", "cats/deep/tabby", "cats/model"]
    assert [offer.title for offer in offered(tmp_path).values()] == list(offered(tmp_path))
    find = own_files.find
    assert find("birds/model", tmp_path) == find("birds/model.toml", tmp_path) == tmp_path / "birds" / "model.toml"
    assert find("tabby", tmp_path) == tmp_path / "cats" / "deep" / "tabby.toml"
    with pytest.raises(ValueError, match="model may mean birds/model or cats/model"):
        find("model", tmp_path)
    assert models.load("birds/model", folder=tmp_path, device="cpu").name == "birds/model (random weights)"


def test_a_file_in_a_subfolder_takes_no_other_classifiers_name(tmp_path: Path):
    put(tmp_path / "old" / "squeezenet1_0.toml")
    assert own_files.find("squeezenet1_0", tmp_path, {"squeezenet1_0"}.__contains__) is None
    assert {"old/squeezenet1_0", "squeezenet1_0"} <= {offer.name for offer in models.available(tmp_path)}
    put(tmp_path / "squeezenet1_0.toml")
    assert own_files.find("squeezenet1_0", tmp_path, {"squeezenet1_0"}.__contains__) is not None


def test_spaces_and_accents_of_both_kinds(tmp_path: Path):
    composed, apart = (unicodedata.normalize(form, "Käfer é") for form in ("NFC", "NFD"))
    put(tmp_path / "Schöne Tiere" / f"{apart}.toml")
    assert own_files.find(composed, tmp_path) == tmp_path / "Schöne Tiere" / f"{apart}.toml"
    both = put(tmp_path / "Schöne Tiere" / f"{composed}.toml")
    assert own_files.find(f"Schöne Tiere/{composed}", tmp_path) == both


def test_whatever_a_file_does_costs_its_own_entry(tmp_path: Path):
    put(tmp_path / "good.toml")
    put(tmp_path / "brackets.toml", "a = " + "[" * 5000)
    put(tmp_path / "digits.toml", f'architecture = "squeezenet1_1"\nmean = [{"9" * 400}, 1, 1]')
    put(tmp_path / "more-digits.toml", f'architecture = "squeezenet1_1"\nresize = {"9" * 5000}')
    put(tmp_path / "noise.toml", bytes(range(256)))
    put(tmp_path / "long.toml", f'architecture = "{"a" * 5000}.py:build"')
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "broken-link.toml").symlink_to(tmp_path / "nowhere")
    (tmp_path / "circle.toml").symlink_to(tmp_path / "circle.toml")
    (tmp_path / "round").mkdir()
    (tmp_path / "round" / "again").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe.toml")
    put(Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.toml")))
    notes = {name: offer.note for name, offer in offered(tmp_path).items()}
    for name, words in {
        "brackets": "nested too deeply",
        "digits": "mean = .*408 characters",
        "more-digits": "thousands of digits",
        "noise": "UTF-8",
        "long": "at most 255 characters",
        "folder": "is a folder",
        "broken-link": "no file",
        "circle": "cannot be read",
        "pipe": "no ordinary file",
        "?": "not text in UTF-8",
    }.items():
        assert re.search(words, notes.pop(name)), name
    assert notes == {"good": ""}


def test_a_folder_that_is_gone_or_closed_offers_what_is_bundled_and_says_so(tmp_path: Path, monkeypatch):
    gone = tmp_path / "gone"
    assert [offer.name for offer in models.available(gone)] == [offer.name for offer in models.available()]
    assert "gone, cannot be read (No such file" in (models.folder_problem(gone) or "")
    assert models.stamps("mine", gone) == ()
    put(tmp_path / "open.toml")
    assert models.folder_problem(tmp_path) is None
    (tmp_path / "closed").mkdir()
    scan = os.scandir

    def closed(path):
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    # Whoever runs the tests may read everything.
    monkeypatch.setattr(os, "scandir", closed)
    assert list(offered(tmp_path)) == ["open"]
    assert "closed, cannot be read (Permission denied)" in (models.folder_problem(tmp_path) or "")


def test_a_folder_of_too_many_files_is_said_to_be_one(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(own_files, "MOST_FILES", 3)
    for number in range(5):
        put(tmp_path / f"{number}.toml")
    assert len(offered(tmp_path)) == 3
    assert "more than 3 TOML files" in (models.folder_problem(tmp_path) or "")


def test_stamps_change_with_every_file_that_takes_part(tmp_path: Path):
    toml = put(tmp_path / "a" / "mine.toml", 'architecture = "net.py:b"\nlabels = "l.txt"\nweights = "w.pt"\n')
    files = [
        put(tmp_path / "a" / "net.py", "def b():\n    from part.inner import x\n"),
        put(tmp_path / "a" / "part" / "inner.py", "x = 1\n"),
        put(tmp_path / "a" / "l.txt", "bee\n"),
        put(tmp_path / "a" / "w.pt", "1"),
        toml,
    ]
    other = put(tmp_path / "a" / "other.py", "y = 1\n")
    before = models.stamps("a/mine", tmp_path)
    other.write_text("y = 22\n")
    assert models.stamps("a/mine", tmp_path) == before
    for file in files:
        file.write_bytes(file.read_bytes() + b"#")
        assert models.stamps("a/mine", tmp_path) != before, file
        before = models.stamps("a/mine", tmp_path)
    assert models.stamps("resnet18", tmp_path) == ()
