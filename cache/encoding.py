"""Results as bytes and back, without pickle: arrays as safetensors, the rest as JSON in its header.

Only dataclasses of `interp` are restored, so that a file from elsewhere runs no code.
"""

from __future__ import annotations

import base64
import dataclasses
import importlib
import io
import json
import math
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load, save

# Safetensors reads headers of at most 100 MB, and quotation marks and the names of arrays take room in them.
LARGEST_TREE = 40_000_000
LEAST_SIDE, LARGEST_WEBP = 16, 16_383
_DTYPES = {
    *(torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.bool, torch.complex64),
    *(torch.int64, torch.int32, torch.int16, torch.int8, torch.uint64, torch.uint32, torch.uint16, torch.uint8),
    *(torch.float8_e4m3fn, torch.float8_e5m2),
}
# Of a picture's bytes a third of what its pixels take; no eye finds the noise that is lost.
WEBP_QUALITY = 30
# Arrays with at least so many numbers are halved.
LARGE = 1_000
_LOCKS = (type(threading.Lock()), type(threading.RLock()))


class Unstorable(TypeError):
    """A value that has no form on disk, such as a classifier: it stays in memory only."""


class _Arrays(dict[str, torch.Tensor]):
    """The arrays of a value, by their names; `compact` are to be small."""

    compact = False


def encode(value: Any, about: dict[str, str], *, compact: bool = False) -> bytes:
    """The value as a safetensors file, with `about` readable from its header. Raises `Unstorable`.

    Where it is to be `compact`, pictures (of 8 bits, one or several, or several of floats from 0 to 1) become WebP,
    with loss, and large arrays of floats have 11 binary digits, counted from the largest number among them.
    """
    arrays = _Arrays()
    arrays.compact = compact
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


def _pack(value: Any, arrays: _Arrays) -> Any:
    if value is None or type(value) in (bool, str, int):
        return value
    if type(value) is float:
        return value if math.isfinite(value) else {"float": str(value)}
    if type(value) is bytes:
        return {"bytes": base64.b64encode(value).decode()}
    if arrays.compact and (small := _compacted(value, arrays)) is not None:
        return small
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
    if type(value) is dict and all(type(name) in (int, str, tuple) for name in value):
        return {"entries": [[_pack(name, arrays), _pack(one, arrays)] for name, one in value.items()]}
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


def _compacted(value: Any, arrays: _Arrays) -> dict[str, Any] | None:
    """A picture, or a large array of floats, in few bytes; None for anything else."""
    if isinstance(value, np.ndarray) and value.dtype == np.uint8 and value.ndim == 3 and value.shape[2] == 3:
        # What is smaller is no picture, but numbers that happen to have its form.
        if min(value.shape[:2]) < LEAST_SIDE or max(value.shape[:2]) > LARGEST_WEBP:
            return None
        return {"webp": _add(arrays, _webp(value))}
    if isinstance(value, np.ndarray) and value.dtype == np.uint8 and _many_pictures(value):
        return {"sheet": _add(arrays, _webp(_sheet(value))), "shape": list(value.shape)}
    if type(value) is torch.Tensor:
        kind, given = "tensor", value.detach().cpu()
    elif isinstance(value, np.ndarray) and value.dtype in (np.float32, np.float64):
        kind, given = "array", torch.from_numpy(np.array(value, order="C"))
    else:
        return None
    if given.dtype not in (torch.float32, torch.float64) or given.numel() < LARGE or not given.isfinite().all():
        return None
    if kind == "tensor" and _pictures(given):
        names = [_add(arrays, _webp((one * 255).round().byte().permute(1, 2, 0).numpy())) for one in given]
        return {"webps": names, "dtype": str(given.dtype).removeprefix("torch.")}
    largest = float(given.abs().max()) or 1.0
    name = _add(arrays, (given / largest).half().contiguous())
    return {"half": name, "largest": largest, "of": [kind, str(given.dtype).removeprefix("torch.")]}


def _many_pictures(value: np.ndarray) -> bool:
    """Whether these are pictures of one size side by side, which fit on a sheet."""
    if value.ndim != 4 or value.shape[3] != 3 or not len(value) or min(value.shape[1:3]) < LEAST_SIDE:
        return False
    return max(_sheet_size(value.shape)) <= LARGEST_WEBP


def _sheet_size(shape: Sequence[int]) -> tuple[int, int]:
    """Height and width of a sheet that is about as high as wide."""
    count, height, width, _ = shape
    columns = math.ceil(math.sqrt(count))
    return -(-count // columns) * height, columns * width


def _sheet(value: np.ndarray) -> np.ndarray:
    count, height, width, _ = value.shape
    rows, columns = (size // side for size, side in zip(_sheet_size(value.shape), (height, width), strict=True))
    paper = np.concatenate([value, np.zeros((rows * columns - count, height, width, 3), np.uint8)])
    return paper.reshape(rows, columns, height, width, 3).swapaxes(1, 2).reshape(rows * height, columns * width, 3)


def _unsheet(sheet: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    count, height, width, _ = shape
    rows, columns = len(sheet) // height, sheet.shape[1] // width
    return sheet.reshape(rows, height, columns, width, 3).swapaxes(1, 2).reshape(-1, height, width, 3)[:count].copy()


def _pictures(given: torch.Tensor) -> bool:
    """Whether these are pictures: as a page draws them, and no maps, which no one has with three channels."""
    if (
        given.ndim != 4
        or given.shape[1] != 3
        or not LEAST_SIDE <= min(given.shape[2:]) <= max(given.shape[2:]) <= LARGEST_WEBP
    ):
        return False
    return bool(given.amin() >= 0) and bool(given.amax() <= 1)


def _webp(pixels: np.ndarray) -> torch.Tensor:
    packed = io.BytesIO()
    Image.fromarray(pixels).save(packed, "WEBP", quality=WEBP_QUALITY, method=6)
    return torch.frombuffer(bytearray(packed.getvalue()), dtype=torch.uint8)


def _unwebp(packed: torch.Tensor) -> np.ndarray:
    with Image.open(io.BytesIO(packed.numpy().tobytes()), formats=("WEBP",)) as picture:
        return np.array(picture.convert("RGB"))


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
        case "entries":
            return {_unpack(name, arrays): _unpack(one, arrays) for name, one in content}
        case "webp":
            return _unwebp(arrays[content])
        case "sheet":
            return _unsheet(_unwebp(arrays[content]), tree["shape"])
        case "webps":
            pictures = np.stack([_unwebp(arrays[one]) for one in content])
            return torch.from_numpy(pictures).permute(0, 3, 1, 2).to(getattr(torch, tree["dtype"])) / 255
        case "half":
            kind, dtype = tree["of"]
            whole = arrays[content].to(getattr(torch, dtype)) * tree["largest"]
            return whole if kind == "tensor" else whole.numpy()
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
