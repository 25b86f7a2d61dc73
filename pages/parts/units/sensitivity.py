"""How classes' scores change along a concept's activation vector, and whether that is more than chance."""

from __future__ import annotations

import streamlit as st

from interp import units
from interp.figures import concept as figures
from interp.types import Layer
from interp.units import ConceptSensitivity, ConceptSource
from interp.units.cav import too_few
from interp.units.truth import Names
from pages.parts.kit import charts, export, over_set, problems, replay, waiting
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain

READING = (
    "*Which classes rise with it* (TCAV; Kim et al. 2018): a vector v of channels is the normal between mean "
    "activations of images with the concept and of as many without; a class's score is the share of its images whose "
    r"logit rises along it, $\sum_{uv} \partial f_c / \partial A_{uv} \cdot v > 0$. "
    "20 splits draw other images; beside them stand vectors between images drawn at random. p is of a two-sided "
    "t-test between both, corrected for the number of classes (Holm 1979). Splits share images, so that any set of "
    "images gives scores that agree among themselves, and a small p: therefore it is also said how many of 39 sets of "
    "random images, as large as the concept's, are as far off; if more than one or two are, p means nothing. The "
    "score says nothing of how much the logit rises, and concepts that go together in the set cannot be told apart. "
    "We take means over positions, the paper the activations of all positions."
)


def draw(selection: Selection, layer: Layer, concept: tuple[str, str], concepts: Names, source: ConceptSource) -> None:
    """The scores of all classes that have images."""
    classifier = selection.classifier
    st.markdown(f"**{plain(layer.name)}: which classes rise with it**")
    if not classifier.labels:
        st.caption("There are no classes: this needs a classifier with a head.")
        return
    work = units.CavPass(concepts=concepts, source=source)
    job = over_set.ask(selection.scope, "slopes", work, classifier, selection.photos, (layer.name,))
    if not waiting.settled(job):
        return
    [rows] = job.value
    if reason := too_few(rows, concepts, concept):
        st.info(plain(reason, limit=400))
        return
    if not (rows.labels >= 0).any():
        st.info("No image has a label that is a class of the classifier: there is no class to test.")
        return
    scored = selection.scope.draw("sensitivity", units.tcav, rows, concepts, concept)
    if not waiting.settled(scored):
        return
    found: ConceptSensitivity = scored.value
    st.markdown(_sentence(found, classifier.labels))
    replay.once(_bars, found, classifier.labels)
    problems.left_out(rows.problems)
    export.download("Scores as CSV", "loupe-tcav.csv", lambda: table(found, classifier.labels))


def _sentence(found: ConceptSensitivity, labels: tuple[str, ...]) -> str:
    known = f"{found.with_concept:,} images with it and {found.without:,} without"
    said = (
        f"{len(found.scores)} splits of {known}. On images left out the vectors tell them apart in "
        f"**{found.accuracy:.0%}** (chance 50%)"
    )
    said += ": hardly, so their scores mean little. " if found.accuracy < 0.6 else ". "
    some = [one for one in found.p.argsort() if found.significant[one]]
    if not some:
        return said + "No class's score differs from that of random vectors (p at least 0.05 for all)."
    listed = ", ".join(
        f"*{plain(labels[found.classes[one]])}* {found.scores[:, one].mean():.0%} against "
        f"{found.random[:, one].mean():.0%} (p {_shown(float(found.p[one]))}; as far off {_strangers(found, one)})"
        for one in some[:3]
    )
    more = f", and {len(some) - 3} more" if len(some) > 3 else ""
    return f"{said}{len(some)} of {len(found.classes)} classes differ from random vectors: {listed}{more}."


def _strangers(found: ConceptSensitivity, one: int) -> str:
    count = len(found.strangers)
    return f"are {round(found.p_strangers[one] * (count + 1)) - 1} of {count} sets of random images"


def _shown(p: float) -> str:
    return "below 0.001" if p < 0.001 else f"{p:.3f}"


def _bars(found: ConceptSensitivity, labels: tuple[str, ...]) -> None:
    charts.draw(figures.sensitivities(found, labels), config=export.PLOT)


def table(found: ConceptSensitivity, labels: tuple[str, ...]) -> list[dict]:
    """A row for each class."""
    return [
        {
            "class": labels[label],
            "images": found.images[one],
            "TCAV score": float(found.scores[:, one].mean()),
            "its standard deviation": float(found.scores[:, one].std()),
            "random vectors": float(found.random[:, one].mean()),
            "p, corrected": float(found.p[one]),
            "p against sets of random images": float(found.p_strangers[one]),
        }
        for one, label in enumerate(found.classes)
    ]
