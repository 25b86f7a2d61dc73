"""How pictures are made where nothing else is asked for: the same on pages and from the command line."""

from __future__ import annotations

from interp.feature_visualization.climbing import Settings
from interp.feature_visualization.colours import IMAGENET, Colours, measured
from interp.feature_visualization.parameterizations import Fourier
from interp.images import ImageSet
from interp.types import Classifier

SIDE = 128
"""Of pictures on sheets, in pixels, where the classifier sees more than that."""

IMAGENET_CLASSES = 1000


def usual(classifier: Classifier, steps: int, colours: Colours = IMAGENET) -> Settings:
    """So many steps in Fourier space, in these colours, under the standard transforms."""
    return Settings(steps, Fourier(min(SIDE, *classifier.input_size), colours))


def colours_of(classifier: Classifier, photos: ImageSet) -> Colours:
    """Those of photographs for a classifier of ImageNet's 1,000 classes, else those that the image set has.

    Raises `ValueError` where no image of the set can be read.
    """
    return IMAGENET if len(classifier.labels) == IMAGENET_CLASSES else measured(photos)
