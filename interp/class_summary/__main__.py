"""Make a class summary in a terminal, on one machine or on several.

python -m interp.class_summary run MODEL IMAGES -o summary.npz
python -m interp.class_summary run MODEL IMAGES --part 2/8 -o part2.npz     # an eighth of the set
python -m interp.class_summary merge part*.npz -o summary.npz               # all eighths together
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from interp import cores, images, models, progress
from interp.class_summary import SHARES, ClassesBy, ClassSummary, files, part_files, summarize
from interp.class_summary.parts import count_part, merge


def main(arguments: Sequence[str] | None = None) -> int:
    """Count what the command line names, write it to a file, and print what is in it; 0 where that went well."""
    parser = argparse.ArgumentParser(
        prog="python -m interp.class_summary",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
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
    run.add_argument("--part", help="such as 2/8, for the second of eight parts of the set, to be merged")
    merging = commands.add_parser("merge", help="put the parts of a set together, which machines have counted")
    merging.add_argument("parts", type=Path, nargs="+", help="the files that run --part has written")
    merging.add_argument("-o", "--output", type=Path, required=True, help="the .npz file to write")
    given = parser.parse_args(arguments)
    try:
        if not given.output.absolute().parent.is_dir():
            raise ValueError(f"There is no folder {given.output.absolute().parent} to write {given.output.name} to.")
        print(_merge(given) if given.command == "merge" else _run(given))
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Written to {given.output}.")
    return 0


def _run(given: argparse.Namespace) -> str:
    """Count a set, or a part of it, and write what was counted; gives what to say of it."""
    part = None if given.part is None else _numbers(given.part)
    cores.use_all()
    classifier = models.load(given.model, folder=given.models, device=given.device)
    photos, how = images.load(given.images), {"share": given.share, "by": given.by}
    with progress.listening(_Terminal()):
        if part is None:
            summary = summarize(classifier, photos, given.layers, **how)
            files.save(summary, given.output)
            return described(summary)
        counted = count_part(classifier, photos, *part, given.layers, **how)
    part_files.save(counted, given.output)
    return (
        f"{counted.classifier}: part {given.part} of {counted.photos}, {counted.read:,} images read, "
        f"{int(counted.marks[0].images.sum()):,} of them of a class, {len(counted.problems):,} left out"
    )


def _merge(given: argparse.Namespace) -> str:
    """Put parts together and write the summary; gives what to say of it."""
    twice = {str(one) for one in given.parts if given.parts.count(one) > 1}
    if twice:
        raise ValueError(f"{min(twice)} is given twice: give each part once.")
    summary = merge({str(one): part_files.load(one) for one in given.parts})
    files.save(summary, given.output)
    return described(summary)


def _numbers(text: str) -> tuple[int, int]:
    """Which part, and of how many. Raises `ValueError` for another text."""
    found = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text)
    if found is None:
        raise ValueError(f"{text!r} is no part: write 2/8 for the second of eight.")
    return int(found[1]), int(found[2])


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
