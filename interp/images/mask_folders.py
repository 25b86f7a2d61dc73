"""Pictures that are masks of others: found among them by folder or suffix, and read by what their values are."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from interp.images import class_maps, files, masks
from interp.images.annotation import Annotation, Mark
from interp.images.class_maps import ClassMap
from interp.images.files import PictureFile
from interp.images.joining import Joiner, stem
from interp.images.masks import MaskFile, Values
from interp.images.places import MASKS
from interp.images.problems import Problem, printable
from interp.images.records import Record, Records
from interp.types import Finding

FORM = "masks"
SUFFIX = re.compile(
    r"(.+?)[ ._-](masks?|segmentation|seg|gt|groundtruth|ground_truth|labels?|labelids|annotation|trimap|matte)"
    r"(?:[ ._-]?\d{1,4})?",
    re.IGNORECASE,
)
# What nearly no name has, and every such suffix.
_WORDS = ("mask", "seg", "gt", "ground", "label", "ann", "trimap", "matte")
_WORD = re.compile("|".join(_WORDS), re.IGNORECASE)
SETTING = "Annotations: values of masks that are marked"
# So many masks, spread over the set, say what its masks' values mean.
LOOKED_AT = 24
# So many say whether a folder holds masks at all.
TRIED = 8


class Parted(NamedTuple):
    """The pictures of a folder, and those that are masks of them."""

    pictures: list[PictureFile]
    masks: list[PictureFile]


def may_be_mask(relative: str) -> bool:
    """Whether a file is of a format in which masks are read."""
    return os.path.splitext(relative)[1].lower() in masks.EXTENSIONS


def parted(pictures: list[PictureFile], folders: Iterable[str]) -> Parted:
    """The pictures, and the masks among them; `folders` are the paths of the folders in which they lie.

    They lie in a folder that is called as one of masks, or their names end so; most are called as a picture that is no
    mask, and they have few values, or soft edges.
    """
    # One look at all names together, since nearly no folder has such: a hundred thousand looks take a second.
    names = "\n".join([one.relative[one.relative.rfind("/") + 1 :] for one in pictures]).lower()
    if not any(map(_of_masks, folders)) and not any(word in names for word in _WORDS):
        return Parted(pictures, [])
    candidates = [one for one in pictures if _called_so(one.relative)]
    if not candidates:
        return Parted(pictures, [])
    chosen = {one.path for one in candidates}
    rest = [one for one in pictures if one.path not in chosen]
    joiner = Joiner([one.relative for one in rest])
    partners = sum(_partner(one, joiner) for one in candidates)
    if 2 * partners < len(candidates) or not _few_valued(candidates):
        return Parted(pictures, [])
    return Parted(rest, candidates)


def read_all(found: Sequence[PictureFile], maps: Sequence[ClassMap], *, marked: frozenset[int] | None) -> list[Records]:
    """The masks as marks: by name those whose values a file names, unless `marked` says which values count."""
    records = []
    found = files.settled(list(found))
    for map, some in class_maps.parted(found, () if marked is not None else maps).items():
        if map is None:
            records.append(read(some, marked=marked))
        else:
            records.append(class_maps.read(map, some, {one.relative: _about(one.relative) for one in some}))
    return records


def read(found: Sequence[PictureFile], *, marked: frozenset[int] | None) -> Records:
    """The masks as the marks of the pictures that they are called after; their values are looked at, and said.

    `marked` are the values that mean that something is marked. A mask that cannot mean anything is a problem, and so
    is a set of masks that mark most of each picture, unless `marked` says so.
    """
    seen = _looked_at(found)
    said, trimap = masks.joint(list(seen.values())) if seen else ("", False)
    unusable = dict(_unusable(seen, trimap, marked))
    problems = tuple(Problem(printable(one), printable(reason)) for one, reason in unusable.items())
    doubt = _doubt(seen, trimap) if marked is None else None
    findings = [_finding(len(found), len(seen), said, marked)] if seen else []
    if doubt:
        text = f"{len(found):,} masks are not used. {doubt} Say which values are marked to use them."
        findings.append(Finding("warning", text, SETTING))
    by_picture: dict[str, list[PictureFile]] = {}
    for mask in found:
        if mask.relative not in unusable and not doubt:
            by_picture.setdefault(_about(mask.relative), []).append(mask)
    records = [
        Record(
            file,
            Annotation(tuple(Mark((MaskFile(one.path, one.stamp, marked, trimap),)) for one in several)),
            sources=tuple(one.relative for one in several),
        )
        for file, several in by_picture.items()
    ]
    contents = (files.digest(found, ()).encode(), repr((sorted(marked or ()), trimap)).encode())
    names = tuple(one.relative for one in found)
    return Records(FORM, names, tuple(records), problems, contents, len(found), findings=tuple(findings))


def unused(relatives: Sequence[str], reasons: Mapping[str, str]) -> list[Problem]:
    """The masks that are not used, those of one folder together."""
    together: dict[tuple[str, str], list[str]] = {}
    for relative in relatives:
        if relative in reasons:
            together.setdefault((relative.rpartition("/")[0], reasons[relative]), []).append(relative)
    return [
        Problem(printable(some[0] if len(some) == 1 else f"{folder}/: {len(some):,} masks"), printable(reason))
        for (folder, reason), some in together.items()
    ]


def _called_so(relative: str) -> bool:
    folder, _, name = relative.rpartition("/")
    if not _of_masks(folder) and (_WORD.search(name) is None or SUFFIX.fullmatch(stem(name)) is None):
        return False
    return may_be_mask(relative)


@functools.lru_cache(maxsize=10_000)
def _of_masks(folder: str) -> bool:
    return any(one.lower() in MASKS for one in folder.split("/"))


def _about(relative: str) -> str:
    """What the picture of a mask is called, without an extension."""
    folder, _, name = relative.rpartition("/")
    plain = stem(name)
    # 'a.jpg.png' is of 'a.jpg'.
    suffixed = SUFFIX.fullmatch(stem(plain)) or SUFFIX.fullmatch(plain)
    return f"{folder}/{suffixed[1] if suffixed else plain}".lstrip("/")


def _partner(mask: PictureFile, joiner: Joiner) -> bool:
    try:
        return joiner.find(_about(mask.relative)) is not None
    except ValueError:
        return True


def _few_valued(candidates: Sequence[PictureFile]) -> bool:
    seen = list(_looked_at(candidates, TRIED).values())
    fits = [len(one.counts) <= masks.FEW or masks.kind_of(one) == "soft" for one in seen]
    return not seen or 2 * sum(fits) > len(fits)


def _looked_at(found: Sequence[PictureFile], most: int = LOOKED_AT) -> dict[PictureFile, Values]:
    places = np.unique(np.linspace(0, len(found) - 1, min(len(found), most)).round().astype(int))
    seen = {}
    for place in places.tolist():
        try:
            seen[found[place]] = masks.read_values(found[place].path)
        except ValueError:
            # It is named when it is read.
            continue
    return seen


def _unusable(
    seen: dict[PictureFile, Values], trimap: bool, marked: frozenset[int] | None
) -> Iterator[tuple[str, str]]:
    """The masks that mean nothing by themselves, by their paths in the folder, with the reason."""
    for one, values in seen.items():
        background = 0 in values.counts or (trimap and set(values.counts) <= {1, 2, 3})
        if marked is None and not background and masks.kind_of(values) == "all":
            yield one.relative, f"It is not used: {masks.no_background(values)}"


def _doubt(seen: dict[PictureFile, Values], trimap: bool) -> str | None:
    drawn = []
    for values in seen.values():
        kind = "trimap" if trimap and set(values.counts) <= {1, 2, 3} else masks.kind_of(values)
        if kind != "all":
            drawn.append(masks.inside(values, kind))
    return masks.marks_most(drawn)


def _finding(count: int, seen: int, said: str, marked: frozenset[int] | None) -> Finding:
    if marked is not None:
        return Finding("recognized", f"In {count:,} masks the values {', '.join(map(str, sorted(marked)))} are marked.")
    which = f"{count:,} masks" if seen == count else f"{count:,} masks, of which {seen:,} were looked at"
    return Finding("guessed", f"{which}: {said}.", SETTING)
