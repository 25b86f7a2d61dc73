"""A folder of pictures as an image set."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from interp.images import account, annotations, class_maps, files, mask_folders, named_pictures, table_entries, tables
from interp.images.account import NO_LABEL as BARE
from interp.images.annotations import AnnotationFiles
from interp.images.concept_folders import finding
from interp.images.draft import FOLDERS, NOTHING, Draft, Entry
from interp.images.files import Boundary, Listing, PictureFile
from interp.images.image_set import ImageSet
from interp.images.joining import Joiner
from interp.images.places import NO_CLASS, Places
from interp.images.problems import Problem, printable
from interp.images.records import Record, Records
from interp.types import Finding

INDEX = "index.csv"
_Rows = Mapping[int, Sequence[int]]
TABLES = (".csv", ".tsv")


def from_folder(
    folder: Path, boundary: Boundary, marks: Path | None, *, marked: frozenset[int] | None = None
) -> ImageSet:
    """The pictures of a folder: by its index.csv, or all that lie in it and below.

    Without an index a picture's label is the folder it lies in, and its group the folder above that; folders of splits,
    and such as 'images', are none. In one folder the label is the WordNet id that its name begins with, if there is
    one. Annotations come from `marks`, or from all files of the known forms that lie in the folder or below, masks
    included; `marked` are the values of masks that mean that something is marked. A concept data set, by its layout or
    its concepts.toml, has its masks read as concepts.
    """
    draft = Draft()
    listing = files.list_folder(folder, boundary, draft.problems)
    draft.folders = dict(listing.folders)
    claim = None if marks is not None else finding.find(folder, listing, boundary, draft)
    listing = listing if claim is None else finding.without(claim, listing, draft)
    texts = () if claim is None else claim.texts
    own = _without(listing, folder, marks)
    parted = _parted(own, folder, listing) if marks is None else mask_folders.Parted(own, [])
    pictures = files.settled(_named_below(parted.pictures))
    joiner = Joiner([one.relative for one in pictures])
    rows = _read_index(folder, boundary, draft, pictures) if _has_index(folder, texts) else None
    index = rows is not None
    rows = _by_place(pictures, draft) if rows is None else rows
    draft.entries = draft.entries if claim is None else finding.labelled(claim, draft.entries)
    found, base = _annotations(folder, listing, joiner, boundary, marks, marked, parted.masks)
    if not draft.entries and found.records:
        return named_pictures.elsewhere(found, folder, boundary, draft, listing)
    if not draft.entries:
        raise _no_pictures(folder, draft, listing)
    used = _read_tables(folder, listing, pictures, rows, draft, found) if marks is None else set()
    for records in found.records:
        used |= draft.add(records, lambda record, of=records: _placed(record, of, base, joiner, rows, draft))
    if marks is None:
        named_pictures.watch(draft, folder, sorted({*used, *texts, INDEX}))
    else:
        home = marks if marks.is_dir() else marks.parent
        named_pictures.watch(draft, home, sorted(used), home, marks, folder / INDEX)
        # What was named may lie in the folder or elsewhere.
        used = {f"{base}/{one}".lstrip("/") for one in used} if marks.is_relative_to(folder) else set()
    draft.drop_misfits()
    chosen = set() if marks is None else {one.relative for one in own}
    masks = parted.masks if marks is None else [one for one in listing.pictures if one.relative not in chosen]
    draft.account.files[account.TABLE] += index
    _account_files(folder, draft, listing, masks, found, used, len(rows), named=marks is not None)
    return draft.assembled(folder.name)


def _has_index(folder: Path, taken: Sequence[str]) -> bool:
    return INDEX not in taken and os.path.lexists(folder / INDEX)


def _parted(pictures: list[PictureFile], folder: Path, listing: Listing) -> mask_folders.Parted:
    root = len(str(folder))
    return mask_folders.parted(pictures, [path[root:] for path in listing.folders])


def _without(listing: Listing, folder: Path, marks: Path | None) -> list[PictureFile]:
    """The pictures that do not lie in the folder of the annotations."""
    if marks is None or not marks.is_dir() or not marks.is_relative_to(folder) or marks == folder:
        return listing.pictures
    below = marks.relative_to(folder).as_posix() + "/"
    return [one for one in listing.pictures if not one.relative.startswith(below)]


def _named_below(pictures: list[PictureFile]) -> list[PictureFile]:
    """The pictures, named from below the folders such as 'images' in which all of them lie."""
    while pictures:
        first, below, _ = pictures[0].relative.partition("/")
        if not below or first.lower() not in NO_CLASS:
            break
        if not all(one.relative.startswith(first + "/") for one in pictures):
            break
        pictures = [one._replace(relative=one.relative.removeprefix(first + "/")) for one in pictures]
    return pictures


def _by_place(pictures: Sequence[PictureFile], draft: Draft) -> _Each:
    places = Places([one.relative for one in pictures])
    if places.splits:
        text = f"{', '.join(map(printable, places.splits))}: splits of the set, which are groups, and no labels."
        draft.account.findings.append(Finding("recognized", text))
    by_name = "labelled by the WordNet id in their name"
    draft.entries = [
        Entry(file, labels, group, None, NOTHING, None, FOLDERS if "label" in labels else by_name if labels else BARE)
        for file, (labels, group) in zip(pictures, places, strict=True)
    ]
    return _Each(len(pictures))


class _Each(Mapping[int, Sequence[int]]):
    """The entries of each picture, where each is one: a hundred thousand lists would cost as much as the rest."""

    def __init__(self, count: int) -> None:
        self._all = range(count)

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[int]:
        return iter(self._all)

    def __getitem__(self, place: int) -> Sequence[int]:
        return (self._all[place],)


def _read_index(
    folder: Path, boundary: Boundary, draft: Draft, pictures: list[PictureFile]
) -> dict[int, list[int]] | None:
    """Fill the draft with the rows of the index; gives the entries of each picture, by its position in the folder.

    None, and nothing is filled, where it is no table of these pictures.
    """
    if not boundary.admits(folder / INDEX):
        raise ValueError(f"{INDEX}: the link leads outside the folder that this server offers. Put the file itself.")
    try:
        table = tables.read(folder / INDEX, draft.problems, present=_within(folder, pictures))
    except ValueError as error:
        draft.problems.add("tables that are not used", INDEX, str(error))
        return None
    if not table.rows:
        draft.problems.add("tables that are not used", INDEX, "None of the pictures that it names is here.")
        return None
    return table_entries.fill(draft, table, INDEX, pictures, _within(folder, pictures))


def _within(folder: Path, pictures: Sequence[PictureFile]) -> list[str]:
    """The pictures' paths in the folder, which a table names whole, also where all lie in 'images'."""
    start = len(str(folder)) + 1
    return [one.path[start:].replace(os.sep, "/") for one in pictures]


def _read_tables(
    folder: Path,
    listing: Listing,
    pictures: list[PictureFile],
    rows: _Rows,
    draft: Draft,
    found: AnnotationFiles,
) -> set[str]:
    """Give the entries what further tables say; gives the tables that were used."""
    used: set[str] = set()
    known = {one for records in found.records for one in records.files}
    left = [one for one in listing.annotations if one.lower().endswith(TABLES) and one not in {*known, INDEX}]
    named = sorted(left, key=_depth)
    if not named:
        return used
    present = _within(folder, pictures)
    place = {name: position for position, name in enumerate(present)}
    for relative in named:
        try:
            records, described = table_entries.records(folder / relative, relative, present, draft.problems)
        except ValueError as error:
            found.unused[relative] = str(error)
            continue
        used |= draft.add(records, lambda record: rows.get(place[record.file], ()))
        for row in described:
            table_entries.give(draft, row, rows.get(place[row.picture or ""], []))
    return used


def _depth(relative: str) -> tuple[int, str]:
    return relative.count("/"), relative


def _annotations(
    folder: Path,
    listing: Listing,
    joiner: Joiner,
    boundary: Boundary,
    marks: Path | None,
    marked: frozenset[int] | None,
    masks: Sequence[PictureFile],
) -> tuple[AnnotationFiles, str]:
    """What marks the pictures, and the folder that it is relative to."""
    if marks is not None:
        home = marks if marks.is_dir() else marks.parent
        inside = home != folder and home.is_relative_to(folder)
        found = annotations.read(marks, boundary, marked=marked)
        return found, home.relative_to(folder).as_posix() if inside else ""
    found = annotations.found_in(folder, listing, joiner)
    if masks:
        maps = class_maps.find(folder, listing.annotations)
        found.records += mask_folders.read_all(masks, maps, marked=marked)
    return found, ""


def _placed(record: Record, records: Records, base: str, joiner: Joiner, rows: _Rows, draft: Draft) -> Sequence[int]:
    try:
        found = joiner.find(record.file, base or records.base)
        if found is None and record.otherwise is not None:
            found = joiner.find(record.otherwise, base or records.base)
    except ValueError as error:
        draft.problems.add("ambiguous annotations", record.file, str(error))
        return ()
    if found is None or found not in rows:
        reason = "It is annotated, but no picture of the set is called so."
        draft.problems.add("annotations without a picture", record.file, reason)
        return ()
    return rows[found]


def _account_files(
    folder: Path,
    draft: Draft,
    listing: Listing,
    masks: Sequence[PictureFile],
    found: AnnotationFiles,
    used: set[str],
    listed: int,
    *,
    named: bool,
) -> None:
    """Say what became of every file of the folder; where annotations were `named`, others were not looked at."""
    kept = draft.account
    unused = dict(found.unused)
    for records in found.records:
        reason = (
            f"{records.form}: none of the pictures that it names is here, or another file marks them, or nothing in it "
            "can be drawn."
        )
        unused |= {one: reason for one in records.files if one not in used and one not in unused}
    # One that could not be read is named already.
    named_before = {one.name: one.reason for one in draft.problems.listed()}
    here = set(listing.annotations) - ({INDEX} if draft.account.files[account.TABLE] else set())
    for name in sorted(here - used):
        if name in named_before:
            kept.unused.append(Problem(printable(name), named_before[name]))
            continue
        other = "Other annotations were named: it was not looked at."
        reason = other if named else unused.get(name, "It is in none of the forms that are read.")
        kept.unused.append(Problem(printable(name), printable(reason)))
        draft.problems.add("annotation files that are not used", name, reason)
    kept.unused += mask_folders.unused([one.relative for one in masks if one.relative not in used], unused)
    draft.problems.extend(files.not_pictures(folder, listing.others))
    kept.files.update(
        {
            account.PICTURE: listed,
            account.UNLISTED: len(listing.pictures) - len(masks) - listed,
            account.MASK: len(masks),
            account.ANNOTATIONS: len(here & used),
            account.UNUSED: len(here - used),
            account.OTHER: len(listing.others),
            account.HIDDEN: listing.hidden,
            account.REFUSED: listing.refused,
        }
    )


def _no_pictures(folder: Path, draft: Draft, listing: Listing) -> ValueError:
    draft.problems.extend(files.not_pictures(folder, listing.others))
    listed = "; ".join(f"{one.name}: {one.reason}" for one in draft.problems.listed()[:3])
    return ValueError(
        f"{printable(folder.name)}: the folder contains no pictures. Put JPEG, PNG, WebP, TIFF, BMP or GIF files "
        f"there, or into one subfolder for each class.{' Left out: ' + listed if listed else ''}"
    )
