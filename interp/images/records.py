"""What annotation files say about pictures."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from interp.images.annotation import Annotation, Mark, Shape
from interp.images.problems import Problem, Problems, printable
from interp.types import Finding

LONGEST_LABEL = 255


@dataclass(frozen=True)
class Record:
    """One picture as an annotation file names it, with its marks (None: none are given), label and WordNet id.

    `label_set` holds everything that is marked in it, each by its name, or by its WordNet id where it has none.
    `sources` are the files that say so, and `otherwise` is what else the picture may be called, if it is not `file`.
    """

    file: str
    annotation: Annotation | None = None
    label: str | None = None
    wnid: str | None = None
    label_set: frozenset[str] | None = None
    sources: tuple[str, ...] = ()
    otherwise: str | None = None


@dataclass(frozen=True)
class Records:
    """What annotation files of one form hold: the records, what was left out of them, and the bytes they come from.

    `form` is what the format is called, and `files` are the files, relative to the folder that was opened. `mark_count`
    is how many marks stand in them, those that could not be read included. The records' files are relative to the
    folder `base`.
    """

    form: str
    files: tuple[str, ...]
    records: tuple[Record, ...]
    problems: tuple[Problem, ...]
    contents: tuple[bytes, ...]
    mark_count: int
    base: str = ""
    findings: tuple[Finding, ...] = ()


@dataclass
class RecordReading:
    """Records that are being read."""

    records: list[Record] = field(default_factory=list)
    problems: Problems = field(default_factory=Problems)
    contents: list[bytes] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    mark_count: int = 0

    def add(self, record: Record, source: str) -> None:
        """Add what a file says of a picture."""
        self.records.append(replace(record, sources=(source,)))

    def unread(self, place: str, reason: str) -> None:
        """Note a mark that cannot be used."""
        self.problems.add("marks that cannot be drawn", place, reason)

    def done(self, form: str, files: tuple[str, ...], base: str = "") -> Records:
        """What was read."""
        return Records(
            form,
            files,
            tuple(self.records),
            self.problems.listed(),
            tuple(self.contents),
            self.mark_count,
            base,
            tuple(self.findings),
        )


@dataclass
class Marks:
    """The marks of one picture that are being read, and which of them is the largest."""

    marks: list[Mark] = field(default_factory=list)
    present: set[str] = field(default_factory=set)
    _largest: float = -1.0
    _named: tuple[str | None, str | None] = (None, None)

    def seen(self, label: str | None, wnid: str | None = None) -> None:
        """Note what is in the picture, whether or not it can be drawn."""
        self.present.update([one for one in (_shown(label), wnid) if one is not None][:1])

    def add(self, shapes: tuple[Shape, ...], area: float, label: str | None, wnid: str | None = None) -> None:
        """Add a mark of so many square pixels."""
        label = _shown(label)
        self.seen(label, wnid)
        self.marks.append(Mark(shapes, label, wnid))
        if (label is not None or wnid is not None) and area > self._largest:
            self._largest, self._named = area, (label, wnid)

    def record(
        self,
        file: str,
        size: tuple[int, int] | None,
        *,
        shares: bool = False,
        upright: bool = False,
        label: str | None = None,
        wnid: str | None = None,
        labels: bool = True,
    ) -> Record:
        """The picture's record; its label is the one given, or the largest mark's. `labels`: whether marks have any.

        `shares` and `upright` are what `Annotation` says of coordinates.
        """
        label = _shown(label)
        given = label is not None or wnid is not None
        name, synset = (label, wnid) if given else self._named
        annotation = Annotation(tuple(self.marks), size, shares, upright) if self.marks else None
        present = frozenset(self.present | ({label or wnid or ""} if given else set()))
        return Record(file, annotation, name, synset, present if labels else None)


def _shown(label: str | None) -> str | None:
    """A label as it can be shown; a longer one than names of folders can be is cut short."""
    if label is None:
        return None
    return printable(label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…")
