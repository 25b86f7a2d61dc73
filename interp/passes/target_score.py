"""The score of a target, and the passes through the model that every method is made of."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.overrides import TorchFunctionMode

from interp.batches import as_many
from interp.models import hooks
from interp.passes.rectifiers import RectifierRule, Rectifiers
from interp.passes.support import works_in_place
from interp.types import Classifier, Images, Target, Targets, scores

FORWARD = 1 / 3
"""The cost of a forward pass alone, where one forward and one backward pass together are 1."""

# Scores have been checked before: it is the rules that divide by next to nothing, or multiply too often.
BEYOND = {
    "relevance": "this composite's denominators are near zero there, and relevance grows without bounds. Choose "
    "another composite ('gamma-gamma-box-cp' for networks with attention).",
    "multiplier": "secants multiply from layer to layer beyond what numbers hold. Choose another baseline, whose "
    "activations are nearer to the picture's, or another method.",
}

MANY_WEIGHTS = 10_000_000


@dataclass(frozen=True, eq=False)
class Tapped:
    """One forward pass of some images and its backward passes: what flowed through the layers, and the gradients.

    `pixel_gradients` holds, for each rule that was asked for, ∂s/∂x with respect to `pixels` in [0, 1]; `activations`
    and `gradients` (of the rule 'gradient') are by layer name. `logits` are those of all classes.
    """

    pixels: Float[Tensor, "n c h w"]
    pixel_gradients: dict[RectifierRule, Float[Tensor, "n c h w"]] = field(default_factory=dict)
    activations: dict[str, Tensor] = field(default_factory=dict)
    gradients: dict[str, Tensor] = field(default_factory=dict)
    logits: Float[Tensor, "n k"] | None = None


@dataclass(frozen=True, eq=False)
class TargetScore:
    """The score of each image's target as a function of pixels: what methods run, and take gradients of.

    `rows` in the methods below says to which image each of the given pixels belongs, since methods
    run many variants of one image. Every pass holds the classifier's lock, and only for its own duration.
    Logits or gradients that are not finite raise `ValueError` with the image's name.
    """

    classifier: Classifier
    images: Images
    targets: tuple[Target, ...]

    @classmethod
    def of(cls, classifier: Classifier, images: Images, targets: Targets) -> TargetScore:
        """The score of these images and targets, on the classifier's device.

        `targets` is one class, one `Target`, or one for each image. Raises `ValueError` for no images, images of
        another size or other colours than the classifier sees, and classes that it does not have.
        """
        if len(images) == 0:
            raise ValueError("No images were given: there is nothing to explain.")
        require_seen(classifier, images, "images")
        resolved = classifier.targets(targets, len(images))
        return cls(classifier, Images(images.pixels.to(classifier.device), images.names), resolved)

    @property
    def batch_size(self) -> int:
        """How many images go through the model at once.

        On a processor 8 photographs of 224 × 224 are about as fast as it gets, and more only take memory.
        """
        return as_many(8 if self.classifier.device.type == "cpu" else 64, self.classifier.input_size)

    @property
    def forward_batch_size(self) -> int:
        """How many images go through the model at once where no backward pass follows.

        Twice as many where there are many weights to read for each batch: ResNet50 takes 98 ms an image in batches of
        8 and 89 ms in batches of 16. Small networks lose more on fetching memory for larger activations.
        """
        return min(256, 2 * self.batch_size) if self.classifier.parameters > MANY_WEIGHTS else self.batch_size

    def scores(self, pixels: Float[Tensor, "m c h w"], rows: Int[Tensor, " m"]) -> Float[Tensor, " m"]:
        """The scores of the rows' targets: forward passes only."""
        with self.classifier.lock, torch.no_grad():
            return self._scores(pixels, rows.tolist())

    def gradients(self, pixels: Float[Tensor, "m c h w"], rows: Int[Tensor, " m"]) -> Float[Tensor, "m c h w"]:
        """∂s/∂x of the rows' scores at the pixels: a forward and a backward pass."""
        return self.tapped(pixels, rows, rules=("gradient",), layers=()).pixel_gradients["gradient"]

    def passed(
        self, pixels: Float[Tensor, "m c h w"], rows: Int[Tensor, " m"], rules: TorchFunctionMode
    ) -> tuple[Float[Tensor, "m c h w"], Float[Tensor, " m"]]:
        """What a forward and a backward pass bring to the pixels when operations follow other rules; and the scores."""
        which = rows.tolist()
        with self.classifier.lock, _gradients_enabled():
            leaf = pixels.detach().clone().requires_grad_()
            with rules:
                logits = self.classifier.module(leaf)
            score = self._scores_of(logits, which)
            (brought,) = self._slopes(score.sum(), leaf)
        self._require_finite(brought, which, "multiplier")
        return brought, score.detach()

    def relevance(
        self, pixels: Float[Tensor, "m c h w"], rows: Int[Tensor, " m"], rules: TorchFunctionMode
    ) -> tuple[Float[Tensor, "m c h w"], Float[Tensor, " m"]]:
        """As `passed`, with the backward pass begun by the scores themselves, and ended at the normalized pixels."""
        which = rows.tolist()
        module = self.classifier.module
        with self.classifier.lock, _gradients_enabled():
            leaf = module.get_submodule("normalize")(pixels.detach().clone()).detach().requires_grad_()
            with rules:
                # A copy, for the network may write over what it is given.
                logits = module.get_submodule("network")(leaf.clone())
            score = self._scores_of(logits, which)
            if not logits.requires_grad:
                raise ValueError(
                    f"No relevance reaches the pixels: the scores of {self.classifier.name} are attention weights, "
                    "which these rules hold constant. Choose another composite."
                )
            (slope,) = self._slopes(score.sum(), logits, retain_graph=True)
            (found,) = self._slopes(logits, leaf, slope * logits.detach())
        self._require_finite(found, which, "relevance")
        return found, score.detach()

    def tapped(
        self,
        pixels: Float[Tensor, "m c h w"],
        rows: Int[Tensor, " m"],
        *,
        rules: Sequence[RectifierRule],
        layers: Sequence[str],
    ) -> Tapped:
        """One forward pass with taps at the layers, and one backward pass for each rule that rectifiers follow in it.

        Layers are read with the rule 'gradient'; where no rule asks for the pixels, that backward pass ends at the
        lowest of the layers.
        """
        which = rows.tolist()
        plain = "gradient" in rules
        rectifiers = Rectifiers(copies=works_in_place(self.classifier)) if set(rules) - {"gradient"} else None
        with _gradients_enabled(), hooks.activations(self.classifier, layers) as activations:
            # A copy, for pixels that were made under inference mode cannot take part in a graph.
            leaf = pixels.detach().clone().requires_grad_(bool(rules))
            with rectifiers or nullcontext():
                logits = self.classifier.module(leaf)
                total = self._scores_of(logits, which).sum()
            others: list[RectifierRule] = [rule for rule in rules if rule != "gradient"]
            pixel_gradients: dict[RectifierRule, Tensor] = {}
            slopes: tuple[Tensor, ...] = ()
            if plain or layers:
                points = [leaf] * plain + [activations[layer] for layer in layers]
                slopes = self._slopes(total, points, retain_graph=bool(others), materialize_grads=True)
                if plain:
                    pixel_gradients["gradient"] = slopes[0]
            for rule in others:
                assert rectifiers is not None
                rectifiers.rule = rule
                last = rule == others[-1]
                (pixel_gradients[rule],) = self._slopes(total, leaf, retain_graph=not last)
        for slope in (*slopes, *pixel_gradients.values()):
            self._require_finite(slope, which, "gradient")
        return Tapped(
            leaf.detach(),
            pixel_gradients,
            {layer: activations[layer].detach() for layer in layers},
            dict(zip(layers, slopes[len(slopes) - len(layers) :], strict=True)),
            logits.detach(),
        )

    def _scores(self, pixels: Tensor, rows: list[int]) -> Tensor:
        return self._scores_of(self.classifier.module(pixels), rows)

    def _scores_of(self, logits: Tensor, rows: list[int]) -> Tensor:
        score = scores(logits, [self.targets[row] for row in rows])
        self._require_finite(score.detach(), rows, "score")
        return score

    def _slopes(
        self, outputs: Tensor, inputs: Tensor | Sequence[Tensor], begin: Tensor | None = None, **how: Any
    ) -> Any:
        """As `torch.autograd.grad`."""
        try:
            return torch.autograd.grad(outputs, inputs, begin, **how)
        except RuntimeError as error:
            if "inplace operation" not in str(error):
                raise
        raise ValueError(
            f"{self.classifier.name} writes over an activation that its gradient needs, so it has none. Change that "
            "operation in its code into one that gives a new tensor (y = y + x in place of y += x, ReLU without "
            "inplace=True), or choose a method that perturbs the picture."
        )

    def _require_finite(self, values: Tensor, rows: list[int], what: str) -> None:
        # A sum is finite only where every term is, and takes one pass over the numbers instead of two.
        if bool(values.sum().isfinite()):
            return
        finite = values.isfinite().flatten(1).all(1) if values.ndim > 1 else values.isfinite()
        if bool(finite.all()):
            return
        row = rows[int((~finite).nonzero()[0, 0])]
        found = "NaN" if bool(values.isnan().any()) else "an infinite number"
        said = f"{self.classifier.name} gave {found} as the {what} of image {self.images.names[row]!r}, so there is "
        if what in BEYOND:
            raise ValueError(f"{said}no map: {BEYOND[what]}")
        raise ValueError(
            f"{said}nothing to explain. Check that the image's pixels are in [0, 1] and that the weights are complete."
        )


def require_seen(classifier: Classifier, images: Images, what: str) -> None:
    """Raise `ValueError` for images of another size than the classifier sees, or in colour where it sees grey."""
    given, wanted = tuple(images.pixels.shape[1:]), (classifier.channels, *classifier.input_size)
    if given == wanted:
        return
    if given[1:] != wanted[1:]:
        had, sees = (" × ".join(str(side) for side in shape[1:]) for shape in (given, wanted))
        said = f"The {what} have {had} pixels, and {classifier.name} sees {sees}"
    else:
        sees = "grey (1)" if classifier.channels == 1 else "RGB (3)"
        said = f"The {what} have pixels of {given[0]} numbers, and {classifier.name} sees {sees}"
    raise ValueError(f"{said}: make the batch with classifier.prepare.")


@contextmanager
def _gradients_enabled():
    """Gradients, whatever mode the caller computes in."""
    with torch.inference_mode(False), torch.enable_grad():
        yield
