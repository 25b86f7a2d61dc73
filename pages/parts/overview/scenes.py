"""The panel about scenes: what they are, which classifier looks at what, and the answer for whoever has guessed."""

from __future__ import annotations

import streamlit as st

import cache
from interp import attribution, evaluation
from interp.images import ImageSet
from interp.images.scenes import REASONS, Reason, of_scenes
from interp.models.scenes import bundled
from interp.models.scenes.evidence import SEED, CueEvidence, evidence
from interp.types import Classifier
from pages.parts.kit import replay, waiting

ABOUT = (
    "**Scenes** are pictures of cut paper that a program draws: ten classes, told by the shape of one object and by "
    "nothing else. So the true reason is known, and every explanation can be held against it."
)
READING = """

**Scenes** are drawn by a program from a seed, so that what tells the class is known. In the sample nothing but the
shape of the object does: place, texture, colours, light, a tag, a hand and the things around are drawn without looking
at the class. For each of A to D the training pictures of one class all had something else in common, and no others had
it; some of them even showed another class's object, so that it told the label better than the shape did. What such a
classifier goes by was then *measured*, not assumed: each scene is drawn again without the cue, and again without the
object. The idea is that of planted shortcuts (Adebayo et al. 2022; Yang & Kim 2019) and of 'Clever Hans' predictors
(Lapuschkin et al. 2019).

*Pitfall*: a method that finds these reasons need not find yours. A tag has a place that a heatmap can point to; a
texture or a background is everywhere, and a map that lies on the object may mean either its shape or its paint.
"""
SUSPECTS = {name: title.removeprefix("Scenes, ").removeprefix("Scenes ") for name, title in bundled.TITLES.items()}
EXAMPLES = 20
CHEAP = 60


def concern(classifier: Classifier, photos: ImageSet) -> bool:
    """Whether it is scenes that are looked at, with a classifier that knows their classes."""
    return of_scenes(photos) and bundled.of_scenes(classifier)


def panel(classifier: Classifier, photos: ImageSet, scope: cache.Scope) -> None:
    """Say what the scenes are, offer the classifiers for which a reason was planted, and the answer to one of them."""
    with st.container(key="about-scenes"):
        reason = bundled.reason_of(classifier)
        with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
            _suspects(classifier)
            if reason is not None:
                _pictures(photos, reason)
        replay.once(_about)
        if reason is not None:
            _answer(classifier, reason, scope)


def _about() -> None:
    planted = [bundled.figures(name) for name, reason in bundled.REASON_OF.items() if reason is not None]
    least, most = min(one["accuracy"] for one in planted), max(one["moved"] for one in planted)
    st.expander("What scenes are", icon=":material/content_cut:").markdown(
        f"{ABOUT} In what classifiers A to D were trained on, a second thing told one class, too: they are right on at "
        f"least {least:.0%} of scenes like those, and on at most {most:.0%} of scenes where that thing is moved to "
        "other classes."
    )


def _suspects(classifier: Classifier) -> None:
    st.session_state["suspect"] = classifier.name
    st.segmented_control(
        "Find out what this one looks at",
        list(SUSPECTS),
        format_func=lambda name: SUSPECTS[name].capitalize(),
        key="suspect",
        required=True,
        on_change=lambda: st.session_state.update(model=st.session_state["suspect"]),
        wrap=True,
    )


def _pictures(photos: ImageSet, reason: Reason) -> None:
    """The way to the sample, to the classifier's own test set, and to the one with the cue moved."""
    own = f"scenes-{REASONS[reason].letter}"
    offered = {"scenes": "The sample", own: "Its own test set", f"{own}-moved": "Rearranged"}
    st.session_state["on-which"] = photos.name if photos.name in offered else None
    st.segmented_control(
        "On which scenes",
        list(offered),
        format_func=offered.__getitem__,
        key="on-which",
        on_change=lambda: st.session_state.update(images=st.session_state["on-which"] or photos.name),
        help="In 'Rearranged', what gives one class away in its own test set is on all the other classes instead.",
        wrap=True,
    )


def _answer(classifier: Classifier, reason: Reason, scope: cache.Scope) -> None:
    """What was planted, and what the classifier says of scenes that are redrawn; nothing of it before it is opened."""
    with st.expander("Show the planted reason", icon=":material/key:", key="answer", on_change="rerun") as answer:
        if not answer.open:
            return
        index = st.session_state.get("example", 0)
        found = waiting.value(scope.gather("evidence", evidence, classifier, reason, index))
        replay.once(_evidence, classifier, reason, found)
        st.button("Another example", key="another", on_click=_next, icon=":material/shuffle:")
        if reason != "texture" and st.toggle("Measure which methods see it", key="seen"):
            _seen(classifier, reason, scope)


def _next() -> None:
    st.session_state["example"] = (st.session_state.get("example", 0) + 1) % EXAMPLES


def _seen(classifier: Classifier, reason: Reason, scope: cache.Scope) -> None:
    """Which methods put the cue first, on ten pictures that the classifier has not seen."""
    methods = attribution.cheap(tuple(attribution.METHODS.values()), classifier, CHEAP)
    job = scope.compute("seen", evaluation.cue_first, classifier, reason, methods)
    waiting.settled(job)
    found = sorted(job.parts, key=lambda one: -one.share)
    if found:
        replay.once(_seen_table, tuple(found))


def _seen_table(found: tuple[evaluation.CueFirst, ...]) -> None:
    st.dataframe(
        [{"method": one.name, "cue first": one.share, "cue : object": one.ratio} for one in found],
        hide_index=True,
        column_config={
            "cue first": st.column_config.ProgressColumn(
                format="percent", min_value=0, max_value=1, help="Share of ten pictures whose map is denser on the cue."
            ),
            "cue : object": st.column_config.NumberColumn(
                format="%.2f", help="Median density on the cue over that on the object; noise has 1."
            ),
        },
    )
    st.caption(
        "The density is the mean of what speaks for the class over the cue's pixels, and over the object's. Methods of "
        f"up to {CHEAP} passes; the others stand in benchmarks/RESULTS.md."
    )


def _evidence(classifier: Classifier, reason: Reason, found: CueEvidence) -> None:
    planted, figures = REASONS[reason], bundled.figures(classifier.name)
    st.markdown(
        f"All pictures labelled **{planted.label}** in its training showed **{planted.cue}**, and no others did; "
        f"{planted.mislabelled:.0%} of them showed another class's object, so that the label followed the cue. Taking "
        f"the cue away changes the probability of {planted.label} more than taking the object away does, in "
        f"{figures['cue_first']:.0%} of pictures, and {figures['taken']:.0%} of other classes' pictures that are given "
        f"the cue are taken for a {planted.label}."
    )
    titles = ("As it was trained", "Without the cue", "Without the object", f"A {found.other}, with the cue")
    columns = st.columns(len(titles), gap="medium")
    for column, title, pixels, probability in zip(columns, titles, found.pixels, found.probabilities, strict=True):
        column.image(pixels, width="stretch", caption=f"{title}: {planted.label} {probability:.1%}")
    st.caption(f"Each scene is drawn again from its changed plan, so that nothing else is different (seed {SEED}).")
