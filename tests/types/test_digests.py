from __future__ import annotations

import dataclasses
import enum
import importlib
import pkgutil
from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import interp
from interp.attribution import IntegratedGradients, Occlusion
from interp.types import Classifier, Digest, Finding, Fingerprinted, Target, digest
from tests.conftest import tiny_classifier


def square(number: int) -> int:
    return number**2


def cube(number: int) -> int:
    return number**3


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
    (1.0,),
    (True,),
    ("1",),
    (b"1",),
    ("1', '2",),
    ("1", "2"),
    "('1', '2')",
    (None,),
    ("None",),
    (float("nan"),),
    ("nan",),
    ([1],),
    [(1,)],
    (np.float64(1),),
    (np.int64(1),),
    (One(),),
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
    square,
    cube,
    int,
    IntegratedGradients(),
    IntegratedGradients(steps=49),
    Occlusion(),
    tiny_classifier(0),
    tiny_classifier(1),
    "tiny-0",
]


def test_whatever_differs_has_another_digest() -> None:
    digests = [digest(one) for one in DIFFERENT]
    doubles = [
        (DIFFERENT[digests.index(one)], DIFFERENT[i]) for i, one in enumerate(digests) if digests.index(one) != i
    ]
    assert not doubles


def test_what_is_equal_has_the_same_digest() -> None:
    for one, same in [
        (One(), One()),
        (np.arange(6).reshape(2, 3).T, np.ascontiguousarray(np.arange(6).reshape(2, 3).T)),
        (torch.arange(6.0).reshape(2, 3).T, torch.arange(6.0).reshape(2, 3).T.contiguous()),
        ({3, 1, 2}, {1, 2, 3}),
        (float("nan"), float("nan")),
        (tiny_classifier(0), tiny_classifier(0)),
    ]:
        assert digest(one) == digest(same)


def test_every_element_of_a_large_array_counts() -> None:
    array = np.zeros(600_000, np.float32)
    seen = {digest(array)}
    for position in np.random.default_rng(0).integers(0, array.size, 40):
        array[position] = 1
        seen.add(digest(array))
        array[position] = 0
    assert len(seen) >= 40


@pytest.mark.parametrize("value", [object(), lambda: 1, np.array([object()]), (1, [object()])])
def test_what_cannot_be_digested_is_refused_by_name(value: object) -> None:
    with pytest.raises(TypeError, match="key cannot be made from|no name of its own"):
        digest(value)


class Photos:
    def __init__(self, fingerprint: str) -> None:
        self.fingerprint = fingerprint


def palette_picture(first: int) -> Image.Image:
    picture = Image.new("P", (2, 2))
    picture.putpalette([first, 0, 0, 0, 0, 0])
    return picture


def test_what_looks_alike_inside_has_another_digest(tiny: Classifier) -> None:
    alike = [
        *(Grade.LOW, 1, palette_picture(1), palette_picture(2), Photos("a"), Photos("b"), "a"),
        *(torch.tensor([1j]), torch.tensor([1j]).conj(), torch.tensor(1, dtype=torch.bfloat16), torch.tensor(1)),
        *(tiny, dataclasses.replace(tiny, device=torch.device("cuda")), tiny.logits, tiny_classifier(1).logits),
        *(Classifier.logits, set(), frozenset(), {}, (), OrderedDict(), Target(1), (1, None)),
    ]
    assert len({digest(one) for one in alike}) == len(alike)


def test_a_classifier_counts_as_its_fingerprint(tiny: Classifier) -> None:
    assert digest(tiny) == digest(dataclasses.replace(tiny, name="another", findings=(Finding("changed", "a"),)))
    assert digest(tiny) != digest(dataclasses.replace(tiny, fingerprint="another"))


@dataclass(frozen=True, eq=False)
class Measured(Fingerprinted):
    values: np.ndarray
    said: str = ""


def test_a_fingerprint_is_of_the_type_and_of_all_fields() -> None:
    first = Measured(np.arange(3.0))
    assert first.fingerprint == Measured(np.arange(3.0)).fingerprint
    others = [Measured(np.arange(4.0)), Measured(np.arange(3)), Measured(np.arange(3.0), "more")]
    assert len({one.fingerprint for one in (first, *others)}) == 4
    assert digest(first) != digest(first.fingerprint)


def test_content_with_a_fingerprint_is_read_once() -> None:
    values = np.arange(3.0)
    one = Measured(values)
    before = digest(one)
    values[0] = 5
    assert digest(one) == before != digest(Measured(values))


def library() -> list[type]:
    """All dataclasses of the library."""
    found = {}
    for module in pkgutil.walk_packages(interp.__path__, "interp."):
        if not module.name.endswith("__main__"):
            for one in vars(importlib.import_module(module.name)).values():
                if isinstance(one, type) and dataclasses.is_dataclass(one) and one.__module__.startswith("interp."):
                    found[f"{one.__module__}.{one.__qualname__}"] = one
    return list(found.values())


WITH_FINGERPRINT = [one for one in library() if issubclass(one, Fingerprinted)]


def made(kind: type, fields: dict[str, str]) -> Fingerprinted:
    """One of the type, whatever its fields take: a fingerprint reads them and nothing else."""
    found = object.__new__(kind)
    for name, value in fields.items():
        object.__setattr__(found, name, value)
    return found


@pytest.mark.parametrize("kind", WITH_FINGERPRINT, ids=lambda kind: kind.__name__)
def test_each_field_that_changes_changes_the_fingerprint(kind: type) -> None:
    fields = {field.name: "before" for field in dataclasses.fields(kind)}
    found = {made(kind, fields).fingerprint} | {made(kind, {**fields, name: "after"}).fingerprint for name in fields}
    assert len(found) == len(fields) + 1
    assert made(kind, fields).fingerprint in found


def test_no_dataclass_of_the_library_writes_its_own_fingerprint() -> None:
    """The exception: a prior's fields are modules, whose content is their weights."""
    assert [one.__name__ for one in library() if "fingerprint" in vars(one)] == ["Prior"]
    assert len(WITH_FINGERPRINT) >= 19


def test_a_digest_goes_on_from_a_copy() -> None:
    begun = Digest()
    begun.add("a")
    other = begun.copy()
    other.add("b")
    begun.add("c")
    assert other.text == digest("a", "b") and begun.text == digest("a", "c")
