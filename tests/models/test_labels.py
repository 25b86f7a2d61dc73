import json
import random
from dataclasses import replace
from unicodedata import normalize

import numpy as np
import pytest

from interp.images import ImageSet
from interp.models.ground_truth import OwnLabels, match_several
from interp.models.labels import match_labels, match_set, read
from tests.models.test_ground_truth import photographs


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
    assert read(tmp_path / name).names == ("cat", "hot dog", "fish")


@pytest.mark.parametrize(
    "name, content, words",
    [
        ("l.txt", b"", "is empty"),
        ("l.txt", b"cat\n\nfish", "empty label in place 2"),
        ("l.txt", b"\xff\xfe\x00cat", "not text in UTF-8"),
        ("l.json", b"[1, 2", "not valid JSON"),
        ("l.json", b"[1, 2]", "holds no labels"),
        ("l.json", b'[{"id": 0}, {"name": "cat"}]', "each must have 'id' and 'name'"),
        ("l.json", b'"cat"', "holds no labels"),
        ("l.json", b'{"0": "cat", "2": "fish"}', "from 0 to 1, each once"),
        ("l.json", b"[" * 100_000, "not valid JSON"),
    ],
)
def test_a_wrong_file_is_named(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=words) as raised:
        read(tmp_path / name)
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
        ("n.yaml", "bee: 0\nwasp: 2\n'moth, hawk': 1\n"),
        ("l.txt", "CLASSES = ('bee',\n  'moth, hawk', 'wasp')"),
        ("l.txt", "bee 0\nmoth, hawk 1\nwasp 2"),
        ("l.csv", 'id,name\n2.0,wasp\n0.0,bee\n1.0,"moth, hawk"'),
        ("l.json", '[{"id": 2, "name": "wasp"}, {"id": 0, "name": "bee"}, {"id": 1, "name": "moth, hawk"}]'),
        ("l.txt", "[{'id': 2, 'name': 'wasp'}, {'id': 0, 'name': 'bee'}, {'id': 1, 'name': 'moth, hawk'}]"),
        ("obj.names", "bee\r\nmoth, hawk\r\nwasp\r\n"),
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
        ("class 0\nclass 1", ("class 0", "class 1")),
        ("page 3\nroute 66", ("page 3", "route 66")),
        (
            "1 001.Black_footed_Albatross\n2 002.Laysan_Albatross",
            ("001.Black_footed_Albatross", "002.Laysan_Albatross"),
        ),
        ("n02085620-Chihuahua\nn02085936-Maltese_dog", ("n02085620-Chihuahua", "n02085936-Maltese_dog")),
    ],
)
def test_names_that_look_like_something_else_stay_as_they_are(tmp_path, text, names):
    (tmp_path / "l.txt").write_text(text)
    assert read(tmp_path / "l.txt").names == names


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
        read(tmp_path / "nowhere.txt")


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


@pytest.mark.parametrize(
    "numbers, said",
    [
        (("0", "1", "3"), "numbers from 0 to 3, and the classifier's 3 classes count from 0 to 2"),
        (("0", "2", "999"), "numbers from 0 to 999, and the classifier's 3 classes count from 0 to 2"),
    ],
)
def test_numbers_beyond_the_classes_are_none_of_them(tiny, numbers: tuple[str, ...], said: str):
    """They are another classifier's classes: to take those that fit would be wrong in silence."""
    found = match_labels(numbers, tiny)
    assert (found.indices, found.by, found.unmatched) == ((None, None, None), "nothing", numbers)
    assert len(found.remarks) == 1 and said in found.remarks[0] and "none was taken" in found.remarks[0]


def test_numbers_from_1_to_the_number_of_classes_count_from_1(tiny):
    ten = replace(tiny, labels=tuple("abcdefghij"))
    found = match_labels([str(number) for number in range(1, 11)], ten)
    assert (found.indices, found.by, found.start, found.unmatched) == (tuple(range(10)), "index", 1, ())
    assert found.remarks == (
        "The labels are numbers from 1 to 10 for 10 classes, without 0: they were counted from 1, so that 1 is 'a', "
        "and 10 is 'j'.",
    )
    # Some of them do, as long as the last is there.
    assert match_labels(["10", "007", "3.0"], ten).indices == (9, 6, 2)
    full = match_labels([str(number) for number in range(10)], ten)
    assert (full.indices, full.start, full.remarks) == (tuple(range(10)), 0, ())


def test_what_numbers_count_from_is_said_where_it_is_open_and_can_be_set(tiny):
    ten = replace(tiny, labels=tuple("abcdefghij"))
    found = match_labels(["3", "9"], ten)
    assert (found.indices, found.start) == ((3, 9), 0)
    assert len(found.remarks) == 1 and "it is open what they count from" in found.remarks[0]
    assert "3 is 'd', and 9 is 'j'. If they count from 1, 3 is 'c'" in found.remarks[0]
    set_so = match_labels(["3", "9"], ten, start=1)
    assert (set_so.indices, set_so.start) == ((2, 8), 1) and "from 1 as was set: 3 is 'c'" in set_so.remarks[0]
    assert match_labels(["10"], ten, start=0).indices == (None,)
    assert match_labels(["0"], ten, start=1).indices == (None,)
    with pytest.raises(ValueError, match="cannot count from 2: give 0 or 1"):
        match_labels(["3"], ten, start=2)


def test_forms_of_labels_that_disagree_are_said(tiny):
    photos = photographs(3, labels=["cat", "dog", "fish"])
    forms = {"label": ("cat", "dog", "fish"), "class_index": ("1", "2", None)}
    both = ImageSet(
        name="s", description="S.", fingerprint="f", names=photos.names, read=photos._read, label_forms=forms
    )
    found = match_set(tiny, both)
    assert (found.indices, found.by) == ((0, 1, 2), "name")
    assert found.remarks == ("By 'class_index' 2 images of the set are of another class than by what was taken.",)
    assert match_set(tiny, both, start=1).remarks == ()


def test_the_start_of_numbers_goes_through_sets_and_several_labels(tiny):
    photos = photographs(3, labels=["1", "2", None])
    assert match_set(tiny, photos).indices == (1, 2, None)
    assert match_set(tiny, photos, start=1).indices == (0, 1, None)
    own = OwnLabels.of(tiny, photos, start=1).at([0, 1, 2], np.zeros((3, 3), np.float32))
    assert own.tolist() == [0, 1, -1]
    several = photographs(2, sets=[frozenset({"1", "3"}), frozenset({"2"})])
    found = match_several(tiny, several)
    assert found.present.tolist() == [[True, False, True], [False, True, False]]
    assert "counted from 1" in found.remarks[0]
    one = photographs(2, sets=[frozenset({"1"}), frozenset({"2"})])
    assert match_several(tiny, one).present.tolist() == [[False, True, False], [False, False, True]]
    assert match_several(tiny, one, start=1).present.tolist() == [[True, False, False], [False, True, False]]


def test_classes_that_are_called_by_numbers_are_found_by_them(tiny):
    digits = replace(tiny, labels=("7", "8", "9"))
    assert match_labels(["8", "09", "7.0"], digits).indices == (1, 2, 0)
    found = match_labels(["0", "8"], digits)
    assert found.indices == (None, 1) and "called by numbers" in found.remarks[0]


BIRDS = ("Black footed Albatross", "Laysan Albatross", "robin")


@pytest.mark.parametrize(
    "classes, labels",
    [
        (BIRDS, ["001.Black_footed_Albatross", "002.Laysan_Albatross", "012.Robin"]),
        (BIRDS, ["3_Black_footed_Albatross", "1_Laysan_Albatross", "2_robin"]),
        (BIRDS, ["7 Black footed Albatross", "3: Laysan-Albatross", "4) robin"]),
        (BIRDS, ["n00000001-Black_footed_Albatross", "n00000002-Laysan_Albatross", "n00000003 robin"]),
        (("001.Black_footed_Albatross", "002.Laysan_Albatross", "003.robin"), list(BIRDS)),
        (("001.Black_footed_Albatross", "002.Laysan_Albatross", "003.robin"), ["9_" + one for one in BIRDS[:1]]),
        (("n00000001-Black_footed_Albatross", "n00000002-Laysan_Albatross", "n00000003-robin"), list(BIRDS)),
    ],
)
def test_names_behind_numbers_and_ids_are_found_and_it_is_said(tiny, classes, labels):
    found = match_labels(labels, replace(tiny, labels=classes))
    assert found.indices == (0, 1, 2)[: len(labels)] and found.by == "name"
    assert found.remarks == ("Ids and numbers before the names were passed over.",)


def test_a_wordnet_id_before_a_name_counts_where_the_classes_have_ids(tiny):
    known = replace(tiny, labels=("tench", "goldfish", "crane"), wordnet_ids=("n01440764", "n01443537", "n03126707"))
    found = match_labels(["n01443537-goldfish", "n03126707 crane", "n01440764"], known)
    assert (found.indices, found.by) == ((1, 2, 0), "wordnet id")
    assert found.remarks == ("Labels that begin with a WordNet id were matched by it.",)
    own = replace(tiny, labels=("n01440764 tench", "n01443537-goldfish", "n03126707"))
    assert match_labels(["n03126707", "n01443537", "n01440764"], own).indices == (2, 1, 0)


@pytest.mark.parametrize(
    "labels",
    [["1 euro", "2 euro"], ["4x4 euro"], ["1_euro", "cent"], ["2 2 euro"]],
)
def test_numbers_that_belong_to_a_name_stay(tiny, labels):
    coins = replace(tiny, labels=("euro", "cents", "fish"))
    found = match_labels(labels, coins)
    assert found.unmatched == tuple(labels) and not found.remarks


def test_accents_of_one_piece_and_of_two_are_one(tiny):
    parted = normalize("NFD", "Käfer")
    assert parted != "Käfer"
    for classes in (("Käfer", "Straße", "b"), (parted, "Straße", "b")):
        found = match_labels(["Käfer", parted, parted.upper(), "STRASSE"], replace(tiny, labels=classes))
        assert (found.indices, found.by, found.remarks) == ((0, 0, 0, 1), "name", ())


def test_two_words_for_one_class_are_said(tiny):
    fish = replace(tiny, labels=("tench, Tinca tinca", "goldfish", "shark"))
    found = match_labels(["tench", "Tinca_tinca", "Goldfish", "goldfish"], fish)
    assert found.indices == (0, 0, 1, 1)
    assert found.remarks == ("'tench' and 'Tinca_tinca' were both taken for the class 'tench, Tinca tinca'.",)


def test_labels_that_share_a_class_are_the_same_word_or_it_is_said(tiny):
    """Of random sets of labels, whatever they look like."""
    rng = random.Random(0)
    words = ["bee", "Bee", "wasp", "wasp, hornet", "hornet", "Käfer", normalize("NFD", "Käfer"), "1", "2", "0", "01"]
    words += ["n01440764", "n01440764 bee", "n01443537-wasp", "001.bee", "2_wasp", "3.hornet", "1.0", "10"]
    shared = 0
    for _ in range(3_000):
        count = rng.randint(1, 4)
        ids = tuple(rng.sample(["n01440764", "n01443537", "n1", "n2"], count)) if rng.random() < 0.5 else None
        classifier = replace(tiny, labels=tuple(rng.sample(words, count)), wordnet_ids=ids)
        labels = rng.sample(words, rng.randint(1, 5))
        found = match_labels(labels, classifier)
        by_class: dict[int, set[str]] = {}
        for label, index in zip(labels, found.indices, strict=True):
            if index is not None:
                plain = normalize("NFC", label).casefold()
                by_class.setdefault(index, set()).add(
                    str(float(plain)) if plain[0].isdigit() and plain[-1].isdigit() else plain
                )
        for index, several in by_class.items():
            if len(several) > 1:
                shared += 1
                assert any(f"the class {classifier.labels[index]!r}" in remark for remark in found.remarks)
    assert shared > 50


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
