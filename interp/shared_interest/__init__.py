"""Shared Interest (Boggust et al. 2022): how far a heatmap and what people have marked cover each other.

Scores are those of the paper, cases those of its demo: a binary saliency S is held against an annotation G.
"""

from interp.shared_interest.binarization import Area, Deviations, Percentile, Rule, binarize
from interp.shared_interest.cases import (
    AUTHORS,
    CASES,
    HIGH,
    LOW,
    NO_ANNOTATION,
    NO_SALIENCY,
    UNCLASSIFIED,
    Case,
    Thresholds,
    cases,
    counts,
)
from interp.shared_interest.comparing import Comparison, compared
from interp.shared_interest.explained import Explained, Explanation
from interp.shared_interest.explaining import ExplanationPass, annotated
from interp.shared_interest.masks import MapArray, Masks, Scores
from interp.shared_interest.opening import OPENING, opening_method
from interp.shared_interest.scores import Counts, ground_truth_coverage, iou_coverage, overlap, saliency_coverage
from interp.shared_interest.scoring import SCORES, EvidenceSign, Scored, ScoreName, Scoring, score
from interp.shared_interest.sweeping import Change, Ladder, Sweep, ladder, setting, setting_title, sweep
from interp.shared_interest.tables import by_class, confusion, table
from interp.shared_interest.thresholds import (
    MARGIN,
    CaseCounts,
    Stability,
    counts_by_setting,
    counts_by_threshold,
    stability,
    steadiness,
)

__all__ = [
    "AUTHORS",
    "CASES",
    "HIGH",
    "LOW",
    "MARGIN",
    "NO_ANNOTATION",
    "NO_SALIENCY",
    "OPENING",
    "SCORES",
    "UNCLASSIFIED",
    "Area",
    "Case",
    "CaseCounts",
    "Change",
    "Comparison",
    "Deviations",
    "EvidenceSign",
    "Explained",
    "Explanation",
    "ExplanationPass",
    "Ladder",
    "MapArray",
    "Masks",
    "Counts",
    "Percentile",
    "Rule",
    "ScoreName",
    "Scored",
    "Scores",
    "Scoring",
    "Stability",
    "Sweep",
    "Thresholds",
    "annotated",
    "binarize",
    "by_class",
    "cases",
    "compared",
    "confusion",
    "counts",
    "counts_by_setting",
    "counts_by_threshold",
    "ground_truth_coverage",
    "iou_coverage",
    "ladder",
    "opening_method",
    "overlap",
    "saliency_coverage",
    "score",
    "setting",
    "setting_title",
    "stability",
    "steadiness",
    "sweep",
    "table",
]
