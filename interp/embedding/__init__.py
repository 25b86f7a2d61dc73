"""Maps of many images: features of a layer, projections to the plane or to space, and how far to trust them."""

from interp.embedding.agreement import Agreement, agreement
from interp.embedding.alignment import Alignment, align, aligned, wobble
from interp.embedding.cells import Cells, cells
from interp.embedding.features import FeaturePass, features, features_of_layers
from interp.embedding.method import Frame, Method, Projection
from interp.embedding.neighbours import Neighbours, nearest, nearest_to
from interp.embedding.pca import PCA, principal_axes
from interp.embedding.placing import place
from interp.embedding.projections import compare, project, projecting, searched, warm
from interp.embedding.quality import Quality, quality
from interp.embedding.representations import Features, Representation
from interp.embedding.toys import TOYS, Toy, toy
from interp.embedding.tsne import TSNE
from interp.embedding.umap import UMAP

__all__ = [
    "PCA",
    "TOYS",
    "TSNE",
    "UMAP",
    "Agreement",
    "Alignment",
    "Cells",
    "FeaturePass",
    "Features",
    "Frame",
    "Method",
    "Neighbours",
    "Projection",
    "Quality",
    "Representation",
    "Toy",
    "agreement",
    "align",
    "aligned",
    "cells",
    "compare",
    "features",
    "features_of_layers",
    "nearest",
    "nearest_to",
    "place",
    "principal_axes",
    "project",
    "projecting",
    "quality",
    "searched",
    "toy",
    "warm",
    "wobble",
]
