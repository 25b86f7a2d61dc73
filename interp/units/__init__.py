"""What one channel does, what all of a layer do, and what happens without them."""

from interp.units.ablation import UnitAblation
from interp.units.ablation_changes import ChangePass, PredictionChanges, changing
from interp.units.ablation_draws import Ablated, ablate, ablating
from interp.units.ablation_effects import UnitEffects, unit_effects
from interp.units.ablation_greedy import GreedySet, greedily, greedy
from interp.units.ablation_means import MeanPass
from interp.units.ablation_removal import Removal
from interp.units.ablation_sums import AblationSums, added
from interp.units.as_target import UnitClassifier, units_of
from interp.units.axes import AxesDissection, dissecting_axes
from interp.units.cav import CavPass, CavRows, ConceptSensitivity, tcav
from interp.units.combinations import CombinationOverlap, Combinations, combine, combining, halves
from interp.units.concepts import ConceptSource, concepts
from interp.units.conditioned import conditioned, relevance_of_units, strongest_relevance
from interp.units.counting import UnitPass
from interp.units.counts import Counted, merged
from interp.units.curves import DropCurve, by_score, curves_of_class, drop_curve, drop_curves, ranking
from interp.units.describing import describe, describing
from interp.units.dissection import DETECTOR, Dissection, LayerDissection, dissect, dissecting, tallying
from interp.units.driving import what_drives
from interp.units.likeness import CellLikeness, LikeCells, cell_vectors
from interp.units.mask_overlap import MaskOverlap, mask_overlaps
from interp.units.overlap import ConceptOverlap, OverlapCounts
from interp.units.probes import Tuning, probe
from interp.units.relevance import ClassRelevance, RelevancePass, RelevantImages, relevant_images
from interp.units.seen import ConceptImages, seen_concepts, singled_out, with_masks
from interp.units.source_terms import CarriedTerm, InputUnit, KernelTerm, UnitSources, UnknownTerm
from interp.units.sources import sources
from interp.units.tally import LayerTally, UnitTally
from interp.units.top_images import TopImages, top_images
from interp.units.wall import ChannelMaps, WallScale, between_centres, channel_maps, over_threshold
from interp.units.words import Clause, LayerWords, UnitWords

__all__ = [
    "DETECTOR",
    "Ablated",
    "AblationSums",
    "AxesDissection",
    "CarriedTerm",
    "CavPass",
    "CavRows",
    "CellLikeness",
    "ChangePass",
    "ChannelMaps",
    "ClassRelevance",
    "Clause",
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
    "InputUnit",
    "KernelTerm",
    "LayerDissection",
    "LayerTally",
    "LayerWords",
    "LikeCells",
    "MaskOverlap",
    "MeanPass",
    "OverlapCounts",
    "PredictionChanges",
    "RelevancePass",
    "RelevantImages",
    "Removal",
    "TopImages",
    "Tuning",
    "UnitAblation",
    "UnitClassifier",
    "UnitEffects",
    "UnitPass",
    "UnitSources",
    "UnitTally",
    "UnitWords",
    "UnknownTerm",
    "WallScale",
    "ablate",
    "ablating",
    "added",
    "between_centres",
    "by_score",
    "cell_vectors",
    "changing",
    "channel_maps",
    "combine",
    "combining",
    "concepts",
    "conditioned",
    "curves_of_class",
    "describe",
    "describing",
    "dissect",
    "dissecting",
    "dissecting_axes",
    "drop_curve",
    "drop_curves",
    "greedily",
    "greedy",
    "halves",
    "mask_overlaps",
    "merged",
    "over_threshold",
    "probe",
    "ranking",
    "relevance_of_units",
    "relevant_images",
    "seen_concepts",
    "singled_out",
    "sources",
    "strongest_relevance",
    "tallying",
    "tcav",
    "top_images",
    "unit_effects",
    "units_of",
    "what_drives",
    "with_masks",
]
