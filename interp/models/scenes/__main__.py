"""`python -m interp.models.scenes train`: train, measure and store the classifiers of scenes and their prior."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from interp.models.scenes import bundled

# Processes that are spawned import the trainer by its name, which they cannot with the functions of a `__main__`.
from interp.models.scenes.trainer import NAMES, train


def main(arguments: Sequence[str] | None = None) -> None:
    """From the command line."""
    parser = argparse.ArgumentParser(prog="python -m interp.models.scenes", description="What is bundled for scenes.")
    parser.add_argument("command", choices=["train"])
    parser.add_argument("--only", nargs="+", choices=NAMES, help="which; all by default")
    parser.add_argument("--output", type=Path, default=bundled.FOLDER, help="the folder that the weights go to")
    given = parser.parse_args(arguments)
    began = time.perf_counter()
    train(given.output, given.only or NAMES)
    print(f"all: {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
