"""What an annotation file says about one picture."""

from __future__ import annotations

from dataclasses import dataclass

from interp.images.annotation import Annotation
from interp.images.problems import Problem


@dataclass(frozen=True)
class Record:
    """One picture as an annotation file names it, with its shapes (None: none are given), label and WordNet id.

    `label_set` holds everything that is marked in it, each by its name, or by its WordNet id where it has none.
    """

    file: str
    annotation: Annotation | None = None
    label: str | None = None
    wnid: str | None = None
    label_set: frozenset[str] | None = None


@dataclass(frozen=True)
class Records:
    """What an annotation file or folder holds: the records, what was left out of them, and the bytes they come from."""

    records: tuple[Record, ...]
    problems: tuple[Problem, ...]
    contents: tuple[bytes, ...]
