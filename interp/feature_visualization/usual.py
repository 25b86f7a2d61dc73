"""How pictures are made where nothing else is asked for: the same on pages and from the command line."""

from __future__ import annotations

import torch

from interp.feature_visualization.colours import IMAGENET, Colours, measured
from interp.feature_visualization.objective import LOGITS
from interp.feature_visualization.optimization import Settings
from interp.feature_visualization.parameterizations import Fourier
from interp.feature_visualization.reading import counted_runs
from interp.images import ImageSet
from interp.types import Classifier

SIDE = 128
"""Of pictures on sheets, in pixels, where the classifier sees more than that."""

IMAGENET_CLASSES = 1000


def usual(classifier: Classifier, steps: int, colours: Colours = IMAGENET, *, side: int = SIDE) -> Settings:
    """So many steps in Fourier space, in these colours, under the standard transforms.

    Pictures are `side` × `side` pixels, or as small as what the classifier was trained on. A network that takes no
    other size than that, such as a vision transformer, gets pictures of its own size; one pass tells.
    """
    side = min(side, *classifier.input_size)
    return Settings(steps, Fourier(side if _takes(classifier, side) else None, colours))


def _takes(classifier: Classifier, side: int) -> bool:
    """Whether the network can be run on pictures of this size."""
    if classifier.input_size == (side, side):
        return True
    try:
        with classifier.lock, torch.inference_mode(False), torch.no_grad():
            counted_runs(
                classifier, (LOGITS,), torch.zeros(1, classifier.channels, side, side, device=classifier.device)
            )
    except ValueError:
        return False
    return True


def colours_of(classifier: Classifier, photos: ImageSet) -> Colours:
    """Those of photographs for a classifier of ImageNet's 1,000 classes, else those that the image set has.

    Raises `ValueError` where no image of the set can be read.
    """
    return IMAGENET if len(classifier.labels) == IMAGENET_CLASSES else measured(photos)
