"""Which marks of a picture are of its own label: for a class its own marks count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from interp.images.annotation import Annotation
from interp.images.problems import same_name


def own_names(
    forms: Mapping[str, Sequence[str | None]], annotations: Mapping[int, Annotation]
) -> dict[int, frozenset[str]]:
    """For each annotated picture whose marks have names, those of its own label (as names are compared).

    Where no mark of the set is called as any label is, the marks are named in other words, and a picture is missing
    here: all of its marks count. So it is for a picture without a label. Where they are called so elsewhere, but not in
    this picture, none of its marks are its label's, and its names are empty.
    """
    vocabulary = frozenset().union(*(one.names for one in annotations.values()))
    labels = {same_name(label) for column in forms.values() for label in column if label is not None}
    if not vocabulary & labels:
        return {}
    own = {}
    for position, annotation in annotations.items():
        called = {same_name(label) for column in forms.values() if (label := column[position]) is not None}
        if called and annotation.names:
            own[position] = annotation.names & called
    return own
