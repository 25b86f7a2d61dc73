"""Running a script without root's right to read and write what its owner may not."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_PR_CAPBSET_DROP = 24
_OVERRIDES = {"CAP_DAC_OVERRIDE": 1, "CAP_DAC_READ_SEARCH": 2}


def run(script: str, *arguments: str, environment: Mapping[str, str] = os.environ) -> subprocess.CompletedProcess[str]:
    """Run a script of Python from the project's folder; for it, modes of files hold, whoever runs the tests.

    It is not made another user: that one might not be allowed to read the interpreter.
    """
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT, env=dict(environment), capture_output=True, text=True, preexec_fn=_without_overrides,
    )  # fmt: skip


def _without_overrides() -> None:
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for name, number in _OVERRIDES.items():
            if libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0):
                raise OSError(ctypes.get_errno(), f"{name} could not be dropped")
