"""How far a heatmap can be trusted: what is measured of it, beside a control, and a verdict in words."""

from interp.evaluation.agreement import Agreement, agreement, consensus
from interp.evaluation.faithfulness import (
    Curve,
    Faithfulness,
    compare,
    deletion,
    insertion,
    moved,
)
from interp.evaluation.gathering import evidence, relative_residual
from interp.evaluation.invariance import ShiftInvariance, shift_invariance, shifted_classifier, shifts
from interp.evaluation.judging import JudgedMethod, Judgements, judgements, judging_passes
from interp.evaluation.localization import (
    EnergyInside,
    Located,
    Overlap,
    Pointing,
    energy_inside,
    located,
    overlap,
    pointing,
)
from interp.evaluation.planted import CueFirst, cue_first
from interp.evaluation.precision import CORRELATION, RATIO, ReducedPrecision, reduced
from interp.evaluation.randomization import RandomizedStage, cascading_randomization
from interp.evaluation.similarity import spearman, ssim
from interp.evaluation.verdict import Evidence, Verdict, VerdictLevel, verdict

__all__ = [
    "CORRELATION",
    "RATIO",
    "Agreement",
    "CueFirst",
    "Curve",
    "EnergyInside",
    "Evidence",
    "Faithfulness",
    "JudgedMethod",
    "Judgements",
    "VerdictLevel",
    "Located",
    "Overlap",
    "Pointing",
    "RandomizedStage",
    "ReducedPrecision",
    "ShiftInvariance",
    "Verdict",
    "agreement",
    "cascading_randomization",
    "compare",
    "consensus",
    "cue_first",
    "deletion",
    "energy_inside",
    "evidence",
    "insertion",
    "judgements",
    "judging_passes",
    "located",
    "moved",
    "overlap",
    "pointing",
    "reduced",
    "relative_residual",
    "shift_invariance",
    "shifted_classifier",
    "shifts",
    "spearman",
    "ssim",
    "verdict",
]
