import json
from dataclasses import replace

import pytest

from interp.models.labels import match_labels, read_labels


@pytest.mark.parametrize(
    "name, text",
    [
        ("l.txt", "cat\nhot dog\nfish\n\n"),
        ("l.txt", "\ufeffcat\r\nhot dog\r\nfish\r\n"),
        ("l.json", json.dumps(["cat", "hot dog", "fish"])),
        ("l.json", json.dumps({"1": "hot dog", "0": "cat", "2": "fish"})),
        ("l.json", json.dumps({"fish": 2, "cat": 0, "hot dog": 1})),
        ("l.json", json.dumps({"0": ["n1", "cat"], "1": ["n2", "hot dog"], "2": ["n3", "fish"]})),
    ],
)
def test_labels_come_in_class_order(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert read_labels(tmp_path / name) == ("cat", "hot dog", "fish")


@pytest.mark.parametrize(
    "name, content, words",
    [
        ("l.txt", b"", "is empty"),
        ("l.txt", b"cat\n\nfish", "empty label in place 2"),
        ("l.txt", b"\xff\xfe\x00cat", "not text in UTF-8"),
        ("l.json", b"[1, 2", "not valid JSON"),
        ("l.json", b"[1, 2]", "holds no labels"),
        ("l.json", b'"cat"', "holds no labels"),
        ("l.json", b'{"0": "cat", "2": "fish"}', "from 0 to 1, each once"),
        ("l.json", b"[" * 100_000, "not valid JSON"),
    ],
)
def test_a_wrong_file_is_named(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=words) as raised:
        read_labels(tmp_path / name)
    assert str(tmp_path / name) in str(raised.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere.txt"):
        read_labels(tmp_path / "nowhere.txt")


def test_matching_by_name_ignores_case_and_joints(tiny):
    two = replace(tiny, labels=("tabby cat", "Dog, domestic dog", "fish"))
    found = match_labels(["Tabby_Cat", "domestic-dog", None, "bird", "fish, swimmer", "bird"], two)
    assert found.indices == (0, 1, None, None, 2, None)
    assert found.unmatched == ("bird",)
    assert found.by == "name"


def test_matching_by_index_and_by_wordnet_id(tiny):
    known = replace(tiny, wordnet_ids=("n1", "n2", "n3"))
    by_index = match_labels(["2", "0", "3"], known)
    assert (by_index.indices, by_index.by, by_index.unmatched) == ((2, 0, None), "index", ("3",))
    by_id = match_labels(["n3", "n1"], known)
    assert (by_id.indices, by_id.by) == ((2, 0), "wordnet id")


def test_the_way_that_matches_most_is_taken(tiny):
    numbered = replace(tiny, labels=("1", "2", "3"))
    found = match_labels(["1", "2", "3"], numbered)
    assert (found.indices, found.by) == ((0, 1, 2), "name")


def test_nothing_matches(tiny):
    found = match_labels(["bird", None, "١"], tiny)
    assert (found.indices, found.by, found.unmatched) == ((None, None, None), "nothing", ("bird", "١"))
    assert match_labels([], tiny).indices == ()


def test_a_name_of_two_classes_matches_none(tiny):
    twice = replace(tiny, labels=("crane", "Cat", "cat"))
    assert match_labels(["crane", "CAT", "cat"], twice).indices == (0, None, 2)
    imagenet = replace(tiny, labels=("crane bird", "crane", "fish"), wordnet_ids=("n02012849", "n03126707", "n3"))
    found = match_labels(["crane", "fish", "crane bird"], imagenet)
    assert (found.indices, found.unmatched) == ((None, 2, 0), ("crane",))
