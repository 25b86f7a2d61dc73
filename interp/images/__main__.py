"""Try a set of pictures in a terminal: python -m interp.images check FOLDER."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from interp import images
from interp.images import ImageSet, UnreadableImage

LISTED = 20
AT_ONCE = 64
# What stands beside pictures without being meant for us does not make a set a bad one.
HARMLESS = ("By its extension this is not a picture", "By its name it is for people")


def main(arguments: Sequence[str] | None = None) -> int:
    """Open what the command line names, read every picture, and print what was read, guessed and left out.

    Gives 0 where every picture can be read and all annotations there are used, else 1.
    """
    parser = argparse.ArgumentParser(prog="python -m interp.images", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="open a set as the app would, and say what was read")
    check.add_argument("place", help="a folder, an annotation file, or a bundled set's name")
    check.add_argument("--images", type=Path, help="the images folder; the place is then one within it")
    check.add_argument("--annotations", help="where the annotations lie, if elsewhere")
    check.add_argument("--marked", type=_values, help="the values of masks that are marked, such as 1,3")
    check.add_argument("--listing", action="store_true", help="list the pictures, without reading each")
    given = parser.parse_args(arguments)
    try:
        photos = images.load(given.place, annotations=given.annotations, root=given.images, marked=given.marked)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    problems = [(one.name, one.reason) for one in photos.problems]
    for line in _described(photos):
        print(line)
    said, unread = ([], []) if given.listing else _read(photos)
    _print("changed", said)
    _print("left out", [*problems, *unread])
    unused = [] if photos.account is None else [(one.name, one.reason) for one in photos.account.unused]
    return int(any(not reason.startswith(HARMLESS) for _, reason in (*problems, *unread, *unused)))


def _values(text: str) -> list[int]:
    return [int(one) for one in text.split(",")]


def _described(photos: ImageSet) -> Iterator[str]:
    yield photos.description
    if photos.account is None:
        return
    yield from photos.account.sentences
    for finding in photos.account.findings:
        yield f"{finding.kind + ':':<12} {finding.text}"
        if finding.setting is not None:
            yield f"{'':<12} to change it: {finding.setting}"
    for problem in photos.account.unused:
        yield f"{'not used:':<12} {problem.name}: {problem.reason}"


def _read(photos: ImageSet) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Read every picture and what is marked in it: what was changed, and what cannot be used, each with its name."""
    said, unread = [], []
    with ThreadPoolExecutor(4) as readers:
        for start in range(0, len(photos), AT_ONCE):
            some = range(start, min(start + AT_ONCE, len(photos)))
            for position, (remarks, problem) in zip(some, readers.map(lambda i: _one(photos, i), some), strict=True):
                said += [(photos.names[position], one) for one in remarks]
                unread += [] if problem is None else [(photos.names[position], problem)]
    print(f"{len(photos) - len(unread):,} of {len(photos):,} pictures read, with what is marked in them.")
    return said, unread


def _one(photos: ImageSet, position: int) -> tuple[tuple[str, ...], str | None]:
    try:
        sample = photos[position]
    except UnreadableImage as error:
        return (), error.reason
    return sample.remarks, sample.unmarked


def _print(heading: str, lines: Sequence[tuple[str, str]]) -> None:
    for name, text in lines[:LISTED]:
        print(f"{heading + ':':<12} {name}: {text}")
    if len(lines) > LISTED:
        print(f"{heading + ':':<12} and {len(lines) - LISTED:,} more")


if __name__ == "__main__":
    sys.exit(main())
