"""What whoever starts Loupe sets in its environment: all of it is read here, and what is wrong with it is found here.

A variable that cannot be used counts as not set, so that nothing fails on it; `problems` says so once, at the start.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

PREFIX = "LOUPE_"


@dataclass(frozen=True)
class NumberSetting:
    """A variable that is a number of `unit`: what it is where it is not set, and what it may be."""

    default: float
    least: float
    most: float
    unit: str
    zero: str | None = None

    def allowed(self, given: float) -> bool:
        """Whether it may be this number."""
        return self.least <= given <= self.most or (self.zero is not None and given == 0)


# A hundred terabytes are more than any machine has, and fit into every sum.
MOST_MB = 100_000_000.0
MEGABYTES = "megabytes"
NUMBERS = {
    "LOUPE_CACHE_MB": NumberSetting(4096.0, 1.0, MOST_MB, MEGABYTES, zero="nothing is kept on disk"),
    "LOUPE_MEMORY_MB": NumberSetting(2048.0, 1.0, MOST_MB, MEGABYTES, zero="nothing but the newest is kept in memory"),
    "LOUPE_UPLOADS_MB": NumberSetting(2000.0, 1.0, MOST_MB, MEGABYTES),
    "LOUPE_AHEAD_SECONDS": NumberSetting(2.0, 0.1, 31_536_000.0, "seconds", zero="nothing is computed ahead"),
    "LOUPE_OWN_SECONDS": NumberSetting(30.0, 0.001, 31_536_000.0, "seconds"),
    "LOUPE_OWN_MB": NumberSetting(1536.0, 1.0, MOST_MB, MEGABYTES),
}
PATHS = ("LOUPE_CACHE", "LOUPE_MODELS", "LOUPE_IMAGES", "LOUPE_PREPARED", "LOUPE_WORDNET", "LOUPE_CLIP",
         "LOUPE_CLIP_MODEL", "LOUPE_CLIP_WORDS")  # fmt: skip


def number(variable: str) -> float:
    """What a variable of `NUMBERS` is set to; its default where it is not set, or cannot be used."""
    found = NUMBERS[variable]
    given = _read(os.environ.get(variable, ""))
    return found.default if given is None or not found.allowed(given) else given


def path(variable: str) -> str | None:
    """What a variable of `PATHS` is set to; None where it is not set."""
    return os.environ.get(variable) or None


def folder_of_results() -> Path:
    """Where results are kept: LOUPE_CACHE, else `loupe` in XDG_CACHE_HOME or ~/.cache."""
    caches = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    # Unlike `Path.expanduser`, this lets the home of a user whom nobody knows stand as it is written.
    return Path(os.path.expanduser(path("LOUPE_CACHE") or os.path.join(caches, "loupe")))


def problems() -> tuple[str, ...]:
    """A sentence for each variable that cannot be used, or that Loupe does not know."""
    said = [_wrong(name, one) for name, one in NUMBERS.items()]
    unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in (*NUMBERS, *PATHS))
    known = ", ".join(sorted((*NUMBERS, *PATHS)))
    said += [f"{name} in the environment is none of Loupe's variables, and is not used. Known are {known}."
             for name in unknown]  # fmt: skip
    return tuple(one for one in said if one is not None)


def _wrong(name: str, allowed: NumberSetting) -> str | None:
    text = os.environ.get(name, "")
    given = _read(text)
    if not text.strip() or (given is not None and allowed.allowed(given)):
        return None
    zero = "" if allowed.zero is None else f", or 0, by which {allowed.zero}"
    return (
        f"{name} is {text!r}, and {allowed.default:,.10g} is taken. Give a number of {allowed.unit} from "
        f"{allowed.least:,.10g} to {allowed.most:,.10g}{zero}."
    )


def _read(text: str) -> float | None:
    """The number that is written, None where it is none; nan and infinity are no numbers of anything."""
    try:
        given = float(text)
    except ValueError:
        return None
    return given if abs(given) < float("inf") else None
