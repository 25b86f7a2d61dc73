"""Weights from a file: names and sizes are compared with the network before anything large is read."""

from __future__ import annotations

import json
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

PICKLED = {".pt", ".pth", ".bin"}
WRAPPERS = ("state_dict", "model_state_dict", "model")
PREFIXES = ("module.", "_orig_mod.", "model.", "network.")
AUXILIARY = ("aux1.", "aux2.", "AuxLogits.")
LARGEST_INDEX = 64 << 20
SHOWN = 3
FIGURES = "figures"

Shapes = dict[str, tuple[int, ...]]


def fill(network: nn.Module, path: Path, rename: Callable[[str], str]) -> None:
    """Put the weights of a file into a network, which may be on the meta device.

    The file is safetensors, or a state dict of PyTorch's, read without running code; wrappers ("state_dict") and
    prefixes ("module.") are taken off. Raises `ValueError` that names what is missing, unexpected or misshaped, and
    `FileNotFoundError`.
    """
    if not path.is_file():
        raise FileNotFoundError(f"There is no file of weights at {path}.")
    expected = network.state_dict()
    if path.suffix.lower() == ".safetensors":
        shapes = _safetensors_shapes(path)
    elif path.suffix.lower() in PICKLED:
        shapes = {name: tuple(tensor.shape) for name, tensor in _claimed_state(path).items()}
    else:
        raise ValueError(f"{path} is no file of weights: give .safetensors, or a state dict as .pt, .pth or .bin.")
    plain = _plain_names(shapes, expected, rename)
    _compare(path, {plain[name]: shape for name, shape in shapes.items() if name in plain}, expected)
    state = _read_safetensors(path) if path.suffix.lower() == ".safetensors" else _read_pickled(path)
    complete = OrderedDict((name, _fresh_counter(tensor)) for name, tensor in expected.items())
    for name, tensor in state.items():
        if name in plain:
            complete[plain[name]] = _finite(path, name, tensor, expected[plain[name]].dtype)
    # torch converts old layouts by version; names and shapes are today's already.
    complete._metadata = expected._metadata  # pyright: ignore[reportAttributeAccessIssue]
    network.load_state_dict(complete, assign=True)


def save(path: Path, state: Mapping[str, Tensor], figures: Mapping[str, float]) -> None:
    """Write a safetensors file that also carries what was measured; the same arguments give the same bytes."""
    from safetensors.torch import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    plain = {name: tensor.cpu().contiguous() for name, tensor in state.items()}
    # One note for all figures: safetensors writes several in an order of its own, another one each time.
    save_file(plain, path, metadata={FIGURES: json.dumps(dict(figures))})


def figures(path: Path) -> dict[str, float]:
    """What was measured of the weights in a file that `save` has written."""
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        return json.loads((file.metadata() or {}).get(FIGURES, "{}"))


def _fresh_counter(tensor: Tensor) -> Tensor:
    """A zero for batch-norm's counter of batches, which old files lack; anything else stays to be replaced."""
    return torch.zeros((), dtype=tensor.dtype) if tensor.ndim == 0 and tensor.is_meta else tensor


def _plain_names(shapes: Shapes, expected: Mapping[str, Tensor], rename: Callable[[str], str]) -> dict[str, str]:
    """The network's name for each of the file's names, without those of auxiliary heads that the network lacks."""
    plain = {name: name for name in shapes}
    while shapes and not set(plain.values()) & set(expected):
        prefix = next((one for one in PREFIXES if all(name.startswith(one) for name in plain.values())), None)
        if prefix is None:
            break
        plain = {name: short.removeprefix(prefix) for name, short in plain.items()}
    renamed = {name: rename(short) for name, short in plain.items()}
    return {name: short for name, short in renamed.items() if short in expected or not short.startswith(AUXILIARY)}


def _compare(path: Path, shapes: Shapes, expected: Mapping[str, Tensor]) -> None:
    missing = [name for name in expected if name not in shapes and not name.endswith("num_batches_tracked")]
    unexpected = [name for name in shapes if name not in expected]
    if missing or unexpected:
        raise ValueError(
            f"{path} does not hold the weights of this architecture: {_listed(missing, 'missing')}; "
            f"{_listed(unexpected, 'not expected')}. Was it saved from another architecture?"
        )
    wrong = [name for name, shape in shapes.items() if shape != tuple(expected[name].shape)]
    if not wrong:
        return
    described = [f"{name} is {list(shapes[name])} instead of {list(expected[name].shape)}" for name in wrong[:SHOWN]]
    only_first = all(shapes[name][1:] == tuple(expected[name].shape)[1:] for name in wrong)
    sizes = {(shapes[name][:1], tuple(expected[name].shape)[:1]) for name in wrong}
    if only_first and len(sizes) == 1 and len(wrong) <= 2 and set(wrong) <= set(list(expected)[-2:]):
        (theirs, ours) = sizes.pop()
        remedy = f"The file has {theirs[0]} classes, and {ours[0]} are expected: give {theirs[0]} labels."
    else:
        remedy = "Was it saved from another architecture, or another variant of it?"
    raise ValueError(
        f"{path} has {len(wrong)} of {len(expected)} tensors in another shape: {'; '.join(described)}. {remedy}"
    )


def _listed(names: Sequence[str], what: str) -> str:
    shown = ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
    return f"{len(names)} tensors are {what}" + (f" ({shown})" if names else "")


def _safetensors_shapes(path: Path) -> Shapes:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path} is damaged, or no safetensors file: {error}. Save or download it again.") from None


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    return load_file(path)


def _claimed_state(path: Path) -> dict[str, Tensor]:
    """The file's tensors on the meta device: names, shapes and strides, with no memory behind them."""
    loaded = _unpickled(path, device="meta", mmap=False)
    size = path.stat().st_size
    for tensor in _tensors(loaded):
        if tensor.layout != torch.strided or _extent(tensor) > size:
            raise ValueError(
                f"{path} has {size:,} bytes and claims a tensor of shape {list(tensor.shape)}, which they cannot hold. "
                "Save each tensor with .contiguous(), or check where the file comes from."
            )
    return _state(path, loaded)


def _extent(tensor: Tensor) -> int:
    """The bytes that a tensor occupies in its storage, or its own, whichever is more: an expanded one needs its own."""
    reach = sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True))
    reach = reach + tensor.storage_offset() + 1 if tensor.numel() else 0
    return int(max(reach, tensor.numel()) * tensor.element_size())


def _tensors(loaded: object) -> Iterator[Tensor]:
    pending, seen = [loaded], set()
    while pending:
        one = pending.pop()
        if isinstance(one, Tensor):
            yield one
        elif isinstance(one, Mapping | list | tuple) and id(one) not in seen:
            seen.add(id(one))
            pending.extend(one.values() if isinstance(one, Mapping) else one)


def _read_pickled(path: Path) -> dict[str, Tensor]:
    return _state(path, _unpickled(path, device="cpu", mmap=zipfile.is_zipfile(path)))


def _unpickled(path: Path, *, device: str, mmap: bool) -> object:
    if zipfile.is_zipfile(path):
        _check_archive(path)
    try:
        return torch.load(path, map_location=device, weights_only=True, mmap=mmap)
    # A damaged pickle can raise anything at all.
    except Exception as error:
        if "Weights only load failed" in str(error):
            reason = "holds more than tensors (a whole pickled model, perhaps), and such a file could run code"
        else:
            reason = f"is damaged, or no file of weights ({type(error).__name__})"
        raise ValueError(
            f"{path} {reason}. Save it with torch.save(model.state_dict(), file), or as safetensors."
        ) from None


def _check_archive(path: Path) -> None:
    """Refuse an archive that unpacks to more than its own size: PyTorch stores weights uncompressed."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise ValueError(f"{path} is a damaged archive ({error}). Save or download it again.") from None
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > path.stat().st_size:
        raise ValueError(
            f"{path} has {path.stat().st_size:,} bytes and claims to unpack to {unpacked:,}: weights are stored "
            "uncompressed. Save it again with torch.save(model.state_dict(), file)."
        )
    index = sum(entry.file_size for entry in entries if entry.filename.endswith(".pkl"))
    if index > LARGEST_INDEX:
        raise ValueError(
            f"{path} has an index of {index:,} bytes: no classifier needs that. Save its state dict alone."
        )


def _state(path: Path, loaded: object) -> dict[str, Tensor]:
    """The state dict in what was loaded, without what training code wraps around it."""
    for wrapper in WRAPPERS:
        if isinstance(loaded, Mapping) and isinstance(loaded.get(wrapper), Mapping):
            loaded = loaded[wrapper]
    if not isinstance(loaded, Mapping) or not loaded or not all(isinstance(one, Tensor) for one in loaded.values()):
        raise ValueError(
            f"{path} holds no state dict: it must be a mapping of names to tensors, as torch.save(model.state_dict(), "
            "file) makes it."
        )
    return {str(name): tensor for name, tensor in loaded.items()}


def _finite(path: Path, name: str, tensor: Tensor, dtype: torch.dtype) -> Tensor:
    """The tensor in the network's own type, and in memory of its own. Refuses values that are not numbers."""
    if tensor.is_complex() or tensor.is_quantized:
        raise ValueError(f"{path} has {name} as {tensor.dtype}, which this network cannot take: save it as float32.")
    own = tensor.detach().to(dtype, copy=True).contiguous()
    if own.is_floating_point() and not own.isfinite().all():
        raise ValueError(
            f"{path} has values in {name} that are not finite numbers: the training that saved it diverged."
        )
    return own
