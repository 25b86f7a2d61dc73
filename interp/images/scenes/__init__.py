"""Scenes: pictures of cut paper whose explanation is known, because a program has drawn them from a plan."""

from interp.images.scenes.composing import (
    REASONS,
    Planted,
    Reason,
    honest,
    moved,
    planted,
    taught,
    with_cue,
    without_cue,
    without_object,
)
from interp.images.scenes.drawing import draw
from interp.images.scenes.sample import load
from interp.images.scenes.scene import CLASSES, PLACES, SIZE, TEXTURES, Light, Palette, Rendering, Scene, Segment, Thing
from interp.images.scenes.sets import PLANTED_TITLES, generated, of_scenes, planted_sets

__all__ = [
    "CLASSES",
    "PLACES",
    "PLANTED_TITLES",
    "REASONS",
    "SIZE",
    "TEXTURES",
    "Rendering",
    "Light",
    "Palette",
    "Planted",
    "Reason",
    "Scene",
    "Segment",
    "Thing",
    "draw",
    "generated",
    "honest",
    "load",
    "moved",
    "of_scenes",
    "planted",
    "planted_sets",
    "taught",
    "with_cue",
    "without_cue",
    "without_object",
]
