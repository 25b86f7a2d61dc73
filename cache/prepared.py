"""Results that were computed beforehand, in zip archives: one for a classifier, one for what images alone tell.

They stand beside the store: what is not kept there is looked for here. An entry's name is its call's subject, the
digest of the function's name and its arguments, so that it holds for later versions of the library, too; a test
computes a sample anew. `note.json` in an archive tells how it was made. Pictures and large arrays are rounded.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cache import store
from cache.encoding import Unstorable, decode, encode
from cache.keys import Call, subjects
from cache.memory import MISSING

BUNDLED = Path(__file__).resolve().parents[1] / "interp" / "models" / "weights" / "prepared"
SUFFIX = ".zip"
NOTE = "note.json"
# No result of a page is larger.
LARGEST = 2**30
# Archives of the same content are the same bytes.
THEN = (2026, 1, 1, 0, 0, 0)


class Archive:
    """An archive on disk. Raises `ValueError` that says what is wrong with it, and `OSError`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = zipfile.ZipFile(path)
            self._entries = {one.filename: one for one in self._file.infolist() if one.file_size <= LARGEST}
            self.note: Mapping[str, Any] = json.loads(self._file.read(self._entries[NOTE]))
            self.made_for = (self.note["fingerprint"], self.note["made"])
        except (zipfile.BadZipFile, KeyError, ValueError, TypeError, NotImplementedError, RuntimeError) as error:
            raise ValueError(
                f"{path.name} holds no prepared results ({error}). Make them by: python -m precompute prepare"
            ) from error

    def __contains__(self, subject: str) -> bool:
        return subject in self._entries

    def __len__(self) -> int:
        return len(self._entries) - 1

    def get(self, subject: str) -> Any:
        """A result with its remarks, or `MISSING`, also for a damaged one: that is computed anew."""
        entry = self._entries.get(subject)
        if entry is None:
            return MISSING
        try:
            return decode(self._file.read(entry))
        except (OSError, ValueError, zipfile.BadZipFile, zipfile.LargeZipFile, RuntimeError):
            return MISSING


@dataclass
class Recording:
    """Results that are being prepared: all that is found or computed while it is open, each as it will be read.

    `functions` names the function of each, by its subject, and `used` holds those that were wanted since `begin`.
    Those of calls for which `shared` holds are written to a file of their own.
    """

    shared: Callable[[Call], bool] = lambda call: False
    entries: dict[str, bytes] = field(default_factory=dict)
    functions: dict[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    _shared: set[str] = field(default_factory=set)

    def begin(self) -> None:
        """Begin anew to note what is used."""
        self.used.clear()

    def __contains__(self, subject: str) -> bool:
        return subject in self.entries

    def get(self, subject: str) -> Any:
        """A result with its remarks, rounded as it will be, or `MISSING`."""
        if subject not in self.entries:
            return MISSING
        self.used.add(subject)
        return decode(self.entries[subject])

    def add(self, call: Call, value: Any) -> None:
        """Take in a result with its remarks, unless it has no form on disk or is true for this run only."""
        if call.subject in self.entries:
            self.used.add(call.subject)
        if call.passing or call.subject in self.entries:
            return
        with contextlib.suppress(Unstorable):
            self.entries[call.subject] = encode(value, {}, compact=True)
            self.functions[call.subject] = call.title
            self.used.add(call.subject)
            if self.shared(call):
                self._shared.add(call.subject)

    @property
    def shares(self) -> bool:
        """Whether anything is used that is shared."""
        return bool(self.used & self._shared)

    def write(self, path: Path, note: Mapping[str, Any], *, shared: bool = False) -> None:
        """Write what is used, either what is shared or all else, in the place of what is there. Raises `OSError`."""
        subjects = sorted(self.used & self._shared if shared else self.used - self._shared)
        kinds = Counter(self.functions[one] for one in subjects)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.tmp")
        try:
            with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
                archive.writestr(_entry(NOTE), json.dumps({**note, "results": dict(sorted(kinds.items()))}, indent=1))
                for subject in subjects:
                    archive.writestr(_entry(subject), self.entries[subject])
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, THEN)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


_lock = threading.Lock()
_opened: dict[Path, tuple[Archive, ...]] = {}
_chosen: list[Path] = []
_recording: Recording | None = None


def use(folder: Path) -> tuple[str, ...]:
    """Look for results in the archives of a folder, too; gives a sentence for each that cannot be used."""
    archives, problems = _open(folder)
    with _lock:
        _opened[folder] = archives
        if folder not in _chosen:
            _chosen.append(folder)
    if not archives and not problems:
        return (f"There are no prepared results in {folder}: it has no file that ends in {SUFFIX}.",)
    return problems


def archives() -> tuple[Archive, ...]:
    """What is looked through, those of chosen folders first."""
    with _lock:
        if BUNDLED not in _opened:
            _opened[BUNDLED], _ = _open(BUNDLED)
        return tuple(one for folder in (*_chosen, BUNDLED) for one in _opened[folder])


def said_of(fingerprint: str) -> str:
    """For the reader: from which files results of a classifier come, and what was done to them; "" for none."""
    found = [one for one in archives() if one.made_for[0] == fingerprint]
    if not found:
        return ""
    files = ", ".join(f"{one.path.name} of {one.made_for[1]}" for one in found)
    return f"What pages open with was computed beforehand ({files}): pictures and large arrays of it are rounded."


def _open(folder: Path) -> tuple[tuple[Archive, ...], tuple[str, ...]]:
    found, problems = [], []
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            found.append(Archive(path))
        except (OSError, ValueError) as error:
            problems.append(str(error))
    return tuple(found), tuple(problems)


def kept(call: Call) -> Any:
    """The result of a call with its remarks: what the store keeps, else what was prepared, else `MISSING`."""
    if _recording is not None and call.subject in _recording:
        return _recording.get(call.subject)
    found = store.default().get(call.key)
    if found is not MISSING:
        note(call, found)
        return found
    sources = archives() if _recording is None and not call.passing else ()
    return next((one.get(call.subject) for one in sources if call.subject in one), MISSING)


def there(function: Callable[..., Any], arguments: tuple[Any, ...], items: Sequence[Any]) -> list[bool]:
    """Whether there is a result of the calls that differ in their last argument alone, for each of these."""
    every = archives()
    known = subjects(function, *arguments, last=((one,) for one in items)) if every else ()
    return [any(one in archive for archive in every) for one in known] or [False] * len(items)


def note(call: Call, value: Any) -> None:
    """Hear of a result with its remarks that was found or computed."""
    if _recording is not None:
        _recording.add(call, value)


@contextlib.contextmanager
def recording(into: Recording) -> Iterator[None]:
    """Take all that is found or computed into a recording, and look for results there and in no archive."""
    global _recording
    before, _recording = _recording, into
    try:
        yield
    finally:
        _recording = before
