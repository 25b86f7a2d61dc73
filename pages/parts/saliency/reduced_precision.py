"""bfloat16 for the methods that bear it: measured on photographs of the set, shown, and taken only when asked for."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

import cache
from interp import attribution, evaluation
from interp.images import ImageSet
from interp.models import inputs
from interp.models.precision import Bfloat16
from interp.set_pass import evenly
from interp.types import Classifier
from pages.parts.kit import address, replay, waiting

KEY = "bfloat16"
PHOTOGRAPHS = 5


def choose(
    scope: cache.Scope, classifier: Classifier, photos: ImageSet, methods: Sequence[attribution.Method]
) -> tuple[attribution.Method, ...]:
    """Offer to measure what bfloat16 does to the methods' maps; gives those that are to be computed in it.

    Nothing is measured before it is asked for.
    """
    address.seed(KEY, False, valid=lambda wanted: isinstance(wanted, bool), parse=lambda text: text == "1")
    with st.expander("Faster, in bfloat16", key="rounding", on_change="rerun", expanded=st.session_state[KEY]) as place:
        if not place.open and not st.session_state[KEY]:
            scope.release(KEY)
            return ()
        if isinstance(classifier.module, Bfloat16):
            st.caption("This classifier computes in bfloat16 already.")
            return ()
        job = _measuring(scope, classifier, photos, methods)
        done = waiting.settled(job)
        found = job.parts
        if found:
            replay.once(_table, found)
        # Only what is complete counts: otherwise the maps would begin anew with each method measured.
        borne = [one.method for one in found if one.offered] if done else []
        st.toggle(
            "Use it where the maps stay the same",
            key=KEY,
            help="Only for methods whose maps agree with float32 on every measured photograph (rank correlation of "
            f"{evaluation.CORRELATION} or more) in at most {evaluation.RATIO:g} of the time.",
        )
        wanted = bool(st.session_state[KEY])
        address.publish(KEY, "1" if wanted else None)
        if done and not borne:
            st.caption("None of these methods gains by it and keeps its maps: all stay in float32.")
    return tuple(method for method in methods if method in borne) if wanted else ()


def _measuring(
    scope: cache.Scope, classifier: Classifier, photos: ImageSet, methods: Sequence[attribution.Method]
) -> cache.Job:
    positions = tuple(evenly(len(photos), PHOTOGRAPHS).tolist())
    batch = waiting.value(scope.read("measured-photographs", inputs.read, classifier, photos, positions))
    probabilities = waiting.value(scope.compute("measured-classes", Classifier.probabilities, classifier, batch))
    asked = tuple(method for method in methods if method.title != attribution.Random.title)
    return scope.compute(KEY, evaluation.reduced, classifier, batch, probabilities.argmax(dim=1).tolist(), asked)


def _table(found: Sequence[evaluation.ReducedPrecision]) -> None:
    lines = []
    for one in found:
        title = f"**{one.method.title}**" if one.offered else one.method.title
        lines.append(f"- {title}: {float(one.correlation.min()):.3f} in {one.ratio:.2f} of the time")
    st.markdown("\n".join(lines))
    st.caption(
        f"The least rank correlation with the map in float32 over {len(found[0].correlation)} photographs of this set, "
        "and the time of that in float32. Bold: may be used."
    )
