"""What one channel does, what all of a layer do, and what happens without them."""

from interp.units.ablation import UnitAblationPass
from interp.units.ablation_draws import Ablated, ablate, ablating
from interp.units.ablation_greedy import GreedySet, greedily, greedy
from interp.units.ablation_means import MeanPass
from interp.units.ablation_removal import Removal
from interp.units.ablation_sums import AblationSums, added
from interp.units.as_target import UnitClassifier, units_of
from interp.units.axes import AxesDissection, dissecting_axes
from interp.units.cav import CavPass, CavRows, ConceptSensitivity, tcav
from interp.units.combinations import CombinationOverlap, Combinations, combine, combining, halves
from interp.units.concepts import ConceptSource, concepts
from interp.units.conditioned import conditioned, relevance_of_units
from interp.units.counting import Counted, UnitPass, merged
from interp.units.curves import DropCurve, by_score, drop_curve, drop_curves, ranking
from interp.units.dissection import DETECTOR, Dissection, LayerDissection, dissect, dissecting, tallying
from interp.units.driving import what_drives
from interp.units.overlap import ConceptOverlap, OverlapCounts
from interp.units.seen import ConceptImages, seen_concepts, singled_out, with_masks
from interp.units.tally import LayerTally, UnitTally
from interp.units.top_images import TopImages, top_images

__all__ = [
    "DETECTOR",
    "Ablated",
    "AblationSums",
    "AxesDissection",
    "CavPass",
    "CavRows",
    "CombinationOverlap",
    "Combinations",
    "ConceptImages",
    "ConceptOverlap",
    "ConceptSensitivity",
    "ConceptSource",
    "Counted",
    "Dissection",
    "DropCurve",
    "GreedySet",
    "LayerDissection",
    "LayerTally",
    "MeanPass",
    "OverlapCounts",
    "Removal",
    "TopImages",
    "UnitAblationPass",
    "UnitClassifier",
    "UnitPass",
    "UnitTally",
    "ablate",
    "ablating",
    "added",
    "by_score",
    "combine",
    "combining",
    "concepts",
    "conditioned",
    "dissect",
    "dissecting",
    "dissecting_axes",
    "drop_curve",
    "drop_curves",
    "greedily",
    "greedy",
    "halves",
    "merged",
    "ranking",
    "relevance_of_units",
    "seen_concepts",
    "singled_out",
    "tallying",
    "tcav",
    "top_images",
    "units_of",
    "what_drives",
    "with_masks",
]
