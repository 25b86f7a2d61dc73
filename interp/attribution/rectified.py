"""Methods that let rectifiers pass positive gradient only."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from interp import progress
from interp.attribution.cams import GradCam
from interp.attribution.method import Maps
from interp.attribution.tapped import TappedMethod
from interp.passes import operations
from interp.passes.operations import Operation
from interp.passes.rectifiers import Rectifiers
from interp.passes.support import (
    operations_of,
    rectifiers_of,
    require_rectifiers,
    require_same_logits,
    works_in_place,
)
from interp.passes.target_score import FORWARD, Tapped
from interp.types import Classifier

_LIMITS = (
    "Networks with other rectifiers than ReLU (ReLU6, GELU, SiLU) are outside the paper; the rule is carried over to "
    "them."
)


def _require_rule(classifier: Classifier, method: str) -> None:
    require_rectifiers(classifier, method)

    def run(pixels: Tensor) -> Tensor:
        with Rectifiers(copies=works_in_place(classifier)):
            return classifier.module.get_submodule("network")(pixels)

    require_same_logits(classifier, "rectifiers", run, method)


def _carried_over(classifier: Classifier) -> str | None:
    """What is done at rectifiers that the papers do not know, for a reader; None where the network has none."""
    found = rectifiers_of(classifier)
    told = []
    limiters = _names(found & (operations.LIMITERS | operations.EXTREMES))
    if limiters:
        told.append(f"{limiters} let through where their slope is not 0, whatever the sign of their input")
    leaky = _names(found & operations.LEAKY)
    if leaky:
        told.append(f"{leaky} pass their own derivative, and with guided rules only where their input is above 0")
    smooth = _names(operations_of(classifier) & (operations.ELEMENTWISE - operations.RECTIFIERS))
    if told and smooth:
        told.append(f"{smooth} keep their derivative, negative signals too")
    return f"Outside the papers, which know ReLUs only, in {classifier.name}: {'; '.join(told)}." if told else None


def _names(found: frozenset[Operation]) -> str:
    return ", ".join(sorted({operations.name_of(one).rpartition(".")[2] for one in found}))


def _remark(classifier: Classifier) -> None:
    told = _carried_over(classifier)
    if told is not None:
        progress.remark(told)


@dataclass(frozen=True)
class Deconvolution(TappedMethod):
    """The backward pass in which every rectifier passes max(g, 0), whatever came in: signed, summed over the colours.

    Also called deconvnet. See `rectifiers.Rectifiers` for the rule.
    """

    title = "Deconvolution"
    signed = True
    summary = "The score, sent back through the network with every negative signal cut off on the way."
    formula = r"g \mapsto \max(g, 0) \text{ at every rectifier}"
    source = "Zeiler and Fergus 2014, Visualizing and understanding convolutional networks"
    pitfalls = (
        "It sharpens whatever edges the picture has, nearly the same for every class (Nie et al. 2018), and changes "
        f"little when the model's upper layers are randomized (Adebayo et al. 2018). {_LIMITS}"
    )

    rule = "deconvolution"

    def check(self, classifier: Classifier) -> None:
        """Raise `ValueError` where the network has no rectifiers, or is another with the rule."""
        _require_rule(classifier, self.title)

    def read(self, tapped: Tapped, classifier: Classifier) -> Maps:
        """What arrives at the pixels, summed over colours; what is done at other rectifiers than ReLUs is remarked."""
        _remark(classifier)
        return Maps(tapped.pixel_gradients["deconvolution"].sum(dim=1))


@dataclass(frozen=True)
class GuidedBackprop(TappedMethod):
    """The backward pass in which every rectifier passes max(g, 0) where its input was positive: signed, colours summed.

    See `rectifiers.Rectifiers` for the rule.
    """

    title = "Guided Backprop"
    signed = True
    summary = "The gradient, with every negative signal cut off on its way back through the network."
    formula = r"g \mapsto \max(g, 0) \cdot [z > 0] \text{ at every rectifier with input } z"
    source = "Springenberg, Dosovitskiy, Brox and Riedmiller 2015, Striving for simplicity: the all convolutional net"
    pitfalls = (
        "It looks the sharpest of all, and is nearly a partial recovery of the picture: hardly different from class to "
        "class (Nie et al. 2018), and hardly changed when the model's upper layers are randomized (Adebayo et al. "
        f"2018). {_LIMITS}"
    )

    rule = "guided"

    def check(self, classifier: Classifier) -> None:
        """Raise `ValueError` where the network has no rectifiers, or is another with the rule."""
        _require_rule(classifier, self.title)

    def read(self, tapped: Tapped, classifier: Classifier) -> Maps:
        """What arrives at the pixels, summed over colours; what is done at other rectifiers than ReLUs is remarked."""
        _remark(classifier)
        return Maps(tapped.pixel_gradients["guided"].sum(dim=1))


@dataclass(frozen=True)
class GuidedGradCam(GradCam):
    """Guided Backprop times Grad-CAM, enlarged: signed, summed over the colours.

    `coarse` is the Grad-CAM at the layer's own size.
    """

    title = "Guided Grad-CAM"
    signed = True
    summary = "Guided Backprop's fine lines, kept where Grad-CAM sees the class."
    formula = r"\mathrm{GuidedBackprop} \cdot \mathrm{GradCAM}{\uparrow}"
    source = "Selvaraju et al. 2017, Grad-CAM: visual explanations from deep networks"
    pitfalls = (
        "Only its place depends on the class: the fine lines are Guided Backprop's, and hardly depend on the model "
        f"(Adebayo et al. 2018). {_LIMITS}"
    )

    rule = "guided"

    def check(self, classifier: Classifier) -> None:
        """As Grad-CAM's, and raise `ValueError` where the network has no rectifiers, or is another with the rule."""
        super().check(classifier)
        _require_rule(classifier, self.title)

    def cost(self, classifier: Classifier) -> float:
        """One forward and two backward passes: the gradient's down to the layer, the guided one down to the pixels."""
        return FORWARD + 2 * (1 - FORWARD)

    def read(self, tapped: Tapped, classifier: Classifier) -> Maps:
        """The product; what is done at other rectifiers than ReLUs is remarked."""
        _remark(classifier)
        cam = super().read(tapped, classifier)
        return Maps(tapped.pixel_gradients["guided"].sum(dim=1) * cam.values, cam.coarse)
