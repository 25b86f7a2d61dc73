"""Processes for own code that need not import PyTorch: they are forked from one that has."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from multiprocessing.connection import Connection
from typing import Any

from interp.own_code import process


class Forked:
    """What `rehearsal` asks of `subprocess.Popen`: the same steps in a process and a group of its own, at once."""

    def __init__(self, command: list[str], **given: Any) -> None:
        assert command[-2:] == ["-m", "interp.own_code.process"]
        context = multiprocessing.get_context("forkserver")
        (asked, asking), (answering, answered) = context.Pipe(duplex=False), context.Pipe(duplex=False)
        self._process = context.Process(target=_begin, args=(asked, answered), daemon=True)
        self._process.start()
        for end in (asked, answered):
            end.close()
        self.stdin = os.fdopen(os.dup(asking.fileno()), "wb")
        self.stdout = os.fdopen(os.dup(answering.fileno()), "rb")
        for end in (asking, answering):
            end.close()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int | None:
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired("fork", timeout or 0)
        return self.returncode


def _begin(asked: Connection, answered: Connection) -> None:
    os.setpgid(0, 0)
    os.dup2(asked.fileno(), 0)
    os.dup2(answered.fileno(), 1)
    sys.stdin = os.fdopen(0)
    # The server does not keep what it was given: its end would never come.
    for end in (asked, answered):
        end.close()
    process.main()
