"""What one channel does, what all of a layer do, and what happens without them."""

from interp.units.as_target import UnitClassifier, units_of
from interp.units.concepts import ConceptSource, concepts
from interp.units.conditioned import conditioned, relevance_of_units
from interp.units.counting import Counted, UnitPass, merged
from interp.units.dissection import DETECTOR, Dissection, LayerDissection, dissect, dissecting, tallying
from interp.units.driving import what_drives
from interp.units.overlap import ConceptOverlap, OverlapCounts
from interp.units.tally import LayerTally, UnitTally
from interp.units.top_images import TopImages, top_images

__all__ = [
    "DETECTOR",
    "ConceptOverlap",
    "ConceptSource",
    "Counted",
    "Dissection",
    "LayerDissection",
    "LayerTally",
    "OverlapCounts",
    "TopImages",
    "UnitClassifier",
    "UnitPass",
    "UnitTally",
    "concepts",
    "conditioned",
    "dissect",
    "dissecting",
    "merged",
    "relevance_of_units",
    "tallying",
    "top_images",
    "units_of",
    "what_drives",
]
