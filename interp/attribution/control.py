"""The control: a map that knows nothing of the model. What beats it not clearly has shown nothing."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from interp.attribution import baselines
from interp.attribution.method import Maps, Method
from interp.passes.target_score import TargetScore
from interp.types import Classifier


@dataclass(frozen=True)
class Random(Method):
    """Noise, uniform in −1 to 1, independent from pixel to pixel: the same for the same picture and seed."""

    seed: int = 0

    title = "Random"
    signed = True
    summary = "Noise that knows nothing of the model: the control that every comparison contains."
    formula = r"\mathcal{U}(-1, 1)"
    source = "A control, as in Hooker et al. 2019, A benchmark for interpretability methods"
    pitfalls = (
        "It is rough from pixel to pixel, so beside a smooth map like Grad-CAM it differs by its roughness as well as "
        "by its ignorance."
    )

    def cost(self, classifier: Classifier) -> float:
        """No pass at all."""
        return 0.0

    def maps(self, target_score: TargetScore) -> Maps:
        """The noise of each picture."""
        pixels = target_score.images.pixels
        noise = [torch.rand(image.shape[1:], generator=baselines.generator(image, self.seed)) for image in pixels]
        return Maps(torch.stack(noise).to(pixels) * 2 - 1)
