from __future__ import annotations

import dataclasses
import enum
from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cache import call, key
from cache.keys import keys
from interp.attribution import IntegratedGradients, Occlusion
from interp.types import Classifier, Finding, Target
from tests.cache import questions
from tests.conftest import tiny_classifier


@dataclass(frozen=True)
class One:
    value: int = 1


@dataclass(frozen=True)
class Other:
    value: int = 1


class Colour(enum.Enum):
    RED = 1
    CRIMSON = 2


class Grade(enum.IntEnum):
    LOW = 1


Pair = namedtuple("Pair", "a b")

DIFFERENT = [
    None,
    True,
    False,
    1,
    0,
    1.0,
    0.0,
    float("nan"),
    float("inf"),
    1j,
    "1",
    "",
    b"1",
    b"",
    (1,),
    [1],
    {1},
    (1, 2),
    ((1,), 2),
    (1, (2,)),
    ["ab", "c"],
    ["a", "bc"],
    ["abc"],
    {"a": 1},
    {"a": 2},
    {"b": 1},
    {1: "a"},
    Pair(1, 2),
    range(3),
    One(),
    Other(),
    One(2),
    Colour.RED,
    Colour.CRIMSON,
    Path("a"),
    "a",
    torch.device("cpu"),
    "cpu",
    torch.float32,
    np.float32(1),
    np.float64(1),
    np.int64(1),
    np.zeros((3, 4)),
    np.zeros((4, 3)),
    np.zeros(12),
    np.zeros(12, np.float32),
    np.zeros(0),
    torch.zeros(3, 4),
    torch.zeros(4, 3),
    torch.zeros(3, 4, dtype=torch.float64),
    torch.zeros(()),
    torch.zeros(0),
    torch.zeros(3, 4, dtype=torch.bfloat16),
    np.array(["a"]),
    Image.new("RGB", (3, 4)),
    Image.new("RGB", (4, 3)),
    Image.new("L", (12, 3)),
    questions.square,
    questions.fails,
    int,
    IntegratedGradients(),
    IntegratedGradients(steps=49),
    Occlusion(),
    tiny_classifier(0),
    tiny_classifier(1),
    "tiny-0",
]


def test_whatever_differs_has_another_key() -> None:
    keys = [key(one) for one in DIFFERENT]
    doubles = [(DIFFERENT[keys.index(one)], DIFFERENT[i]) for i, one in enumerate(keys) if keys.index(one) != i]
    assert not doubles


def test_what_is_equal_has_the_same_key() -> None:
    for one, same in [
        (One(), One()),
        (np.arange(6).reshape(2, 3).T, np.ascontiguousarray(np.arange(6).reshape(2, 3).T)),
        (torch.arange(6.0).reshape(2, 3).T, torch.arange(6.0).reshape(2, 3).T.contiguous()),
        ({3, 1, 2}, {1, 2, 3}),
        (float("nan"), float("nan")),
        (tiny_classifier(0), tiny_classifier(0)),
    ]:
        assert key(one) == key(same)


def test_every_element_of_a_large_array_counts() -> None:
    array = np.zeros(600_000, np.float32)
    seen = {key(array)}
    for position in np.random.default_rng(0).integers(0, array.size, 40):
        array[position] = 1
        seen.add(key(array))
        array[position] = 0
    assert len(seen) >= 40


def test_where_one_argument_ends_and_the_next_begins_counts() -> None:
    assert key("ab", "c") != key("a", "bc") != key("abc")
    assert call(questions.square, 1, 2).key != call(questions.square, (1, 2)).key
    assert call(questions.square, number=1).key != call(questions.square, 1).key
    assert call(questions.square, 1).key != call(questions.fails, 1).key


@pytest.mark.parametrize("value", [object(), lambda: 1, np.array([object()]), (1, [object()])])
def test_what_cannot_be_digested_is_refused_by_name(value: object) -> None:
    with pytest.raises(TypeError, match="key cannot be made from|no name of its own"):
        key(value)


class Photos:
    def __init__(self, fingerprint: str) -> None:
        self.fingerprint = fingerprint


def palette_picture(first: int) -> Image.Image:
    picture = Image.new("P", (2, 2))
    picture.putpalette([first, 0, 0, 0, 0, 0])
    return picture


def test_what_looks_alike_inside_has_another_key(tiny: Classifier) -> None:
    alike = [
        *(Grade.LOW, 1, palette_picture(1), palette_picture(2), Photos("a"), Photos("b"), "a"),
        *(torch.tensor([1j]), torch.tensor([1j]).conj(), torch.tensor(1, dtype=torch.bfloat16), torch.tensor(1)),
        *(tiny, dataclasses.replace(tiny, device=torch.device("cuda")), tiny.logits, tiny_classifier(1).logits),
        *(Classifier.logits, set(), frozenset(), {}, (), OrderedDict(), Target(1), (1, None)),
    ]
    assert len({key(one) for one in alike}) == len(alike)


def test_a_classifier_counts_as_its_fingerprint(tiny: Classifier) -> None:
    assert key(tiny) == key(dataclasses.replace(tiny, name="another", findings=(Finding("changed", "a"),)))
    assert key(tiny) != key(dataclasses.replace(tiny, fingerprint="another"))


def test_the_librarys_source_is_part_of_a_calls_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = call(questions.square, 1).key
    monkeypatch.setattr("cache.keys._library", lambda: "another source")
    assert call(questions.square, 1).key != before


def test_keys_that_differ_in_the_last_argument_are_those_of_the_calls(tiny: Classifier) -> None:
    given = (tiny, Target(1), {"a": 1})
    last = [(1,), (2,), None, [(3,)]]
    assert keys(questions.square, *given, last=last) == [call(questions.square, *given, one).key for one in last]
    assert keys(questions.square, last=[7]) == [call(questions.square, 7).key]


def test_functions_of_one_name_in_two_pages_differ(tmp_path: Path) -> None:
    found = []
    for number in (1, 2):
        path = tmp_path / f"page{number}.py"
        path.write_text(f"def draw():\n    return {number}\n")
        scope = {"__name__": "__main__"}
        exec(compile(path.read_text(), str(path), "exec"), scope)
        found.append(call(scope["draw"]).key)
    assert found[0] != found[1]
