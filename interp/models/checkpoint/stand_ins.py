"""Objects in a pickle that are no tensors: each becomes a lifeless stand-in, so that no class of theirs is run.

PyTorch's restricted unpickler calls nothing but its own functions for tensors and what `safe_globals` gives it. It is
given classes of this module only, under the names that the pickle asks for; that of a function cannot be called.
"""

from __future__ import annotations

import re
import sys
from _compat_pickle import IMPORT_MAPPING
from collections import OrderedDict
from collections.abc import Callable, Container, Iterable
from math import prod
from pickle import UnpicklingError
from pickletools import OpcodeInfo
from typing import Any

import numpy as np
import torch
from torch import Tensor

from interp.models.checkpoint.formats import LARGEST_INDEX

SIMPLE_TYPE = re.compile(r"[<>=|]?(b1|[iu][1248]|f[248]|U\d{1,4})")

# Of the standard library only these may be called; of other packages, whatever is named as a class is.
HARMLESS = frozenset(
    f"{module}.{name}"
    for module, names in {
        "builtins": "bool bytes dict float frozenset int list object range slice str tuple type",
        "argparse": "Namespace",
        "collections": "OrderedDict Counter defaultdict deque UserDict",
        "datetime": "date datetime time timedelta timezone",
        "decimal": "Decimal",
        "fractions": "Fraction",
        "functools": "partial",
        "numpy": "bool bool_ dtype float16 float32 float64 int8 int16 int32 int64 ndarray str_ uint8",
        "numpy.core.multiarray": "_reconstruct scalar",
        "numpy._core.multiarray": "_reconstruct scalar",
        "numpy.random.bit_generator": "__pyx_unpickle_SeedSequence",
        "numpy.random._pickle": "__bit_generator_ctor __generator_ctor __randomstate_ctor",
        "pathlib": "Path PosixPath PurePath PurePosixPath PureWindowsPath WindowsPath",
        "pathlib._local": "Path PosixPath PurePath PurePosixPath PureWindowsPath WindowsPath",
        "types": "SimpleNamespace",
        "typing": "Any Dict List Optional Tuple Union",
        "uuid": "UUID",
    }.items()
    for name in names.split()
)
MAPPINGS = frozenset({"collections.defaultdict", "collections.UserDict"})


class StandIn(list):
    """What a pickle says about an object of a class that is not loaded; `path` is the class's name.

    It is a list because the unpickler appends to nothing else, as a deque's items need it.
    """

    path = ""
    arguments: tuple[object, ...] = ()
    state: object = None

    def __init__(self, *arguments: object) -> None:
        self.arguments = arguments

    def __setstate__(self, state: object) -> None:
        self.state = state

    __hash__ = object.__hash__  # pyright: ignore[reportAssignmentType]

    def __eq__(self, other: object) -> bool:
        return self is other

    @property
    def attributes(self) -> dict:
        """The object's attributes, where the pickle gives them as a mapping."""
        return self.state if isinstance(self.state, dict) else {}


class NumpyType(StandIn):
    """Stands in for `numpy.dtype`."""

    @property
    def code(self) -> str | None:
        """The code of a plain type of numbers or text, with its byte order."""
        code = self.arguments[0] if self.arguments else None
        if not isinstance(code, str) or not SIMPLE_TYPE.fullmatch(code):
            return None
        order = self.state[1] if isinstance(self.state, tuple) and len(self.state) > 1 else "="
        return code if code[0] in "<>=|" or order not in ("<", ">") else f"{order}{code}"


class NumpyScalar(StandIn):
    """Stands in for a number of NumPy's."""

    @property
    def value(self) -> object:
        """The number, or None where it is of no plain type."""
        values = _numbers(*self.arguments, shape=()) if len(self.arguments) == 2 else None
        return None if values is None else values.item()


class NumpyArray(StandIn):
    """Stands in for an array of NumPy's."""

    @property
    def value(self) -> np.ndarray | None:
        """The array, or None where it is of no plain type or its bytes are not as many as its shape needs."""
        if not isinstance(self.state, tuple) or len(self.state) != 5:
            return None
        _, shape, kind, by_column, raw = self.state
        values = _numbers(kind, raw, shape=shape)
        return values.reshape(shape, order="F" if by_column is True else "C") if values is not None else None

    @property
    def tensor(self) -> Tensor | None:
        """The array as a tensor, where it holds numbers."""
        values = self.value
        if values is None or values.dtype.kind == "U":
            return None
        return torch.from_numpy(values.astype(values.dtype.newbyteorder("=")))


def _numbers(kind: object, raw: object, *, shape: object) -> np.ndarray | None:
    code = kind.code if isinstance(kind, NumpyType) else None
    if code is None or not isinstance(raw, bytes) or not isinstance(shape, tuple):
        return None
    if not all(type(size) is int and size >= 0 for size in shape):
        return None
    plain = np.dtype(code)
    if plain.itemsize * prod(shape) != len(raw) or not raw:
        return None
    try:
        return np.frombuffer(raw, plain)
    except ValueError:
        return None


def asked_for(operations: Iterable[tuple[OpcodeInfo, Any, int | None]]) -> frozenset[str]:
    """The dotted names of all classes and functions that a pickle's operations ask for; nothing is built.

    Raises `ValueError` for a pickle of another protocol than torch.save's, and for one that no weights need.
    """
    names = set()
    for operation, argument, position in operations:
        if (position or 0) > LARGEST_INDEX:
            raise ValueError(f"its index has more than {LARGEST_INDEX:,} bytes, which no classifier needs")
        if operation.name == "STACK_GLOBAL":
            raise ValueError("it was pickled with protocol 4 or later, where torch.save takes 2")
        if operation.name in ("GLOBAL", "INST"):
            names.add(_looked_up(*argument.split(" ", 1)))
    return frozenset(names)


def functions(names: Iterable[str]) -> tuple[str, ...]:
    """Those of the names that may be mentioned but not called: functions, and most of the standard library."""
    return tuple(sorted(name for name in names if name not in torchs_own() and not _is_harmless(name)))


def items(mapping: dict) -> list[tuple[Any, Any]]:
    """The items of a mapping, whatever attributes a pickle has given it: one called `items` would be called instead."""
    return list(dict.items(mapping))


def stand_ins(names: Iterable[str], *, mappings: bool) -> list[Callable | tuple[Callable, str]]:
    """What `torch.serialization.safe_globals` is to give for each name; unknown classes as mappings where asked."""
    return [
        (_stand_in(name, mapping=name in MAPPINGS or (mappings and name not in HARMLESS)), name)
        for name in names
        if name not in torchs_own()
    ]


def torchs_own() -> Container[str]:
    """The names that torch's restricted unpickler knows by itself: tensors, their types and storages."""
    from torch._weights_only_unpickler import _get_allowed_globals

    return _get_allowed_globals()


def _stand_in(name: str, *, mapping: bool) -> type:
    if not _is_harmless(name):
        return type("Function", (StandIn,), {"__new__": _called, "path": name})
    if mapping:
        # The unpickler sets items of plain and ordered mappings only, not of classes made from them.
        return type("Mapping", (), {"__new__": lambda cls, *arguments: OrderedDict(), "path": name})
    module, _, last = name.rpartition(".")
    if module.startswith("numpy"):
        base = {"dtype": NumpyType, "scalar": NumpyScalar, "_reconstruct": NumpyArray}.get(last, StandIn)
    else:
        base = StandIn
    return type(base.__name__, (base,), {"path": name})


def _called(stand_in: type[StandIn], *_: object) -> StandIn:
    raise UnpicklingError(f"{stand_in.path} is called")


def _is_harmless(name: str) -> bool:
    last = name.rpartition(".")[2]
    module = name.rpartition(".")[0]
    # Some modules have their name of Python 2 in a pickle of torch.save's protocol.
    package = IMPORT_MAPPING.get(module, module).partition(".")[0]
    return name in HARMLESS or (package not in sys.stdlib_module_names and last.lstrip("_")[:1].isupper())


def _looked_up(module: str, name: str) -> str:
    """The dotted name under which torch's unpickler looks up what a pickle asks for."""
    from torch._utils import IMPORT_MAPPING, NAME_MAPPING

    module, name = NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name))
    return f"{module}.{name}"
