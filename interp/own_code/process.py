"""The process in which own code is tried: it builds the network and runs it on one image, or ends for it.

    python -m interp.own_code.process < request.json

It answers on its output in lines of JSON: "ready" once only own code is left to run, "stage" when it goes on to
another part, then "passed" or "problem". What else it writes there is where it stood when it was about to be ended.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import sys
from pathlib import Path
from typing import Any, TextIO

import torch
from torch import nn

from interp.batches import out_of_memory
from interp.own_code.code import OwnCode, named, where
from interp.own_code.rehearsal import resident

TOO_MUCH = "memory"


def main() -> None:
    """Read the request, try the code, answer."""
    request = json.load(sys.stdin)
    # Own code prints where it likes, and nobody is to take that for an answer.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    torch.set_num_threads(1)
    _restrain(request["seconds"], request["megabytes"])
    faulthandler.enable(answers)
    faulthandler.dump_traceback_later(max(0.1, request["seconds"] - 0.5), file=answers)
    _say(answers, ready=resident(os.getpid()))
    try:
        _try(request, answers)
        _say(answers, passed=True)
    except BaseException as error:
        _say(answers, problem=_told(error, Path(request["file"])))
    # Threads that own code has left running do not keep it.
    os._exit(0)


def _try(request: dict[str, Any], answers: TextIO) -> None:
    code = OwnCode(
        Path(request["root"]), Path(request["file"]), request["function"], request["arguments"], request["classes"]
    )
    _say(answers, stage="building the network")
    network = code.build().eval()
    size = " × ".join(map(str, request["size"]))
    _say(answers, stage=f"running the network on one image of {size} pixels")
    for channels in request["channels"]:
        if _runs(network, torch.rand(1, channels, *request["size"])):
            return


def _told(error: BaseException, code: Path) -> str:
    if _short_of_memory(error):
        return TOO_MUCH
    # Errors while the network is built name their place already.
    return str(error) if isinstance(error, ValueError) else f"{where(code, error)}: it raised {named(error)}."


def _runs(network: nn.Module, pixels: torch.Tensor) -> bool:
    try:
        with torch.no_grad():
            network(pixels)
        return True
    except Exception as error:
        if _short_of_memory(error):
            raise
        # An ordinary error does no harm: it is met again, and told, where the network is loaded.
        return False


def _short_of_memory(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and out_of_memory(error)):
            return True
        error = error.__cause__
    return False


def _restrain(seconds: float, megabytes: int) -> None:
    """Limits that hold also where whoever started this process is gone, or looks away."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        os.nice(10)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        spent = round(sum(os.times()[:2]))
        resource.setrlimit(resource.RLIMIT_CPU, (round(seconds) + spent + 10, round(seconds) + spent + 15))
        # CUDA maps more than it uses. The limit itself is kept by whoever looks on: this one stops a sudden leap.
        if sys.platform == "linux" and not Path("/dev/nvidiactl").exists():
            most = _mapped() + (2 * megabytes << 20)
            resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def _mapped() -> int:
    """The bytes of data that this process has mapped."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) << 10
    return 0


def _say(answers: TextIO, **what: object) -> None:
    answers.write(json.dumps(what) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
