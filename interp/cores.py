"""Which threads compute on several cores: in a server only those that work off its queues.

GNU OpenMP, with which PyTorch computes on Linux, keeps helpers for each thread that has once computed on several cores.
As soon as there are more helpers than cores, all of them sleep between any two operations instead of being ready, and
small operations take up to twice as long (feature visualization on two cores: 23 ms a step became 46).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from pathlib import Path

import torch
from threadpoolctl import ThreadpoolController

_all: int | None = None


def keep_to_one() -> None:
    """From now on each thread computes on one core, but those that call `use_all`.

    Where PyTorch has another OpenMP, as outside Linux, all is left as it is.
    """
    global _all
    if _all is None and _openmp() is not None and _products() is not None:
        _all = torch.get_num_threads()
        torch.set_num_threads(1)


def use_all() -> None:
    """Have the calling thread compute on as many cores as PyTorch had before `keep_to_one`, if that was called."""
    openmp, products = _openmp(), _products()
    if _all is None or openmp is None or products is None:
        return
    # PyTorch sets each thread to one core when it first computes, which must be over.
    torch.get_num_threads()
    openmp.limit(limits=_all)
    products(_all)


@cache
def _openmp() -> ThreadpoolController | None:
    """GNU OpenMP as PyTorch loads it; None where PyTorch has another."""
    folder = str(Path(torch.__file__).parent)
    found = ThreadpoolController().select(user_api="openmp", prefix="libgomp")
    own = [one["filepath"] for one in found.info() if one["filepath"].startswith(folder)]
    return ThreadpoolController().select(filepath=own) if own else None


@cache
def _products() -> Callable[[int], object] | None:
    """What says on how many cores the calling thread multiplies matrices, where they are not OpenMP's anyway."""
    if not torch.backends.mkl.is_available():
        return lambda cores: None
    try:
        return ctypes.CDLL(str(Path(torch.__file__).parent / "lib" / "libtorch_cpu.so")).MKL_Set_Num_Threads_Local
    except (OSError, AttributeError):
        return None
