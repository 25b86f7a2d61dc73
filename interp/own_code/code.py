"""A function or class in a person's own file, and the network that it gives."""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import json
import os
import re
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn

from interp.own_code.importing import Folder

LONGEST_ERROR = 500


@dataclass(eq=False)
class OwnCode:
    """A function or class of `file` that gives a network; `root` is the folder from which it may import.

    `arguments` are given to it as keywords, and `classes` as `num_classes` where it has such a parameter.
    """

    root: Path
    file: Path
    function: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    classes: int | None = None
    _built: Folder | None = None

    def build(self) -> nn.Module:
        """The network, untrained. Raises `ValueError` that names file, line and error."""
        folder = Folder(self.root, self.file)
        try:
            network = self._network(folder)
        except BaseException:
            folder.forget()
            raise
        folder.keep_for(network)
        self._built = folder
        return network

    def _network(self, folder: Folder) -> nn.Module:
        module = self._told(folder, folder.load, "its code")
        make = getattr(module, self.function, None)
        if isinstance(make, nn.Module):
            return make
        if not callable(make) or isinstance(make, ModuleType):
            raise ValueError(
                f"{self.file} defines no function {self.function!r}: define it, or a class of that name, to give the "
                "network."
            )
        keywords = self._keywords(make)
        network = self._told(folder, lambda: make(**keywords), f"{self.function}()")
        if not isinstance(network, nn.Module):
            raise ValueError(
                f"{self.file}: {self.function}() returns {type(network).__name__}: it must return a torch.nn.Module."
            )
        return network

    def _keywords(self, make: Callable[..., object]) -> dict[str, Any]:
        given = dict(self.arguments)
        try:
            signature = inspect.signature(make)
        except (TypeError, ValueError):
            return given
        if self.classes is not None and "num_classes" in signature.parameters:
            given.setdefault("num_classes", self.classes)
        try:
            signature.bind(**given)
        except TypeError as error:
            raise ValueError(
                f"{self.file}: {self.function}{signature} cannot be called with "
                f"{', '.join(given) or 'no arguments'} ({error}). Give what it needs in the TOML file, such as "
                "arguments = { depth = 18 }."
            ) from None
        return given

    def _told(self, folder: Folder, run: Callable[[], object], what: str) -> Any:
        try:
            with folder.searching(), unchanged():
                return run()
        except KeyboardInterrupt:
            # Of whoever sits at the terminal: own code that raises it ends in a process of its own, before.
            raise
        except BaseException as error:
            hint = self._hint(error)
            raise ValueError(f"{where(self.file, error)}: {what} failed with {named(error)}{hint}") from error

    def _hint(self, error: BaseException) -> str:
        if not isinstance(error, ModuleNotFoundError) or not error.name:
            return ""
        beside = self.root / f"{error.name.partition('.')[0]}.py"
        if beside.is_file():
            return f". {beside.name} lies there: write `import {beside.stem}`, which looks in the file's own folder."
        return f". Install it where the server runs, or put {beside.name} into {self.root}."

    @property
    def files(self) -> dict[str, str]:
        """The SHA-256 of each file that takes part, by its path in the folder, as it is on disk.

        These are the file and those that it imports, wherever in the code, directly and through others.
        """
        folder, found = Folder(self.root, self.file), {}
        waiting = [self.file.resolve()]
        while waiting:
            file = waiting.pop()
            name = file.relative_to(folder.root).as_posix()
            if name in found:
                continue
            with contextlib.suppress(OSError, ImportError):
                content = folder.read(file)
                found[name] = folder.digests[name]
                waiting += _imported(folder, file, content)
        return found

    @property
    def digest(self) -> str:
        """A digest of what the network is made from: files, arguments, and the versions of the packages imported.

        After `build` the files are those that were run, as they were, and those that only a later call would import.
        """
        built = self._built
        files = {**self.files, **(built.digests if built else {})}
        said = [self.function, self.arguments, self.classes, sorted(files.items()), built.versions() if built else {}]
        return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def where(code: Path, error: BaseException) -> str:
    """The file and line of a person's own code at which an error arose: `code`, or a file of its folder."""
    if isinstance(error, SyntaxError) and error.filename and _inside(error.filename, code):
        return f"{error.filename}, line {error.lineno}" if error.lineno else error.filename
    frames = traceback.extract_tb(error.__traceback__)
    for frame in reversed(frames):
        if _inside(frame.filename, code):
            return f"{frame.filename}, line {frame.lineno}"
    return str(code)


def named(error: BaseException) -> str:
    """An error's type and text, cut to a readable length."""
    try:
        text = str(error)
    except Exception:
        text = ""
    text = text.encode("utf-8", "replace").decode()
    return f"{type(error).__name__}: {text if len(text) <= LONGEST_ERROR else text[:LONGEST_ERROR] + ' …'}"


@contextlib.contextmanager
def unchanged() -> Iterator[None]:
    """Inside the `with` block own code runs; what it sets for all of Python or PyTorch is set back at the end."""
    dtype, device, gradients = torch.get_default_dtype(), torch.get_default_device(), torch.is_grad_enabled()
    threads, folder = torch.get_num_threads(), os.getcwd()
    try:
        yield
    finally:
        torch.set_default_dtype(dtype)
        torch.set_grad_enabled(gradients)
        if torch.get_default_device() != device:
            torch.set_default_device(None if device.type == "cpu" else device)
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        os.chdir(folder)


def _inside(filename: str, code: Path) -> bool:
    return filename == str(code) or Path(filename).is_relative_to(code.parent)


def _imported(folder: Folder, file: Path, content: bytes) -> list[Path]:
    """The files of the folder that one of its files imports, at its top or inside of functions.

    Python's own parser may take gigabytes for a file made to that end, and this runs in the server. What only looks
    like an import, in a text, does no harm.
    """
    text = content.decode("utf-8", "replace").replace("\\\n", " ")
    found: list[Path] = []
    for statement in _IMPORT.finditer(text):
        level = len(statement["level"] or "")
        place = file.parents[level - 1] if 0 < level <= len(file.parents) else None
        for name in re.findall(r"(?:^|,)\s*([\w.]+|\*)", re.sub(r"#.*", "", statement["names"]).strip("()")):
            # `from a import b` may mean a file b in the folder a; `import a.b` does.
            whole = name if statement["level"] is None else f"{statement['module'] or ''}.{name}"
            steps = [step for step in whole.split(".") if step]
            if steps and not level:
                place = folder.find(steps.pop(0))
            found += _files(place, steps)
    return [one for one in dict.fromkeys(found) if one.is_relative_to(folder.root)]


# Without ways back: a file may be made so that they take for ever.
_IMPORT = re.compile(
    r"(?:^|[;:])[ \t]*+(?:from\b[ \t]*+(?P<level>\.*+)[ \t]*+(?P<module>(?!import\b)\w[\w.]*+)?+[ \t]*+)?+"
    r"import\b[ \t]*+(?P<names>\([^)]{0,9999}+\)|[\w., \t*]++)",
    re.MULTILINE,
)


def _files(place: Path | None, steps: list[str]) -> list[Path]:
    """The files that are run when `steps` are imported from a file or folder, its `__init__.py` among them."""
    found: list[Path] = []
    while place is not None:
        init = place / "__init__.py"
        if place.suffix == ".py" and place.is_file():
            found.append(place)
        elif init.is_file():
            found.append(init)
        folder = place.parent if place.name == "__init__.py" else place
        if not steps or not folder.is_dir():
            return found
        step, *steps = steps
        module = folder / f"{step}.py"
        place = module if module.is_file() else folder / step if (folder / step).is_dir() else None
    return found
