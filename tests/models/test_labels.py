import json
from dataclasses import replace

import pytest

from interp.models.labels import match_labels, read, read_labels


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


BEES = ("bee", "moth, hawk", "wasp")


@pytest.mark.parametrize(
    "name, text",
    [
        ("l.csv", 'index,label\n0,bee\n1,"moth, hawk"\n2,wasp\n'),
        ("l.csv", "id;name\r\n0;bee\r\n1;moth, hawk\r\n2;wasp\r\n"),
        ("l.csv", '0,bee\n1,"moth, hawk"\n2,wasp'),
        ("l.csv", '2,wasp\n0,bee\n1,"moth, hawk"'),
        ("l.txt", "0,bee\n1,moth, hawk\n2,wasp"),
        ("l.csv", 'bee,0\n"moth, hawk",1\nwasp,2'),
        ("l.tsv", "bee\t0\nmoth, hawk\t1\nwasp\t2"),
        ("l.txt", "0 bee\n1 moth, hawk\n2 wasp"),
        ("l.txt", "0: bee\n1: moth, hawk\n2: wasp"),
        ("l.txt", "1 bee\n2 moth, hawk\n3 wasp"),
        ("l.txt", "{0: 'bee',\n 1: 'moth, hawk',\n 2: 'wasp'}"),
        ("l.txt", "names = ['bee', 'moth, hawk', 'wasp']"),
        ("l.txt", '{"wasp": 2, "bee": 0, "moth, hawk": 1}'),
        ("l.txt", "'bee'\n'moth, hawk'\n'wasp'"),
        ("l.txt", '"bee",\n"moth, hawk",\n"wasp",'),
        ("l.csv", 'label\nbee\n"moth, hawk"\nwasp'),
        ("l.csv", 'wnid,index,name\nn3,2,wasp\nn1,0,bee\nn2,1,"moth, hawk"'),
        ("n.yaml", "# of a data set\nnc: 3\nnames:\n  0: bee\n  1: 'moth, hawk'  # big\n  2: wasp\ntrain: a/b\n"),
        ("n.yaml", "names: {0: bee, 1: 'moth, hawk', 2: wasp}\n"),
        ("n.yml", 'nc: 3\nnames: [bee,\n  "moth, hawk", wasp]\n'),
        ("n.yaml", "names:\n- bee\n- moth, hawk\n- wasp\nval: x"),
        ("config.json", '{"id2label": {"0": "bee", "1": "moth, hawk", "2": "wasp"}, "depth": 3}'),
    ],
)
def test_labels_are_found_in_the_forms_that_people_have(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8")
    found = read(tmp_path / name)
    assert found.names == BEES
    assert found.findings[0].kind == "recognized" and "3 labels, from 'bee' to 'wasp'" in found.findings[0].text
    assert [one.text for one in found.findings[1:]] == (
        ["l.txt counts from 1: its label 1 is the first class."] if text.startswith("1 ") else []
    )


def test_wordnet_ids_beside_the_labels_are_taken(tmp_path):
    (tmp_path / "l.txt").write_text("n01440764 tench, Tinca tinca\nn01443537 goldfish\n")
    found = read(tmp_path / "l.txt")
    assert found.names == ("tench, Tinca tinca", "goldfish")
    assert found.wordnet_ids == ("n01440764", "n01443537")
    (tmp_path / "l.json").write_text('{"1": ["n01443537", "goldfish"], "0": ["n01440764", "tench, Tinca tinca"]}')
    assert read(tmp_path / "l.json").wordnet_ids == found.wordnet_ids


@pytest.mark.parametrize(
    "text, names",
    [
        ("1 euro\n2 euro", ("1 euro", "2 euro")),
        ("tench, Tinca tinca\ngoldfish, Carassius auratus", ("tench, Tinca tinca", "goldfish, Carassius auratus")),
        ("[unknown]\ncat", ("[unknown]", "cat")),
        ("0\n1\n2", ("0", "1", "2")),
        ("4x4 car\n2 wheels", ("4x4 car", "2 wheels")),
        ('6" nail\n8" nail', ('6" nail', '8" nail')),
    ],
)
def test_names_that_look_like_something_else_stay_as_they_are(tmp_path, text, names):
    (tmp_path / "l.txt").write_text(text)
    assert read_labels(tmp_path / "l.txt") == names


@pytest.mark.parametrize(
    "name, content, words",
    [
        ("l.txt", "{0: 'bee',\n 1: 'moth'", "neither. Give one label a line, or mend its brackets"),
        ("l.txt", "[" * 100_000, "neither"),
        ("l.txt", "{" + "'a':" * 100_000, "neither"),
        ("l.txt", "{0: 'bee', 0: 'moth'}", "from 0 to 1, each once"),
        ("l.txt", "item {\n  id: 1\n  name: 'bee'\n}", "part of a table in some notation"),
        ("l.csv", "bee,apis\nmoth,sphinx", "which of its columns are the labels"),
        ("l.csv", "0,bee\n2,moth", "from 0 to 1, each once|which of its columns"),
        ("l.txt", "0,bee\n2,moth", "from 0 to 1, each once|which of its columns"),
        ("l.txt", "n02119789 1 kit_fox\nn02100735 2 setter", "which of the two the network goes by"),
        ("n.yaml", "names: &a\n  - bee", "YAML cannot be read at '&a'"),
        ("n.yaml", "names:\n  0: [a, b]", "YAML cannot be read"),
        ("l.txt", b"\xea\xee\xf8\xea\xe0", "not text in UTF-8"),
        ("l.txt", b"caf\xe8", "not text in UTF-8"),
        ("l.txt", b"cat\0dog", "not text in UTF-8"),
        ("l.txt", "cat\x07", "is no text"),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=words) as raised:
        read(tmp_path / name)
    assert str(tmp_path / name) in str(raised.value)


@pytest.mark.parametrize(("encoding", "said"), [("cp1252", "Windows-1252"), ("utf-16", "UTF-16")])
def test_another_encoding_is_read_where_it_is_sure_and_said(tmp_path, encoding, said):
    (tmp_path / "l.txt").write_bytes("Käfer\nBüffel\n".encode(encoding))
    found = read(tmp_path / "l.txt")
    assert found.names == ("Käfer", "Büffel")
    assert [one.text for one in found.findings if one.kind == "guessed"] == [f"l.txt was read as {said}."]


def test_nothing_in_a_file_of_labels_runs(tmp_path):
    ran = tmp_path / "ran"
    payload = f"__import__('pathlib').Path({str(ran)!r}).touch()"
    for name, text in {
        "a.txt": f"{{0: {payload}}}",
        "b.txt": f"[{payload}]",
        "c.json": f"[{payload}]",
        "d.yaml": f"names: !!python/object/apply:os.system ['touch {ran}']",
        "e.yaml": f"!!python/object/apply:os.system ['touch {ran}']",
    }.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(ValueError):
            read(tmp_path / name)
    assert not ran.exists()


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
    by_index = match_labels(["2", "0", "bird"], known)
    assert (by_index.indices, by_index.by, by_index.unmatched) == ((2, 0, None), "index", ("bird",))
    by_id = match_labels(["n3", "n1"], known)
    assert (by_id.indices, by_id.by) == ((2, 0), "wordnet id")


@pytest.mark.parametrize("numbers", [("1", "2", "3"), ("0", "2", "999")])
def test_numbers_beyond_the_classes_are_none_of_them(tiny, numbers: tuple[str, ...]):
    """They count from 1, or are another classifier's classes: to take those that fit would be wrong in silence."""
    found = match_labels(numbers, tiny)
    assert (found.indices, found.by, found.unmatched) == ((None, None, None), "nothing", numbers)


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


def test_the_other_of_two_labels_is_the_negation_of_a_single_one(tiny):
    binary = replace(tiny, labels=("not sick", "sick"), link="sigmoid")
    found = match_labels(["healthy", "Sick", None, "healthy"], binary)
    assert (found.indices, found.unmatched, found.negation) == ((0, 1, None, 0), (), "healthy")
    # Two others, or no label that is known, say nothing.
    for labels in (["healthy", "sick", "dead"], ["healthy", "ill"], ["healthy"]):
        assert match_labels(labels, binary).negation is None
    own = replace(tiny, labels=("fine", "sick"), link="sigmoid")
    assert match_labels(["healthy", "sick"], own).unmatched == ("healthy",)
