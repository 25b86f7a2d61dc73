"""What goes to disk comes back with the same type and bytes, or says clearly that it has no form there."""

from __future__ import annotations

import enum
import json
import math
from collections import namedtuple
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from safetensors.torch import save

from cache.encoding import LARGEST_TREE, Unstorable, decode, encode, header
from interp.types import Heatmaps, Images, Layer, Preprocessing, Target
from tests.conftest import tiny_classifier

DTYPES = [
    *(torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.bool, torch.complex64),
    *(torch.int64, torch.int32, torch.int16, torch.int8, torch.uint64, torch.uint32, torch.uint16, torch.uint8),
    *(torch.float8_e4m3fn, torch.float8_e5m2),
]
Pair = namedtuple("Pair", "a b")


class Colour(enum.IntEnum):
    RED = 1


@dataclass
class Foreign:
    a: int = 1


def back(value):
    return decode(encode(value, {"function": "f"}))


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, False, 0, -(10**30), 1.5, -0.0, math.inf, -math.inf, "", 'é\ud800"\\', b"", b"\0\xff"),
        *(
            (),
            [],
            {},
            (1, [2, {"a": (None,)}]),
            {"": 1, "float": "nan", "tensor": "0"},
            [{"dict": 1}],
            {1: 2, ("a", (3,)): [None]},
            {"entries": []},
        ),
        *(torch.device("cuda:1"), Target(1), Target(1, 2), Layer("a", 3, "spatial", 2, 2, True)),
        Preprocessing((3, 4), None),
    ],
)
def test_plain_values_come_back(value) -> None:
    found = back(value)
    assert found == value
    assert type(found) is type(value)
    assert repr(found) == repr(value)


def test_nan_comes_back() -> None:
    assert math.isnan(back(math.nan))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (3, 4), (0, 3)], ids=str)
def test_tensors_come_back(dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    tensor = torch.ones(shape, dtype=torch.float32).to(dtype)
    found = back(tensor)
    assert found.dtype == dtype and found.shape == tensor.shape
    assert found.tolist() == tensor.tolist() if dtype not in DTYPES[-2:] else torch.equal(found.float(), tensor.float())


def test_views_come_back_with_their_own_shape_and_values() -> None:
    tensor = torch.arange(12.0).reshape(3, 4)
    for view in (tensor.t(), tensor[:, ::2], tensor[1:], tensor[:1].expand(5, 4), torch.tensor([1j]).conj()):
        assert torch.equal(back(view), view)
    # Two that share memory.
    assert torch.equal(back([tensor, tensor[0]])[1], tensor[0])


@pytest.mark.parametrize(
    "array",
    [
        *(np.arange(6).reshape(2, 3), np.arange(6)[::-2], np.array(3.0), np.zeros((0, 2), np.float32)),
        *(np.array([True]), np.arange(3, dtype=np.uint16), np.asfortranarray(np.arange(6.0).reshape(2, 3))),
    ],
)
def test_arrays_come_back(array: np.ndarray) -> None:
    found = back(array)
    assert type(found) is np.ndarray and found.dtype == array.dtype and found.shape == array.shape
    assert np.array_equal(found, array)


@pytest.mark.parametrize("scalar", [np.float32(1.5), np.float64(2), np.int8(-3), np.bool_(True)])
def test_scalars_come_back(scalar: np.generic) -> None:
    assert back(scalar) == scalar and type(back(scalar)) is type(scalar)


def test_a_result_of_the_library_comes_back() -> None:
    maps = Heatmaps(torch.rand(2, 4, 4), True, (Target(0), Target(1)), residual=torch.zeros(2), seconds=0.5)
    batch = Images(torch.rand(2, 3, 4, 4), ("a", "b"))
    found_maps, found_batch = back((maps, batch))
    assert torch.equal(found_maps.values, maps.values) and torch.equal(found_batch.pixels, batch.pixels)
    assert (found_maps.targets, found_maps.coarse, found_maps.seconds) == (maps.targets, None, 0.5)
    assert found_batch.names == ("a", "b")


@pytest.mark.parametrize(
    "value",
    [
        *(object(), {1.5: 2}, {1}, Pair(1, 2), Colour.RED, Foreign(), range(3), 1j, torch.nn.ReLU(), np.str_("a")),
        *(np.array(["a"]), np.array([1 + 1j]), np.array([object()]), np.arange(3, dtype=">i4"), np.ma.array([1])),
        *(torch.eye(2).to_sparse(), torch.nn.Parameter(torch.zeros(1)), torch.zeros(1, dtype=torch.complex128)),
        *([1, (object(),)], int),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_has_no_form_is_named(value) -> None:
    with pytest.raises(Unstorable):
        encode(value, {})


def test_a_classifier_has_no_form() -> None:
    with pytest.raises(Unstorable, match="no form on disk"):
        encode(tiny_classifier(), {})


def test_more_text_than_a_header_holds_has_no_form() -> None:
    with pytest.raises(Unstorable, match="beside its arrays"):
        encode("x" * LARGEST_TREE, {})


def test_the_header_tells_about_the_value() -> None:
    assert header(encode(torch.zeros(3), {"function": "f"}))["function"] == "f"


@pytest.mark.parametrize(
    "tree",
    [
        {"dataclass": "subprocess:Popen", "fields": {"args": "true"}},
        {"dataclass": "interpreter:Target", "fields": {}},
        {"dataclass": "interp.types:threading.Thread", "fields": {}},
        {"dataclass": "interp.types:np", "fields": {}},
        {"dataclass": "interp.types:Target", "fields": {"unknown": 1}},
        {"dataclass": "interp.nowhere:Target", "fields": {}},
        {"tensor": "7"},
        {"unknown": 1},
        {},
    ],
)
def test_a_foreign_tree_is_refused(tree) -> None:
    with pytest.raises(ValueError, match="not an entry"):
        decode(save({}, {"tree": json.dumps(tree)}))


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff" * 64, save({}, {"other": "1"})])
def test_foreign_bytes_are_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="not an entry"):
        decode(content)


def test_numbers_in_the_form_of_a_picture_stay_as_they_are() -> None:
    marks = np.random.default_rng(0).integers(0, 256, (60, 2, 3), dtype=np.uint8)
    np.testing.assert_array_equal(decode(encode(marks, {}, compact=True)), marks)
