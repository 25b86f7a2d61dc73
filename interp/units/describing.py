"""A description in words for every unit of a layer: made on one half of the images, scored on the other."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Int

from interp import progress
from interp.images import ImageSet
from interp.models.label_names import of_classes
from interp.models.labels import match_set
from interp.set_pass import ItemStore, Positions, by_chunks, chosen_positions, evenly, returned
from interp.types import Classifier
from interp.units import clauses
from interp.units.ablation import CHUNK, UnitAblation
from interp.units.ablation_sets import halves
from interp.units.clip_dissect import ClipSource, named
from interp.units.concepts import ConceptSource
from interp.units.concepts import concepts as known_concepts
from interp.units.counting import UnitPass
from interp.units.counts import Counted
from interp.units.dissection import dissecting
from interp.units.foretelling import scored
from interp.units.labels_of_top import TOP, label_groups, top_concepts, top_labels
from interp.units.probes import probing
from interp.units.rows import ImageRows, RowCount, top_rows
from interp.units.wordnet import WordNet, wordnet_of
from interp.units.words import Clause, LayerWords, UnitWords

MOST_IMAGES = 4_000
"""Of larger sets as many images, spread evenly, are read."""
EACH_CLASS = 8
MOST_REMOVED = 160
"""Units are removed in so many images of a class, and in so many of all."""
PARTS = ("labels", "concepts", "probes", "ablation")
FEWEST = 20
"""Of fewer images nothing is said."""


def describe(
    classifier: Classifier,
    photos: ImageSet,
    layer: str | None = None,
    *,
    concepts: ConceptSource | None = None,
    wordnet: str | None = None,
    clip: ClipSource | None = None,
    positions: Positions = None,
) -> LayerWords:
    """A description of every unit of a layer, from measurements only, with its score. As `describing`."""
    asked = {"concepts": concepts, "wordnet": wordnet, "clip": clip, "positions": positions}
    return returned(describing(classifier, photos, layer, **asked))


def describing(
    classifier: Classifier,
    photos: ImageSet,
    layer: str | None = None,
    *,
    concepts: ConceptSource | None = None,
    wordnet: str | None = None,
    clip: ClipSource | None = None,
    positions: Positions = None,
    kept: ItemStore | None = None,
) -> Generator[LayerWords | None, None, LayerWords]:
    """As `describe`, yielding what there is so far: nothing (None) at first, and the dearest part last.

    Every second image of each class (`ablation_sets.halves`) is for finding clauses: over-represented labels and their
    common kind (`labels_of_top`), concepts by dissection, what units prefer of probes, classes that fall without the
    unit. The other half is for scoring (`foretelling`). `concepts` None are those that the set knows, if any; `wordnet`
    names a file of WordNet's hypernyms (`interp.units.wordnet`), None takes NLTK's, if it is installed. What cannot be
    measured is in `LayerWords.missing`. With `clip`, CLIP-Dissect's word stands beside each description. Raises
    `ValueError` for a layer that there is not.
    """
    work = _Work.begun(classifier, photos, layer, concepts, wordnet, positions)
    chosen = work.chosen
    rows_pass = UnitPass(concepts=work.source)
    steps = by_chunks(rows_pass, classifier, photos, [RowCount(work.layer)], chosen, kept=kept)
    counted: Sequence[Counted[ImageRows]] = yield from work.stage(0, steps)
    work.divide(counted[0].value)
    words = work.score()
    if len(work.ranking) < FEWEST:
        return words
    for number, find in enumerate((_labels, _concepts, _probes, _ablation)):
        yield from find(work, number, kept)
        words = work.score()
        yield words
    return words if clip is None else (yield from _by_clip(work, words, clip))


@dataclass(eq=False)
class _Work:
    """What is known so far."""

    classifier: Classifier
    photos: ImageSet
    layer: str
    source: ConceptSource | None
    chosen: Int[np.ndarray, " n"]
    labels: Int[np.ndarray, " images"]
    wordnet: WordNet | None
    missing: list[str]
    found: dict[str, list[tuple[Clause, ...]]] = field(default_factory=dict)
    words: LayerWords | None = None

    @classmethod
    def begun(cls, classifier: Classifier, photos: ImageSet, layer: str | None, source, wordnet, positions) -> _Work:
        missing: list[str] = []
        name = classifier.layer(layer).name
        chosen = chosen_positions(photos, positions)
        if len(chosen) > MOST_IMAGES:
            missing.append(f"Of {len(chosen):,} images {MOST_IMAGES:,}, spread evenly, were read.")
            chosen = chosen[evenly(len(chosen), MOST_IMAGES)]
        if source is None:
            try:
                source = known_concepts(photos)
            except ValueError:
                missing.append("No concepts: nothing is marked in these images.")
        labels = np.full(len(photos), -1, np.int64)
        if classifier.labels and not classifier.multi_label:
            labels = np.array([-1 if one is None else one for one in match_set(classifier, photos).indices], np.int64)
        return cls(classifier, photos, name, source, chosen, labels, _wordnet(classifier, wordnet, missing), missing)

    def divide(self, rows: ImageRows) -> None:
        """Take one half for finding and one for scoring; classes of one image are divided as if they were one."""
        labels = self.labels[rows.positions]
        own, counts = np.unique(labels, return_counts=True)
        ranking, reading = halves(rows.positions, np.where(np.isin(labels, own[counts > 1]), labels, -1))
        self.ranking, self.reading = rows.at(ranking), rows.at(reading)
        self.top = top_rows(self.ranking.peaks, min(TOP, max(1, len(self.ranking) // 5)))

    def stage(self, number: int, steps: Generator[Any, None, Any]) -> Generator[LayerWords | None, None, Any]:
        """Do one of the stages, its reports counted as a part of all; gives what it returns."""
        total = 1000 * (1 + len(PARTS))
        with closing(steps):
            while True:
                with progress.within(1000 * number, 1000, total, "Describing units"):
                    try:
                        next(steps)
                    except StopIteration as stop:
                        return stop.value
                yield self.words

    def score(self) -> LayerWords:
        """Put together what was found so far, and score it."""
        units = self.ranking.peaks.shape[1]
        words = []
        for unit in range(units):
            own = tuple(clause for part in PARTS for clause in (self.found[part][unit] if part in self.found else ()))
            words.append(UnitWords(_in_order(own), reason="" if own else self._reason(unit)))
        complete = self.source is not None and self.source.complete
        self.words = LayerWords(
            self.layer,
            scored(words, self.reading, complete),
            len(self.ranking),
            len(self.reading),
            tuple(self.found),
            tuple(self.missing),
            self.ranking.concepts,
        )
        return self.words

    def _reason(self, unit: int) -> str:
        if len(self.ranking) < FEWEST:
            return (
                f"{2 * FEWEST} images at least are needed, and {len(self.ranking) + len(self.reading)} could be read."
            )
        if not self.top[:, unit].any():
            return "it answers to no image more than to the others."
        said = {
            "labels": "no label is over-represented among its top images",
            "concepts": "no concept has an IoU over 0.04, twice that by chance, and is more in its top images",
            "probes": "no colour, lightness or direction that it prefers drives it half as far as its top images",
            "ablation": "no class falls without it",
        }
        tried = [said[part] for part in PARTS if part in self.found]
        return "; ".join(tried) + "." if tried else "nothing could be measured."


def _in_order(found: Sequence[Clause]) -> tuple[Clause, ...]:
    """What is seen first, then where, then what it prefers, then what for."""
    order = ("concept", "label", "group", "hue", "lightness", "stripes", "spacing", "serves")
    return tuple(sorted(found, key=lambda one: order.index(one.kind)))


def _wordnet(classifier: Classifier, path: str | None, missing: list[str]) -> WordNet | None:
    ids = of_classes(classifier)
    if ids is None:
        return None
    try:
        return wordnet_of(ids, path)
    except (ValueError, FileNotFoundError) as error:
        missing.append(str(error))
        return None


def _labels(work: _Work, number: int, kept: ItemStore | None) -> Generator[LayerWords | None, None, None]:
    yield work.words
    labels = work.labels[work.ranking.positions]
    if len(np.unique(labels[labels >= 0])) < 2:
        said = "its classes do not exclude each other" if work.classifier.multi_label else "fewer than two are known"
        work.missing.append(f"No labels: {said}.")
        return
    ids = of_classes(work.classifier)
    groups = label_groups(work.classifier.labels, labels, ids, work.wordnet)
    work.found["labels"] = clauses.of_labels(top_labels(labels, work.ranking.peaks, groups), ids, work.wordnet)


def _concepts(work: _Work, number: int, kept: ItemStore | None) -> Generator[LayerWords | None, None, None]:
    if work.source is None or not work.ranking.concepts:
        return
    asked = (work.classifier, work.photos, [work.layer], work.source)
    steps = dissecting(*asked, positions=work.ranking.positions, kept=kept)
    dissection = yield from work.stage(number + 1, steps)
    tops = top_concepts(work.ranking, work.source.complete)
    work.found["concepts"] = clauses.of_concepts(dissection.layers[0], tops)


def _probes(work: _Work, number: int, kept: ItemStore | None) -> Generator[LayerWords | None, None, None]:
    tuning = yield from work.stage(number + 1, probing(work.classifier, work.layer))
    count = np.maximum(1, work.top.sum(axis=0))
    strongest = np.where(work.top.any(axis=0), (work.ranking.peaks * work.top).sum(axis=0) / count, -np.inf)
    work.found["probes"] = clauses.of_probes(tuning, strongest, np.median(work.ranking.peaks, axis=0))


def _ablation(work: _Work, number: int, kept: ItemStore | None) -> Generator[LayerWords | None, None, None]:
    chosen, said = _for_ablation(work)
    if said:
        work.missing.append(said)
    if not len(chosen):
        return
    asked = (work.classifier, work.photos, [UnitAblation(work.layer)], chosen)
    [found] = yield from work.stage(number + 1, by_chunks(UnitPass(CHUNK), *asked, kept=kept))
    work.found["ablation"] = clauses.of_ablation(found.value, work.ranking.means.mean(axis=0), work.classifier.labels)


def _for_ablation(work: _Work) -> tuple[Int[np.ndarray, " n"], str]:
    """The images in which units are removed, as many of each class; none, and why."""
    rows, none = work.ranking, np.zeros(0, np.int64)
    labels = work.labels[rows.positions]
    classes, counts = np.unique(labels[labels >= 0], return_counts=True)
    enough = classes[counts >= clauses.FEW]
    if rows.peaks.shape[1] <= clauses.RIVALS:
        return none, f"No ablation: the layer has no {clauses.RIVALS} other units to compare with."
    if not len(enough):
        return none, f"No ablation: no class has {clauses.FEW} images with its label in one half."
    each = max(clauses.FEW, min(EACH_CLASS, MOST_REMOVED // len(enough)))
    some = enough[: max(1, MOST_REMOVED // each)]
    said = "" if len(some) == len(enough) else f"Ablation: the first {len(some)} of {len(enough)} classes alone."
    return np.sort(np.concatenate([rows.positions[labels == one][:each] for one in some])), said


def _by_clip(work: _Work, words: LayerWords, clip: ClipSource) -> Generator[LayerWords | None, None, LayerWords]:
    """The descriptions with CLIP-Dissect's words beside them, or with why there are none."""
    known = dict.fromkeys((*work.classifier.labels, *(name for _, name in work.ranking.concepts)))
    try:
        steps = named(clip, tuple(known), work.photos, work.ranking.positions, work.ranking.means)
        found = yield from work.stage(len(PARTS), steps)
    except ValueError as error:
        return replace(words, missing=(*words.missing, f"No CLIP-Dissect: {error}"))
    return replace(words, units=tuple(replace(one, clip=own) for one, own in zip(words.units, found, strict=True)))
