"""What a concept data set is made of: which of a folder's files are its masks and lists, and of which pictures."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from interp import progress
from interp.images.annotation import Annotation, Marking
from interp.images.concept_folders.codes import numbers
from interp.images.concept_folders.masks import ConceptLayer, ConceptMasks
from interp.images.decoding import stored_size
from interp.images.files import Listing, PictureFile
from interp.images.masks import EXTENSIONS
from interp.images.problems import Problems, printable
from interp.types import Finding

LOOKED_AT = 300
"""Of so many masks, spread over the set, it is looked whether they fit their pictures and have names."""
LISTED = 4


@dataclass
class Claim:
    """The masks of each picture (by its path) of a concept data set of some `form`, and the files that it takes.

    `masks` and `texts` are files that are neither pictures nor annotations of the set otherwise, `pictures` those that
    belong to it (None: all others), and `labels` a label and a group for each picture, by path, where it says them.
    """

    form: str
    concepts: dict[str, ConceptMasks] = field(default_factory=dict)
    masks: list[PictureFile] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    pictures: frozenset[str] | None = None
    labels: Mapping[str, tuple[str | None, str | None]] | None = None
    contents: list[bytes] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def lay(
    claim: Claim,
    layer: ConceptLayer,
    pictures: Iterable[PictureFile],
    found: Mapping[str, PictureFile],
    problems: Problems,
) -> None:
    """Give the pictures their masks of one category, by what they are called from any folder on, without ending."""
    used, without = set(), []
    for picture in pictures:
        name = next((name for name in _names(picture.relative) if name in found), None)
        if name is None:
            without.append(picture.relative)
            continue
        used.add(name)
        before = claim.concepts.get(picture.path, ConceptMasks())
        claim.concepts[picture.path] = ConceptMasks((*before.masks, (layer, found[name])), before.whole, before.missing)
    for name in sorted(set(found) - used):
        reason = f"It is a mask of '{layer.category}', and no picture of the set is called so."
        problems.add("masks without a picture", found[name].relative, reason)
    if without:
        text = (
            f"{len(without):,} of {len(without) + len(used):,} pictures have no mask of '{layer.category}', such as "
            f"{printable(without[0])}: they do not count for it."
        )
        claim.findings.append(Finding("warning", text))


def masks_in(listing: Listing, folder: str, suffix: str) -> dict[str, PictureFile]:
    """The pictures below a folder whose names end so, by what stands before that, from the folder on."""
    start = f"{folder}/" if folder else ""
    return {
        one.relative[len(start) : -len(suffix)]: one
        for one in listing.pictures
        if one.relative.startswith(start)
        and one.relative.endswith(suffix)
        and os.path.splitext(one.relative)[1].lower() in EXTENSIONS
    }


def look(claim: Claim, problems: Problems) -> None:
    """Look at some masks: note those that cannot be read or do not fit their picture, and numbers without names."""
    every = [(path, layer, file) for path, one in claim.concepts.items() for layer, file in one.masks]
    places = np.unique(np.linspace(0, len(every) - 1, min(len(every), LOOKED_AT)).round().astype(int)).tolist()
    unnamed: dict[str, Counter[int]] = {}
    seen: set[str] = set()
    for place in progress.steps(places, "Looking at masks"):
        path, layer, file = every[place]
        try:
            read = numbers(file.path, file.stamp, layer.coding)
        except ValueError as error:
            problems.add("masks that cannot be read", file.relative, f"'{layer.category}' is not known there: {error}")
            continue
        found = np.unique(read).tolist()
        seen.update(layer.category for number in found if layer.name(number) is not None)
        unnamed.setdefault(layer.category, Counter()).update(one for one in found if layer.unnamed(one))
        head = None if layer.stretched else stored_size(path)
        reason = head and Marking(Annotation(()), *head).misfit_of((read.shape[1], read.shape[0]), "The mask is")
        if reason:
            more = "Or say size = 'any' in concepts.toml: then it is stretched."
            problems.add("masks that do not fit their picture", file.relative, f"{reason} {more}")
    claim.findings += _said(claim, unnamed, seen, len(every), len(places))


def _said(
    claim: Claim, unnamed: Mapping[str, Counter[int]], seen: set[str], masks: int, looked: int
) -> Iterator[Finding]:
    categories = dict.fromkeys(layer.category for one in claim.concepts.values() for layer, _ in one.masks)
    whole = dict.fromkeys(category for one in claim.concepts.values() for category, _ in one.whole)
    every = ", ".join(printable(one) for one in dict.fromkeys([*categories, *whole]))
    some = "" if looked == masks else f", of which {looked:,} were looked at"
    text = f"{claim.form}: concepts of {len(claim.concepts):,} pictures in {masks:,} masks{some}; categories: {every}."
    yield Finding("recognized", text)
    for category, counts in unnamed.items():
        if counts:
            listed = ", ".join(f"{number} (in {times:,})" for number, times in counts.most_common(LISTED))
            more = f" and {len(counts) - LISTED:,} more" if len(counts) > LISTED else ""
            yield Finding(
                "warning",
                f"Masks of '{category}' have numbers without a name: {listed}{more}. They are left out: add them "
                "to the list, or check how numbers are coded.",
            )
    for category in categories:
        if category not in seen and looked:
            yield Finding("warning", f"None of the masks of '{category}' that were looked at shows a named concept.")


def _names(relative: str) -> Iterator[str]:
    """What a picture may be called in a folder of masks: its path without the ending, from each of its folders on."""
    parts = os.path.splitext(relative)[0].split("/")
    for start in range(len(parts)):
        yield "/".join(parts[start:])
