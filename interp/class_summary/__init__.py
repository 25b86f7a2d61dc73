"""What a classifier has learned about each of its classes: the channels that stand out, and how they build up."""

from interp.class_summary.class_embedding import SUMMIT, ClassEmbedding, embed_classes
from interp.class_summary.comparing import GraphOverlap, PairOverlaps, jaccard, overlaps, random_pairs
from interp.class_summary.contrast import ChannelContrast, contrast
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
from interp.class_summary.parting import Parting, parting
from interp.class_summary.similarity import ClassHierarchy, ClassSimilarity, similarity
from interp.class_summary.summit_files import load, written
from interp.class_summary.support import Draws, GraphSupport, support

__all__ = [
    "SUMMIT",
    "ChannelContrast",
    "ChannelKey",
    "ChannelVertex",
    "ClassCounts",
    "ClassGraph",
    "GraphOverlap",
    "ClassHierarchy",
    "ClassEmbedding",
    "ClassSimilarity",
    "Draws",
    "GraphSettings",
    "GraphSupport",
    "InfluenceEdge",
    "LayerPair",
    "PairOverlaps",
    "Parting",
    "embed_classes",
    "contrast",
    "extract",
    "jaccard",
    "load",
    "overlaps",
    "pagerank",
    "parting",
    "random_pairs",
    "similarity",
    "support",
    "written",
]
