"""Results as bytes and back, without pickle: arrays as safetensors, the rest as JSON in its header.

Only dataclasses of `interp` are restored, so that a file from elsewhere runs no code.
"""

from __future__ import annotations

import base64
import dataclasses
import importlib
import json
import math
import threading
from typing import Any

import numpy as np
import torch
from safetensors.torch import load, save

# Safetensors reads headers of at most 100 MB, and quotation marks and the names of arrays take room in them.
LARGEST_TREE = 40_000_000
_DTYPES = {
    *(torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.bool, torch.complex64),
    *(torch.int64, torch.int32, torch.int16, torch.int8, torch.uint64, torch.uint32, torch.uint16, torch.uint8),
    *(torch.float8_e4m3fn, torch.float8_e5m2),
}
_LOCKS = (type(threading.Lock()), type(threading.RLock()))


class Unstorable(TypeError):
    """A value that has no form on disk, such as a classifier: it stays in memory only."""


def encode(value: Any, about: dict[str, str]) -> bytes:
    """The value as a safetensors file, with `about` readable from its header. Raises `Unstorable`."""
    arrays: dict[str, torch.Tensor] = {}
    tree = json.dumps(_pack(value, arrays))
    if len(tree) > LARGEST_TREE:
        raise Unstorable(f"A value with {len(tree) >> 20} MB beside its arrays has no form on disk.")
    return save(arrays, {**about, "tree": tree})


def decode(content: bytes) -> Any:
    """The value from what `encode` gave; tensors come to the processor. Raises `ValueError` for anything else."""
    try:
        return _unpack(json.loads(header(content)["tree"]), load(content))
    except Exception as error:
        raise ValueError(f"not an entry of the store: {error}") from error


def header(content: bytes) -> dict[str, str]:
    """What `encode` was told about the value, from the first bytes of the file."""
    size = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + size])["__metadata__"]


def _pack(value: Any, arrays: dict[str, torch.Tensor]) -> Any:
    if value is None or type(value) in (bool, str, int):
        return value
    if type(value) is float:
        return value if math.isfinite(value) else {"float": str(value)}
    if type(value) is bytes:
        return {"bytes": base64.b64encode(value).decode()}
    if type(value) is torch.Tensor and value.layout == torch.strided and value.dtype in _DTYPES:
        # A copy, since safetensors refuses tensors that share memory.
        return {"tensor": _add(arrays, value.detach().cpu().resolve_conj().resolve_neg().contiguous().clone())}
    if type(value) is np.ndarray or isinstance(value, np.generic):
        try:
            tensor = torch.from_numpy(np.array(value, order="C"))
        except (TypeError, ValueError) as error:
            raise Unstorable(f"An array of {value.dtype} has no form on disk.") from error
        if tensor.dtype not in _DTYPES:
            raise Unstorable(f"An array of {value.dtype} has no form on disk.")
        return {"array" if isinstance(value, np.ndarray) else "scalar": _add(arrays, tensor)}
    if isinstance(value, torch.device):
        return {"device": str(value)}
    if type(value) in (tuple, list):
        return {type(value).__name__: [_pack(one, arrays) for one in value]}
    if type(value) is dict and all(type(name) is str for name in value):
        return {"dict": {name: _pack(one, arrays) for name, one in value.items()}}
    if dataclasses.is_dataclass(value) and type(value).__module__.split(".")[0] == "interp":
        # A lock is made anew by the field's default, and what `__post_init__` sets by itself.
        stored = [
            field.name
            for field in dataclasses.fields(value)
            if field.init and not isinstance(getattr(value, field.name), _LOCKS)
        ]
        fields = {name: _pack(getattr(value, name), arrays) for name in stored}
        return {"dataclass": f"{type(value).__module__}:{type(value).__qualname__}", "fields": fields}
    raise Unstorable(f"A {type(value).__name__} has no form on disk.")


def _add(arrays: dict[str, torch.Tensor], tensor: torch.Tensor) -> str:
    name = str(len(arrays))
    arrays[name] = tensor
    return name


def _unpack(tree: Any, arrays: dict[str, torch.Tensor]) -> Any:
    if not isinstance(tree, dict):
        return tree
    kind, content = next(iter(tree.items()))
    match kind:
        case "float":
            return float(content)
        case "bytes":
            return base64.b64decode(content)
        case "tensor":
            return arrays[content]
        case "array":
            return arrays[content].numpy()
        case "scalar":
            return arrays[content].numpy()[()]
        case "device":
            return torch.device(content)
        case "tuple":
            return tuple(_unpack(one, arrays) for one in content)
        case "list":
            return [_unpack(one, arrays) for one in content]
        case "dict":
            return {name: _unpack(one, arrays) for name, one in content.items()}
        case "dataclass":
            fields = {name: _unpack(one, arrays) for name, one in tree["fields"].items()}
            return _restore(content, fields)
    raise ValueError(f"unknown kind {kind!r}")


def _restore(name: str, fields: dict[str, Any]) -> Any:
    module, qualname = name.split(":")
    if module.split(".")[0] != "interp":
        raise ValueError(f"{name} is no class of this library")
    found: Any = importlib.import_module(module)
    for part in qualname.split("."):
        found = getattr(found, part)
    if not (isinstance(found, type) and dataclasses.is_dataclass(found)):
        raise ValueError(f"{name} is no dataclass")
    return found(**fields)
