"""What could not be used, or was read otherwise than it is: each said with its reason."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from interp.images import Problem
from pages.parts.kit.text import plain

# Of what was changed in reading pictures so many sentences are shown.
SAID = 5
# So many problems stand in full sentences.
FEW = 3
NO_PICTURE = ("By its extension this is not a picture", "By its name it is for people")


def left_out(problems: Sequence[Problem]) -> None:
    """Name what could not be used, each with its reason; nothing is drawn where there is none."""
    if not problems:
        return
    # What stands beside pictures without being one hides nothing that is worse.
    ordered = sorted(problems, key=lambda one: one.reason.startswith(NO_PICTURE))
    count, worse = len(ordered), not ordered[0].reason.startswith(NO_PICTURE)
    with st.expander(f"{count:,} left out", expanded=worse and count <= FEW):
        rows = [{"what": one.name, "why": one.reason} for one in ordered]
        if count <= FEW:
            st.table(
                {name: [plain(row[name], limit=1000) for row in rows] for name in ("what", "why")}, hide_index=True
            )
        else:
            st.dataframe(rows, hide_index=True)


def read_otherwise(remarks: Sequence[Problem]) -> None:
    """Say in reading which pictures something was guessed or changed; nothing is drawn where there are none."""
    said: dict[str, list[str]] = {}
    for one in remarks:
        said.setdefault(one.reason, []).append(one.name)
    for text, names in list(said.items())[:SAID]:
        which = plain(names[0]) if len(names) == 1 else f"{len(names):,} pictures, such as {plain(names[0])}"
        st.caption(f":material/info: {which}: {plain(text)}")
    if len(said) > SAID:
        rest = {name for names in list(said.values())[SAID:] for name in names}
        st.caption(f":material/info: And {len(rest):,} more in whose reading something was changed.")
