"""What a classifier has learned about each of its classes: the channels that stand out, and how they build up."""

from interp.class_summary.counted import ClassCounts, LayerPair

__all__ = ["ClassCounts", "LayerPair"]
