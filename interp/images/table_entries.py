"""What tables say of the pictures of a folder: entries of the set, or labels and marks for those that are there."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from interp.images import account, tables
from interp.images.annotation import Annotation, Mark
from interp.images.draft import Draft, Entry
from interp.images.files import PictureFile
from interp.images.problems import Problems
from interp.images.records import Record, Records
from interp.images.shapes import Box
from interp.images.tables import Row, Table

FORM = "a table"
# Kaggle's example of what to hand in names all pictures, with labels that are none.
NO_LABELS = ("submission",)


def fill(
    draft: Draft, table: Table, name: str, pictures: list[PictureFile], called: Sequence[str]
) -> dict[int, list[int]]:
    """Make entries of a table's rows; gives the entries of each picture, by its position in the folder.

    `called` are the pictures' paths as the table was told of them.
    """
    place = {one: position for position, one in enumerate(called)}
    marks = _marks(table)
    entries: dict[int, list[int]] = {}
    for row in tables.by_picture(table):
        assert row.picture is not None
        position = place[row.picture]
        origin = f"labelled by {name}" if any(row.labels.values()) or row.label_set else account.NO_LABEL
        annotation = marks.get(row.picture)
        entries.setdefault(position, []).append(len(draft.entries))
        draft.entries.append(
            Entry(
                pictures[position],
                row.labels,
                row.group,
                annotation,
                row.numbers,
                row.label_set,
                origin,
                name if annotation else "",
            )
        )
    if table.unit is not None:
        # A table of boxes has no row for a picture in which there is nothing.
        for position in range(len(pictures)):
            if position not in entries:
                entries[position] = [len(draft.entries)]
                draft.entries.append(Entry(pictures[position], {}))
    _account(draft, table, marks)
    return entries


def records(path: Path, relative: str, present: list[str], problems: Problems) -> tuple[Records, list[Row]]:
    """A table beside pictures as annotations, and its rows, a picture's first one alone.

    Raises `ValueError` where it is no table of these pictures.
    """
    if any(word in path.name.lower() for word in NO_LABELS):
        raise ValueError(f"{path.name}: by its name it is an example of a submission, whose labels are none.")
    named = Problems()
    table = tables.read(path, named, present=present, within=relative.rpartition("/")[0])
    rows = list({row.picture: row for row in reversed(tables.by_picture(table))}.values())[::-1]
    if not rows:
        raise ValueError(f"{path.name}: none of the pictures that it names is here.")
    problems.extend(named.listed())
    marks = _marks(table)
    found = tuple(
        Record(
            row.picture or row.file,
            marks.get(row.picture or ""),
            row.labels.get("label"),
            row.labels.get("wnid"),
            row.label_set,
            (relative,),
        )
        for row in rows
    )
    count = sum(len(one.marks) for one in marks.values())
    contents = (os.fsencode(relative), table.content)
    whole = Records(FORM, (relative,), found, (), contents, count, findings=table.findings)
    return whole, rows


def give(draft: Draft, row: Row, positions: Sequence[int]) -> None:
    """Give entries what a row has beside labels by name: numbers, a group, and a class's index."""
    for position in positions:
        entry = draft.entries[position]
        index = row.labels.get("class_index")
        labels = entry.labels
        if index is not None and (not any(labels.values()) or entry.origin == f"labelled by {FORM}"):
            labels = {**labels, "class_index": index}
        draft.entries[position] = entry._replace(
            labels=labels,
            group=entry.group or row.group,
            numbers={**row.numbers, **entry.numbers},
            origin=f"labelled by {FORM}" if labels is not entry.labels else entry.origin,
        )


def _marks(table: Table) -> dict[str, Annotation]:
    """The boxes of each picture."""
    found: dict[str, Annotation] = {}
    for row in table.rows:
        if row.box is None or row.picture is None:
            continue
        mark = Mark((Box(*row.box),), row.labels.get("label"), row.labels.get("wnid"))
        before = found.get(row.picture)
        if before is None:
            found[row.picture] = Annotation((mark,), row.size, table.unit == "shares")
        else:
            found[row.picture] = replace(before, marks=(*before.marks, mark))
    return found


def _account(draft: Draft, table: Table, marks: dict[str, Annotation]) -> None:
    draft.contents.append(table.content)
    draft.account.findings.extend(table.findings)
    if table.unit is not None:
        used = sum(len(one.marks) for one in marks.values())
        draft.account.marks += Counter({account.USED: used, account.UNDRAWN: len(table.rows) - used})
        draft.account.marks[account.WITHOUT_PICTURE] += table.unused
