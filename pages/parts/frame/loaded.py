"""What was loaded: what was recognized, guessed, left out and changed, each with the line of TOML that sets it."""

from __future__ import annotations

import streamlit as st

from interp.types import Classifier, Finding
from pages.parts.kit.text import plain

_ICONS = {
    "recognized": ":material/check:",
    "guessed": ":material/help:",
    "left out": ":material/remove_circle:",
    "changed": ":material/swap_horiz:",
    "measured": ":material/straighten:",
    "warning": ":material/warning:",
}
LONGEST = 800


def facts(classifier: Classifier, prepared: str) -> None:
    """Draw, for the sidebar, what the classifier sees and runs on, what is doubtful about it, and all that was found.

    `prepared` says which of its results were computed beforehand.
    Draw it once for each classifier: nothing of it changes.
    """
    seen = f"A picture is {plain(classifier.preprocessing.description)}. It runs on **{classifier.device}**."
    measured = [plain(one.text, limit=LONGEST) for one in classifier.findings if one.kind == "measured"]
    st.caption("\n\n".join([one for one in (seen, *measured, plain(prepared, limit=LONGEST)) if one]))
    for finding in classifier.findings:
        if finding.kind == "warning":
            st.warning(f":small[{plain(finding.text, limit=LONGEST)}]", icon=_ICONS["warning"])
    guessed = sum(finding.kind == "guessed" for finding in classifier.findings)
    with st.expander(f"What was loaded{f' · {guessed} guessed' if guessed else ''}", icon=":material/fact_check:"):
        st.caption(_listed(classifier))


def _listed(classifier: Classifier) -> str:
    layer = plain(classifier.default_layer or "none has a map")
    head = [
        f"**{plain(classifier.architecture)}**, {classifier.parameters:,} weights, {len(classifier.labels):,} classes",
        f"Layer that methods take: {layer}",
    ]
    return "\n\n".join([*head, *(sentence(finding) for finding in classifier.findings)])


def sentence(finding: Finding) -> str:
    """A finding as a line of Markdown, with how to set it otherwise."""
    said = f"{_ICONS[finding.kind]} *{finding.kind}:* {plain(finding.text, limit=LONGEST)}"
    if finding.setting is None:
        return said
    # A label of somebody's own may stand in it.
    return f"{said} To set it: `{finding.setting.replace('`', '')}`"
