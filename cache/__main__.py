"""`python -m cache`: list, verify and clear what is kept on disk."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence

from cache import store
from interp import settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit code: 1 where `verify` leaves damaged entries, or the store cannot be used."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given[:1] == ["pictures"]:
        print("Pictures are made by: python -m precompute " + " ".join(given), file=sys.stderr)
        return 2
    options = _parser().parse_args(given)
    for problem in settings.problems():
        print(problem, file=sys.stderr)
    kept = store.default()
    try:
        if options.command == "list":
            return _list(kept)
        if options.command == "verify":
            return _verify(kept, repair=options.repair)
        return _clear(kept, older_than_days=options.older_than)
    except OSError as error:
        print(f"The store in {kept.folder} cannot be read or changed: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cache",
        description="Shows and cleans the results that Loupe keeps on disk.",
        epilog="Results are computed beforehand by: python -m precompute",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="every result: its key, function, size, age and last use")
    verify = commands.add_parser("verify", help="read every result and name the damaged ones")
    verify.add_argument("--repair", action="store_true", help="remove the damaged ones; they are computed again")
    clear = commands.add_parser("clear", help="remove results; they are computed again when needed")
    clear.add_argument(
        "--older-than", type=_days, default=0.0, metavar="DAYS", help="only those not used for so many days"
    )
    return parser


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = -1.0
    if not days >= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of days: give one of 0 or more, such as 30.")
    return days


def _list(kept: store.Store) -> int:
    entries = kept.entries()
    if entries:
        print(f"{'key':40}  {'size':>9}  {'made':>8}  {'used':>8}  function")
    for entry in entries:
        made, used = _ago(entry.made), _ago(entry.used)
        print(f"{entry.path.stem:40}  {_size(entry.size):>9}  {made:>8}  {used:>8}  {entry.function}")
    total = sum(entry.size for entry in entries)
    print(f"{_count(len(entries))}, {_size(total)}, in {kept.folder}")
    return 0


def _verify(kept: store.Store, *, repair: bool) -> int:
    damaged = kept.damaged()
    for entry in damaged:
        print(f"damaged: {entry.path}")
    if repair:
        kept.remove(damaged)
    left = [entry for entry in damaged if os.path.lexists(entry.path)]
    removed = f", {len(damaged) - len(left)} removed" if repair and damaged else ""
    print(f"{_count(len(kept.entries()))} in {kept.folder}; {len(damaged)} damaged{removed}.")
    return 1 if left else 0


def _clear(kept: store.Store, *, older_than_days: float) -> int:
    print(f"{_count(kept.clear(older_than_days))} removed from {kept.folder}.")
    return 0


def _count(number: int) -> str:
    return "1 result" if number == 1 else f"{number:,} results"


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 1e5 else f"{count / 1e3:,.1f} kB"


def _ago(when: float) -> str:
    seconds = max(0.0, time.time() - when)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


if __name__ == "__main__":
    sys.exit(main())
