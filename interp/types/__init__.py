"""The few data types that everything speaks: images, classifiers, layers, targets, heatmaps."""

from __future__ import annotations

from interp.types.classifiers import Classifier, Finding, Layer, Outputs
from interp.types.digests import Digest, Fingerprinted, digest
from interp.types.heatmaps import Heatmaps
from interp.types.pictures import Images, Preprocessing
from interp.types.targets import Target, Targets, scores

__all__ = [
    "Classifier",
    "Digest",
    "Finding",
    "Fingerprinted",
    "Heatmaps",
    "Images",
    "Layer",
    "Outputs",
    "Preprocessing",
    "Target",
    "Targets",
    "digest",
    "scores",
]
