"""Broden's layout: `index.csv` with a row for each picture, and in each category's cell masks or numbers.

Source: Bau 2017, Network Dissection: columns image, split, ih, iw, sh, sw and one for each category (color, object,
part, material, scene, texture); a cell holds paths of masks, or numbers of labels of the whole picture, between
semicolons; empty, it says that nothing is known. Numbers are named in label.csv (number, name, category, ...).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

from interp.images import files
from interp.images.concept_folders import names
from interp.images.concept_folders.claim import Claim
from interp.images.concept_folders.codes import RED_GREEN
from interp.images.concept_folders.masks import ConceptLayer, ConceptMasks
from interp.images.files import Listing, PictureFile
from interp.images.problems import Problems
from interp.types import Finding

FORM = "Broden"
INDEX, NAMES = "index.csv", "label.csv"
BESIDE = ("image", "split", "ih", "iw", "sh", "sw")
LARGEST = 100_000_000
SCENE = "scene"
OTHERS = ("category.csv", "README.txt")


def claim(folder: Path, listing: Listing, problems: Problems) -> Claim | None:
    """What the index of a folder says; None where it has none of this form."""
    if INDEX not in listing.annotations:
        return None
    try:
        content = files.content(folder / INDEX, limit=LARGEST)
        rows = list(csv.DictReader(content.decode("utf-8-sig").splitlines()))
    except (ValueError, csv.Error):
        return None
    columns = list(rows[0]) if rows else []
    if not {"image", "sh", "sw"} <= {one or "" for one in columns}:
        return None
    found = Claim(FORM, contents=[content], texts=[INDEX])
    categories = [one for one in columns if one and one not in BESIDE]
    layers = _layers(folder, listing, categories, found, problems)
    there = {one.relative: one for one in listing.pictures}
    labels: dict[str, tuple[str | None, str | None]] = {}
    taken: dict[str, PictureFile] = {}
    for row in rows:
        picture = _at(there, row["image"] or "")
        if picture is None:
            reason = f"{INDEX} names it, and it is not there, nor in 'images'. Put it back, or remove its row."
            problems.add("pictures that are not there", row["image"] or "a row without a picture", reason)
            continue
        one = _row(row, categories, layers, there, problems)
        found.concepts[picture.path] = one
        taken |= {file.path: file for _, file in one.masks}
        labels[picture.path] = (
            next((name for category, name in one.whole if category == SCENE), None),
            row.get("split"),
        )
    found.masks = list(taken.values())
    found.pictures, found.labels = frozenset(labels), labels
    return found


def _layers(
    folder: Path, listing: Listing, categories: list[str], found: Claim, problems: Problems
) -> dict[str, ConceptLayer]:
    """The categories; their names are those of all labels, or of each category's own list."""
    lists = [NAMES, *(f"c_{category}.csv" for category in categories)]
    named: dict[int, str] = {}
    for relative in (one for one in lists if one in listing.annotations):
        found.texts.append(relative)
        try:
            found.contents.append(files.content(folder / relative, limit=LARGEST))
            named = names.read(folder / relative) | named
        except ValueError as error:
            problems.add("lists of names that cannot be read", relative, str(error))
    found.texts += [one for one in OTHERS if one in listing.annotations]
    if not named:
        text = (
            f"{NAMES} is not there, or names nothing: concepts are called by their numbers. Put the data set's own "
            "list beside index.csv, with the columns 'number' and 'name'."
        )
        found.findings.append(Finding("warning", text))
    return {one: ConceptLayer(one, RED_GREEN, named or None) for one in categories}


def _row(
    row: Mapping[str, str | None],
    categories: list[str],
    layers: Mapping[str, ConceptLayer],
    there: Mapping[str, PictureFile],
    problems: Problems,
) -> ConceptMasks:
    masks, whole, missing = [], [], set()
    for category in categories:
        layer = layers[category]
        for entry in _entries(row.get(category)):
            if entry.isdecimal():
                name = layer.name(int(entry))
                if name is None:
                    reason = (
                        f"Its {category} is number {entry}, which has no name in {NAMES}: it is left out. Add a line."
                    )
                    problems.add("labels without a name", row["image"] or "", reason)
                    missing.add(category)
                else:
                    whole.append((category, name))
            elif (file := _at(there, entry)) is not None:
                masks.append((layer, file))
            else:
                reason = (
                    f"{row['image']} has this mask of '{category}' by {INDEX}, and it is not there: the picture does "
                    "not count for it. Put the mask back, or empty the cell."
                )
                problems.add("masks that are not there", entry, reason)
                missing.add(category)
    return ConceptMasks(tuple(masks), tuple(whole), frozenset(missing))


def _entries(cell: str | None) -> Iterator[str]:
    return (one.strip() for one in (cell or "").split(";") if one.strip())


def _at(there: Mapping[str, PictureFile], path: str) -> PictureFile | None:
    return there.get(f"images/{path}") or there.get(path)
