"""Heatmaps: which parts of a picture made the classifier decide as it did. One module for each family of methods."""

# Each method is listed once, in the catalogue.
from interp.attribution.catalogue import *  # noqa: F403
from interp.attribution.comparison import attribute as attribute
from interp.attribution.comparison import compare as compare
from interp.attribution.every_class import ClassMaps as ClassMaps
from interp.attribution.every_class import class_maps as class_maps
from interp.attribution.method import Method as Method
from interp.attribution.planning import Pass as Pass
from interp.attribution.planning import measured_pass as measured_pass
from interp.attribution.planning import planned_passes as planned_passes
