"""What a file is, told by its content: only state dicts are read, and everything else is named for what it is."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import BinaryIO, Literal

FormatKind = Literal["safetensors", "archive", "legacy"]

# Some 20,000 tensors; each byte of an index can make an object of two hundred.
LARGEST_INDEX = 4 << 20
START = 1024
LEGACY = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
TAR = slice(257, 262)
SAVE = 'torch.save(model.state_dict(), "weights.pt")'

SCRIPT = ('model = torch.jit.load("{name}", map_location="cpu")', SAVE)
WHOLE = ('model = torch.load("{name}", map_location="cpu", weights_only=False)', SAVE)
EXPORTED = ('program = torch.export.load("{name}")', 'torch.save(dict(program.state_dict), "weights.pt")')
ONNX = (
    'weights = {{one.name: onnx.numpy_helper.to_array(one) for one in onnx.load("{name}").graph.initializer}}',
    'torch.save({{name: torch.tensor(one) for name, one in weights.items()}}, "weights.pt")',
)
NUMPY = (
    'weights = numpy.load("{name}")',
    'torch.save({{name: torch.tensor(weights[name]) for name in weights.files}}, "weights.pt")',
)
PICKLE = ('weights = pickle.load(open("{name}", "rb"))', 'torch.save(weights, "weights.pt")')
KERAS = "Give the network that it was trained as in PyTorch, and its state dict."

# What the first bytes say, and what to do with such a file.
SIGNATURES: tuple[tuple[bytes, str, str | tuple[str, str]], ...] = (
    (b"version https://git-lfs", "a pointer of Git LFS to a file of weights, not the file", "Fetch it: git lfs pull."),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras writes it", KERAS),
    (b"\x93NUMPY", "a single array of NumPy's", "Save all tensors of the network as one state dict."),
    (b"GGUF", "a GGUF file, which holds a language model", "Give the state dict of an image classifier."),
    (b"\x1f\x8b", "compressed with gzip", "Unpack it first."),
    (b"BZh", "compressed with bzip2", "Unpack it first."),
    (b"\xfd7zXZ", "compressed with xz", "Unpack it first."),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "Unpack it first."),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "Unpack it first."),
    (b"Rar!", "a RAR archive", "Unpack it first."),
    (b"\x89PNG", "a picture", "Give the file of weights."),
    (b"\xff\xd8\xff", "a picture", "Give the file of weights."),
)
PAGE = re.compile(rb"(\xef\xbb\xbf)?\s*<(!doctype|html|head|body|\?xml)", re.IGNORECASE)


def kind(path: Path) -> FormatKind:
    """How the state dict in a file is stored.

    Raises `ValueError` that says what else the file is and how a state dict is made of it, `FileNotFoundError` where
    there is none.
    """
    with opened(path) as file:
        start = file.read(START)
    if not start:
        raise ValueError(f"{path} is damaged: it is empty. Save or download it again.")
    if start.startswith(b"PK\x03\x04"):
        return _archive(path)
    if start.startswith(LEGACY):
        return "legacy"
    for signature, what, remedy in SIGNATURES:
        if start.startswith(signature):
            raise refusal(path, what, remedy)
    if start[8:9] == b"{" and (path.suffix.lower() == ".safetensors" or start[4:8] == bytes(4)):
        return "safetensors"
    raise _other(path, start)


def opened(path: Path) -> BinaryIO:
    """A file opened for reading. Raises `FileNotFoundError`, or `ValueError` where it cannot be read."""
    shown = str(path) if len(str(path)) <= 300 else f"{str(path)[:100]}... ({len(str(path)):,} letters)"
    try:
        # A pipe or a device would be waited for, perhaps for ever.
        if path.exists() and not path.is_file() and not path.is_dir():
            raise ValueError(f"{shown} is no ordinary file: give a file of weights.")
        return path.open("rb")
    except FileNotFoundError:
        raise FileNotFoundError(f"There is no file of weights at {shown}.") from None
    except IsADirectoryError:
        raise ValueError(f"{shown} is a folder: give the file of weights in it.") from None
    # The name may be too long, hold a zero byte, or lead to what may not be read.
    except (OSError, ValueError) as error:
        if isinstance(error, ValueError) and str(error).startswith(shown):
            raise
        reason = getattr(error, "strerror", None) or error
        raise ValueError(f"{shown} cannot be read as a file of weights: {reason}.") from None


def refusal(path: Path, what: str, remedy: str | tuple[str, str]) -> ValueError:
    """The error that says what a file is, and the two lines that make a state dict of it where there are such."""
    if not isinstance(remedy, str):
        lines = "\n".join(f"    {line.format(name=path.name)}" for line in remedy)
        remedy = f"These lines, where you trust the file, make one of it:\n\n{lines}\n"
    return ValueError(f"{path} is {what}, and no state dict of PyTorch's. {remedy}")


def _archive(path: Path) -> FormatKind:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise ValueError(f"{path} is a damaged archive ({error}). Save or download it again.") from None
    names = [entry.filename for entry in entries]
    inner = {name.partition("/")[2] for name in names} | set(names)
    if "constants.pkl" in inner or any(name.startswith("code/") for name in inner):
        raise refusal(path, "TorchScript (a network saved with torch.jit.save, code and all)", SCRIPT)
    if any(name.endswith(("archive_format", "serialized_exported_program.json")) for name in inner):
        raise refusal(path, "an exported program (of torch.export)", EXPORTED)
    if "model.weights.h5" in inner:
        raise refusal(path, "a file of Keras's", KERAS)
    if names and all(name.endswith(".npy") for name in names):
        raise refusal(path, "an archive of NumPy's arrays", NUMPY)
    if "data.pkl" not in inner:
        raise refusal(path, "a zip archive of other things", "Unpack it, and give the file of weights in it.")
    _check_size(path, entries)
    return "archive"


def _check_size(path: Path, entries: list[zipfile.ZipInfo]) -> None:
    """Refuse an archive that unpacks to more than its own size: PyTorch stores weights uncompressed."""
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > path.stat().st_size:
        raise ValueError(
            f"{path} has {path.stat().st_size:,} bytes and claims to unpack to {unpacked:,}: weights are stored "
            f"uncompressed. Save it again with {SAVE}."
        )
    index = sum(entry.file_size for entry in entries if entry.filename.endswith(".pkl"))
    if index > LARGEST_INDEX:
        raise ValueError(
            f"{path} has an index of {index:,} bytes: no classifier needs that. Save its state dict alone."
        )


def _other(path: Path, start: bytes) -> ValueError:
    """What a file is that has no signature of its own."""
    suffix = path.suffix.lower()
    if start[TAR] == b"ustar":
        return refusal(path, "a tar archive", "Unpack it, and give the file of weights in it.")
    if PAGE.match(start):
        return refusal(path, "a web page, such as a download gives that failed", "Download the file itself again.")
    if start[:1] == b"\x80" and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return refusal(path, "a pickle that torch.save did not write, or a damaged one", PICKLE)
    if start[4:8] == b"TFL3":
        return refusal(path, "a network of TensorFlow Lite", KERAS)
    if suffix == ".onnx" or (
        suffix not in (".pb", ".mlmodel") and start[:1] == b"\x08" and b"\x00" < start[1:2] <= b"\x20"
    ):
        return refusal(path, "an ONNX file", ONNX)
    if suffix in (".pb", ".mlmodel", ".msgpack", ".index"):
        return refusal(path, f"a {suffix} file of another library", KERAS)
    if start.lstrip()[:1] in (b"{", b"[") and suffix == ".json":
        return refusal(path, "a JSON file", "Give the file of weights beside it.")
    return ValueError(
        f"{path} is no file of weights, or a damaged one: its first bytes are of no known format. Give safetensors, "
        f"or a state dict that {SAVE} wrote, under any name."
    )
