"""Imports of a person's own code: files beside it, under names of their own, so that two folders share nothing.

Each load gets a package name that nobody else has, and `from blocks import block` in its files means the `blocks` of
its folder. Nothing is looked up by a name that another folder, or the server, could have too; so what is imported
stays where it is, and an import inside `forward` works as long as the network lives.
"""

from __future__ import annotations

import builtins
import contextlib
import hashlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.metadata
import importlib.util
import itertools
import os
import sys
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

PREFIX = "loupe_own_"
LARGEST_FILE = 8 << 20
_numbers = itertools.count()
_folders: dict[str, Folder] = {}
_state = threading.RLock()
_STARTED_WITH = tuple(sys.path)


class OutsideFolder(ImportError):
    """Own code asked for code that does not lie in its folder."""


class Folder:
    """The modules of one load: `root` is the folder of the TOML file, `entry` the file that defines the network.

    `digests` has the SHA-256 of every file that was run, as it was run, by its path within the folder. `packages` are
    the top names of what was imported from elsewhere.
    """

    def __init__(self, root: Path, entry: Path) -> None:
        self.root = root.resolve()
        self.name = f"{PREFIX}{next(_numbers)}"
        self.digests: dict[str, str] = {}
        self.packages: set[str] = set()
        # As Python has the folder of the script that it runs.
        self._places = list(dict.fromkeys([entry.resolve().parent, self.root]))
        self._entry = entry.resolve()
        self._path: list[str] | None = None

    def load(self) -> ModuleType:
        """Run the entry file; gives its module. Raises what its code raises."""
        with _state:
            _folders[self.name] = self
        with self.searching():
            return importlib.import_module(self._module_name(self._entry))

    def keep_for(self, owner: object) -> None:
        """Forget the modules when `owner` is gone, and not before: its methods may still import."""
        weakref.finalize(owner, _forget, self.name)

    def forget(self) -> None:
        """Forget the modules now."""
        _forget(self.name)

    @contextlib.contextmanager
    def searching(self) -> Iterator[None]:
        """Inside the `with` block own code runs; what it puts on Python's search path is taken off at the end."""
        before, outer = list(sys.path), self._path
        self._path = before if outer is None else outer
        try:
            yield
        finally:
            self._path = outer
            # Another thread may load at the same time: what it has taken off must not come back.
            kept = [entry for entry in sys.path if entry in before]
            sys.path[:] = [*(entry for entry in _STARTED_WITH if entry in before and entry not in kept), *kept]

    def find(self, name: str) -> Path | None:
        """The file, or the folder without an `__init__.py`, that a module's top name means here."""
        for place in self._searched():
            found = _file_of(place / name)
            if found is not None:
                return found
        for place in self._searched():
            # As in Python, a folder without an __init__.py comes behind everything that is installed.
            if (place / name).is_dir() and not _installed(name) and any((place / name).rglob("*.py")):
                return place / name
        return None

    def _searched(self) -> list[Path]:
        """Where top names are looked for: also the folders inside its own that own code put on the search path."""
        for entry in sys.path if self._path is not None else ():
            if entry in (self._path or ()):
                continue
            place = Path(entry).resolve()
            if place.is_relative_to(self.root):
                self._places += [place] if place not in self._places else []
            elif not any(place.is_relative_to(other.root) for other in list(_folders.values())):
                raise OutsideFolder(f"it imports from {place}, outside its folder: put the files into {self.root}")
        return self._places

    def import_(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """What `import` does in own code: the files of its folder first, under this folder's names."""
        if level:
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        top, _, rest = name.partition(".")
        found = self.find(top) if top and not top.startswith(PREFIX) else None
        if found is None:
            module = builtins.__import__(name, globals, locals, fromlist or (), 0)
            if top not in sys.stdlib_module_names:
                self.packages.add(top)
            return module
        with _state:
            _folders[self.name] = self
        inside = self._module_name(found)
        whole = f"{inside}.{rest}" if rest else inside
        try:
            importlib.import_module(whole)
            return builtins.__import__(whole, globals, locals, fromlist, 0) if fromlist else sys.modules[inside]
        except ModuleNotFoundError as error:
            if error.name is None or not error.name.startswith(f"{self.name}."):
                raise
            plain = error.name.removeprefix(f"{self.name}.")
            raise ModuleNotFoundError(f"there is no {plain!r} in {self.root}", name=plain) from None

    def _module_name(self, file: Path) -> str:
        parts = list(file.relative_to(self.root).parts)
        if parts[-1] == "__init__.py":
            del parts[-1]
        elif parts[-1].endswith(".py"):
            parts[-1] = parts[-1].removesuffix(".py")
        return ".".join([self.name, *(part.replace(".", _DOT) for part in parts)])

    def path_of(self, module: str) -> Path:
        """Where a module of this folder lies, without a suffix."""
        parts = module.split(".")[1:]
        return self.root.joinpath(*(part.replace(_DOT, ".") for part in parts))

    def read(self, file: Path) -> bytes:
        """The content of a file that is about to be run. Raises `OutsideFolder` where a link leads elsewhere."""
        real = file.resolve()
        if not real.is_relative_to(self.root):
            raise OutsideFolder(f"it imports {real}, outside its folder: put the file into {self.root}")
        if real.stat().st_size > LARGEST_FILE:
            raise ImportError(f"{real} is too large for Python code", path=str(real))
        content = real.read_bytes()
        self.digests[file.relative_to(self.root).as_posix()] = hashlib.sha256(content).hexdigest()
        return content

    def versions(self) -> dict[str, str]:
        """The versions of the packages that own code imports."""
        return {name: _version(name) for name in sorted(self.packages)}


# Stands for a dot in a file's name, where a dot in a module's name is a step down.
_DOT = "\u2024"


class _Loader(importlib.abc.Loader):
    """Runs a file as it is on disk: no compiled copy is read, whose file may have changed since, and none written."""

    def __init__(self, folder: Folder, file: Path) -> None:
        self._folder = folder
        self._file = file

    def exec_module(self, module: ModuleType) -> None:
        own = dict(vars(builtins))
        own["__import__"] = self._folder.import_
        # Functions find their built-ins through their module, and so import alike whenever they run.
        module.__dict__["__builtins__"] = own
        code = compile(self._folder.read(self._file), str(self._file), "exec", dont_inherit=True)
        exec(code, module.__dict__)


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(
        self, fullname: str, path: object, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if not fullname.startswith(PREFIX):
            return None
        folder = _folders.get(fullname.partition(".")[0])
        if folder is None:
            return None
        place = folder.path_of(fullname)
        # The folder itself is a package that runs nothing: its __init__.py would be of no file that was asked for.
        file = _file_of(place) if place != folder.root else None
        if file is not None:
            inner = [str(place)] if file.name == "__init__.py" else None
            loader = _Loader(folder, file)
            return importlib.util.spec_from_file_location(
                fullname, file, loader=loader, submodule_search_locations=inner
            )
        if not place.is_dir() or not place.resolve().is_relative_to(folder.root):
            # Else Python would go on to look by itself.
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        spec = importlib.machinery.ModuleSpec(fullname, None, is_package=True)
        spec.submodule_search_locations = [str(place)]
        return spec


# First, since Python's own would find the same files and run them as it does all.
sys.meta_path.insert(0, _Finder())


def _file_of(place: Path) -> Path | None:
    with contextlib.suppress(OSError, ValueError):
        for file in (place / "__init__.py", place.with_name(f"{place.name}.py")):
            if os.path.lexists(file):
                return file
    return None


def _installed(name: str) -> bool:
    try:
        return name in sys.modules or importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _version(package: str) -> str:
    stated = getattr(sys.modules.get(package), "__version__", None)
    if stated is not None:
        return str(stated)
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def _forget(name: str) -> None:
    with _state:
        _folders.pop(name, None)
        for module in [one for one in sys.modules if one == name or one.startswith(f"{name}.")]:
            del sys.modules[module]
