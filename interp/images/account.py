"""What lies in the place that an image set was opened from, and what was made of it: sums that add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from interp.images.problems import Problem
from interp.types import Finding, Fingerprinted

# What became of a file, of a picture's label, and of a mark.
PICTURE, MASK, ANNOTATIONS, TABLE = "pictures of the set", "masks", "annotation files", "tables of labels"
UNLISTED, UNUSED, OTHER = "pictures that are not listed", "annotations and text, not used", "other files"
HIDDEN, REFUSED = "hidden files", "links and entries that are refused"
NO_LABEL = "without a label"
USED, UNDRAWN, WITHOUT_PICTURE = "used", "that cannot be drawn", "without a picture"
TWICE, MISFIT, DOUBTFUL = "of pictures that another file marks", "that do not fit their picture", "in doubt"


@dataclass(frozen=True, eq=False)
class Account(Fingerprinted):
    """Files, labels and marks by what became of them, and everything that was guessed, dropped and not used.

    `files` sums to all files that lie there, `labels` to the pictures of the set, and `marks` to all marks in the
    files that were read. `unused` are the files of annotations that were not used, with the reason; `findings` say by
    which rules the rest was read.
    """

    files: Mapping[str, int] = field(default_factory=dict)
    labels: Mapping[str, int] = field(default_factory=dict)
    marks: Mapping[str, int] = field(default_factory=dict)
    unused: tuple[Problem, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """The three sums, each as a line."""
        return tuple(
            f"{sum(parts.values()):,} {what}: " + ", ".join(f"{name} {count:,}" for name, count in parts.items()) + "."
            for what, parts in (("files", self.files), ("pictures", self.labels), ("marks", self.marks))
            if parts
        )


@dataclass
class Accounting:
    """An account that is being kept."""

    files: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    marks: Counter[str] = field(default_factory=Counter)
    unused: list[Problem] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def closed(self) -> Account:
        """The account, without what there is none of."""
        sums = [{name: count for name, count in one.items() if count} for one in (self.files, self.labels, self.marks)]
        return Account(sums[0], sums[1], sums[2], tuple(self.unused), tuple(dict.fromkeys(self.findings)))
