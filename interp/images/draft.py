"""An image set that is being put together: its pictures, what is said of each, and the account of it all."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple
from unicodedata import normalize

from interp.images import account, decoding, files, sizes
from interp.images.account import Accounting
from interp.images.annotation import Annotation
from interp.images.concept_folders.masks import ConceptMasks
from interp.images.decoding import DecodedImage, UnreadableImage
from interp.images.files import PictureFile
from interp.images.image_set import LABEL_FORMS, ImageSet
from interp.images.problems import Problems, printable, same_name
from interp.images.records import Record, Records
from interp.images.watching import Watch
from interp.types import Finding

SHOWN_LABELS = 3
FOLDERS = "labelled by their folder"


NOTHING: Mapping[str, float] = MappingProxyType({})


class Entry(NamedTuple):
    """One picture of the set; `origin` says where its label is from, and `marked_by` the form of its annotation."""

    file: PictureFile
    labels: dict[str, str | None]
    group: str | None = None
    annotation: Annotation | None = None
    numbers: Mapping[str, float] = NOTHING
    label_set: frozenset[str] | None = None
    origin: str = account.NO_LABEL
    marked_by: str = ""


@dataclass
class Draft:
    """The entries, what was left out, the bytes of annotations that it rests on, and what changes when it does."""

    entries: list[Entry] = field(default_factory=list)
    problems: Problems = field(default_factory=Problems)
    contents: list[bytes] = field(default_factory=list)
    account: Accounting = field(default_factory=Accounting)
    folders: dict[str, int] = field(default_factory=dict)
    beside: list[PictureFile] = field(default_factory=list)
    """Files other than pictures that the set was made of."""
    concepts: Mapping[str, ConceptMasks] = field(default_factory=dict)
    """The masks of concepts, by the path of their picture."""

    def add(self, records: Records, place: Callable[[Record], Sequence[int]]) -> frozenset[str]:
        """Give the entries what annotation files say; gives the files that were used.

        `place` gives the positions of a record's picture among the entries. A picture that an earlier file marks keeps
        its marks, and one with a label its label.
        """
        self.problems.extend(records.problems)
        self.contents.extend(records.contents)
        self.account.findings.extend(records.findings)
        outcomes: Counter[str] = Counter()
        # By their worth: sources that gave something, those with marks that gave nothing, and those without marks.
        useful: set[str] = set()
        vain: set[str] = set()
        empty: set[str] = set()
        rival = self._only_folder(records)
        for record in records.records:
            marks = 0 if record.annotation is None else len(record.annotation.marks)
            positions = place(record)
            if not positions:
                outcomes[account.WITHOUT_PICTURE] += marks
                continue
            outcomes[self._outcome(record, positions) if marks else account.USED] += marks
            given = [self._give(position, record, records.form, rival) for position in positions]
            (useful if any(given) else vain if marks else empty).update(record.sources)
        told = sum(0 if one.annotation is None else len(one.annotation.marks) for one in records.records)
        doubtful = records.mark_count - told if not records.records and records.findings else 0
        outcomes[account.DOUBTFUL] += doubtful
        outcomes[account.UNDRAWN] += records.mark_count - told - doubtful
        self.account.marks.update(outcomes)
        # That there is nothing in a picture is said by a file without marks, or by one of whose marks some are used.
        used = useful | (empty - vain if told or not records.mark_count else set())
        if used:
            used |= set(records.files) - {one for record in records.records for one in record.sources}
            marks = f"{records.mark_count:,} mark{'s' * (records.mark_count != 1)}"
            text = f"{_files(records.files)}: {records.form}, with {marks} for {len(records.records):,} pictures."
            self.account.findings.append(Finding("recognized", text))
        return frozenset(used)

    def _outcome(self, record: Record, positions: Sequence[int]) -> str:
        """What becomes of the marks of a record whose pictures are there."""
        if not all(self.entries[one].annotation is not None for one in positions):
            return account.USED
        by = self.entries[positions[0]].marked_by
        self.problems.add("pictures that are marked twice", record.file, f"It is marked by {by}, which counts.")
        return account.TWICE

    def _give(self, position: int, record: Record, form: str, rival: str | None) -> bool:
        """Give an entry what a record says; whether that is anything which it had not."""
        entry = self.entries[position]
        own = any(entry.labels.values()) and not (rival and entry.origin == FOLDERS and (record.label or record.wnid))
        labels = entry.labels if own else {"wnid": record.wnid, "label": record.label}
        self.entries[position] = entry._replace(
            labels=labels,
            annotation=entry.annotation or record.annotation,
            marked_by=entry.marked_by or (form if record.annotation else ""),
            label_set=entry.label_set if own else record.label_set,
            origin=entry.origin if own or not any(labels.values()) else f"labelled by {form}",
        )
        marked = entry.annotation is None and record.annotation is not None
        return marked or (not own and any(labels.values()))

    def _only_folder(self, records: Records) -> str | None:
        """The one folder that all pictures lie in, where it is no class of the records, which name others."""
        folders = {entry.labels.get("label") for entry in self.entries if entry.origin == FOLDERS}
        every = (one for record in records.records for one in (record.label, record.wnid, *(record.label_set or ())))
        named = {same_name(one) for one in every if one}
        if len(folders) != 1 or not named:
            return None
        [folder] = folders
        if folder is None or same_name(folder) in named:
            return None
        text = f"All pictures lie in {printable(folder)!r}, which is no label, as {records.form} gives labels."
        self.account.findings.append(Finding("guessed", text))
        return folder

    def drop_misfits(self) -> None:
        """Take away what does not fit its picture, where few enough are annotated to look at each."""
        annotated = {i: (one.file, one.annotation) for i, one in enumerate(self.entries) if one.annotation is not None}
        for position, reason, left in sizes.misfits(annotated):
            entry = self.entries[position]
            count = len(entry.annotation.marks) if entry.annotation else 0
            count -= len(left.marks) if left else 0
            self.problems.add("annotations that do not fit their picture", entry.file.relative, reason)
            self.entries[position] = entry._replace(annotation=left, marked_by=entry.marked_by if left else "")
            self.account.marks[account.MISFIT] += count
            self.account.marks[account.USED] -= count

    def assembled(self, name: str) -> ImageSet:
        """The set."""
        entries = self.entries
        stamped = tuple(entry.file for entry in entries)
        names = tuple(entry.file.relative for entry in entries)
        forms = {form: [entry.labels.get(form) for entry in entries] for form in LABEL_FORMS}
        forms = {form: _all_shown(labels) for form, labels in forms.items() if any(labels)}
        sets = tuple(_shown_set(entry.label_set) for entry in entries)
        marked = {i: entry.annotation for i, entry in enumerate(entries) if entry.annotation is not None}
        watch = Watch(self.folders, [*stamped, *self.beside])
        self.account.labels.update(entry.origin for entry in entries)
        return ImageSet(
            name=printable(name),
            description=_description(entries, name, len(marked)),
            fingerprint=f"files {files.digest(stamped, self.contents)}",
            names=names,
            read=lambda i: _read(stamped[i], watch),
            label_forms=forms,
            label_sets=None if all(one is None for one in sets) else sets,
            groups=_all_shown([entry.group for entry in entries]),
            annotations=marked,
            concept_masks={i: self.concepts[one.path] for i, one in enumerate(stamped) if one.path in self.concepts},
            numbers=_columns(entries),
            problems=self.problems.listed(),
            account=self.account.closed(),
            watch=watch,
            state=lambda i: _state(stamped[i]),
        )


def _read(file: PictureFile, watch: Watch) -> DecodedImage:
    try:
        return decoding.read_file(file.path, file.relative, file.stamp)
    except UnreadableImage as error:
        if error.changed:
            watch.note_change()
        raise


def _state(file: PictureFile) -> tuple | None:
    """What tells the file, as it is, from any other; None where it changed so shortly before that its times cannot."""
    return None if file.digest else (file.path, *file.stamp)


def _files(names: Sequence[str]) -> str:
    return printable(names[0]) if len(names) == 1 else f"{len(names):,} files, such as {printable(names[0])}"


def _columns(entries: Sequence[Entry]) -> dict[str, tuple[float, ...]]:
    names = dict.fromkeys(name for entry in entries for name in entry.numbers)
    return {printable(name): tuple(entry.numbers.get(name, math.nan) for entry in entries) for name in names}


def _all_shown(labels: Sequence[str | None]) -> tuple[str | None, ...]:
    shown = {one: None if one is None else printable(normalize("NFC", one)) for one in set(labels)}
    return tuple(shown[one] for one in labels)


def _shown_set(labels: frozenset[str] | None) -> frozenset[str] | None:
    return None if labels is None else frozenset(printable(normalize("NFC", one)) for one in labels)


def _description(entries: Sequence[Entry], name: str, marked: int) -> str:
    most = max((len(entry.label_set) for entry in entries if entry.label_set), default=1)
    named = [label for entry in entries for label in list(filter(None, entry.labels.values()))[:1]]
    kinds = sorted({*named, *(label for entry in entries if most > 1 for label in entry.label_set or ())})
    shown = ", ".join(kinds[:SHOWN_LABELS]) + (", ..." if len(kinds) > SHOWN_LABELS else "")
    pictures = "1 picture" if len(entries) == 1 else f"{len(entries):,} pictures"
    labels = f"with {len(kinds):,} different labels ({shown})" if kinds else "without labels"
    labels += f", up to {most} in one picture" if most > 1 else ""
    annotated = f"; {marked:,} with annotations" if marked else ""
    return printable(f"{pictures} from {name}, {labels}{annotated}.")
