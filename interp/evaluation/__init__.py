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
from interp.evaluation.invariance import ShiftInvariance, shift_invariance, shifted_classifier
from interp.evaluation.localization import EnergyInside, Pointing, energy_inside, pointing
from interp.evaluation.planted import CueFirst, cheap, cue_first
from interp.evaluation.randomization import RandomizedStage, cascading_randomization
from interp.evaluation.similarity import spearman, ssim
from interp.evaluation.verdict import Evidence, Level, Verdict, verdict

__all__ = [
    "Agreement",
    "CueFirst",
    "Curve",
    "EnergyInside",
    "Evidence",
    "Faithfulness",
    "Level",
    "Pointing",
    "RandomizedStage",
    "ShiftInvariance",
    "Verdict",
    "agreement",
    "cascading_randomization",
    "cheap",
    "compare",
    "consensus",
    "cue_first",
    "deletion",
    "energy_inside",
    "evidence",
    "insertion",
    "moved",
    "pointing",
    "relative_residual",
    "shift_invariance",
    "shifted_classifier",
    "spearman",
    "ssim",
    "verdict",
]
