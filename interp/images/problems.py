"""What was left out of an image set and why, by name; long lists are cut short with a count."""

from __future__ import annotations

import functools
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

LISTED = 20


@dataclass(frozen=True)
class Problem:
    """Something that was left out of an image set: a file, a line, an annotation."""

    name: str
    reason: str


class Problems:
    """Collects problems while a set is read; of each kind the first 20 are listed and the rest is counted."""

    def __init__(self) -> None:
        self._listed: list[Problem] = []
        self._counts: Counter[str] = Counter()

    def add(self, kind: str, name: str, reason: str) -> None:
        """Note one problem. `kind` says in the plural what the surplus is, such as 'annotations without a picture'."""
        self._counts[kind] += 1
        if self._counts[kind] <= LISTED:
            self._listed.append(Problem(printable(name), printable(reason)))

    def extend(self, problems: Iterable[Problem]) -> None:
        """Note problems as they are, without a count."""
        self._listed.extend(problems)

    def listed(self) -> tuple[Problem, ...]:
        """The problems, and for each kind that had more than 20 how many more there were."""
        surplus = (
            Problem(f"{count - LISTED:,} more", f"There are {count:,} {kind}; the first {LISTED} are listed.")
            for kind, count in self._counts.items()
            if count > LISTED
        )
        return (*self._listed, *surplus)


def printable(text: str) -> str:
    """The text with `\ufffd` for all that cannot be shown: line breaks, controls, bytes that are no UTF-8."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in text)


@functools.lru_cache(maxsize=100_000)
def same_name(text: str) -> str:
    """A name as names are compared: without case, in composed characters, hyphens and underscores as spaces."""
    composed = unicodedata.normalize("NFC", text).casefold()
    return " ".join(composed.replace("_", " ").replace("-", " ").split())


def unique(names: Iterable[str]) -> tuple[str, ...]:
    """Printable names, each different: the second `cat.png` becomes `cat.png (2)`."""
    shown = tuple(printable(name) for name in names)
    if len(set(shown)) == len(shown):
        return shown
    taken = set(shown)
    seen: Counter[str] = Counter()
    different = []
    for name in shown:
        seen[name] += 1
        candidate = name
        while seen[name] > 1 and candidate in taken:
            candidate = f"{name} ({seen[name]})"
            seen[name] += candidate in taken
        taken.add(candidate)
        different.append(candidate)
    return tuple(different)
