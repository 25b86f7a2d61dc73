"""Class activation maps: methods that weigh the channels of one layer."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate

from interp.attribution.method import Maps
from interp.attribution.question import Tapped
from interp.attribution.tapped import TappedMethod
from interp.types import Classifier, Layer


@dataclass(frozen=True)
class GradCam(TappedMethod):
    """ReLU(Σ_k α_k A_k), α_k the mean over positions of ∂s/∂A_k: never negative, in logits, not normalized.

    `coarse` is the map at the layer's own size, after the ReLU; `values` is it enlarged bilinearly
    (align_corners=False). `layer` None is the classifier's last spatial layer. Of a token layer the class token is
    left out and the others are laid out on their grid. For a contrast of two classes the weights are the difference
    of the classes' weights, but because of the ReLU the map is not the difference of their maps.
    """

    layer: str | None = None

    title = "Grad-CAM"
    signed = False
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

    def check(self, classifier: Classifier) -> None:
        """Raise `ValueError` where the layer does not exist or has no map."""
        layer = classifier.layer(self.layer)
        if layer.kind == "flat" or layer.height * layer.width < 2:
            offered = ", ".join(one.name for one in classifier.layers if one.height * one.width > 1)
            raise ValueError(f"Layer {layer.name!r} has no spatial map for Grad-CAM. Choose one of: {offered}.")

    def tap(self, classifier: Classifier) -> str:
        """The layer."""
        return classifier.layer(self.layer).name

    def read(self, tapped: Tapped, classifier: Classifier) -> Maps:
        """The weighted sum of the layer's channels."""
        layer = classifier.layer(self.layer)
        activations = on_grid(tapped.activations[layer.name], layer)
        weights = on_grid(tapped.gradients[layer.name], layer).mean(dim=(2, 3), keepdim=True)
        coarse = (weights * activations).sum(dim=1).relu()
        return Maps(enlarged(coarse, classifier.input_size), coarse)


def on_grid(tensor: Tensor, layer: Layer) -> Float[Tensor, "n k u v"]:
    """Activations, or their gradients, with channels and a grid of positions.

    A spatial layer has that form already. Of tokens (n, t, k) the last u·v are the grid, row by row; what comes before
    them (the class token) has no place in the picture.
    """
    if layer.kind == "spatial":
        return tensor
    tokens = tensor[:, -layer.height * layer.width :]
    return tokens.transpose(1, 2).unflatten(2, (layer.height, layer.width))


def enlarged(coarse: Float[Tensor, "n u v"], size: tuple[int, int]) -> Float[Tensor, "n h w"]:
    """A coarse map at the input's size, bilinearly."""
    return interpolate(coarse[:, None], size=size, mode="bilinear", align_corners=False)[:, 0]
