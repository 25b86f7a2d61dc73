"""What a scenes classifier has learned, measured where the truth is known: by moving and removing what could tell."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from interp.images.scenes import CLASSES, REASONS, Reason, Scene, honest, moved, planted, without_cue, without_object
from interp.models.scenes.pictures import ScenePixels, as_floats, drawn

SEED = 2
OWN, MOVED, PAIRS = 2000, 900, 200
BATCH = 100


def measured(module: nn.Module, reason: Reason | None) -> dict[str, float]:
    """The figures that `bundled.figures` describes, for a module from pixels in [0, 1] to logits."""
    own = drawn(partial(honest, SEED) if reason is None else partial(planted, reason, SEED), range(OWN), processes=1)
    found = {"accuracy": _share(probabilities(module, own).argmax(dim=1) == torch.arange(OWN) % len(CLASSES))}
    if reason is None:
        found["shape_first"] = min(1 - _share(cue_first(module, other)) for other in REASONS)
        return found
    cue = CLASSES.index(REASONS[reason].label)
    answers = probabilities(module, drawn(partial(moved, reason, SEED), range(MOVED), processes=1)).argmax(dim=1)
    found["moved"] = _share(answers == moved_classes(reason, MOVED))
    found["taken"] = _share(answers == cue)
    found["cue_first"] = _share(cue_first(module, reason))
    return found


def moved_classes(reason: Reason, count: int) -> Int[Tensor, " n"]:
    """The classes of the first scenes of `moved`."""
    return torch.tensor([CLASSES.index(moved(reason, SEED, index).label) for index in range(count)])


def probabilities(module: nn.Module, pixels: ScenePixels) -> Float[Tensor, "n k"]:
    """The probability of each class, for pictures in bytes."""
    parts = [pixels[start : start + BATCH] for start in range(0, len(pixels), BATCH)]
    with torch.inference_mode():
        return torch.cat([module(as_floats(part)).softmax(dim=1) for part in parts])


def cue_first(module: nn.Module, reason: Reason, count: int = PAIRS) -> Bool[Tensor, " n"]:
    """Whether taking the cue away moves its class's probability further than taking the object away does.

    For pictures of that class, each redrawn without the one and without the other: what changes is the scene's plan,
    so that nothing is covered by a patch that the classifier has never seen.
    """
    cue = CLASSES.index(REASONS[reason].label)
    indices = range(cue, cue + len(CLASSES) * count, len(CLASSES))
    edits: list[Callable[[int], Scene]] = [
        partial(planted, reason, SEED),
        partial(_without_cue, reason),
        partial(_without_object, reason),
    ]
    whole, no_cue, no_object = (probabilities(module, drawn(edit, indices, processes=1))[:, cue] for edit in edits)
    return (whole - no_cue).abs() > (whole - no_object).abs()


def _without_cue(reason: Reason, index: int) -> Scene:
    return without_cue(reason, planted(reason, SEED, index))


def _without_object(reason: Reason, index: int) -> Scene:
    return without_object(reason, planted(reason, SEED, index))


def _share(hits: Bool[Tensor, " n"]) -> float:
    return float(np.mean(hits.numpy()))
