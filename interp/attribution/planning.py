"""What a comparison costs before it runs: passes by the methods' own counts, time and memory by a measured pass."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from interp.attribution.method import Method
from interp.passes.target_score import TargetScore
from interp.types import Classifier, Images, Target

_PICTURES = 4


@dataclass(frozen=True)
class Pass:
    """What one forward and one backward pass cost.

    `seconds` on the clock, for one image of a batch; `memory` in bytes: what the forward pass of a batch as large as
    methods make it keeps for the backward pass, the weights left out.
    """

    seconds: float
    memory: int


def planned_passes(classifier: Classifier, methods: Sequence[Method]) -> float:
    """How many forward and backward passes `compare` takes for one image, those that methods share counted once."""
    groups: dict[object, float] = {}
    for method in methods:
        key = method.sharing()
        groups[key] = max(groups.get(key, 0.0), method.cost(classifier))
    return float(sum(groups.values()))


def measured_pass(classifier: Classifier) -> Pass:
    """Run a forward and a backward pass of a few seeded pictures, once to warm up and once to measure.

    Other work on the device at the same moment is measured with it. Costs about eight passes.
    """
    height, width = classifier.input_size
    seeded = torch.Generator().manual_seed(0)
    pixels = torch.rand(_PICTURES, classifier.channels, height, width, generator=seeded).to(classifier.device)
    names = tuple(str(one) for one in range(_PICTURES))
    target_score = TargetScore(classifier, Images(pixels, names), (Target(0),) * _PICTURES)
    rows = torch.arange(_PICTURES)
    memory = _kept(target_score, pixels, rows)
    start = time.perf_counter()
    target_score.gradients(pixels, rows)
    if classifier.device.type == "cuda":
        torch.cuda.synchronize(classifier.device)
    return Pass((time.perf_counter() - start) / _PICTURES, memory // _PICTURES * target_score.batch_size)


def _kept(target_score: TargetScore, pixels: Tensor, rows: Tensor) -> int:
    """The bytes that a forward pass keeps for its backward pass, each storage counted once, the weights left out."""
    weights = {parameter.untyped_storage().data_ptr() for parameter in target_score.classifier.module.parameters()}
    sizes: dict[int, int] = {}

    def count(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            sizes[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        target_score.gradients(pixels, rows)
    return sum(sizes.values())
