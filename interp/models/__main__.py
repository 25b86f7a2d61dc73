"""Try a classifier's description in a terminal: python -m interp.models check models/birds.toml."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from interp import models
from interp.types import Classifier


def main(arguments: Sequence[str] | None = None) -> int:
    """Load what the command line names and print what was found out, or what is wrong; 0 where it can be loaded."""
    parser = argparse.ArgumentParser(prog="python -m interp.models", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="load a TOML file as the app would, and say what was found out")
    check.add_argument("file", help="the TOML file, or a classifier's name")
    check.add_argument("--models", type=Path, help="the models folder; the file's name is then the one within it")
    check.add_argument("--device", default="auto")
    given = parser.parse_args(arguments)
    try:
        classifier = models.load(given.file, folder=given.models, device=given.device)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(described(classifier))
    return 0


def described(classifier: Classifier) -> str:
    """What was found out of a classifier, as lines of text: each finding with the line of TOML that changes it."""
    size = f"{classifier.channels} × {' × '.join(map(str, classifier.input_size))}"
    classes = ", ".join(classifier.labels[:4]) + (", ..." if len(classifier.labels) > 4 else "")
    lines = [
        f"{classifier.name}: {classifier.architecture}, {classifier.parameters:,} weights, on {classifier.device}",
        f"sees {size} numbers; {len(classifier.labels)} classes{f': {classes}' if classes else ''}",
        f"default layer: {classifier.default_layer or 'none has a map'}; {len(classifier.layers)} layers",
    ]
    for finding in classifier.findings:
        lines.append(f"{finding.kind + ':':<12} {finding.text}")
        if finding.setting is not None:
            lines.append(f"{'':<12} to change it: {finding.setting}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
