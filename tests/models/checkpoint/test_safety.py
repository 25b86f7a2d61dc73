"""No code runs from a file of weights, wherever in it the code stands."""

import argparse
import collections
import dataclasses
import datetime
import decimal
import enum
import functools
import pathlib
import pickle
import subprocess
import types

import numpy as np
import pytest
import torch
from torch.nn import functional as nn_functional

from interp.models import checkpoint

WEIGHTS = {"fc.weight": torch.ones(2, 3), "fc.bias": torch.zeros(2)}


class Payload:
    """Pickles to a call."""

    def __init__(self, function, *arguments) -> None:
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def write(path):
    pathlib.Path(path).write_text("ran")


class Writing:
    """Writes a file when it is made, given a state, or set."""

    def __new__(cls, path):
        write(path)
        return super().__new__(cls)

    def __init__(self, path) -> None:
        self.path = path

    def __reduce__(self):
        return Writing, (self.path,), {"path": self.path}

    def __setstate__(self, state) -> None:
        write(state["path"])


def by_system(path):
    import os

    return Payload(os.system, f"touch {path}")


def by_partial(path):
    return Payload(functools.partial(write, path))


CALLS = {
    "os.system": by_system,
    "exec": lambda path: Payload(exec, f"open({str(path)!r}, 'w')"),
    "eval": lambda path: Payload(eval, f"open({str(path)!r}, 'w')"),
    "open": lambda path: Payload(open, str(path), "w"),
    "write_text": lambda path: Payload(pathlib.Path.write_text, pathlib.PosixPath(path), "ran"),
    "own function": lambda path: Payload(write, str(path)),
    "partial": by_partial,
    "numpy": lambda path: Payload(np.save, str(path), [1]),
    "torch": lambda path: Payload(torch.save, [1], str(path)),
    "getattr": lambda path: Payload(getattr, pathlib.PosixPath(path), "touch"),
}
PLACES = {
    "top": lambda one: one,
    "beside": lambda one: {"state_dict": WEIGHTS, "extra": one},
    "deep": lambda one: {"state_dict": WEIGHTS, "a": [{"b": (one,)}]},
    "among": lambda one: {**WEIGHTS, "hook": one},
    "key": lambda one: {"state_dict": WEIGHTS, "a": {1: one}},
    "settings": lambda one: {"state_dict": WEIGHTS, "args": argparse.Namespace(hook=one)},
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("form", ["archive", "legacy", "pickle"])
def test_a_call_in_a_file_is_refused_by_name_and_not_run(tmp_path, call, place, form):
    mark, path = tmp_path / "ran", tmp_path / "w.pt"
    content = PLACES[place](CALLS[call](mark))
    if form == "pickle":
        path.write_bytes(pickle.dumps(content, protocol=2))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=form == "archive")
    with pytest.raises(ValueError, match="could run code|did not write") as raised:
        checkpoint.open(path)
    assert not mark.exists()
    if form != "pickle":
        assert any(word in str(raised.value) for word in ("system", "exec", "eval", "open", "getattr", "write", "save"))


@pytest.mark.parametrize("zipped", [True, False])
def test_a_class_of_unknown_kind_is_never_made(tmp_path, zipped):
    mark, path = tmp_path / "ran", tmp_path / "w.pt"
    torch.save({"state_dict": WEIGHTS, "x": Writing(mark)}, path, _use_new_zipfile_serialization=zipped)
    mark.unlink()
    opened = checkpoint.open(path)
    network = torch.nn.ModuleDict({"fc": torch.nn.Linear(3, 2)})
    opened.fill(network)
    assert torch.equal(network.state_dict()["fc.weight"], WEIGHTS["fc.weight"])
    assert not mark.exists()


@dataclasses.dataclass
class Settings:
    rate: float = 0.1
    names: list = dataclasses.field(default_factory=lambda: ["bee"])


class Slotted:
    __slots__ = ("rate",)

    def __init__(self) -> None:
        self.rate = 0.1


class Attributes(dict):
    """A mapping with attributes, as many libraries keep settings."""


class Kind(enum.Enum):
    BEST = 1


HARMLESS = {
    "numpy number": np.float64(0.91),
    "numpy integer": np.int64(3),
    "numpy truth": np.bool_(True),
    "numpy array": np.arange(6.0).reshape(2, 3),
    "numpy names": np.array(["bee", "moth"]),
    "numpy objects": np.array([{}, None], dtype=object),
    "numpy type": np.dtype("float32"),
    "numpy class": np.float32,
    "numpy random state": np.random.RandomState(0),
    "numpy generator": np.random.default_rng(0),
    "namespace": argparse.Namespace(lr=0.1, path=pathlib.Path("a"), kind=Kind.BEST),
    "simple namespace": types.SimpleNamespace(lr=0.1),
    "path": pathlib.Path("runs/1"),
    "windows path": pathlib.PureWindowsPath("C:/runs"),
    "date": datetime.datetime(2026, 11, 29, tzinfo=datetime.UTC),
    "duration": datetime.timedelta(hours=3),
    "default mapping": collections.defaultdict(list, {"loss": [0.1, 0.2]}),
    "deque": collections.deque([1, 2], maxlen=5),
    "counter": collections.Counter("aab"),
    "ordered": collections.OrderedDict(a=1),
    "decimal": decimal.Decimal("0.1"),
    "set": {1, 2},
    "frozen set": frozenset({1, 2}),
    "slice": slice(1, 2),
    "complex": 1j,
    "bytes": b"raw",
    "dataclass": Settings(),
    "slots": Slotted(),
    "mapping of a class": Attributes(lr=0.1),
    "enumeration": Kind.BEST,
    "type": torch.float16,
    "class": Settings,
    "function": nn_functional.cross_entropy,
    "own function": write,
    "built-in function": sorted,
    "function of the standard library": subprocess.run,
    "partial": functools.partial(Settings, rate=0.3),
    "partial of a function": functools.partial(sorted, reverse=True),
    "loss": torch.nn.BCEWithLogitsLoss(),
    "version": torch.__version__,
}


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("kind", HARMLESS)
def test_values_that_are_no_tensors_do_not_stand_in_the_way(tmp_path, kind, zipped):
    if kind == "loss" and not zipped:
        pytest.skip("the old format keeps the source of modules, which torch's unpickler refuses")
    content = {"model": WEIGHTS, "before": HARMLESS[kind], "deep": [{"x": (HARMLESS[kind],)}]}
    torch.save(content, tmp_path / "w.pt", _use_new_zipfile_serialization=zipped)
    network = torch.nn.ModuleDict({"fc": torch.nn.Linear(3, 2)})
    checkpoint.open(tmp_path / "w.pt").fill(network)
    assert torch.equal(network.state_dict()["fc.weight"], WEIGHTS["fc.weight"])


def test_all_harmless_values_at_once(tmp_path):
    # Objects with a state of their own form, beside mappings of a class, are the one pair that torch's unpickler
    # cannot take together.
    apart = ("slots", "partial", "partial of a function")
    content = {"model": WEIGHTS, **{kind: value for kind, value in HARMLESS.items() if kind not in apart}}
    torch.save(content, tmp_path / "w.pt")
    assert checkpoint.open(tmp_path / "w.pt").shapes["model.fc.weight"] == (2, 3)


def test_the_table_of_what_may_be_built_is_left_as_it_was(tmp_path):
    before = set(torch.serialization.get_safe_globals())
    torch.save({"model": WEIGHTS, "x": Settings()}, tmp_path / "w.pt")
    checkpoint.open(tmp_path / "w.pt")
    assert set(torch.serialization.get_safe_globals()) == before


class Attributed:
    """Pickles to an ordered mapping of tensors, all of which have attributes that are called as their methods are."""

    def __reduce__(self):
        tensors = {name: tensor.clone() for name, tensor in WEIGHTS.items()}
        for tensor in tensors.values():
            tensor.__dict__.update(detach=set, to=set, contiguous=set, is_complex=set)
        return collections.OrderedDict, (), dict(items=set, values=set, get=set, keys=set), None, iter(tensors.items())


@pytest.mark.parametrize("zipped", [True, False])
def test_attributes_do_not_stand_before_methods(tmp_path, zipped):
    torch.save(Attributed(), tmp_path / "w.pt", _use_new_zipfile_serialization=zipped)
    network = torch.nn.ModuleDict({"fc": torch.nn.Linear(3, 2)})
    checkpoint.open(tmp_path / "w.pt").fill(network)
    assert network.state_dict()["fc.weight"].tolist() == [[1, 1, 1], [1, 1, 1]]


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested", "ignore:Validating sparse")
@pytest.mark.parametrize("zipped", [True, False])
def test_a_tensor_that_is_not_dense_is_named(tmp_path, zipped):
    for tensor in (torch.eye(3).to_sparse(), torch.nested.nested_tensor([torch.zeros(2), torch.zeros(3)])):
        torch.save({"fc.weight": tensor}, tmp_path / "w.pt", _use_new_zipfile_serialization=zipped)
        with pytest.raises(ValueError, match="w.pt has a tensor that is sparse or nested|w.pt is damaged"):
            checkpoint.open(tmp_path / "w.pt")


ARRAYS = {
    "big-endian": np.arange(6, dtype=">f4").reshape(2, 3),
    "by column": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "half": np.arange(6, dtype=np.float16).reshape(2, 3),
    "integers": np.arange(6, dtype=np.int16).reshape(2, 3),
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_arrays_are_weights_too(tmp_path, kind):
    torch.save({"fc.weight": ARRAYS[kind], "fc.bias": np.zeros(2)}, tmp_path / "w.pt")
    network = torch.nn.ModuleDict({"fc": torch.nn.Linear(3, 2)})
    checkpoint.open(tmp_path / "w.pt").fill(network)
    assert network.state_dict()["fc.weight"].tolist() == [[0, 1, 2], [3, 4, 5]]


class Raw:
    """Pickles to an array of NumPy's with a state of one's choice."""

    def __init__(self, *state) -> None:
        self.state = state

    def __reduce__(self):
        array = np.zeros(1)
        function, arguments, _ = array.__reduce__()
        return function, arguments, self.state


@pytest.mark.parametrize(
    "state",
    [
        (1, (1 << 40,), np.dtype("f8"), False, b"12345678"),
        (1, (-1,), np.dtype("f8"), False, b"12345678"),
        (1, ("a",), np.dtype("f8"), False, b"12345678"),
        (1, (1,), np.dtype("O"), False, [1]),
        (1, (1,), np.dtype([("a", "f8")]), False, b"12345678"),
        (1, (1,), "f8", False, b"12345678"),
        (1,),
        3,
    ],
)
def test_an_array_that_is_none_is_left_aside(tmp_path, state):
    torch.save(
        {"fc.weight": torch.ones(2, 3), "x": Raw(*state) if isinstance(state, tuple) else Raw(state)}, tmp_path / "w"
    )
    assert checkpoint.open(tmp_path / "w").shapes == {"fc.weight": (2, 3)}
