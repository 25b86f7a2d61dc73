"""Heatmaps: which parts of a picture made the classifier decide as it did. One module for each family of methods."""

from interp.attribution.cams import GradCam
from interp.attribution.comparison import attribute, compare
from interp.attribution.control import Random
from interp.attribution.gradients import Gradient, IntegratedGradients
from interp.attribution.method import Method
from interp.attribution.perturbation import Occlusion

METHODS: dict[str, type[Method]] = {
    method.title: method for method in (Gradient, IntegratedGradients, GradCam, Occlusion, Random)
}
"""All methods by title, in the order in which a picker shows them."""

__all__ = [
    "METHODS",
    "GradCam",
    "Gradient",
    "IntegratedGradients",
    "Method",
    "Occlusion",
    "Random",
    "attribute",
    "compare",
]
