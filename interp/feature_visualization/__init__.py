"""Pictures that show what a network responds to: objectives, parameterizations, transforms, and the loop over them.

picture = feature_visualization.optimize(classifier, feature_visualization.Channel("features.12", 3), steps=512)
picture.pixels, picture.values, picture.frames, picture.dead
"""

from interp.feature_visualization.checks import (
    LITTLE,
    MUCH,
    Robustness,
    Tones,
    finest,
    moved,
    robustness,
    tones,
)
from interp.feature_visualization.colours import IMAGENET, INDEPENDENT, Colours, measured
from interp.feature_visualization.matching import Diversity, Match, caricature
from interp.feature_visualization.objective import Objective, Sum, Term, interpolation
from interp.feature_visualization.objectives import Channel, Contrast, Direction, Layer, Logit, Neuron, Probability
from interp.feature_visualization.optimization import FRAMES, Settings, optimizing
from interp.feature_visualization.parameterizations import Code, Fourier, Parameterization, Pixels
from interp.feature_visualization.pictures import Picture, pictures
from interp.feature_visualization.reading import Reading
from interp.feature_visualization.rectified import before_rectifier
from interp.feature_visualization.regularizers import L2, Density, Regularizer, TotalVariation
from interp.feature_visualization.result import Frame, Visualization, joined
from interp.feature_visualization.seeing import Near, map_of, nearest
from interp.feature_visualization.sheets import SheetPart, batch_for, channels_of, optimize, sheet
from interp.feature_visualization.sketches import SKETCH_STEPS, sketches
from interp.feature_visualization.starts import FromPictures, Noise, Start, mean_image, mean_images
from interp.feature_visualization.tallies import Tally, counted, strengths, tallied
from interp.feature_visualization.transforms import (
    STANDARD,
    Jitter,
    Pad,
    Rotate,
    Scale,
    Sometimes,
    Transform,
    Warp,
    drawn,
)
from interp.feature_visualization.usual import SIDE, colours_of, usual
from interp.images import bytes_of, pixels_of

__all__ = [
    "FRAMES",
    "IMAGENET",
    "INDEPENDENT",
    "L2",
    "LITTLE",
    "MUCH",
    "SIDE",
    "SKETCH_STEPS",
    "STANDARD",
    "Channel",
    "Code",
    "Colours",
    "Contrast",
    "Density",
    "Direction",
    "Diversity",
    "Fourier",
    "Frame",
    "FromPictures",
    "Jitter",
    "Layer",
    "Logit",
    "Match",
    "Near",
    "Neuron",
    "Noise",
    "Objective",
    "Pad",
    "Parameterization",
    "SheetPart",
    "Picture",
    "Pixels",
    "Probability",
    "Reading",
    "Regularizer",
    "Robustness",
    "Rotate",
    "Scale",
    "Settings",
    "Sometimes",
    "Start",
    "Sum",
    "Tally",
    "Term",
    "Tones",
    "TotalVariation",
    "Transform",
    "Visualization",
    "Warp",
    "batch_for",
    "before_rectifier",
    "bytes_of",
    "caricature",
    "channels_of",
    "colours_of",
    "counted",
    "drawn",
    "finest",
    "interpolation",
    "joined",
    "map_of",
    "mean_image",
    "mean_images",
    "measured",
    "moved",
    "nearest",
    "optimize",
    "optimizing",
    "pictures",
    "pixels_of",
    "robustness",
    "sheet",
    "sketches",
    "strengths",
    "tallied",
    "tones",
    "usual",
]
