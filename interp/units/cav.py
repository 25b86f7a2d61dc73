"""Concept activation vectors, and how surely a class's score rises or falls along them.

Source: Kim 2018, 'Interpretability beyond feature attribution: quantitative testing with concept activation vectors'.
Captum's `captum.concept` takes loaders of pictures and keeps activations in files; here one pass over a set, whose
concepts are known, is enough. `tests/units/test_cav.py` holds the scores against Captum's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from interp.images import ImageSet, Problem
from interp.models.ground_truth import OwnLabels
from interp.models.inputs import Input, positions_of, readable
from interp.passes.grids import on_grid
from interp.passes.target_score import TargetScore
from interp.set_pass import SetPass
from interp.types import Classifier, Fingerprinted
from interp.units.concepts import ConceptSource, KnownConcepts, known_in
from interp.units.truth import Names

SPLITS = 20
STRANGERS, THEIR_SPLITS = 39, 3
FEWEST = 10
"""Fewer images with a concept, or without, are too few."""
LEVEL = 0.05


@dataclass(frozen=True, eq=False)
class CavRows(Fingerprinted):
    """Of each of n images a layer's k mean activations over positions, and the slopes of its own class's logit.

    `slopes` are sums over positions of ∂(logit of `labels`)/∂A: how the logit changes as a channel rises everywhere.
    `labels` is the class of the image's label, -1 where it has none; `present` says which of c concepts are in it, and
    `known` of which it is known.
    """

    positions: Int[np.ndarray, " n"]
    labels: Int[np.ndarray, " n"]
    present: Bool[np.ndarray, "n c"]
    known: Bool[np.ndarray, "n c"]
    means: Float[np.ndarray, "n k"]
    slopes: Float[np.ndarray, "n k"]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class CavPass(SetPass[str, CavRows]):
    """What concept activation vectors of layers are learned from: one forward and backward pass for each image."""

    concepts: Names = ()
    source: ConceptSource = ConceptSource()

    what = "Reading slopes"

    def checked(self, classifier: Classifier, items: Sequence[str]) -> tuple[str, ...]:
        """The layers, if the classifier has them, and classes."""
        if not classifier.labels:
            raise ValueError(
                "Concept activation vectors say how classes' scores change: give a classifier with a head."
            )
        return tuple(classifier.layer(one).name for one in items)

    def context(self, classifier: Classifier, photos: ImageSet) -> OwnLabels:
        """The classes of the images' labels."""
        return OwnLabels.of(classifier, photos)

    def rests_on(self, photos: ImageSet, context: OwnLabels, positions: Int[np.ndarray, " n"]) -> str:
        """A digest of the images' classes and marks."""
        return f"{context.fingerprint_of(positions)} {photos.marks_fingerprint_of(positions)}"

    def read(self, classifier: Classifier, photos: ImageSet, position: int) -> tuple[Input, KnownConcepts]:
        """The image as the classifier sees it, with the concepts in it."""
        return known_in(classifier, photos, position, self.source)

    def run(
        self,
        classifier: Classifier,
        items: Sequence[str],
        context: OwnLabels,
        seen: Sequence[tuple[Input, KnownConcepts]],
    ) -> Sequence[CavRows]:
        """The rows of some images."""
        images, _, problems = readable(classifier, [one for one, _ in seen])
        if images is None:
            return [self.blank(classifier, item, problems) for item in items]
        read = [one for one in seen if one[0].pixels is not None]
        positions = positions_of([one for one, _ in read]).astype(np.int64)
        labels = context.at(positions, np.zeros((len(positions), len(classifier.labels)))).astype(np.int64)
        score = TargetScore.of(classifier, images, np.maximum(labels, 0).tolist())
        rows = torch.arange(len(positions))
        tapped = score.tapped(score.images.pixels, rows, rules=(), layers=list(dict.fromkeys(items)))
        present = np.array([[one in known.concepts for one in self.concepts] for _, known in read], bool)
        categories = [{name for name, _ in known.concepts} | set(known.categories) for _, known in read]
        there = [[self.source.complete or one in some for one, _ in self.concepts] for some in categories]
        shape = len(positions), len(self.concepts)
        found = []
        for item in items:
            layer = classifier.layer(item)
            maps, slopes = (on_grid(one[item], layer).float() for one in (tapped.activations, tapped.gradients))
            means, sums = maps.mean(dim=(2, 3)).cpu().numpy(), slopes.sum(dim=(2, 3)).cpu().numpy()
            known = np.array(there, bool).reshape(shape)
            found.append(CavRows(positions, labels, present.reshape(shape), known, means, sums, problems))
        return found

    def blank(self, classifier: Classifier, item: str, problems: tuple[Problem, ...] = ()) -> CavRows:
        """No rows."""
        none, few = np.zeros(0, np.int64), np.zeros((0, len(self.concepts)), bool)
        empty = np.zeros((0, classifier.layer(item).channels), np.float32)
        return CavRows(none, none, few, few, empty, empty, problems)


@dataclass(frozen=True, eq=False)
class ConceptSensitivity(Fingerprinted):
    """TCAV scores of one concept for classes: the share of a class's images whose logit rises along the vector.

    `scores` has a row for each of s splits, `random` the same for vectors between images drawn at random; `p` is of
    Welch's two-sided t-test between both, times the number of classes not yet rejected (Holm), at most 1. `accuracy` is
    that of the vectors on images that they were not learned from, of as many with the concept as without.
    `strangers` has the mean scores of sets of images drawn at random, as large as those with the concept, each with
    splits of its own: `p_strangers` is the share of them, and of the concept, whose score is as far from `random`.
    """

    concept: tuple[str, str]
    classes: tuple[int, ...]
    images: tuple[int, ...]
    scores: Float[np.ndarray, "s c"]
    random: Float[np.ndarray, "s c"]
    strangers: Float[np.ndarray, "r c"]
    p: Float[np.ndarray, " c"]
    accuracy: float
    with_concept: int
    without: int

    @property
    def significant(self) -> Bool[np.ndarray, " c"]:
        """Which classes' scores differ from those of random vectors, at 5% for all classes together."""
        return self.p < LEVEL

    @property
    def p_strangers(self) -> Float[np.ndarray, " c"]:
        """How often a set of images drawn at random is as far off, not corrected: at least 1 in 40."""
        middle = self.random.mean(axis=0)
        off = np.abs(self.scores.mean(axis=0) - middle)
        return (1 + (np.abs(self.strangers - middle) >= off - 1e-9).sum(axis=0)) / (1 + len(self.strangers))


def tcav(
    rows: CavRows, concepts: Names, concept: tuple[str, str], *, splits: int = SPLITS, seed: int = 0
) -> ConceptSensitivity:
    """The TCAV scores of a concept, and whether they differ from those of random vectors (Kim 2018).

    A split draws as many images with the concept as without, at most half of the rarer kind's, and a vector is the
    normal of the logistic regression between them, on mean activations over positions (the paper: on all positions'
    activations). Random vectors are between two such draws of any images. Splits share images, so that any set of
    images gives scores that agree among themselves, and small p: `ConceptSensitivity.p_strangers` has no such fault.
    Raises `ValueError` for too few images.
    """
    place = concepts.index(concept)
    known = rows.known[:, place]
    own, others = np.flatnonzero(rows.present[:, place] & known), np.flatnonzero(~rows.present[:, place] & known)
    if reason := too_few(rows, concepts, concept):
        raise ValueError(reason)
    classes = tuple(int(one) for one in np.unique(rows.labels[rows.labels >= 0]))
    if not classes:
        raise ValueError("No image has a label that is a class of the classifier, so there is no class to test.")
    rng, each = np.random.default_rng(seed), min(len(own), len(others)) // 2
    scale = 1 / np.maximum(rows.means.std(axis=0), 1e-6)
    scores, random, right = [], [], []
    for _ in range(splits):
        vector, share = _split(rows, own, others, each, scale, rng)
        right.append(share)
        scores.append(_shares(rows, classes, vector))
        drawn = rng.permutation(len(rows.means))[: 2 * each]
        random.append(_shares(rows, classes, _vector(rows.means[drawn[:each]], rows.means[drawn[each:]], scale)[0]))
    strangers = []
    for _ in range(STRANGERS):
        any_of = rng.permutation(np.concatenate([own, others]))
        some = [_split(rows, any_of[: len(own)], any_of[len(own) :], each, scale, rng)[0] for _ in range(THEIR_SPLITS)]
        strangers.append(np.mean([_shares(rows, classes, one) for one in some], axis=0))
    found, chance = np.array(scores), np.array(random)
    images = tuple(int((rows.labels == one).sum()) for one in classes)
    p = holm(_welch(found, chance))
    return ConceptSensitivity(
        concept, classes, images, found, chance, np.array(strangers), p, float(np.mean(right)), len(own), len(others)
    )


def too_few(rows: CavRows, concepts: Names, concept: tuple[str, str]) -> str | None:
    """Why no vector of a concept can be learned and tested; None where there are images enough."""
    place = concepts.index(concept)
    known = rows.known[:, place]
    own, others = int((rows.present[:, place] & known).sum()), int((~rows.present[:, place] & known).sum())
    if min(own, others) >= FEWEST:
        return None
    return (
        f"To learn a vector and to test it, at least {FEWEST} images with the concept and {FEWEST} without are needed. "
        f"With '{concept[1]}': {own:,}; known to be without: {others:,}. Choose another concept, or give more images."
    )


def _vector(
    with_it: Float[np.ndarray, "m k"], without: Float[np.ndarray, "m k"], scale: Float[np.ndarray, " k"]
) -> tuple[Float[np.ndarray, " k"], float]:
    """The direction from without to with, and the bias: logistic regression on activations of unit variance."""
    from sklearn.linear_model import LogisticRegression

    rows = np.concatenate([with_it, without]) * scale
    fitted = LogisticRegression(C=0.1, max_iter=300).fit(rows, np.arange(len(rows)) < len(with_it))
    return (fitted.coef_[0] * scale).astype(np.float32), float(fitted.intercept_[0])


def _split(
    rows: CavRows,
    own: Int[np.ndarray, " m"],
    others: Int[np.ndarray, " o"],
    each: int,
    scale: Float[np.ndarray, " k"],
    rng: np.random.Generator,
) -> tuple[Float[np.ndarray, " k"], float]:
    """A vector between draws of both kinds, and its accuracy on as many images of each that are left."""
    with_it, without = rng.permutation(own), rng.permutation(others)
    vector, bias = _vector(rows.means[with_it[:each]], rows.means[without[:each]], scale)
    held = min(len(with_it), len(without)) - each
    tested = rows.means[np.concatenate([with_it[each:][:held], without[each:][:held]])] @ vector + bias > 0
    return vector, float((tested == (np.arange(2 * held) < held)).mean())


def _shares(rows: CavRows, classes: Sequence[int], vector: Float[np.ndarray, " k"]) -> list[float]:
    rises = rows.slopes @ vector > 0
    return [float(rises[rows.labels == one].mean()) for one in classes]


def _welch(found: Float[np.ndarray, "s c"], chance: Float[np.ndarray, "s c"]) -> Float[np.ndarray, " c"]:
    """The p values of Welch's two-sided t-test; without any spread what is the same in all splits differs, or not."""
    from scipy.special import stdtr

    count = len(found)
    parts = np.stack([found.var(axis=0, ddof=1), chance.var(axis=0, ddof=1)]) / count
    error, apart = parts.sum(axis=0), np.abs(found.mean(axis=0) - chance.mean(axis=0))
    spread = error > 1e-12
    freedom = np.divide(error**2, (parts**2).sum(axis=0) / (count - 1), out=np.ones_like(error), where=spread)
    t = np.divide(apart, np.sqrt(error), out=np.zeros_like(error), where=spread)
    return np.where(spread, 2 * stdtr(freedom, -t), (apart < 1e-9).astype(float))


def holm(p: Float[np.ndarray, " c"]) -> Float[np.ndarray, " c"]:
    """P values for all tests together (Holm 1979): the smallest times their number, the next times one less, rising."""
    order = np.argsort(p, kind="stable")
    found = np.empty(len(p))
    found[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return found
