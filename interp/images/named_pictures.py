"""The pictures that annotation files name, looked for where such files and their pictures usually lie."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from interp.images import account, annotations, files
from interp.images.annotations import AnnotationFiles
from interp.images.draft import Draft, Entry
from interp.images.files import Boundary, Listing, Locator, picture_file
from interp.images.image_set import ImageSet
from interp.images.problems import printable
from interp.images.records import Records


def from_annotations(
    path: Path, boundary: Boundary, pictures: Path | None, *, marked: frozenset[int] | None = None
) -> ImageSet:
    """The pictures that an annotation file names.

    They are looked for beside the file and in 'images' beside it, in COCO's and VOC's own layouts, and in `pictures`.
    """
    parent = path.parent.parent
    split = path.stem.rsplit("_", 1)[-1]
    beside = [path.parent, path.parent / "images"]
    above = [parent, parent / "images", parent / split, parent / "images" / split, parent / "JPEGImages"]
    given = [] if pictures is None else [pictures, pictures / "images"]
    folders = [folder for folder in (*given, *beside, *above) if boundary.admits(folder)]
    found = annotations.read(path, boundary, marked=marked)
    draft = Draft()
    watch(draft, path.parent, [path.name])
    draft.account.files[account.ANNOTATIONS] += 1
    return _from_records(found.records, path.name, folders, boundary, draft)


def elsewhere(found: AnnotationFiles, folder: Path, boundary: Boundary, draft: Draft, listing: Listing) -> ImageSet:
    """A folder of annotations without pictures: these are looked for beside it."""
    parent = folder.parent
    places = [folder, *(parent / one for one in ("JPEGImages", "images", "Images", folder.name)), parent]
    folders = [one for one in places if boundary.admits(one)]
    used = sorted({one for records in found.records for one in records.files})
    draft.account.files.update({account.ANNOTATIONS: len(used), account.UNUSED: len(listing.annotations) - len(used)})
    watch(draft, folder, used)
    return _from_records(found.records, folder.name, folders, boundary, draft)


def _from_records(
    found: Sequence[Records], name: str, folders: list[Path], boundary: Boundary, draft: Draft
) -> ImageSet:
    locator = Locator(folders, boundary)
    places: dict[str, int] = {}
    for records in found:
        for record in records.records:
            file = locator.find(record.file) or (locator.find(record.otherwise) if record.otherwise else None)
            if file is None:
                reason = f"The picture {printable(record.file)!r} was not found."
                draft.problems.add("missing pictures", record.file, reason)
            elif record.file not in places:
                places[record.file] = len(draft.entries)
                draft.entries.append(Entry(file, {}))
    if not draft.entries:
        problems = "; ".join(f"{one.name}: {one.reason}" for one in draft.problems.listed()[:3])
        named = sum(len(records.records) for records in found)
        raise ValueError(
            f"{printable(name)}: none of the {named:,} pictures that it names was found. Put them beside it or into a "
            f"folder 'images' there, or name their folder. {problems}"
        )
    settled = files.settled([entry.file for entry in draft.entries])
    draft.entries = [entry._replace(file=file) for entry, file in zip(draft.entries, settled, strict=True)]
    for records in found:
        draft.add(records, lambda record: [places[record.file]] if record.file in places else [])
    draft.drop_misfits()
    draft.account.files[account.PICTURE] += len(draft.entries)
    return draft.assembled(name)


def watch(draft: Draft, folder: Path, relatives: Sequence[str], *others: Path) -> None:
    """Note the files beside pictures on which the set rests."""
    for path in [*(folder / one for one in relatives), *others]:
        try:
            draft.beside.append(picture_file(str(path), path.name, os.stat(path)))
        except OSError:
            continue
