"""What a classifier has learned about each of its classes: the channels that stand out, and how they build up."""

from interp.class_summary.counted import ClassCounts, LayerPair
from interp.class_summary.graph import (
    ChannelKey,
    ChannelVertex,
    ClassGraph,
    GraphSettings,
    InfluenceEdge,
    extract,
)
from interp.class_summary.pagerank import pagerank
from interp.class_summary.summit_files import load, written

__all__ = [
    "ChannelKey",
    "ChannelVertex",
    "ClassCounts",
    "ClassGraph",
    "GraphSettings",
    "InfluenceEdge",
    "LayerPair",
    "extract",
    "load",
    "pagerank",
    "written",
]
