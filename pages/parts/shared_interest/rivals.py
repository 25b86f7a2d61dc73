"""Other ways to score the same images: by further methods, or with a second classifier."""

from __future__ import annotations

import dataclasses

import streamlit as st

import cache
from interp import attribution
from interp.shared_interest.planted import fitting
from interp.types import Classifier
from pages.parts.kit import address, classifiers, methods, waiting
from pages.parts.kit.text import plain
from pages.parts.shared_interest import asking, settings, sidebyside
from pages.parts.shared_interest.scored_set import ScoredSet

KEY, RIVAL = "interest.methods", "interest.rival"
MOST = 5


def by_method(scope: cache.Scope, scored_set: ScoredSet) -> None:
    """The cases of the same images under the chosen method and further ones."""
    first = scored_set.scored.explanation.method
    offered = [one for one in settings.offered(scope, scored_set.classifier) if one != first.title]
    default = [one for one in (attribution.Gradient.title, methods.CONTROL) if one in offered]
    address.seed(KEY, default, valid=set(offered).issuperset, parse=lambda text: text.split(","))
    chosen = st.multiselect(
        f"{first.title} against",
        offered,
        key=KEY,
        max_selections=MOST,
        help="With the parameters that they have when nothing is set. Random is noise: what a method shares with it "
        "says nothing of the classifier.",
    )
    address.publish(KEY, None if chosen == default else ",".join(chosen))
    if not chosen:
        st.info("Choose a second method to compare with.")
        return
    others = methods.with_references(
        [attribution.METHODS[one]() for one in chosen], scope, scored_set.classifier, scored_set.photos
    )
    scoring = scored_set.scored.scoring
    if not first.signed and any(one.signed for one in others):
        scoring = dataclasses.replace(scoring, evidence=settings.evidence())
    methods.plan(scope, scored_set.classifier, others, scored_set.scored.total)
    explanations = tuple(dataclasses.replace(scored_set.scored.explanation, method=one) for one in (first, *others))
    job = asking.ask(scope, "methods", scored_set.classifier, scored_set.photos, explanations, scoring)
    waiting.settled(job)
    found = asking.latest(job, scored_set.classifier, explanations, scoring)
    ways = [dataclasses.replace(scored_set, scored=one) for one in found]
    sidebyside.draw(scope, "disputed", ways, [one.method.title for one in explanations])


def by_classifier(scope: cache.Scope, scored_set: ScoredSet) -> None:
    """The cases of the same images with this classifier and with another one, before and after."""
    name = classifiers.choose_second(scored_set.classifier, RIVAL)
    if name is None:
        st.info("Choose a second classifier: each image's case with the first is held against that with the second.")
        return
    loading = classifiers.ask(scope, name, slot="rival")
    if not waiting.settled(loading):
        return
    rival: Classifier = loading.value
    try:
        method = fitting(scored_set.scored.explanation.method, scored_set.classifier, rival)
        method.check(rival)
    except ValueError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    explanation = dataclasses.replace(scored_set.scored.explanation, method=method)
    job = asking.ask(scope, "second", rival, scored_set.photos, (explanation,), scored_set.scored.scoring)
    waiting.settled(job)
    [scored] = asking.latest(job, rival, (explanation,), scored_set.scored.scoring)
    second = dataclasses.replace(scored_set, classifier=rival, scored=scored)
    sidebyside.draw(scope, "changed", [scored_set, second], [scored_set.classifier.name, rival.name])
