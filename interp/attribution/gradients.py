"""Methods that read the gradient at the pixels: how the score changes as the picture does."""

from __future__ import annotations

from dataclasses import dataclass

from interp.attribution.method import Maps
from interp.attribution.tapped import TappedMethod
from interp.passes.target_score import Tapped
from interp.types import Classifier


@dataclass(frozen=True)
class Gradient(TappedMethod):
    """∂s/∂x with respect to pixels in [0, 1], summed over the three colours: signed, in logits per unit of brightness.

    The sum is the slope of the score as the pixel becomes brighter in all colours alike; positive where that raises
    the score. Simonyan 2013 draws max over colours of |∂s/∂x| instead, which has no sign; here all gradient maps are
    signed alike, and Integrated Gradients, summed in the same way, stays complete.
    """

    title = "Gradient"
    signed = True
    summary = "How much the score would rise if a pixel became a little brighter."
    formula = r"\sum_{\text{colours}} \frac{\partial s}{\partial x}"
    source = "Simonyan, Vedaldi and Zisserman 2013, Deep inside convolutional networks"
    pitfalls = (
        "It tells what a tiny change would do, not what made the score: where the model is saturated, the decisive "
        "parts have a gradient near zero. It is noisy from pixel to pixel."
    )

    rule = "gradient"

    def read(self, tapped: Tapped, classifier: Classifier) -> Maps:
        """The gradient at the pixels, summed over colours."""
        return Maps(tapped.pixel_gradients["gradient"].sum(dim=1))


@dataclass(frozen=True)
class Sensitivity(TappedMethod):
    """(∂s/∂x)² with respect to pixels in [0, 1], summed over the three colours: never negative.

    In squared logits per squared unit of brightness; the map's sum is ‖∇s‖².
    """

    title = "Sensitivity"
    signed = False
    summary = "How strongly the score reacts to a pixel, whichever way."
    formula = r"\sum_{\text{colours}} \Bigl(\frac{\partial s}{\partial x}\Bigr)^2"
    source = "Montavon, Samek and Müller 2018, Methods for interpreting and understanding deep neural networks"
    pitfalls = (
        "It tells where a change would matter, not what speaks for the class: what speaks against it is drawn alike. "
        "Squaring leaves a few very bright pixels, so the clip of the colour scale decides what is seen."
    )

    rule = "gradient"

    def read(self, tapped: Tapped, classifier: Classifier) -> Maps:
        """The squared gradient at the pixels, summed over colours."""
        return Maps(tapped.pixel_gradients["gradient"].square().sum(dim=1))


@dataclass(frozen=True)
class InputXGradient(TappedMethod):
    """x · ∂s/∂x with pixels x in [0, 1], summed over the three colours: signed, in logits.

    What the score would lose if the pixel went black and the score were linear. Peers multiply by the normalized
    input, which is (x − mean) · ∂s/∂x: there the classifier's mean colour counts as nothing, here black does, as it
    does in Integrated Gradients.
    """

    title = "Input × Gradient"
    signed = True
    summary = "How much each pixel adds to the score, if the score were linear in the pixels."
    formula = r"\sum_{\text{colours}} x \cdot \frac{\partial s}{\partial x}"
    source = "Shrikumar, Greenside, Shcherbina and Kundaje 2016, Not just a black box"
    pitfalls = (
        "Scores are not linear, so the map does not sum to the score. Black pixels get nothing, however important, and "
        "the picture itself shows through the product even where the model does not look."
    )

    rule = "gradient"

    def read(self, tapped: Tapped, classifier: Classifier) -> Maps:
        """Pixels times their gradient, summed over colours."""
        return Maps((tapped.pixels * tapped.pixel_gradients["gradient"]).sum(dim=1))
