"""Class activation maps that are read off one forward and one backward pass: sums over the channels of one layer."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from interp.attribution.method import Maps
from interp.attribution.tapped import TappedMethod
from interp.passes.grids import enlarged, on_grid
from interp.passes.target_score import Tapped
from interp.types import Classifier, Layer

UNDECIDED = 1e-4
"""Up to here, relative to the size of its terms, a sum's sign may be that of its rounding: some hundred times 1e-6."""


@dataclass(frozen=True)
class TappedCam(TappedMethod):
    """A map at the size of one layer, from its activations A and the gradient G = ∂s/∂A there: never negative.

    `coarse` is the map at the layer's own size, after the ReLU, not normalized; `values` is it enlarged bilinearly
    (align_corners=False). `layer` None is the classifier's last spatial layer. Of a token layer the class token is
    left out and the others are laid out on their grid. For a contrast of two classes G is the gradient of the
    difference, but because of the ReLU the map is not the difference of their maps.
    """

    layer: str | None = None

    signed = False

    @abstractmethod
    def coarse(
        self, activations: Float[Tensor, "n k u v"], gradients: Float[Tensor, "n k u v"]
    ) -> Float[Tensor, "n u v"]:
        """The map at the layer's own size."""

    def check(self, classifier: Classifier) -> None:
        """Raise `ValueError` where the layer does not exist or has no map."""
        mapped_layer(classifier, self.layer, self.title)

    def tap(self, classifier: Classifier) -> str:
        """The layer."""
        return classifier.layer(self.layer).name

    def read(self, tapped: Tapped, classifier: Classifier) -> Maps:
        """The map of the layer's channels, enlarged."""
        layer = classifier.layer(self.layer)
        coarse = self.coarse(
            on_grid(tapped.activations[layer.name], layer), on_grid(tapped.gradients[layer.name], layer)
        )
        return Maps(enlarged(coarse, classifier.input_size), coarse)


@dataclass(frozen=True)
class GradCam(TappedCam):
    """ReLU(Σ_k α_k A_k), α_k the mean over positions of ∂s/∂A_k: never negative, in logits, not normalized.

    See `TappedCam` for layers, tokens, enlarging and contrasts, which all of this family share.
    """

    title = "Grad-CAM"
    summary = "Where the channels that speak for the class are active, on the coarse grid of one layer."
    formula = (
        r"\mathrm{ReLU}\Bigl(\sum_k \alpha_k A_k\Bigr), \quad "
        r"\alpha_k = \tfrac{1}{uv} \sum_{u, v} \frac{\partial s}{\partial A_{kuv}}"
    )
    source = "Selvaraju et al. 2017, Grad-CAM: visual explanations from deep networks"
    pitfalls = (
        "The map is only as fine as the layer, and its smooth look comes from enlarging. A channel's weight is a mean "
        "over all positions, so it can light up places that did not raise the score. In the last block of a "
        "vision transformer only the class token is read, and the map is zero everywhere: choose an earlier layer."
    )

    def coarse(
        self, activations: Float[Tensor, "n k u v"], gradients: Float[Tensor, "n k u v"]
    ) -> Float[Tensor, "n u v"]:
        """The weighted sum of the layer's channels."""
        return _weighted(activations, gradients.mean(dim=(2, 3)))


@dataclass(frozen=True)
class GradCamPlusPlus(TappedCam):
    """ReLU(Σ_k w_k A_k), w_k = Σ_uv α_kuv ReLU(G_kuv), α = G² / (2 G² + G³ Σ_uv A_k) where G ≠ 0: never negative.

    The α are the paper's for the score exp(s) of a network that is piecewise linear in A; the factor exp(s), which
    the paper's weights carry too, is the same for all channels and left out. pytorch-grad-cam adds 1e-6 to the
    denominator, which is about as large as G² where average pooling follows, and so loses small gradients; here, as in
    the paper, nothing is added, and a denominator of exactly zero gives the weight 0.
    """

    title = "Grad-CAM++"
    summary = "Grad-CAM that counts only where the score rises, so that several small objects weigh as much as one."
    formula = (
        r"\mathrm{ReLU}\Bigl(\sum_k w_k A_k\Bigr), \quad w_k = \sum_{u, v} \alpha_{kuv}\, \mathrm{ReLU}(G_{kuv}), \quad"
        r"\alpha_{kuv} = \frac{G_{kuv}^2}{2 G_{kuv}^2 + G_{kuv}^3 \sum_{u', v'} A_{ku'v'}}, \quad "
        r"G = \frac{\partial s}{\partial A}"
    )
    source = "Chattopadhay et al. 2018, Grad-CAM++: generalized gradient-based visual explanations"
    pitfalls = (
        "Channels that speak against the class count for nothing, so the map often spreads over everything that is "
        "active, and maps of different classes look alike. The weights suppose activations that are not negative: on a "
        "layer before its ReLU, or of tokens, the denominator can pass through zero and one channel take over the map. "
        "It is only as fine as the layer."
    )

    def coarse(
        self, activations: Float[Tensor, "n k u v"], gradients: Float[Tensor, "n k u v"]
    ) -> Float[Tensor, "n u v"]:
        """The weighted sum of the layer's channels."""
        # α with G² cancelled, since the squares and cubes of small gradients vanish in single precision.
        denominator = 2 + gradients * activations.sum(dim=(2, 3), keepdim=True)
        return _weighted(activations, _quotient(gradients.relu(), denominator).sum(dim=(2, 3)))


@dataclass(frozen=True)
class XGradCam(TappedCam):
    """ReLU(Σ_k w_k A_k), w_k = Σ_uv A_kuv G_kuv / Σ_uv A_kuv, in logits: never negative.

    The paper's formula has no ReLU, the authors' code and pytorch-grad-cam keep the positive part, and so does this.
    A channel whose activations sum to zero gets the weight 0, where both codes add a small number to the denominator.
    """

    title = "XGrad-CAM"
    summary = "Grad-CAM whose channels are weighed by the gradient where they are active, instead of everywhere."
    formula = (
        r"\mathrm{ReLU}\Bigl(\sum_k w_k A_k\Bigr), \quad "
        r"w_k = \sum_{u, v} \frac{A_{kuv}}{\sum_{u', v'} A_{ku'v'}} \frac{\partial s}{\partial A_{kuv}}"
    )
    source = "Fu et al. 2020, Axiom-based Grad-CAM: towards accurate visualization and explanation of CNNs"
    pitfalls = (
        "Directly before average pooling the gradient is the same everywhere, and the map is Grad-CAM's. On a layer "
        "with negative activations a channel's sum can be close to zero, and its weight then is huge. It is only as "
        "fine as the layer."
    )

    def coarse(
        self, activations: Float[Tensor, "n k u v"], gradients: Float[Tensor, "n k u v"]
    ) -> Float[Tensor, "n u v"]:
        """The weighted sum of the layer's channels."""
        along = (activations * gradients).sum(dim=(2, 3))
        return _weighted(activations, _quotient(along, activations.sum(dim=(2, 3))))


@dataclass(frozen=True)
class LayerCam(TappedCam):
    """ReLU(Σ_k ReLU(G_kuv) A_kuv), in logits: never negative.

    Each position has its own weight. The paper also scales the maps of early layers with a hyperbolic tangent to
    draw several layers as one; here the map stays raw.
    """

    title = "Layer-CAM"
    summary = "Where activations would raise the score if they grew, position by position: usable on early layers too."
    formula = r"\mathrm{ReLU}\Bigl(\sum_k \mathrm{ReLU}\Bigl(\frac{\partial s}{\partial A_{kuv}}\Bigr) A_{kuv}\Bigr)"
    source = "Jiang et al. 2021, LayerCAM: exploring hierarchical class activation maps for localization"
    pitfalls = (
        "What speaks against the class is left out, so a place where much speaks for the class and more against it "
        "looks important. On early layers it is as noisy as the gradient."
    )

    def coarse(
        self, activations: Float[Tensor, "n k u v"], gradients: Float[Tensor, "n k u v"]
    ) -> Float[Tensor, "n u v"]:
        """The sum over channels, each position with its own weight."""
        return (gradients.relu() * activations).sum(dim=1).relu()


@dataclass(frozen=True)
class EigenCam(TappedCam):
    """ReLU of the projection of each position's channels on their first principal component: never negative.

    The activations are centred over positions, C = A − mean_uv A, and the map is ReLU(Cᵀ v), v the first right
    singular vector of Cᵀ (uv × k). The paper's formula does not centre; pytorch-grad-cam does, and so does this, as
    otherwise the map is close to the mean activation. A principal component has no sign of its own: here the one
    that goes up with the mean over channels, so that what is bright is what is more active than elsewhere; where it
    goes neither up nor down with it, as after a layer norm, the one whose large values are bright (see `_upwards`). The
    target plays no part.
    """

    title = "Eigen-CAM"
    summary = "The pattern that explains most of what differs between places in one layer, whatever the class."
    formula = (
        r"\mathrm{ReLU}\bigl(C^\top v_1\bigr), \quad C_{kuv} = A_{kuv} - \tfrac{1}{uv} \sum_{u', v'} A_{ku'v'}, \quad "
        r"C^\top = U \Sigma V^\top"
    )
    source = "Muhammad and Yeasin 2020, Eigen-CAM: class activation map using principal components"
    pitfalls = (
        "It does not depend on the class at all: it shows what stands out, not why the classifier decided. Where two "
        "components are about equally strong, a small change of the picture can swap them. A component's sign is a "
        "convention, so what is dark here may be what the layer responds to as well."
    )

    def coarse(
        self, activations: Float[Tensor, "n k u v"], gradients: Float[Tensor, "n k u v"]
    ) -> Float[Tensor, "n u v"]:
        """The projection on the first principal component, with its sign fixed."""
        centred = activations.flatten(2) - activations.mean(dim=(2, 3))[:, :, None]
        strengths, patterns = torch.linalg.svd(centred, full_matrices=False)[1:]
        projection = strengths[:, :1] * patterns[:, 0]
        return (projection * _upwards(projection, centred)).relu().unflatten(1, activations.shape[2:])


def _upwards(projection: Float[Tensor, "n p"], centred: Float[Tensor, "n k p"]) -> Float[Tensor, "n 1"]:
    """1 or −1 for each component, by the first of three signs that rounding cannot turn.

    That of the product with the mean over channels, next to the length of the component and a channel's usual one;
    that of Σ p³; that of the largest value, the first one of several.
    """
    signed = projection.double()
    size = torch.linalg.vector_norm(signed, dim=1, keepdim=True)
    usual = torch.linalg.vector_norm(centred, dim=(1, 2), dtype=torch.float64)[:, None] / centred.shape[1] ** 0.5
    smallest = torch.finfo(torch.float64).tiny
    along = (signed * centred.mean(dim=1).double()).sum(dim=1, keepdim=True) / (size * usual).clamp(min=smallest)
    signed = signed / size.clamp(min=smallest)
    skew = signed.pow(3).sum(dim=1, keepdim=True) / signed.abs().pow(3).sum(dim=1, keepdim=True).clamp(min=smallest)
    magnitudes = signed.abs()
    among = magnitudes >= (1 - UNDECIDED) * magnitudes.amax(dim=1, keepdim=True)
    largest = signed.gather(1, among.int().argmax(dim=1, keepdim=True))
    decided = torch.where(along.abs() > UNDECIDED, along, torch.where(skew.abs() > UNDECIDED, skew, largest))
    return torch.where(decided < 0, -1, 1).to(projection.dtype)


def mapped_layer(classifier: Classifier, name: str | None, title: str) -> Layer:
    """The layer of that name, None for the last spatial one, where it has a map.

    Raises `ValueError` where the layer does not exist, or has no map for the method of that title.
    """
    layer = classifier.layer(name)
    if layer.kind == "flat" or layer.height * layer.width < 2:
        offered = ", ".join(one.name for one in classifier.layers if one.height * one.width > 1)
        raise ValueError(f"Layer {layer.name!r} has no spatial map for {title}. Choose one of: {offered}.")
    return layer


def _weighted(activations: Float[Tensor, "n k u v"], weights: Float[Tensor, "n k"]) -> Float[Tensor, "n u v"]:
    return (weights[:, :, None, None] * activations).sum(dim=1).relu()


def _quotient(numerator: Tensor, denominator: Tensor) -> Tensor:
    """Zero where the denominator is zero."""
    nothing = denominator == 0
    return torch.where(nothing, 0, numerator / torch.where(nothing, 1, denominator))
