"""Pascal VOC's segmentations: palettes in `SegmentationClass`, beside `JPEGImages`, of 20 classes.

Source: Everingham 2010, 'The PASCAL Visual Object Classes Challenge', development kit: 0 is the background, 255 void.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from interp.images import class_maps, masks
from interp.images.concept_folders.claim import Claim, lay, masks_in
from interp.images.concept_folders.codes import INDEX
from interp.images.concept_folders.masks import VOID, ConceptLayer
from interp.images.files import Listing
from interp.images.problems import Problems

FORM = "Pascal VOC's segmentations"
SEGMENTED, PICTURES = "SegmentationClass", "JPEGImages"
CLASSES = (
    "aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike person pottedplant sheep "
    "sofa train tvmonitor"
).split()
TRIED = 8


def claim(folder: Path, listing: Listing, problems: Problems) -> Claim | None:
    """The segmentations of a folder in VOC's layout; None where it is another, or other classes are named.

    The masks stay what they are otherwise, too: marks of their pictures.
    """
    base = next((one.relative for one in listing.pictures if f"/{SEGMENTED}/" in f"/{one.relative}"), None)
    if base is None or class_maps.find(folder, listing.annotations):
        return None
    place = base[: f"/{base}".index(f"/{SEGMENTED}/")] + SEGMENTED
    start = f"{place.removesuffix(SEGMENTED)}{PICTURES}/"
    found = masks_in(listing, place, ".png")
    pictures = [one for one in listing.pictures if one.relative.startswith(start)]
    if not pictures or not found or not all(map(_is_voc, list(found.values())[:: max(1, len(found) // TRIED)])):
        return None
    claimed = Claim(FORM)
    named = dict(enumerate(CLASSES, start=1))
    lay(claimed, ConceptLayer("object", INDEX, named, frozenset({0, VOID})), pictures, found, problems)
    return claimed if claimed.concepts else None


def _is_voc(mask) -> bool:
    try:
        values = masks.read_values(mask.path, mask.stamp)
    except ValueError:
        return True
    known = np.array([*range(len(CLASSES) + 1), VOID])
    return values.palette and bool(np.isin(list(values.counts), known).all())
