"""What Streamlit itself holds of uploads: bounded as they arrive, and let go of when their session has gone.

Streamlit takes any number of files into memory before a page hears of them, and keeps those of a closed session until
another one happens to close.
"""

from __future__ import annotations

import ctypes
import gc
import threading
import time
import weakref
from collections.abc import Callable

from streamlit import runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from interp.images import Problem
from interp.images.uploads import Uploads

# As long as Streamlit waits for a browser that has lost its connection.
GONE_SECONDS = 120.0
SWEEP_SECONDS = 15.0
MOST_TURNED_AWAY = 1000

_OWN: weakref.WeakValueDictionary[str, Uploads] = weakref.WeakValueDictionary()
_TURNED_AWAY: dict[str, dict[str, Problem]] = {}
_SEEN: dict[str, float] = {}
_LOCK = threading.Lock()
_WATCHED: list[MemoryUploadedFileManager] = []


def watch(session: str, own: Uploads) -> None:
    """Bound what arrives for this session by the room that its uploads have, and close them when it has gone."""
    _OWN[session] = own
    if _WATCHED or not runtime.exists():
        return
    with _LOCK:
        manager = runtime.get_instance().uploaded_file_mgr
        if _WATCHED or not isinstance(manager, MemoryUploadedFileManager):
            return
        _WATCHED.append(manager)
        manager.add_file = bounded(manager)  # pyright: ignore[reportAttributeAccessIssue]
        threading.Thread(target=_sweeping, args=(manager,), name="uploads", daemon=True).start()


def bounded(manager: MemoryUploadedFileManager) -> Callable[[str, UploadedFileRec], None]:
    """The manager's way of adding a file, by which one without room arrives empty; `turned_away` then names it."""
    add = manager.add_file

    def add_file(session_id: str, file: UploadedFileRec) -> None:
        own = _OWN.get(session_id)
        reason = own and own.room(len(file.data), arriving=_held(manager, session_id), all_arriving=_held(manager))
        if reason:
            named = _TURNED_AWAY.setdefault(session_id, {})
            if len(named) < MOST_TURNED_AWAY:
                named[file.file_id] = Problem(file.name, reason)
            file = file._replace(data=b"")
        add(session_id, file)

    return add_file


def turned_away(session: str) -> dict[str, Problem]:
    """The files of a session that arrived without room since this was last asked, by their ids in Streamlit."""
    return _TURNED_AWAY.pop(session, {})


def sweep(manager: MemoryUploadedFileManager, now: float, active: Callable[[str], bool]) -> None:
    """Close the uploads of sessions that have not been active for two minutes, and have Streamlit forget theirs."""
    for session, own in list(_OWN.items()):
        if active(session):
            _SEEN[session] = now
        elif now - _SEEN.setdefault(session, now) >= GONE_SECONDS:
            own.close()
            manager.remove_session_files(session)
            _OWN.pop(session, None)
    for session in _SEEN.keys() - set(_OWN):
        del _SEEN[session]
        _TURNED_AWAY.pop(session, None)


def _sweeping(manager: MemoryUploadedFileManager) -> None:
    trim, given = _trimmer(), 0
    while runtime.exists():
        time.sleep(SWEEP_SECONDS)
        sweep(manager, time.monotonic(), runtime.get_instance().is_active_session)
        if any(own.lingering for own in list(_OWN.values())):
            gc.collect()
        before, given = given, sum(own.given for own in list(_OWN.values()))
        # Also while they are looked at, since pages read them again.
        if given or before:
            trim(0)


def _trimmer() -> Callable[[int], object]:
    """What has the C library give memory that was freed back to the system, where it has such a function.

    Large pictures leave it in the pools of the threads that decoded them: 235 MB after twice four of 45 MB.
    """
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return lambda pad: None


def _held(manager: MemoryUploadedFileManager, session: str | None = None) -> int:
    """The bytes that Streamlit holds for a session, or for all."""
    sessions = list(manager.file_storage.values()) if session is None else [manager.file_storage.get(session, {})]
    return sum(len(file.data) for files in sessions for file in list(files.values()))
