"""Activation atlases: all that a layer can tell, on one map (Carter et al. 2019).

mapped = atlas.build(classifier, photos, layer="mixed4d", samples=16, grid=20)
mapped.cells.label, mapped.cells.mean, mapped.cells.mixedness
"""

from interp.atlas.building import (
    NOTEBOOKS,
    RECIPE,
    Atlas,
    atlas_of,
    build,
    grids,
    of_class,
    subset,
    whitened,
)
from interp.atlas.cells import AtlasCells, MapExtent, cells
from interp.atlas.foretelling import ForetoldPatches, fooling, foretold
from interp.atlas.inverted import Inverted, InvertedLevel, LevelTargets, best_real, score
from interp.atlas.inverting import InversionSettings, inversion_settings, inverting
from interp.atlas.mapping import AtlasMap, AtlasSettings, mapping, placing, sampling
from interp.atlas.pasting import (
    CORNERS,
    Corner,
    PastedPatch,
    PastingPass,
    PatchEffect,
    PatchTrial,
    noise,
    tried,
    trying,
)
from interp.atlas.patches import PatchWindows, level_patches, patches
from interp.atlas.placing import LinkedSamples, MapLayout, PlacedPositions, linked, placed
from interp.atlas.sampling import PositionSamples, SampledLayer, SamplePlaces, SamplingPass, sampled
from interp.atlas.two_classes import contrasting

__all__ = [
    "inversion_settings",
    "ForetoldPatches",
    "fooling",
    "foretold",
    "MapLayout",
    "placing",
    "score",
    "sampling",
    "mapping",
    "level_patches",
    "inverting",
    "best_real",
    "LevelTargets",
    "InversionSettings",
    "InvertedLevel",
    "Inverted",
    "AtlasSettings",
    "AtlasMap",
    "CORNERS",
    "NOTEBOOKS",
    "RECIPE",
    "Atlas",
    "AtlasCells",
    "Corner",
    "LinkedSamples",
    "MapExtent",
    "PastedPatch",
    "PastingPass",
    "PatchEffect",
    "PatchTrial",
    "PatchWindows",
    "PlacedPositions",
    "PositionSamples",
    "SampledLayer",
    "SamplePlaces",
    "SamplingPass",
    "atlas_of",
    "build",
    "cells",
    "contrasting",
    "grids",
    "linked",
    "noise",
    "of_class",
    "patches",
    "placed",
    "sampled",
    "subset",
    "tried",
    "trying",
    "whitened",
]
