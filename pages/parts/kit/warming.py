"""While nobody asks for anything, the server loads the libraries that only some views need.

They take half a second to two seconds each, which otherwise the first who opens such a view would wait.
"""

from __future__ import annotations

import functools
import gc
import importlib
import logging
import threading
import time
from collections.abc import Callable

from streamlit import runtime

# PyTorch's optimizers bring its compiler along (feature visualization), the others are for maps.
LIBRARIES = ("torch._dynamo", "openTSNE.affinity", "umap.umap_")
# The server counts as idle where in so many seconds one after another it used this share of a processor at most.
QUIET, SHARE = 3, 0.1
_log = logging.getLogger("loupe")


@functools.cache
def begin() -> None:
    """Start the thread that loads them, once, where a server runs."""
    if runtime.exists():
        threading.Thread(target=load, name="loupe warming", daemon=True).start()


def load(idle: Callable[[], bool] | None = None) -> None:
    """Load one library after another, each when the server is idle; one that cannot be is left to its view."""
    idle = idle or quiet_second
    for name in LIBRARIES:
        seconds = 0
        while seconds < QUIET:
            seconds = seconds + 1 if idle() else 0
        try:
            importlib.import_module(name)
        except Exception as error:
            # The view that needs it says so.
            _log.warning("%s could not be loaded: %s", name, error)
    # They stay, and need not be looked through again.
    gc.collect()
    gc.freeze()


def quiet_second() -> bool:
    """Wait for a second, and say whether this process did hardly anything in it."""
    used = time.process_time()
    time.sleep(1)
    return time.process_time() - used < SHARE
