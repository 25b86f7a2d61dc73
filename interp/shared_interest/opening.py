"""With what to begin, before anything is chosen: the maps and thresholds that tell known reasons apart well."""

from __future__ import annotations

from interp.attribution import GradCamPlusPlus
from interp.models.scenes import bundled
from interp.shared_interest.cases import Thresholds
from interp.types import Classifier

OPENING = Thresholds(0.3, 0.4)
"""Nearer than the authors', since the map of a coarse layer cannot follow an outline (benchmarks/RESULTS.md)."""

FINER = "mixed4c"
"""Of the bundled classifiers of scenes: its 14 × 14 cells follow an outline better than the last layer's 7 × 7."""


def opening_method(classifier: Classifier) -> GradCamPlusPlus:
    """Grad-CAM++: at `FINER` for a classifier of scenes, where that was measured, else at the last spatial layer."""
    return GradCamPlusPlus(layer=FINER if bundled.of_scenes(classifier) else classifier.last_spatial_layer.name)
