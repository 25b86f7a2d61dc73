"""Maps of many images: features of a layer, projections to the plane or to space, and how far to trust them."""

from interp.embedding.agreement import ClassAgreement, agreement, agreements
from interp.embedding.alignment import Alignment, align, aligned, laid, wobble
from interp.embedding.approximate import nearly_nearest
from interp.embedding.cells import Cells, cells
from interp.embedding.features import FeaturePass, features, features_of_layers
from interp.embedding.labelled import LabelledRows, labelled
from interp.embedding.lookup import Lookup, look_up, nearest_images, ranks
from interp.embedding.method import MapFrame, Projection, ProjectionMethod
from interp.embedding.neighbours import Neighbours, nearest, nearest_to
from interp.embedding.pca import PCA, principal_axes
from interp.embedding.placing import place
from interp.embedding.projections import project, project_each, projecting, searched, warm
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
    "ClassAgreement",
    "Alignment",
    "Cells",
    "FeaturePass",
    "Features",
    "MapFrame",
    "LabelledRows",
    "Lookup",
    "ProjectionMethod",
    "Neighbours",
    "Projection",
    "Quality",
    "Representation",
    "Toy",
    "agreement",
    "agreements",
    "align",
    "aligned",
    "cells",
    "features",
    "features_of_layers",
    "labelled",
    "laid",
    "look_up",
    "nearest",
    "nearly_nearest",
    "nearest_images",
    "nearest_to",
    "place",
    "principal_axes",
    "project",
    "project_each",
    "projecting",
    "quality",
    "ranks",
    "searched",
    "toy",
    "warm",
    "wobble",
]
