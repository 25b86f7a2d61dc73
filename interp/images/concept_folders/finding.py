"""Whether a folder is a concept data set, and what of it belongs to which picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from interp.images import files
from interp.images.account import ANNOTATIONS, MASK, NO_LABEL, UNLISTED
from interp.images.concept_folders import ade20k, broden, definition, voc_classes
from interp.images.concept_folders.claim import Claim, look
from interp.images.draft import Draft, Entry
from interp.images.files import Boundary, Listing


def find(folder: Path, listing: Listing, boundary: Boundary, draft: Draft) -> Claim | None:
    """What a concept data set is made of, if the folder is one: by its own definition, else by a known layout."""
    problems = draft.problems
    claim = (
        definition.claim(folder, listing, boundary, problems)
        or broden.claim(folder, listing, problems)
        or ade20k.challenge(folder, listing, problems)
        or ade20k.full(folder, listing, problems)
        or voc_classes.claim(folder, listing, problems)
    )
    if claim is None:
        return None
    look(claim, problems)
    masks = files.settled([file for one in claim.concepts.values() for _, file in one.masks])
    draft.contents += [*claim.contents, files.digest(masks, ()).encode()]
    draft.account.findings += claim.findings
    draft.concepts = claim.concepts
    return claim


def without(claim: Claim, listing: Listing, draft: Draft) -> Listing:
    """What lies in the folder beside the masks and lists of the concept data set, and the pictures that it names."""
    masks = {one.path for one in claim.masks}
    pictures = [one for one in listing.pictures if one.path not in masks]
    kept = [one for one in pictures if claim.pictures is None or one.path in claim.pictures]
    texts = set(claim.texts)
    draft.account.files.update(
        {
            MASK: len(masks),
            UNLISTED: len(pictures) - len(kept),
            ANNOTATIONS: len(texts & {*listing.annotations, *listing.others}),
        }
    )
    return replace(
        listing,
        pictures=kept,
        annotations=[one for one in listing.annotations if one not in texts],
        others=[one for one in listing.others if one not in texts],
    )


def labelled(claim: Claim, entries: list[Entry]) -> list[Entry]:
    """The entries with the labels and groups that the data set gives, where it gives such."""
    if claim.labels is None:
        return entries
    found = []
    for entry in entries:
        label, group = claim.labels.get(entry.file.path, (None, None))
        origin = f"labelled by {claim.form}" if label else NO_LABEL
        found.append(entry._replace(labels={"label": label} if label else {}, group=group, origin=origin))
    return found
