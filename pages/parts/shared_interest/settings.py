"""What is scored and how: method, explained class, binarization, thresholds; all of it in the address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import streamlit as st

import cache
from interp import attribution, shared_interest
from interp.images import ImageSet
from interp.shared_interest import HIGH, LOW, SCORES, Area, Deviations, Percentile, Rule, Thresholds
from interp.shared_interest.explained import Explanation
from interp.shared_interest.scoring import EvidenceSign, Scoring
from interp.types import Classifier
from pages.parts.kit import address, controls, methods, waiting
from pages.parts.kit.text import plain
from pages.parts.shared_interest import choosing
from pages.parts.shared_interest.scored_set import SHORT, ScoredSet

DEFAULT = attribution.GradCam.title
EXPLAINED: dict[str, Literal["predicted", "label"]] = {"Prediction": "predicted", "Label": "label"}
MARKED: dict[str, Literal["label", "explained", "all"]] = {
    "Of its label": "label",
    "Of the class explained": "explained",
    "All": "all",
}
EVIDENCE: dict[str, EvidenceSign] = {"Speaks for it": "for", "Counts at all": "any"}
DEVIATIONS, PERCENTILE, SHARE, EQUAL = "Mean + n·std", "Percentile", "Area", "Annotation's area"
RULES = (DEVIATIONS, PERCENTILE, SHARE, EQUAL)
STEP = 0.01
# The shares are those of benchmarks/RESULTS.md, 'With what the page opens'.
WHY = (
    "Why 0.30 and 0.40: where the classifier's reason is known, 89% of the pictures of scenes get the case that they "
    "should; with the authors' thresholds 39%."
)
KEY = "interest.thresholds"
NEARER = (shared_interest.OPENING.low, shared_interest.OPENING.high)
# A link with one of these was saved with settings of its own, and what it leaves out is as it was when the page still
# opened with Grad-CAM and the authors' thresholds.
CHOSEN = (KEY, *(f"interest.{name}" for name in ("method", "target", "marks", "rule", "deviations", "evidence")))
HELP = {
    "target": "The map explains the class that was predicted, as in the paper, or the class of the image's label.",
    "marks": "What is marked in an image is of one class or of several. Those of its own label count, as in the paper; "
    "those of the class that the map explains; or all together. What was marked without a name counts for every class.",
    "rule": "Which pixels of a map count as salient: those above its mean by n standard deviations (the paper's, n = "
    "1), those from a percentile on (where that is the map's least value, those above it), the largest ones on a share "
    "of the picture, or on as many pixels as are annotated.",
    "evidence": "Of maps that are signed: only what speaks for the class counts as large, or any large magnitude.",
    "thresholds": "A score up to the first counts as low, one from the second on as high. 0.20 and 0.65 are those of "
    "the authors' demo. What is neither leaves many images unclassified.",
}


@dataclass(frozen=True)
class ScoreSettings:
    """What is asked of each image, how its map becomes an area, and which scores count as low or high."""

    explanation: Explanation
    scoring: Scoring
    thresholds: Thresholds


def choose(scope: cache.Scope, classifier: Classifier, photos: ImageSet) -> ScoreSettings:
    """Draw the controls. Where the method cannot run with its parameters the page ends here, and says why."""
    titles = offered(scope, classifier)
    _begin(classifier, titles)
    title = controls.listed("Method", "interest.method", titles, default=DEFAULT)
    explained = controls.one_of("Explained", "interest.target", list(EXPLAINED), help=HELP["target"])
    marks = "Of its label"
    if photos.mark_labels:
        marks = controls.one_of("Marks that count", "interest.marks", list(MARKED), help=HELP["marks"])
    cut = rule()
    large = evidence() if attribution.METHODS[title].signed else "for"
    limits = _thresholds()
    chosen = methods.parameters(classifier, (attribution.METHODS[title](),))
    if not chosen:
        st.stop()
    [method] = methods.with_references(chosen, scope, classifier, photos)
    return ScoreSettings(Explanation(method, EXPLAINED[explained], MARKED[marks]), Scoring(cut, large), limits)


def _begin(classifier: Classifier, titles: list[str]) -> None:
    """Set what a visit begins with, where neither the session nor the address has anything of maps and thresholds."""
    parameters = tuple(methods.parameter_key(title, "") for title in titles)
    written = [key for key in st.query_params if key in CHOSEN or key.startswith(parameters)]
    if written or address.known(KEY):
        return
    method = shared_interest.opening_method(classifier)
    begins: dict[str, object] = {KEY: NEARER, choosing.ORDER_KEY: choosing.CLEAREST}
    if method.title in titles:
        begins |= {"interest.method": method.title, methods.parameter_key(method.title, "layer"): method.layer}
    st.session_state.update({key: value for key, value in begins.items() if not address.known(key)})


def offered(scope: cache.Scope, classifier: Classifier) -> list[str]:
    """The titles of the methods that run on the classifier."""
    obstacles = waiting.value(scope.shared.gather("obstacles", attribution.obstacles, classifier))
    return [title for title in attribution.METHODS if title not in obstacles]


def evidence() -> EvidenceSign:
    """Draw the choice of what counts as large in signed maps."""
    chosen = controls.one_of("Large is what", "interest.evidence", list(EVIDENCE), help=HELP["evidence"])
    return EVIDENCE[chosen]


def rule() -> Rule:
    """Draw the choice of what makes a pixel salient."""
    chosen = controls.one_of("Salient pixels", "interest.rule", RULES, help=HELP["rule"])
    if chosen == DEVIATIONS:
        return Deviations(
            controls.slid("Standard deviations above the mean", "interest.deviations", 1.0, low=0.0, high=4.0, step=0.1)
        )
    if chosen == PERCENTILE:
        return Percentile(controls.slid("Percentile", "interest.percent", 90, low=1, high=99, step=1))
    if chosen == SHARE:
        share = controls.slid("Share of the picture, %", "interest.area", 10, low=1, high=90, step=1)
        return Area(share / 100)
    return Area()


def _thresholds() -> Thresholds:
    default = (LOW, HIGH)
    low, high = controls.between(
        "Low up to, high from", KEY, default, low=0.0, high=1.0, step=STEP, help=HELP["thresholds"], shortened=False
    )
    if low < high:
        return Thresholds(low, high)
    # The two handles may lie on one place.
    return Thresholds(low, round(low + STEP, 2)) if low < 1 else Thresholds(round(1 - STEP, 2), 1.0)


def sentence(scored_set: ScoredSet) -> str:
    """What was scored and how, and the mean scores, in a line or two."""
    scored = scored_set.scored
    explanation = scored.explanation
    whose = "the predicted class" if explanation.target == "predicted" else "the image's label"
    marks = {"label": "", "explained": " against its own marks", "all": " against all marks"}[explanation.marks]
    layer = getattr(explanation.method, "layer", None)
    where = "" if layer in (None, scored_set.classifier.last_spatial_layer.name) else f" at {plain(layer)}"
    how = f"{plain(explanation.method.title)}{where} for {whose}{marks}, {in_words(scored.scoring.rule)}"
    if not len(scored_set):
        return f"{scored.total:,} annotated images are to be scored: {how}."
    right = f"{scored.correct.sum():,} of {scored.known.sum():,} right; " if scored.known.any() else ""
    means = ", ".join(f"{SCORES[name]} {scored.score(name).mean():.2f}" for name in SHORT)
    return f"{len(scored_set):,} images scored: {how}. {right}means: {means}."


def suggest(scored_set: ScoredSet) -> None:
    """Say why these thresholds, with the authors' a click away; or offer nearer ones, where most are unclassified."""
    thresholds = scored_set.thresholds
    if thresholds == shared_interest.OPENING:
        place = st.container(gap="xsmall")
        place.caption(WHY)
        label, pair, about = f"Take the authors' {LOW:.2f} and {HIGH:.2f}", (LOW, HIGH), "Those of the paper's demo."
    elif thresholds == shared_interest.AUTHORS and 2 * scored_set.counts["unclassified"] > len(scored_set):
        place = st
        label, pair = f"Most are unclassified: try {NEARER[0]:.2f} and {NEARER[1]:.2f}", NEARER
        about = (
            "The authors' thresholds leave room between low and high, and maps of a coarse layer seldom reach an IoU "
            f"of {HIGH}."
        )
    else:
        return
    place.button(
        label,
        key="interest-nearer",
        type="tertiary",
        icon=":material/swap_horiz:",
        on_click=lambda: st.session_state.update({KEY: pair}),
        help=about,
    )


def in_words(rule: Rule) -> str:
    """A rule as the end of a sentence."""
    if isinstance(rule, Deviations):
        return f"salient above the mean by {rule.count:g} standard deviation{'s' * (rule.count != 1)}"
    if isinstance(rule, Percentile):
        return f"salient from the {rule.percent:g}th percentile on"
    if rule.share is None:
        return "salient on as many pixels as are annotated"
    return f"salient on {rule.share:.0%} of the picture"
