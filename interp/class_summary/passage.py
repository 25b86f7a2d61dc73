"""Passes from one layer to a later one: how large channels of the later get, and what those of the first do to that."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp import progress
from interp.channels.attribution import summed
from interp.feature_visualization.reading import prefix
from interp.models import hooks
from interp.passes.grids import on_grid
from interp.passes.rest import equal, tried
from interp.types import Classifier, Layer

WHAT = "Effects of channels on channels"


@dataclass(frozen=True, eq=False)
class Passage:
    """Some images on their way from a layer to a later one; `runs` says how often each layer runs in a pass.

    Where `begun` is what the lower layer gave for the images, passes begin there, and up to there run for one image
    alone; None lets them begin at the pixels.
    """

    classifier: Classifier
    below: Layer
    above: Layer
    runs: Mapping[str, int | None]
    pixels: Float[Tensor, "n c h w"]
    begun: Tensor | None = None

    def resumed(self, outputs: Mapping[str, Tensor]) -> Passage:
        """The same begun at the lower layer, where from there on nothing else of the images is needed.

        `outputs` are what both layers give for the images. It is tried: begun at what the lower layer gave, with the
        first image in the place of all others up to there, the upper layer must give what it gave for each of them.
        """
        if self.runs[self.below.name] != 1 or len(self.pixels) == 1:
            return self
        begun, expected = replace(self, begun=outputs[self.below.name]), outputs[self.above.name]
        with torch.no_grad():
            found = tried(lambda: begun._passed(lambda output: output))
        agrees = found is not None and found.shape == expected.shape and equal(found, expected)
        return begun if agrees else self

    def effects(
        self, sources: Sequence[int], targets: Sequence[int]
    ) -> tuple[Float[np.ndarray, "i j"], Float[np.ndarray, "i j"]]:
        """`attribution` and `measured` of `interp.class_summary.edges.edge_effects`, summed over the images.

        It costs a pass, a backward pass for each target, and a pass for each source that is not zero everywhere.
        """
        peaks, attribution, alive = self._estimated(sources, targets)
        measured = np.zeros_like(attribution)
        for row, source in enumerate(sources):
            progress.report(row, len(sources), WHAT)
            if alive[row]:
                measured[row] = (peaks - self._without(source, targets)).sum(axis=0)
        return attribution, measured

    def _estimated(
        self, sources: Sequence[int], targets: Sequence[int]
    ) -> tuple[Float[np.ndarray, "n j"], Float[np.ndarray, "i j"], list[bool]]:
        """The largest activations, Σ_p X_i(p) · ∂M_j / ∂X_i(p) summed over the images, and which sources act at all."""
        found, owns = np.zeros((len(sources), len(targets))), []

        def taken(output: Tensor) -> Tensor:
            # Single precision at least: a sum over positions has no part in a network's bfloat16.
            owns.append(output.detach().to(torch.promote_types(output.dtype, torch.float32)).requires_grad_())
            return owns[-1].to(output.dtype, copy=True)

        with torch.inference_mode(False), torch.enable_grad(), self.classifier.lock:
            peaks = _peaks(self._passed(taken), self.above, targets)
            own = owns[-1]
            for column in range(len(targets)):
                [slope] = torch.autograd.grad(peaks[:, column].sum(), [own], retain_graph=True, allow_unused=True)
                if slope is not None:
                    parts = summed(own.detach() * slope, self.below)[:, list(sources)]
                    found[:, column] = parts.sum(dim=0).double().cpu().numpy()
        # Of what ran several times nobody knows here what the runs before the last gave.
        alive = [len(owns) > 1 or bool(own.detach().select(self.below.channel_axis, one).any()) for one in sources]
        return peaks.detach().double().cpu().numpy(), found, alive

    def _without(self, source: int, targets: Sequence[int]) -> Float[np.ndarray, "n j"]:
        """The largest activations where the source is zero everywhere."""

        def zeroed(output: Tensor) -> Tensor:
            gone: Int[Tensor, " 1"] = torch.tensor([source], device=output.device)
            return output.index_fill(self.below.channel_axis, gone, 0)

        with torch.no_grad():
            return _peaks(self._passed(zeroed), self.above, targets).double().cpu().numpy()

    def _passed(self, change: Callable[[Tensor], Tensor]) -> Tensor:
        """What the upper layer gives where what the lower one gives is changed, each time that it runs."""

        def given(output: Tensor) -> Tensor:
            return change(output if self.begun is None else self.begun.detach().to(output.dtype, copy=True))

        pixels = self.pixels.detach() if self.begun is None else self.pixels[:1].detach()
        runs = {self.above.name: self.runs[self.above.name]}
        with hooks.replaced(self.classifier, self.below.name, given):
            return prefix(self.classifier, pixels.clone(), runs)[self.above.name]


def _peaks(output: Tensor, layer: Layer, targets: Sequence[int]) -> Float[Tensor, "n j"]:
    return on_grid(output, layer)[:, list(targets)].flatten(2).max(dim=2).values
