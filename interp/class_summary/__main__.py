"""Make a class summary in a terminal: python -m interp.class_summary run MODEL IMAGES -o summary.npz."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from interp import cores, images, models, progress
from interp.class_summary import SHARES, ClassesBy, ClassSummary, files, summarize


def main(arguments: Sequence[str] | None = None) -> int:
    """Count what the command line names, write it to a file, and print what is in it; 0 where that went well."""
    parser = argparse.ArgumentParser(prog="python -m interp.class_summary", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="count every class of a classifier over a set")
    run.add_argument("model", help="a TOML file, or a classifier's name")
    run.add_argument("images", help="a folder, an annotation file, or a bundled set's name")
    run.add_argument("-o", "--output", type=Path, required=True, help="the .npz file to write")
    run.add_argument("--models", type=Path, help="the models folder; the model is then a name within it")
    run.add_argument("--layers", type=_names, help="layers in the network's order, such as a,b,c; else block ends")
    run.add_argument("--share", type=float, default=SHARES[-1], help="of a layer's activation: 0.03, or 0.01")
    by = "labels, or predictions: the classes that the classifier takes the images for, which needs no labels"
    run.add_argument("--by", choices=get_args(ClassesBy), default="labels", help=by)
    run.add_argument("--device", default="auto")
    given = parser.parse_args(arguments)
    try:
        if not given.output.absolute().parent.is_dir():
            raise ValueError(f"There is no folder {given.output.absolute().parent} to write {given.output.name} to.")
        cores.use_all()
        classifier = models.load(given.model, folder=given.models, device=given.device)
        with progress.listening(_Terminal()):
            summary = summarize(classifier, images.load(given.images), given.layers, share=given.share, by=given.by)
        files.save(summary, given.output)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(described(summary))
    print(f"Written to {given.output}.")
    return 0


def described(summary: ClassSummary) -> str:
    """What a summary was made of, as lines of text."""
    lines = [
        f"{summary.classifier}: {summary.images.sum():,} images of {len(summary.seen):,} of {len(summary.labels):,} "
        f"classes, layers {', '.join(summary.layers)}, share {summary.share:g}",
    ]
    if summary.by == "predictions":
        lines.append("by:          each image counts for the class that the classifier takes it for")
    if summary.unlabelled:
        lines.append(f"not counted: {summary.unlabelled:,} images without a class")
    lines += [f"left out:    {one.name}: {one.reason}" for one in summary.problems[:20]]
    if len(summary.problems) > 20:
        lines.append(f"left out:    and {len(summary.problems) - 20:,} more")
    for (below, above), names in summary.left_out.items():
        if names:
            lines.append(f"not followed from {below} to {above}: {', '.join(names)}")
    return "\n".join(lines)


class _Terminal:
    """Says every twentieth of the work how far it is."""

    def __init__(self) -> None:
        self._next = 0.0

    def step(self, done: int, total: int, what: str) -> None:
        """Hear how far the work is."""
        if total and done >= self._next * total:
            print(f"{what}: {done:,} of {total:,}", file=sys.stderr, flush=True)
            self._next = done / total + 0.05

    def remark(self, text: str) -> None:
        """Hear what is remarked."""
        print(text, file=sys.stderr, flush=True)


def _names(text: str) -> list[str]:
    return [one.strip() for one in text.split(",")]


if __name__ == "__main__":
    sys.exit(main())
