"""Where classifiers come from, their layers and hooks, and what they predict."""

from __future__ import annotations

from interp.models.devices import available_devices, choose_device
from interp.models.download import WeightsUnavailable
from interp.models.ground_truth import GroundTruth, OwnLabels, match_several
from interp.models.labels import LabelMatch, match_labels, match_set
from interp.models.loading import load
from interp.models.offers import Offer, available, folder_problem, stamps
from interp.models.precision import PrecisionAgreement, agreement
from interp.models.predictions import Predictions, merge, predict

__all__ = [
    "LabelMatch",
    "Offer",
    "OwnLabels",
    "PrecisionAgreement",
    "Predictions",
    "GroundTruth",
    "WeightsUnavailable",
    "agreement",
    "available",
    "available_devices",
    "choose_device",
    "folder_problem",
    "load",
    "match_labels",
    "match_set",
    "match_several",
    "merge",
    "predict",
    "stamps",
]
