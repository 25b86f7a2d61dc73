"""What a classifier has learned about each of its classes: the channels that stand out, and how they build up."""

from interp.class_summary.class_embedding import SUMMIT, ClassEmbedding, embed_classes
from interp.class_summary.comparing import GraphOverlap, PairOverlaps, jaccard, overlaps, random_pairs
from interp.class_summary.contrast import ChannelContrast, contrast
from interp.class_summary.counted import ClassCounts, LayerPair
from interp.class_summary.cue_graphs import CueGraph, cue_graphs
from interp.class_summary.edge_agreement import EdgeAgreement, agreement, agreement_said
from interp.class_summary.edges import EdgeEffects, edge_effects
from interp.class_summary.graph import (
    ChannelKey,
    ChannelVertex,
    ClassGraph,
    GraphSettings,
    InfluenceEdge,
    extract,
)
from interp.class_summary.graph_effects import GraphEffects, effects_in_graph
from interp.class_summary.judging import JudgedGraph, graph, judging
from interp.class_summary.layers import summary_layers
from interp.class_summary.marks import SHARES
from interp.class_summary.pagerank import pagerank
from interp.class_summary.parting import Parting, parting
from interp.class_summary.photograph import PhotographMarks, marks_of_photograph
from interp.class_summary.predicted import ClassesBy, labelled_as_predicted
from interp.class_summary.similarity import ClassHierarchy, ClassSimilarity, similarity
from interp.class_summary.summary import ClassSummary, Influences, summarize, summing
from interp.class_summary.summit_files import load, parsed, written
from interp.class_summary.support import Draws, GraphSupport, support

__all__ = [
    "agreement",
    "agreement_said",
    "ChannelContrast",
    "ChannelKey",
    "ChannelVertex",
    "ClassCounts",
    "ClassesBy",
    "ClassEmbedding",
    "ClassGraph",
    "ClassHierarchy",
    "ClassSimilarity",
    "ClassSummary",
    "contrast",
    "Draws",
    "CueGraph",
    "cue_graphs",
    "edge_effects",
    "EdgeAgreement",
    "EdgeEffects",
    "effects_in_graph",
    "embed_classes",
    "extract",
    "graph",
    "GraphEffects",
    "GraphOverlap",
    "GraphSettings",
    "GraphSupport",
    "InfluenceEdge",
    "Influences",
    "jaccard",
    "JudgedGraph",
    "judging",
    "labelled_as_predicted",
    "LayerPair",
    "load",
    "marks_of_photograph",
    "overlaps",
    "pagerank",
    "PairOverlaps",
    "parsed",
    "Parting",
    "parting",
    "PhotographMarks",
    "random_pairs",
    "SHARES",
    "similarity",
    "summarize",
    "summary_layers",
    "summing",
    "SUMMIT",
    "support",
    "written",
]
