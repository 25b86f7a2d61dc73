"""What a classifier has learned about each of its classes: the channels that stand out, and how they build up."""

from interp.class_summary.counted import ClassCounts, LayerPair
from interp.class_summary.layers import summary_layers
from interp.class_summary.marks import SHARES
from interp.class_summary.summary import ClassSummary, Influences, summarize, summing

__all__ = [
    "SHARES",
    "ClassCounts",
    "ClassSummary",
    "Influences",
    "LayerPair",
    "summarize",
    "summary_layers",
    "summing",
]
