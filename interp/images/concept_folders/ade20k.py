"""ADE20K's layouts: the full one with parts, and that of the scene-parsing challenge.

Source: Zhou 2017, 'Scene parsing through ADE20K'. Full: beside `a.jpg` lie `a_seg.png` (class red/10·256 + green) and
`a_parts_1.png`, ... (parts, parts of parts); names are by their place in the index. Challenge: `images/.../a.jpg`,
`annotations/.../a.png` with numbers 1 to 150 that objectInfo150.txt names, 0 where nothing is labelled.
"""

from __future__ import annotations

import re
from pathlib import Path

from interp.images import files
from interp.images.concept_folders import names
from interp.images.concept_folders.claim import Claim, lay, masks_in
from interp.images.concept_folders.codes import ADE20K, INDEX
from interp.images.concept_folders.masks import ConceptLayer
from interp.images.files import Listing
from interp.images.problems import Problems, printable
from interp.types import Finding

CHALLENGE, FULL = "ADE20K (scene parsing)", "ADE20K"
OBJECTS = re.compile(r"(?:.*/)?object_?info\d*\.(?:txt|csv)", re.IGNORECASE)
ANNOTATIONS = "annotations"
SEGMENTS = "_seg.png"
PARTS = tuple(f"_parts_{level}.png" for level in range(1, 7))
NAMES = ("objectnames.txt", "objectnames.csv", "objectnames.json", "index_ade20k.txt", "index_ade20k.csv")
MATLAB, PICKLED = "index_ade20k.mat", "index_ade20k.pkl"
LARGEST = 500_000_000


def challenge(folder: Path, listing: Listing, problems: Problems) -> Claim | None:
    """The layout of the scene-parsing challenge; None where it is another."""
    objects = next((one for one in listing.annotations if OBJECTS.fullmatch(one)), None)
    if objects is None:
        return None
    base = objects.rpartition("/")[0]
    place = f"{base}/{ANNOTATIONS}".lstrip("/")
    masks = masks_in(listing, place, ".png")
    if not masks:
        return None
    found = Claim(CHALLENGE, texts=[objects], masks=list(masks.values()))
    named = None
    try:
        found.contents.append(files.content(folder / objects, limit=LARGEST))
        named = names.first_synonyms(names.read(folder / objects))
    except ValueError as error:
        problems.add("lists of names that cannot be read", objects, f"{error} Concepts are called by their numbers.")
    taken = {one.path for one in found.masks}
    lay(
        found,
        ConceptLayer("object", INDEX, named),
        [p for p in listing.pictures if p.path not in taken],
        masks,
        problems,
    )
    return found


def full(folder: Path, listing: Listing, problems: Problems) -> Claim | None:
    """The full layout; None where it is another: at least half of the pictures must have a mask beside them."""
    masks = masks_in(listing, "", SEGMENTS)
    parts = {suffix: masks_in(listing, "", suffix) for suffix in PARTS}
    taken = {one.path: one for some in (masks, *parts.values()) for one in some.values()}
    pictures = [one for one in listing.pictures if one.path not in taken]
    beside = sum(one.relative.rpartition(".")[0] in masks for one in pictures)
    index = next((one for one in (*listing.annotations, *listing.others) if _is_index(one)), None)
    # Other tools write '_seg.png', too, with other numbers: parts, or an index, tell this one.
    if not masks or 2 * beside < len(pictures) or (index is None and not parts[PARTS[0]]):
        return None
    found = Claim(FULL, masks=list(taken.values()))
    named = _names(folder, index, found, problems)
    lay(found, ConceptLayer("object", ADE20K, named), pictures, masks, problems)
    for suffix in (one for one in PARTS if parts[one]):
        before = len(found.findings)
        lay(found, ConceptLayer("part", ADE20K, named), pictures, parts[suffix], problems)
        if suffix != PARTS[0]:
            # Parts of parts are in few pictures.
            del found.findings[before:]
    return found


def _is_index(relative: str) -> bool:
    return relative.rpartition("/")[2].lower() in (*NAMES, MATLAB, PICKLED)


def _names(folder: Path, index: str | None, found: Claim, problems: Problems) -> dict[int, str] | None:
    """The names by number, from a list or from Matlab's index; None, with what to do, where neither is there."""
    remedy = (
        "Concepts are called by their numbers. Put objectnames.txt into the folder, with a name a line in the order of "
        "the data set's index."
    )
    if index is None:
        found.findings.append(Finding("warning", f"No list of names lies beside the masks. {remedy}"))
        return None
    found.texts.append(index)
    if index.lower().endswith(PICKLED):
        lines = "import pickle; i = pickle.load(open('index_ade20k.pkl', 'rb')); "
        lines += "open('objectnames.txt', 'w').write('\\n'.join(i['objectnames']))"
        text = f"{printable(index)} is a pickle, which could run code: it is not opened. {remedy} In Python: {lines}"
        found.findings.append(Finding("warning", text))
        return None
    try:
        found.contents.append(files.content(folder / index, limit=LARGEST))
        named = _matlab(folder / index) if index.lower().endswith(".mat") else names.read(folder / index)
    except ValueError as error:
        problems.add("lists of names that cannot be read", index, f"{error} {remedy}")
        return None
    found.findings.append(Finding("guessed", f"{printable(index)} names {len(named):,} numbers, in its order from 1."))
    return names.first_synonyms(named)


def _matlab(path: Path) -> dict[int, str]:
    from scipy.io import loadmat

    try:
        index = loadmat(path, simplify_cells=True)["index"]
        found = [str(one) for one in index["objectnames"]]
    except Exception as error:  # Damaged files, and those of Matlab 7.3, lead the reader anywhere.
        detail = printable(str(error)).rstrip(".") or type(error).__name__
        raise ValueError(f"{printable(path.name)}: its names cannot be read ({detail}).") from None
    return {place: name for place, name in enumerate(found, start=1)}
