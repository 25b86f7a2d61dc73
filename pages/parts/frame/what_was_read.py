"""What was read of an image set: files, labels and marks in sums that add up, and what was guessed or left out."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from interp.images import Account, ImageSet
from interp.models import LabelMatch
from pages.parts.frame import loaded
from pages.parts.kit import address, replay
from pages.parts.kit.text import plain

NUMBERING = "numbering"
FOUND = "As found"
STARTS = {FOUND: None, "0": 0, "1": 1}
LISTED = 10


def start() -> int | None:
    """What labels that are numbers count from, as the reader has said; None where it is left to what they are."""
    address.seed(NUMBERING, FOUND, valid=STARTS.__contains__, parse=str)
    return STARTS[st.session_state[NUMBERING]]


def draw(photos: ImageSet, labels: LabelMatch) -> None:
    """Draw the panel, for the sidebar, and where labels are numbers the choice of what they count from."""
    replay.once(_described, photos.description)
    if photos.account is not None or labels.remarks:
        replay.once(_panel, photos.account, labels.remarks)
    numbers = labels.by == "index" or any(label.isdecimal() for label in labels.unmatched)
    if numbers:
        st.segmented_control(
            "Labels that are numbers count from",
            list(STARTS),
            key=NUMBERING,
            help="Labels 1 to k of k classes are taken to count from 1, others from 0.",
            wrap=True,
        )
    address.publish(NUMBERING, None if st.session_state[NUMBERING] in (FOUND, None) else st.session_state[NUMBERING])


def _described(description: str) -> None:
    st.caption(plain(description))


def _panel(account: Account | None, remarks: tuple[str, ...]) -> None:
    found = account or Account()
    doubtful = len(remarks) + sum(one.kind in ("guessed", "warning") for one in found.findings)
    title = ["What was read"]
    title += [f"{doubtful:,} guessed"] if doubtful else []
    title += [f"{len(found.unused):,} not used"] if found.unused else []
    with st.expander(" · ".join(title), icon=":material/fact_check:"):
        sums = (("Files there", found.files), ("Pictures", found.labels), ("Marks", found.marks))
        for heading, parts in sums:
            if parts:
                st.caption(_sum(heading, parts))
        said = [loaded.sentence(finding) for finding in found.findings]
        said += [f":material/help: *guessed:* {plain(remark, limit=loaded.LONGEST)}" for remark in remarks]
        said += [
            f":material/block: *not used:* **{plain(one.name)}**: {plain(one.reason, limit=loaded.LONGEST)}"
            for one in found.unused[:LISTED]
        ]
        if len(found.unused) > LISTED:
            said.append(f"And {len(found.unused) - LISTED:,} more, named under 'left out'.")
        st.caption("\n\n".join(said) or "Nothing was guessed.")


def _sum(heading: str, parts: Mapping[str, int]) -> str:
    """A sum as a table: what it is made of, and what that adds up to."""
    lines = [f"{plain(name)} | {count:,}" for name, count in parts.items()]
    return "\n".join([f"{heading} | {sum(parts.values()):,}", ":-- | --:", *lines])
