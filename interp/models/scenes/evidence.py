"""What a classifier says of scenes that are redrawn without the cue, without the object, or with the cue moved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8

from interp.images.scenes import CLASSES, REASONS, Reason, draw, honest, planted, with_cue, without_cue, without_object
from interp.models.scenes.pictures import as_floats
from interp.types import Classifier

SEED = 21


@dataclass(frozen=True, eq=False)
class CueEvidence:
    """Four pictures, and the probability of the cue's class for each.

    They are: a scene of the cue's class with its cue; the same without the cue; the same without the object; a scene
    of another class, with the cue. `other` is that class.
    """

    pixels: UInt8[np.ndarray, "n h w 3"]
    probabilities: Float[np.ndarray, " n"]
    other: str


def evidence(classifier: Classifier, reason: Reason, index: int) -> CueEvidence:
    """The `index`-th example of what a reason does to a classifier whose labels are the scenes' classes.

    Raises `ValueError` for a classifier that does not know the cue's class.
    """
    label = REASONS[reason].label
    if label not in classifier.labels:
        raise ValueError(f"{classifier.name} has no class {label!r}: choose one of the classifiers of scenes.")
    turn = [one for one in CLASSES if one != label]
    other = turn[index % len(turn)]
    first = planted(reason, SEED, CLASSES.index(label) + len(CLASSES) * index)
    moved = with_cue(reason, honest(SEED, CLASSES.index(other) + len(CLASSES) * index))
    scenes = [first, without_cue(reason, first), without_object(reason, first), moved]
    pixels = np.stack([draw(scene).pixels for scene in scenes])
    with classifier.lock, torch.inference_mode():
        logits = classifier.module(as_floats(pixels.transpose(0, 3, 1, 2)).to(classifier.device))
    probabilities = classifier.linked(logits)[:, classifier.labels.index(label)].cpu().numpy()
    return CueEvidence(pixels, probabilities, other)
