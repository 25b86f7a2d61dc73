"""Reduced precision, taken only where its results agree with float32's."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from interp.models import probes
from interp.types import Classifier, Finding, Images

# Explanations are read off gradients, so this is stricter than what a trained SqueezeNet reaches on photographs
# (0.98, 0.044 and 0.955, measured on 200): it stays in float32.
TOP1_AGREEMENT = 0.99
PROBABILITY_DIFFERENCE = 0.02
GRADIENT_COSINE = 0.99
PICTURES = 8


@dataclass(frozen=True)
class PrecisionAgreement:
    """How far bfloat16 agrees with float32 on some images.

    `top1`: the share of images with the same top class. `probability_difference`: the largest over images and classes.
    `gradient_cosine`: the mean over images of the cosine between the gradients of float32's top logit to the pixels.
    """

    top1: float
    probability_difference: float
    gradient_cosine: float

    @property
    def holds(self) -> bool:
        """Whether all three are within the stated tolerances."""
        return (
            self.top1 >= TOP1_AGREEMENT
            and self.probability_difference <= PROBABILITY_DIFFERENCE
            and self.gradient_cosine >= GRADIENT_COSINE
        )

    def __str__(self) -> str:
        return (
            f"top-1 agreement {self.top1:.0%} (needed {TOP1_AGREEMENT:.0%}), largest probability difference "
            f"{self.probability_difference:.3f} (allowed {PROBABILITY_DIFFERENCE}), gradient cosine "
            f"{self.gradient_cosine:.3f} (needed {GRADIENT_COSINE})"
        )


class Bfloat16(nn.Sequential):
    """A classifier's module run under autocast to bfloat16; pixels, logits and gradients stay float32."""

    def forward(self, input: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k"]:
        """Logits, computed in bfloat16 where autocast takes it to be safe."""
        with torch.autocast(input.device.type, dtype=torch.bfloat16):
            return super().forward(input).float()


def in_bfloat16(classifier: Classifier) -> Classifier:
    """The same classifier, sharing weights and lock, in bfloat16."""
    return replace(
        classifier,
        module=Bfloat16(OrderedDict(classifier.module.named_children())).eval(),
        fingerprint=f"{classifier.fingerprint}-bfloat16",
    )


def agreement(classifier: Classifier, images: Images) -> PrecisionAgreement:
    """Compare bfloat16 with float32 on these images; the classifier must be in float32."""
    logits, gradient = _logits_and_gradient(classifier, images, None)
    classes = logits.argmax(dim=1)
    reduced_logits, reduced_gradient = _logits_and_gradient(in_bfloat16(classifier), images, classes)
    difference = (classifier.linked(logits) - classifier.linked(reduced_logits)).abs().max()
    cosine = nn.functional.cosine_similarity(gradient.flatten(1), reduced_gradient.flatten(1))
    return PrecisionAgreement(
        top1=float((reduced_logits.argmax(dim=1) == classes).float().mean()),
        probability_difference=float(difference),
        gradient_cosine=float(cosine.mean()),
    )


def chosen(classifier: Classifier) -> Classifier:
    """The classifier in bfloat16 where that agrees with float32 on noise pictures, else as it is; a note says which."""
    found = agreement(classifier, noise_pictures(classifier))
    if found.holds:
        reduced = in_bfloat16(classifier)
        said = Finding("changed", f"Computes in bfloat16: {found}.")
        return replace(reduced, findings=(*reduced.findings, said))
    said = Finding("warning", f"Computes in float32, since bfloat16 does not agree on this machine: {found}.")
    return replace(classifier, findings=(*classifier.findings, said))


def noise_pictures(classifier: Classifier) -> Images:
    """Pictures of noise (`probes.noise`), on the classifier's device."""
    pixels = probes.noise(classifier.preprocessing, PICTURES).to(classifier.device)
    return Images(pixels, tuple(f"noise {i + 1}" for i in range(PICTURES)))


def _logits_and_gradient(
    classifier: Classifier, images: Images, classes: Tensor | None
) -> tuple[Float[Tensor, "n k"], Float[Tensor, "n c h w"]]:
    pixels = images.pixels.to(classifier.device).clone().requires_grad_()
    with classifier.lock, torch.enable_grad():
        logits = classifier.module(pixels)
        chosen_classes = logits.argmax(dim=1) if classes is None else classes
        score = logits.gather(1, chosen_classes[:, None]).sum()
        (gradient,) = torch.autograd.grad(score, pixels)
    return logits.detach(), gradient
