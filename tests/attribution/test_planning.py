"""What a comparison is said to cost, before it runs."""

from __future__ import annotations

import torch

from interp.attribution import (
    GradCam,
    Gradient,
    Sensitivity,
    SmoothGrad,
    VarGrad,
    measured_pass,
    planned_passes,
)
from interp.types import Classifier


def test_the_plan_counts_what_is_shared_once(tiny: Classifier) -> None:
    assert planned_passes(tiny, [Gradient(), Sensitivity(), GradCam()]) == 1
    assert planned_passes(tiny, [SmoothGrad(5), VarGrad(5)]) == 5
    assert planned_passes(tiny, [SmoothGrad(5), VarGrad(4), Gradient()]) == 10
    assert planned_passes(tiny, []) == 0


def test_the_memory_is_what_the_layers_keep(tiny: Classifier) -> None:
    found = measured_pass(tiny)
    assert 0 < found.seconds < 10
    height, width = tiny.input_size
    picture = 3 * height * width * 4
    batch = min(256, max(1, 8 * 224 * 224 // (height * width)))
    # At the least the normalized picture that the first convolution reads, at the most every activation twice.
    assert batch * picture <= found.memory < batch * (picture + 2 * activations(tiny))


def activations(classifier: Classifier) -> int:
    """The bytes of all that the modules give for one image."""
    sizes = []
    with torch.no_grad():
        handles = [
            module.register_forward_hook(lambda _, __, output: sizes.append(output.numel() * 4))
            for module in classifier.module.modules()
            if not list(module.children())
        ]
        classifier.module(torch.zeros(1, 3, *classifier.input_size))
    for handle in handles:
        handle.remove()
    return sum(sizes)
