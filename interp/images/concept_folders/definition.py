"""A concept data set that a text file defines, `concepts.toml`: where masks lie, and what their numbers mean."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from interp.images import files
from interp.images.concept_folders import names
from interp.images.concept_folders.claim import Claim, lay, masks_in
from interp.images.concept_folders.codes import CODINGS, INDEX
from interp.images.concept_folders.masks import ConceptLayer
from interp.images.files import Boundary, Listing
from interp.images.problems import Problems

FILE = "concepts.toml"
LARGEST = 1_000_000
KEYS = ("masks", "suffix", "names", "coding", "unlabelled", "size")
SIZES = ("proportional", "any")
EXAMPLE = '[object] masks = "annotations", suffix = ".png", names = "names.txt"'


class DefinedLayer(NamedTuple):
    """A category, the folder of its masks, and the endings that they have where the picture has its extension."""

    layer: ConceptLayer
    folder: str
    suffixes: tuple[str, ...]
    names_file: str | None


def claim(folder: Path, listing: Listing, boundary: Boundary, problems: Problems) -> Claim | None:
    """What the definition in a folder says; None where there is none, or it says nothing that can be used."""
    if FILE not in listing.others:
        return None
    found = Claim(f"concepts by {FILE}", texts=[FILE])
    try:
        content = files.content(folder / FILE, limit=LARGEST)
        document = _parsed(content)
        below = document.pop("pictures", "")
        if not isinstance(below, str):
            raise ValueError("'pictures' is the folder of the pictures, such as \"images\"")
    except ValueError as error:
        problems.add("definitions that cannot be used", FILE, f"{error}. What would be right: {EXAMPLE}.")
        return None
    found.contents.append(content)
    layers = [one for category, said in document.items() if (one := _layer(category, said, folder, boundary, problems))]
    masks = [[(suffix, masks_in(listing, one.folder, suffix)) for suffix in one.suffixes] for one in layers]
    taken = {file.path: file for some in masks for _, each in some for file in each.values()}
    start = f"{below.strip('/')}/" if below.strip("/.") else ""
    pictures = [one for one in listing.pictures if one.path not in taken and one.relative.startswith(start)]
    for one, some in zip(layers, masks, strict=True):
        found.texts += [] if one.names_file is None else [one.names_file]
        for suffix, each in some:
            if not each:
                where = f"'{one.folder or '.'}' has no files that end in '{suffix}'"
                reason = f"[{one.layer.category}]: {where}, so nothing is known of it. Check 'masks' and 'suffix'."
                problems.add("definitions that cannot be used", FILE, reason)
            else:
                lay(found, one.layer, pictures, each, problems)
    found.masks = list(taken.values())
    found.pictures = frozenset(one.path for one in pictures) if start else None
    return found if found.concepts else None


def _parsed(content: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ValueError(f"It is no valid TOML: {error}") from None


def _layer(category: str, said: Any, folder: Path, boundary: Boundary, problems: Problems) -> DefinedLayer | None:
    try:
        if not isinstance(said, dict):
            raise ValueError(f"a category is a table: [{category}] with {', '.join(KEYS)}")
        if unknown := sorted(set(said) - set(KEYS)):
            raise ValueError(f"{', '.join(unknown)} is not known; the keys are {', '.join(KEYS)}")
        suffixes = said.get("suffix", ".png")
        suffixes = (suffixes,) if isinstance(suffixes, str) else tuple(suffixes)
        if not suffixes or not all(isinstance(one, str) and one for one in suffixes):
            raise ValueError('\'suffix\' is how masks end, such as ".png" or "_seg.png", or a list of such')
        place = said.get("masks", "")
        if not isinstance(place, str):
            raise ValueError("'masks' is a folder, such as \"annotations\"")
        coding = CODINGS.get(said.get("coding", INDEX.name))
        if coding is None:
            raise ValueError(f"coding = {said['coding']!r} is not known; it is one of {', '.join(CODINGS)}")
        size = said.get("size", SIZES[0])
        if size not in SIZES:
            raise ValueError(f"size = {size!r} is not known; it is one of {', '.join(SIZES)}")
        nothing = said.get("unlabelled", 0)
        nothing = frozenset([nothing] if isinstance(nothing, int) else nothing)
        if not all(isinstance(one, int) for one in nothing):
            raise ValueError("'unlabelled' is a number, or a list of numbers, such as [0, 255]")
    except (ValueError, TypeError) as error:
        problems.add("definitions that cannot be used", FILE, f"[{category}]: {error}. It is left out.")
        return None
    named, file = _names(category, said.get("names"), folder, boundary, problems)
    layer = ConceptLayer(category, coding, named, nothing, size == "any")
    return DefinedLayer(layer, place.strip("/").removeprefix("./").strip("."), suffixes, file)


def _names(
    category: str, said: Any, folder: Path, boundary: Boundary, problems: Problems
) -> tuple[dict[int, str] | None, str | None]:
    """The names by number, and their file; None where there are none, so that concepts are called by their numbers."""
    try:
        if isinstance(said, list):
            return names.in_order([str(one) for one in said]), None
        if isinstance(said, dict):
            return {int(number): str(name) for number, name in said.items()}, None
        if not isinstance(said, str):
            raise ValueError("no 'names' are given")
        if not boundary.admits(folder / said):
            raise ValueError(f"'{said}' lies outside the folder that this server offers")
        return names.read(folder / said), said
    except ValueError as error:
        reason = (
            f"[{category}]: {str(error).rstrip('.')}. Its concepts are called by their numbers: name a file with a "
            "line for each, such as '12 tree', or give names = { 12 = \"tree\" }."
        )
        problems.add("lists of names that are not there", FILE, reason)
        return None, None
