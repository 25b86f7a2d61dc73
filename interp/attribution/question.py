"""What is to be explained, and the passes through the model that every method is made of."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp.models import hooks
from interp.types import Classifier, Images, Target, scores

FORWARD = 1 / 3
"""The cost of a forward pass alone, where one forward and one backward pass together are 1."""


@dataclass(frozen=True, eq=False)
class Tapped:
    """One forward and backward pass of some images: what flowed through the layers, and the score's gradient there.

    `pixel_gradient` is ∂s/∂x with respect to pixels in [0, 1], None where it was not asked for; `activations` and
    `gradients` are by layer name.
    """

    pixel_gradient: Float[Tensor, "n 3 h w"] | None
    activations: dict[str, Tensor] = field(default_factory=dict)
    gradients: dict[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Question:
    """Why does the classifier give each image the score of its target? Methods ask it for passes.

    `rows` in the methods below says to which image of the question each of the given pixels belongs, since methods
    run many variants of one image. Every pass holds the classifier's lock, and only for its own duration.
    Logits or gradients that are not finite raise `ValueError` with the image's name.
    """

    classifier: Classifier
    images: Images
    targets: tuple[Target, ...]

    @property
    def batch_size(self) -> int:
        """How many images go through the model at once.

        On a processor 8 photographs of 224 × 224 are about as fast as it gets, and more only take memory.
        """
        height, width = self.classifier.input_size
        photographs = 8 if self.classifier.device.type == "cpu" else 64
        return min(256, max(1, photographs * 224 * 224 // (height * width)))

    def scores(self, pixels: Float[Tensor, "m 3 h w"], rows: Int[Tensor, " m"]) -> Float[Tensor, " m"]:
        """The scores of the rows' targets: forward passes only."""
        with self.classifier.lock, torch.no_grad():
            return self._scores(pixels, rows.tolist())

    def gradients(self, pixels: Float[Tensor, "m 3 h w"], rows: Int[Tensor, " m"]) -> Float[Tensor, "m 3 h w"]:
        """∂s/∂x of the rows' scores at the pixels: a forward and a backward pass."""
        gradient = self.tapped(pixels, rows, pixel_gradient=True, layers=()).pixel_gradient
        assert gradient is not None
        return gradient

    def tapped(
        self, pixels: Float[Tensor, "m 3 h w"], rows: Int[Tensor, " m"], *, pixel_gradient: bool, layers: Sequence[str]
    ) -> Tapped:
        """One forward and one backward pass, with taps at the layers.

        Without `pixel_gradient` the backward pass ends at the lowest of the layers.
        """
        which = rows.tolist()
        with _gradients_enabled(), hooks.activations(self.classifier, layers) as activations:
            # A copy, for pixels that were made under inference mode cannot take part in a graph.
            pixels = pixels.detach().clone().requires_grad_(pixel_gradient)
            total = self._scores(pixels, which).sum()
            points = [pixels] * pixel_gradient + [activations[layer] for layer in layers]
            slopes = torch.autograd.grad(total, points, materialize_grads=True)
        for slope in slopes:
            self._require_finite(slope, which, "gradient")
        return Tapped(
            slopes[0] if pixel_gradient else None,
            {layer: activations[layer].detach() for layer in layers},
            dict(zip(layers, slopes[len(slopes) - len(layers) :], strict=True)),
        )

    def _scores(self, pixels: Tensor, rows: list[int]) -> Tensor:
        score = scores(self.classifier.module(pixels), [self.targets[row] for row in rows])
        self._require_finite(score.detach(), rows, "score")
        return score

    def _require_finite(self, values: Tensor, rows: list[int], what: str) -> None:
        # A sum is finite only where every term is, and takes one pass over the numbers instead of two.
        if bool(values.sum().isfinite()):
            return
        finite = values.isfinite().flatten(1).all(1) if values.ndim > 1 else values.isfinite()
        if bool(finite.all()):
            return
        row = rows[int((~finite).nonzero()[0, 0])]
        found = "NaN" if bool(values.isnan().any()) else "an infinite number"
        raise ValueError(
            f"{self.classifier.name} gave {found} as the {what} of image {self.images.names[row]!r}, so there is "
            "nothing to explain. Check that the image's pixels are in [0, 1] and that the weights are complete."
        )


@contextmanager
def _gradients_enabled():
    """Gradients, whatever mode the caller computes in."""
    with torch.inference_mode(False), torch.enable_grad():
        yield
