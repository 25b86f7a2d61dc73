"""Own code is tried in a process of its own, with limits, before the server runs it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interp import progress, settings
from interp.own_code.code import OwnCode

# For Python and PyTorch to be read from disk: three seconds, or many on a machine that does much else.
START_SECONDS = 90.0
# What failed is not tried again for so long, unless a file changes: each try may take all the time that is allowed.
REMEMBERED_SECONDS = 300.0
# On a machine that others keep busy a process gets little of the processor: only what it gets counts, up to so many
# times the limit on the clock.
PATIENCE = 4
LOOK_SECONDS = 0.02
ROOT = Path(__file__).resolve().parents[2]

_places = threading.BoundedSemaphore(max(2, os.cpu_count() or 1))
_passed: set[str] = set()
_failed: dict[str, tuple[float, str]] = {}


@dataclass(frozen=True)
class Limits:
    """How long own code may take to build a network and run it once, and how much memory, above an idle process."""

    seconds: float
    megabytes: int


def limits() -> Limits:
    """The limits, as whoever starts the server has set them: LOUPE_OWN_SECONDS and LOUPE_OWN_MB.

    What cannot be used counts as not set.
    """
    return Limits(settings.number("LOUPE_OWN_SECONDS"), round(settings.number("LOUPE_OWN_MB")))


@dataclass(frozen=True)
class Rehearsal:
    """What is tried: own code's network, on one image of this size; `channels` are tried until it takes one."""

    code: OwnCode
    size: tuple[int, int]
    channels: tuple[int, ...] = (3, 1)

    def request(self, allowed: Limits) -> dict[str, Any]:
        """What the process is told."""
        code = self.code
        return {
            "root": str(code.root), "file": str(code.file), "function": code.function,
            "arguments": dict(code.arguments), "classes": code.classes, "size": self.size, "channels": self.channels,
            "seconds": allowed.seconds, "megabytes": allowed.megabytes,
        }  # fmt: skip


def rehearse(rehearsal: Rehearsal) -> None:
    """Try own code in a process of its own, once for each content of its files.

    Raises `ValueError` that names the file, and the limit, or the error, that it failed by. Errors of the network on
    an image are no part of that.
    """
    allowed = limits()
    request = rehearsal.request(allowed)
    content = sorted(rehearsal.code.files.items())
    # The same code has passed wherever it lies; what failed is told of the file that failed.
    passed = _digest(content, {key: value for key, value in request.items() if key not in ("root", "file")})
    failed = _digest(content, request)
    if passed in _passed:
        return
    when, problem = _failed.get(failed, (0.0, None))
    if problem is None or time.monotonic() - when > REMEMBERED_SECONDS:
        with _place(rehearsal.code):
            problem = _Process(rehearsal, request, allowed).outcome()
        if problem is None:
            _passed.add(passed)
            return
        _failed[failed] = (time.monotonic(), problem)
    raise ValueError(problem)


def _digest(*said: object) -> str:
    return hashlib.sha256(json.dumps(said, default=str).encode()).hexdigest()


@contextlib.contextmanager
def _place(code: OwnCode):
    """One of as many places as the machine has cores; waiting for it can be cancelled."""
    while not _places.acquire(timeout=0.1):
        progress.report(0, 0, f"Waiting to try {code.file.name}, behind other networks")
    try:
        yield
    finally:
        _places.release()


class _Process:
    """The process that tries own code, and what it has answered so far."""

    def __init__(self, rehearsal: Rehearsal, request: dict[str, Any], allowed: Limits) -> None:
        self._code = rehearsal.code
        self._allowed = allowed
        self._stage = "starting"
        self._ready: float | None = None
        self._started = 0.0
        self._idle = 0
        self._answer: dict[str, Any] | None = None
        self._stood = ""
        path = [str(ROOT), *(entry or os.getcwd() for entry in sys.path)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path), "OMP_NUM_THREADS": "1"}
        # With -P nothing of the folder in which the server was started is imported by chance. A group of its own can be
        # ended whole; in a session of its own it would, on some systems, get as much of the processor as the server.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "interp.own_code.process"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env=environment, process_group=0 if os.name == "posix" else None,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, name="loupe rehearsal", daemon=True)
        self._reader.start()
        with contextlib.suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(request).encode())
            self._process.stdin.close()

    def outcome(self) -> str | None:
        """Wait for the end, which limits may bring; gives what is wrong, None where nothing is."""
        what = f"Trying {self._code.file.name} in a process of its own, for at most {self._allowed.seconds:g} s"
        started = time.monotonic()
        try:
            while self._reader.is_alive() and self._answer is None:
                progress.report(0, 0, what)
                now = time.monotonic()
                if self._ready is None and now - started > START_SECONDS:
                    return f"{self._code.file} could not be tried: no process for it started in {START_SECONDS:g} s."
                if self._ready is not None and self._overdue(now - self._ready):
                    return self._too_slow()
                if self._used() > self._allowed.megabytes << 20:
                    return self._too_large()
                time.sleep(LOOK_SECONDS)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(2 if self._answer is None else 0)
        finally:
            self._end()
        return self._said()

    def _said(self) -> str | None:
        if self._answer is None:
            return self._ended()
        problem = self._answer.get("problem")
        return self._too_large() if problem == "memory" else problem

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            text = line.decode("utf-8", "replace")
            if not text.startswith("{"):
                self._stand(text)
                continue
            answer = json.loads(text)
            if "ready" in answer:
                self._idle = answer["ready"]
                self._started = processor_seconds(self._process.pid) or 0.0
                self._ready = time.monotonic()
            elif "stage" in answer:
                self._stage = answer["stage"]
            else:
                self._answer = answer
                return

    def _stand(self, text: str) -> None:
        """Keep the innermost line of own code among those that Python lists, the innermost first."""
        found = re.match(r'\s*File "(.+)", line (\d+)', text)
        if found and not self._stood and Path(found[1]).is_relative_to(self._code.root):
            self._stood = f"{found[1]}, line {found[2]}"

    def _overdue(self, elapsed: float) -> bool:
        """Whether the process has had its time: of the processor where the system tells, else on the clock."""
        allowed = self._allowed.seconds
        if elapsed <= allowed:
            return False
        worked = processor_seconds(self._process.pid)
        return worked is None or worked - self._started > allowed or elapsed > PATIENCE * allowed

    def _used(self) -> int:
        return resident(self._process.pid) - self._idle if self._ready is not None else 0

    def _place(self) -> str:
        return self._stood or str(self._code.file)

    def _too_slow(self) -> str:
        return (
            f"{self._place()}: {self._stage} took longer than the {self._allowed.seconds:g} s that are allowed, and "
            f"was stopped. Mend {self._code.file.name}, or start with LOUPE_OWN_SECONDS set to more."
        )

    def _too_large(self) -> str:
        return (
            f"{self._place()}: {self._stage} took more than the {self._allowed.megabytes:,} MB of memory that are "
            f"allowed above an idle process, and was stopped. Mend {self._code.file.name}, or start with LOUPE_OWN_MB "
            "set to more."
        )

    def _ended(self) -> str:
        if self._ready is None:
            return f"{self._code.file} could not be tried: the process for it ended before it began."
        code = self._process.returncode
        how = f"with exit code {code}" if code >= 0 else f"by {signal.Signals(-code).name}"
        return (
            f"{self._place()}: {self._stage} ended the process in which it was tried, {how}. Own code must not end "
            "the program that runs it (os._exit, a crash in compiled code)."
        )

    def _end(self) -> None:
        self._reader.join(timeout=0.2)
        with contextlib.suppress(OSError):
            # With what it has started itself.
            os.killpg(self._process.pid, signal.SIGKILL) if hasattr(os, "killpg") else self._process.kill()
        self._process.wait()
        self._reader.join(timeout=1)
        if self._process.stdout is not None and not self._reader.is_alive():
            self._process.stdout.close()


def processor_seconds(process: int) -> float | None:
    """The time that a process has had of the processor; None where this system does not tell."""
    try:
        # What precedes the state, the command's name in brackets, may hold anything.
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError, ValueError):
        return None


def resident(process: int) -> int:
    """The bytes of memory that a process holds; 0 where this system does not tell."""
    try:
        pages = Path(f"/proc/{process}/statm").read_text().split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
