"""`python -m cache`: list, verify and clear the results kept on disk."""

from __future__ import annotations

import argparse
import time

from cache import store


def main(arguments: list[str] | None = None) -> int:
    """Run one command; gives the exit code: 1 where `verify` found damaged entries and left them."""
    parser = argparse.ArgumentParser(prog="python -m cache", description="The results that Loupe keeps on disk.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="print every entry: key, size, age, last use, function")
    verify = commands.add_parser("verify", help="read every entry and say which are damaged")
    verify.add_argument("--repair", action="store_true", help="remove the damaged entries")
    clear = commands.add_parser("clear", help="remove entries")
    clear.add_argument("--older-than", type=float, default=0.0, metavar="DAYS", help="only those not used for so long")
    given = parser.parse_args(arguments)
    kept = store.default()
    if given.command == "list":
        return _list(kept)
    if given.command == "verify":
        return _verify(kept, given.repair)
    print(f"Removed {kept.clear(given.older_than)} entries from {kept.folder}.")
    return 0


def _list(kept: store.Store) -> int:
    entries = kept.entries()
    now = time.time()
    for entry in entries:
        ages = f"made {_ago(now - entry.made)}, used {_ago(now - entry.used)}"
        print(f"{entry.path.stem}  {entry.size / 1e6:9.3f} MB  {ages}  {entry.function}")
    print(f"{len(entries)} entries, {sum(entry.size for entry in entries) / 1e6:.1f} MB, in {kept.folder}.")
    return 0


def _verify(kept: store.Store, repair: bool) -> int:
    damaged = kept.damaged()
    for entry in damaged:
        print(f"{entry.path.name} is damaged" + (" and was removed." if repair else "."))
        if repair:
            entry.path.unlink(missing_ok=True)
    print(f"{len(damaged)} of {len(kept.entries()) + len(damaged) * repair} entries are damaged.")
    return int(bool(damaged) and not repair)


def _ago(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"


if __name__ == "__main__":
    raise SystemExit(main())
