"""Parts of a class summary: what several machines counted, each in its part of a set, is put together again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int

from interp.class_summary.gathered import GatheredMarks, counts_of
from interp.class_summary.influences import STRONGEST, InfluenceCount, InputMarks, wiring
from interp.class_summary.joints import Wiring
from interp.class_summary.marks import SHARES, ChannelMarks, MarkCount
from interp.class_summary.predicted import ClassesBy, labelled_as_predicted, predicted
from interp.class_summary.summary import ClassSummary, check_labels, checked, no_class
from interp.images import ImageSet, Problem
from interp.models import match_set
from interp.set_pass import by_chunks, chunks, returned
from interp.types import Classifier, Fingerprinted, digest
from interp.units.counting import UnitPass


@dataclass(frozen=True, eq=False)
class SummaryPart(Fingerprinted):
    """What was counted in part `number` of `of` of a set, such that parts add up to the same bits.

    `model` and `pictures` tell the classifier and the set, `pictures` by the names of its images and their classes: on
    another machine files have other times. `read` is how many images were read, `marks` and `inputs` are of these,
    none of them kept one by one, and `wirings` have no kernels. All else is as in `ClassSummary`.
    """

    number: int
    of: int
    classifier: str
    model: str
    photos: str
    pictures: str
    labels: tuple[str, ...]
    layers: tuple[str, ...]
    share: float
    by: ClassesBy
    read: int
    marks: tuple[ChannelMarks, ...]
    inputs: tuple[InputMarks, ...]
    wirings: tuple[Wiring, ...]
    problems: tuple[Problem, ...] = ()


_TOLD: Sequence[tuple[str, Callable[[SummaryPart], object], Callable[[SummaryPart], str]]] = (
    ("classifiers", lambda one: (one.classifier, one.model, one.labels), lambda one: one.classifier),
    ("sets of images", lambda one: (one.photos, one.pictures), lambda one: one.photos),
    ("layers", lambda one: one.layers, lambda one: f"'{', '.join(one.layers)}'"),
    ("shares", lambda one: one.share, lambda one: f"{one.share:g}"),
    ("numbers of parts", lambda one: one.of, lambda one: str(one.of)),
    ("ways to count images", lambda one: one.by, lambda one: f"by {one.by}"),
)
"""What parts of one summary have in common, what tells it, and how it is said."""


def count_part(
    classifier: Classifier,
    photos: ImageSet,
    number: int,
    of: int,
    layers: Sequence[str] | None = None,
    *,
    share: float = SHARES[-1],
    by: ClassesBy = "labels",
) -> SummaryPart:
    """What `summarize` counts in one part of the set: `number` from 1, of `of` parts of about one size.

    Raises `ValueError` as `summarize` does, but not where no image of this part has a class; and for a part that there
    is not.
    """
    names, (first, positions) = checked(classifier, layers), _part(len(photos), number, of)
    if share not in SHARES:
        raise ValueError(f"Marks for a share of {share} are not made: give one of {', '.join(map(str, SHARES))}.")
    classes: tuple[int | None, ...] = ()
    own = photos
    if by == "predictions":
        own = labelled_as_predicted(classifier, photos, predicted(classifier, photos, positions, first=first))
    else:
        check_labels(classifier, photos, None)
        classes = match_set(classifier, photos).indices
    items = counts_of(classifier, names)
    counted = returned(by_chunks(UnitPass(first=first), classifier, own, items, positions))
    # What a summary is made of are sums: images one by one are for draws alone.
    given = list(zip(items, counted, strict=True))
    marks = (replace(item, kept=0).merged([one.value]) for item, one in given if isinstance(item, MarkCount))
    inputs = (replace(item, kept=0).merged([one.value]) for item, one in given if isinstance(item, InfluenceCount))
    wires = [wiring(classifier, *pair) for pair in zip(names, names[1:], strict=False)]
    return SummaryPart(
        number,
        of,
        classifier.name,
        classifier.fingerprint,
        photos.name,
        digest(photos.names, classes),
        classifier.labels,
        names,
        share,
        by,
        counted[0].images,
        tuple(marks),
        tuple(inputs),
        tuple(replace(one, joints=tuple(replace(joint, terms=()) for joint in one.joints)) for one in wires),
        counted[0].problems,
    )


def merge(parts: Mapping[str, SummaryPart]) -> ClassSummary:
    """The summary of the whole set, with the bits of one run over it, from all its parts by the names of their files.

    Raises `ValueError` that names the files: for parts of different classifiers, sets, layers and so on, for one that
    is missing or given twice, and where no image has a class.
    """
    if not parts:
        raise ValueError("No parts are given: there is nothing to put together.")
    _check_alike(parts)
    _check_complete(parts)
    each = sorted(parts.values(), key=lambda one: one.number)
    first = each[0]
    marks = [
        MarkCount(layer, kept=0).merged([one.marks[place] for one in each]) for place, layer in enumerate(first.layers)
    ]
    pairs = enumerate(zip(first.layers, first.layers[1:], strict=False))
    inputs = [
        InfluenceCount(above, before=below, kept=0).merged([one.inputs[place] for one in each])
        for place, (below, above) in pairs
    ]
    whole = GatheredMarks(first.layers, tuple(marks), tuple(inputs), first.wirings, SHARES.index(first.share))
    read = sum(one.read for one in each)
    if not whole.images.any():
        raise ValueError(no_class(first.classifier, first.photos, read, first.by))
    problems = tuple(problem for one in each for problem in one.problems)
    unlabelled = read - int(whole.images.sum())
    return ClassSummary.named(first.classifier, first.labels, whole, unlabelled, problems, first.by)


def only_counts(layer: str, counts: Int[np.ndarray, "s c k"], images: Int[np.ndarray, " c"]) -> ChannelMarks:
    """The marks of a layer, of images of which none is kept one by one."""
    nothing, width = np.zeros(0, np.int64), -(-counts.shape[0] * counts.shape[2] // 8)
    return ChannelMarks(layer, counts, images, nothing, nothing.astype(np.int32), np.zeros((0, width), np.uint8))


def only_numbers(rows: int, keys: Int[np.ndarray, " m"], numbers: Int[np.ndarray, " m"]) -> InputMarks:
    """The marks of inputs of so many rows, of images of which none is kept one by one."""
    nothing, marks = np.zeros(0, np.int64), np.zeros((0, rows, STRONGEST), np.uint16)
    return InputMarks(nothing, nothing.astype(np.int32), marks, keys, numbers)


def _part(count: int, number: int, of: int) -> tuple[int, Int[np.ndarray, " m"]]:
    """The positions of a part of a set, and how many of them are its first chunk.

    Parts are chunks of a pass over the whole, as images may give other bits where they run beside others. Where there
    are too few chunks parts are cut anywhere.
    """
    if not 1 <= number <= of:
        raise ValueError(f"There is no part {number}/{of}: the {of} parts are 1/{of} to {of}/{of}.")
    if of > count:
        raise ValueError(f"{count:,} images make no {of:,} parts: give as many parts as there are images at most.")
    work = UnitPass()
    starts = np.array([start for start, _ in chunks(work, np.arange(count))])
    even = np.arange(of + 1) * count // of
    nearest = starts[np.abs(starts[:, None] - even[None, :-1]).argmin(axis=0)]
    edges = np.append(nearest, count) if (np.diff(nearest) > 0).all() else even
    positions = np.arange(edges[number - 1], edges[number])
    if edges is even:
        return work.first, positions
    later = starts[starts > positions[0]]
    return int(later[0] - positions[0]) if len(later) else work.chunk, positions


def _check_alike(parts: Mapping[str, SummaryPart]) -> None:
    (name, first), *others = parts.items()
    for other, part in others:
        for what, telling, said in _TOLD:
            if telling(part) == telling(first):
                continue
            called = [said(one) for one in (first, part)]
            how = " and ".join(called) if called[0] != called[1] else f"both are called {called[0]}"
            raise ValueError(
                f"{name} and {other} are of different {what}: {how}. Parts of a summary are counted by one command, "
                "but for their numbers."
            )


def _check_complete(parts: Mapping[str, SummaryPart]) -> None:
    seen: dict[int, str] = {}
    for name, part in parts.items():
        if part.number in seen:
            raise ValueError(f"{seen[part.number]} and {name} are both part {part.number}/{part.of}: give each once.")
        seen[part.number] = name
    of = next(iter(parts.values())).of
    missing = [f"{one}/{of}" for one in range(1, of + 1) if one not in seen]
    if missing:
        raise ValueError(f"Of the {of} parts there is no {', '.join(missing[:20])}: give all of them.")
