"""What one channel does, what all of a layer do, and what happens without them."""

from interp.units.ablation import UnitAblationPass
from interp.units.ablation_draws import Ablated, ablate, ablating
from interp.units.ablation_greedy import GreedySet, greedily, greedy
from interp.units.ablation_means import MeanPass
from interp.units.ablation_removal import Removal
from interp.units.ablation_sums import AblationSums, added
from interp.units.as_target import UnitClassifier, units_of
from interp.units.concepts import ConceptSource, concepts
from interp.units.conditioned import conditioned, relevance_of_units
from interp.units.counting import Counted, UnitPass, merged
from interp.units.curves import DropCurve, by_score, drop_curve, drop_curves, ranking
from interp.units.describing import describe, describing
from interp.units.dissection import DETECTOR, Dissection, LayerDissection, dissect, dissecting, tallying
from interp.units.driving import what_drives
from interp.units.overlap import ConceptOverlap, OverlapCounts
from interp.units.probes import Tuning, probe
from interp.units.tally import LayerTally, UnitTally
from interp.units.top_images import TopImages, top_images
from interp.units.words import Clause, LayerWords, UnitWords

__all__ = [
    "DETECTOR",
    "Ablated",
    "AblationSums",
    "Clause",
    "ConceptOverlap",
    "ConceptSource",
    "Counted",
    "Dissection",
    "DropCurve",
    "GreedySet",
    "LayerDissection",
    "LayerTally",
    "LayerWords",
    "MeanPass",
    "OverlapCounts",
    "Removal",
    "TopImages",
    "Tuning",
    "UnitAblationPass",
    "UnitClassifier",
    "UnitPass",
    "UnitTally",
    "UnitWords",
    "ablate",
    "ablating",
    "added",
    "by_score",
    "concepts",
    "conditioned",
    "describe",
    "describing",
    "dissect",
    "dissecting",
    "drop_curve",
    "drop_curves",
    "greedily",
    "greedy",
    "merged",
    "probe",
    "ranking",
    "relevance_of_units",
    "tallying",
    "top_images",
    "units_of",
    "what_drives",
]
