"""Clauses of units' descriptions, from what was measured; none where the evidence is thin."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from interp.units.ablation_sums import AblationSums
from interp.units.dissection import DETECTOR, LayerDissection
from interp.units.labels_of_top import LabelGroup, TopConcepts, TopLabels
from interp.units.looks import HUE, HUES, LIGHT, LIGHTNESS, ORIENTATIONS, SPACING, STRIPES, WAVELENGTHS
from interp.units.probes import Tuning, nearest
from interp.units.wordnet import WordNet
from interp.units.words import Clause

MOST = 3
"""Of one kind at most so many clauses."""
LEAST_ODDS = 2.0
FEW = 5
"""A concept in fewer images, or a class with fewer, is not spoken of."""
LEAST_REACH = 0.5
"""What share of its activation in its top images a probe has to reach, above that to plain grey."""
LEAST_HUE, LEAST_LIGHTNESS, LEAST_ORIENTATION, LEAST_SPACING = 0.5, 0.5, 0.25, 0.5
RIVALS = 20
"""Beside so many units that are nearest in mean activation a removed one is set."""
SPREADS = 4.0
LEAST_FALL = 0.005
"""By how much the mean probability of a class has to fall without a unit."""


def of_concepts(dissection: LayerDissection, tops: TopConcepts) -> list[tuple[Clause, ...]]:
    """For each unit its concepts with an IoU over 0.04, at least twice that by chance, in at least 5 images.

    They have to be over-represented among its top images, too, if they are not in most images: of few images an IoU may
    be large by chance.
    """
    iou, odds, images = dissection.iou(), dissection.odds(), dissection.counts.of_concept
    places = np.array([tops.concepts.index(one) for one in dissection.concepts], np.int64)
    enough = (iou > DETECTOR) & (odds >= LEAST_ODDS) & (images >= FEW) & tops.plausible()[:, places]
    found = []
    for one in range(len(iou)):
        best = [place for place in np.argsort(-iou[one], kind="stable").tolist() if enough[one, place]][:MOST]
        found.append(
            tuple(
                _concept(dissection, place, iou[one, place], odds[one, place], *_of_top(tops, one, int(places[place])))
                for place in best
            )
        )
    return found


def _of_top(tops: TopConcepts, unit: int, place: int) -> tuple[int, int]:
    return int(tops.counts[unit, place]), int(tops.tops[unit, place])


def _concept(dissection: LayerDissection, place: int, iou: float, odds: float, count: int, top: int) -> Clause:
    category, name = dissection.concepts[place]
    images = int(dissection.counts.of_concept[place])
    return Clause(
        "concept",
        f"sees {name} ({category})",
        f"IoU {iou:.2f}, {odds:.1f} times chance, in {count} of its top {top} and in {images:,} images",
        (("IoU", float(iou)), ("odds", float(odds)), ("images", images), ("of top", count), ("top", top)),
        concept=(category, name),
    )


def of_labels(tops: TopLabels, ids: Sequence[str] | None, wordnet: WordNet | None) -> list[tuple[Clause, ...]]:
    """For each unit its over-represented labels, the most significant first, and the kind that they have in common.

    That is the deepest one of all these labels, where it is over-represented itself; where no label is by itself, the
    kind with the smallest p, of equal ones the smallest.
    """
    found, clauses = tops.found(), []
    there = frozenset(one.classes[0] for one in tops.groups if one.synset is None)
    tested = {there & set(one.classes): place for place, one in enumerate(tops.groups) if one.synset is not None}
    for unit in range(len(found)):
        order = [int(place) for place in np.lexsort((tops.sizes, tops.p[unit])) if found[unit, place]]
        labels = [place for place in order if tops.groups[place].synset is None]
        kinds = [place for place in order if tops.groups[place].synset is not None]
        if labels and kinds and wordnet is not None and ids is not None:
            common = wordnet.deepest_common([ids[tops.groups[place].classes[0]] for place in labels])
            # Of kinds with the same classes one was tested.
            own = tested.get(frozenset(one for one in there if common in wordnet.ancestors(ids[one])))
            kinds = [own] if len(labels) > 1 and own in kinds else []
        clauses.append(tuple(_label(tops, unit, place) for place in (*labels[:MOST], *kinds[:1])))
    return clauses


def _label(tops: TopLabels, unit: int, place: int) -> Clause:
    group: LabelGroup = tops.groups[place]
    count, top, size = int(tops.counts[unit, place]), int(tops.tops[unit]), int(tops.sizes[place])
    p = float(tops.adjusted[unit, place])
    named = group.name if group.synset is None else f"kinds of {group.name} ({group.synset})"
    return Clause(
        "label" if group.synset is None else "group",
        f"strongest in {named}",
        f"{count} of its top {top}, {size:,} of all {tops.images:,}, p {_p(p)}",
        (("of top", count), ("top", top), ("of all", size), ("p", float(tops.p[unit, place])), ("adjusted p", p)),
        classes=group.classes,
    )


def _p(p: float) -> str:
    return "< 1e-9" if p < 1e-9 else f"{p:.1g}"


def of_probes(
    tuning: Tuning, strongest: Float[np.ndarray, " k"], usual: Float[np.ndarray, " k"]
) -> list[tuple[Clause, ...]]:
    """For each unit the hue, the lightness and the stripes that it prefers, where it does, and they drive it enough.

    `strongest` is its mean activation over its top images: a probe has to reach half of it, above that to plain grey.
    A unit that plain grey drives more than halfway there from its median over images, `usual`, has no such clause.
    """
    room = strongest - tuning.plain
    room = np.where(room >= (strongest - usual) / 2, room, 0.0)
    hue, lightness = tuning.hue(), tuning.lightness()
    stripes, spacing = tuning.orientation(), tuning.spacing()
    clauses: list[list[Clause]] = [[] for _ in room]

    def add(unit: int, kind, said: str, selectivity: float, best: float, look: int) -> None:
        reach = best / room[unit]
        number = f"selectivity {selectivity:.2f}, {reach:.0%} of what its top images reach"
        measured = (("selectivity", float(selectivity)), ("reach", float(reach)))
        clauses[unit].append(Clause(kind, said, number, measured, look=look))

    def clear(one, unit: int, least: float) -> bool:
        return bool(room[unit] > 0 and one.best[unit] >= LEAST_REACH * room[unit] and one.selectivity[unit] >= least)

    for unit in range(len(room)):
        if clear(hue, unit, LEAST_HUE):
            which = nearest(float(hue.which[unit]), len(HUES), 360.0)
            add(unit, "hue", f"prefers {HUES[which]}", hue.selectivity[unit], hue.best[unit], HUE + which)
        if clear(lightness, unit, LEAST_LIGHTNESS):
            which = int(lightness.which[unit])
            said = f"prefers {LIGHTNESS[which]}"
            add(unit, "lightness", said, lightness.selectivity[unit], lightness.best[unit], LIGHT + which)
        if not tuning.wavelengths:
            continue
        place = int(spacing.which[unit])
        apart = tuning.wavelengths[place]
        column = WAVELENGTHS.index(apart)
        if clear(stripes, unit, LEAST_ORIENTATION):
            which = nearest(float(stripes.which[unit]), len(ORIENTATIONS), 180.0)
            said = f"prefers edges or stripes at {ORIENTATIONS[which]:g}°{_named(which)}, best {apart} pixels apart"
            look = STRIPES + column * len(ORIENTATIONS) + which
            add(unit, "stripes", said, stripes.selectivity[unit], stripes.best[unit], look)
        elif clear(spacing, unit, LEAST_SPACING):
            said = f"prefers stripes {apart} pixels apart in any direction"
            add(unit, "spacing", said, spacing.selectivity[unit], spacing.best[unit], SPACING + column)
    return [tuple(one) for one in clauses]


def _named(which: int) -> str:
    return {0: " (horizontal)", 90: " (vertical)"}.get(int(ORIENTATIONS[which]), "")


def of_ablation(sums: AblationSums, means: Float[np.ndarray, " k"], names: Sequence[str]) -> list[tuple[Clause, ...]]:
    """For each unit the classes whose mean probability falls without it by at least 0.005, and more than by chance.

    Chance are the 20 units that are nearest in mean activation, each removed alone: the fall has to be larger than all
    of theirs, and to exceed their median by 4 robust deviations (1.4826 times the median deviation from the median).
    """
    logits, shares = (-one for one in sums.mean_changes())
    enough = sums.images >= FEW
    clauses: list[tuple[Clause, ...]] = []
    for unit in range(len(logits)):
        rivals = _nearest_in_mean(means, unit)
        if len(rivals) < RIVALS:
            clauses.append(())
            continue
        others = shares[rivals]
        middle = np.median(others, axis=0)
        spread = 1.4826 * np.median(np.abs(others - middle), axis=0)
        beyond = (shares[unit] > others.max(axis=0)) & (shares[unit] >= middle + SPREADS * spread)
        found = np.flatnonzero(enough & beyond & (shares[unit] >= LEAST_FALL))
        order = found[np.argsort(-shares[unit][found], kind="stable")][:MOST]
        clauses.append(tuple(_served(sums, unit, int(one), logits, shares, middle, names) for one in order))
    return clauses


def _nearest_in_mean(means: Float[np.ndarray, " k"], unit: int) -> np.ndarray:
    order = np.argsort(means, kind="stable")
    place = np.argsort(order, kind="stable")
    distance = np.abs(place - place[unit])
    return np.lexsort((place, distance))[1 : RIVALS + 1]


def _served(
    sums: AblationSums, unit: int, which: int, logits: np.ndarray, shares: np.ndarray, middle: np.ndarray, names
) -> Clause:
    fall, logit = float(shares[unit, which]), float(logits[unit, which])
    lost, images = -int(sums.right_change[unit, which]), int(sums.images[which])
    number = (
        f"without it its mean probability falls by {fall:.3f} (median of 20 others {middle[which]:.3f}), its logit by "
        f"{logit:.2f}; {max(0, lost)} of {images} images lost"
    )
    measured = (
        *(("fall of probability", fall), ("median of others", float(middle[which])), ("fall of logit", logit)),
        *(("images lost", lost), ("images", images)),
    )
    return Clause("serves", f"serves {names[which]}", number, measured, classes=(which,))
