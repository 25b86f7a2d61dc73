"""The content of a file of weights: first what it claims, with no memory behind it, then the tensors."""

from __future__ import annotations

import pickletools
import threading
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import torch
from torch import Tensor
from torch.serialization import safe_globals

from interp.models.checkpoint import stand_ins
from interp.models.checkpoint.formats import SAVE, WHOLE, FormatKind, kind, opened, refusal
from interp.models.checkpoint.stand_ins import NumpyArray, StandIn

DEEPEST = 16
MOST_TENSORS = 200_000
LEGACY_PICKLES = 4
SHOWN = 3

# torch keeps one table of what may be built for all threads.
_lock = threading.Lock()


class Content:
    """A file's content as nested mappings: `claimed` has tensors on the meta device, `read()` those of the file."""

    def __init__(self, path: Path) -> None:
        """Raises `ValueError` that says why a file is not read, `FileNotFoundError` where there is none."""
        self.path = path
        self.kind: FormatKind = kind(path)
        self.claimed: object = _claimed_safetensors(path) if self.kind == "safetensors" else _claimed(path, self.kind)

    def read(self) -> object:
        """The content with its tensors, mapped from the file where its format allows that."""
        if self.kind == "safetensors":
            from safetensors.torch import load_file

            return load_file(self.path)
        return _unpickled(self.path, self.kind, device="cpu", mmap=self.kind == "archive")


def tensors(content: object) -> dict[str, Tensor]:
    """All tensors in nested mappings and lists, by their dotted path, in the order of the file.

    What appears a second time is named once. Arrays of numbers of NumPy's count as tensors. Raises `ValueError` for
    more than any classifier has.
    """
    found: dict[str, Tensor] = {}
    pending: list[tuple[str, object, int]] = [("", content, 0)]
    seen = set()
    while pending:
        path, one, depth = pending.pop()
        tensor = one.tensor if isinstance(one, NumpyArray) else one
        if isinstance(tensor, Tensor):
            tensor = _bare(tensor)
            found.setdefault(path, tensor)
            if len(found) > MOST_TENSORS:
                raise ValueError(f"It holds more than {MOST_TENSORS:,} tensors: no classifier has so many.")
        elif depth < DEEPEST and isinstance(one, dict | list | tuple) and not isinstance(one, StandIn):
            if id(one) not in seen:
                seen.add(id(one))
                entries = stand_ins.items(one) if isinstance(one, dict) else enumerate(one)
                inner = [(f"{path}.{name}" if path else str(name), value, depth + 1) for name, value in entries]
                pending.extend(reversed(inner))
    return found


def whole_network(content: object) -> tuple[str, str] | None:
    """The class of a network that was pickled whole, and the entry that it is ("" for the content itself)."""
    entries = stand_ins.items(content) if isinstance(content, dict) else ()
    for name, one in (("", content), *entries):
        if isinstance(one, StandIn) and "_modules" in one.attributes:
            return one.path, str(name)
    return None


def whole_refusal(path: Path, name: str, entry: str = "") -> ValueError:
    """The error for a network that was pickled whole, which names its class."""
    what = f"a whole pickled network ({name}), which runs code when it is read"
    if name.startswith("ultralytics"):
        lines = ('model = ultralytics.YOLO("{name}").model', SAVE)
    elif name.startswith("fastai"):
        lines = ('learner = fastai.vision.all.load_learner("{name}")', SAVE.replace("model", "learner.model"))
    else:
        lines = (WHOLE[0] + (f'["{entry[:80]}"]' if entry else ""), WHOLE[1])
    return refusal(path, what, lines)


def _claimed_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}
            return {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}
    # The library also raises bare errors of Python's for sizes that no memory has.
    except (SafetensorError, OSError, RuntimeError, OverflowError, TypeError) as error:
        raise ValueError(f"{path} is damaged, or no safetensors file: {error}. Save or download it again.") from None


def _claimed(path: Path, kind: FormatKind) -> object:
    """The content on the meta device: names, shapes and strides, with no memory behind them."""
    loaded = _unpickled(path, kind, device="meta", mmap=False)
    size = path.stat().st_size
    for tensor in _all_tensors(loaded):
        if tensor.is_nested or tensor.layout != torch.strided:
            raise ValueError(f"{path} has a tensor that is sparse or nested: save each one as a dense tensor.")
        if _extent(tensor) > size:
            raise ValueError(
                f"{path} has {size:,} bytes and claims a tensor of shape {list(tensor.shape)}, which they cannot hold. "
                "Save each tensor with .contiguous(), or check where the file comes from."
            )
    return loaded


def _extent(tensor: Tensor) -> int:
    """The bytes that a tensor occupies in its storage, or its own, whichever is more: an expanded one needs its own."""
    reach = sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True))
    reach = reach + tensor.storage_offset() + 1 if tensor.numel() else 0
    return int(max(reach, tensor.numel()) * tensor.element_size())


def _all_tensors(loaded: object) -> Iterator[Tensor]:
    pending, seen = [loaded], set()
    while pending:
        one = pending.pop()
        if isinstance(one, Tensor):
            yield _bare(one)
        elif isinstance(one, dict | list | tuple) and id(one) not in seen:
            seen.add(id(one))
            pending.extend(dict.values(one) if isinstance(one, dict) else one)


def _bare(tensor: Tensor) -> Tensor:
    """The tensor without attributes that a pickle has given it, which could stand before its methods."""
    return Tensor.detach(tensor)


def _unpickled(path: Path, kind: FormatKind, *, device: str, mmap: bool) -> object:
    """What the pickle in a file holds, with stand-ins for whatever is no tensor. Raises `ValueError`."""
    names = _asked_for(path, kind)
    unknown = sorted(name for name in names if name not in stand_ins.torchs_own() and name not in stand_ins.HARMLESS)
    kind_of_error = ""
    for mappings in (False, True) if unknown else (False,):
        try:
            with opened(path) as file, _lock, safe_globals(stand_ins.stand_ins(names, mappings=mappings)):
                # Under a path that ends so torch looks for another format; only a path can be mapped.
                source = path if mmap and path.suffix != ".safetensors" else file
                return torch.load(source, map_location=device, weights_only=True, mmap=source is path)
        # A damaged pickle can raise anything at all.
        except Exception as error:
            kind_of_error = type(error).__name__
    raise _unread(path, names, unknown, kind_of_error)


def _unread(path: Path, names: Iterable[str], unknown: Sequence[str], kind_of_error: str) -> ValueError:
    """Why a pickle could not be read."""
    network = next((name for name in sorted(names) if _is_network(name)), None)
    if network is not None:
        return whole_refusal(path, network)
    functions = stand_ins.functions(names)
    why = f"is damaged, or no file of weights ({kind_of_error})"
    if functions:
        shown = ", ".join(functions[:SHOWN]) + (", ..." if len(functions) > SHOWN else "")
        why = f"holds more than tensors: it asks for {shown}, and such a file could run code"
    elif unknown and kind_of_error == "UnpicklingError":
        why = f"holds objects that cannot be read as plain values ({', '.join(unknown[:SHOWN])})"
    return ValueError(f"{path} {why}. Save it with {SAVE}, or as safetensors.")


def _asked_for(path: Path, kind: FormatKind) -> frozenset[str]:
    try:
        if kind == "legacy":
            with opened(path) as file:
                return stand_ins.asked_for(chain(*(pickletools.genops(file) for _ in range(LEGACY_PICKLES))))
        with zipfile.ZipFile(path) as archive:
            index = next(name for name in archive.namelist() if name.partition("/")[2] == "data.pkl")
            return stand_ins.asked_for(pickletools.genops(archive.read(index)))
    # A damaged pickle can raise anything at all here, too.
    except Exception as error:
        raise ValueError(
            f"{path} is damaged, or no file of weights: {str(error)[:200] or type(error).__name__}. "
            f"Save it again with {SAVE}."
        ) from None


def _is_network(name: str) -> bool:
    """Whether a class is a network, or a part of one, other than a loss."""
    return (
        (name.startswith("torch.nn.modules.") and not name.startswith("torch.nn.modules.loss."))
        or name.startswith(("torchvision.models.", "timm.models.", "ultralytics.nn.", "fastai.learner."))
    ) and name.rpartition(".")[2][:1].isupper()
