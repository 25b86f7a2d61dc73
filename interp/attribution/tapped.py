"""Methods that are read off one forward and one backward pass, which all of them share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Sequence
from typing import ClassVar, cast

import torch
from torch import Tensor

from interp.attribution.method import Maps, Method, SharingMethod
from interp.batches import batched
from interp.passes.rectifiers import RectifierRule
from interp.passes.target_score import Tapped, TargetScore
from interp.types import Classifier


class TappedMethod(SharingMethod):
    """A method that is read off one forward pass and its backward passes: at the pixels, at a layer, or at both.

    `rule` is what rectifiers follow in the backward pass to the pixels; None where the method does not read the pixels.
    """

    rule: ClassVar[RectifierRule | None] = None

    def tap(self, classifier: Classifier) -> str | None:
        """The name of the layer that the method reads; None where it reads none."""
        return None

    @abstractmethod
    def read(self, tapped: Tapped, classifier: Classifier) -> Maps:
        """The maps, from what the pass brought."""

    def cost(self, classifier: Classifier) -> float:
        """One forward and one backward pass; one that ends at a layer costs less, and counts in full all the same."""
        return 1.0

    def sharing(self) -> Hashable:
        """All methods of this kind share one pass."""
        return TappedMethod

    @classmethod
    def together(cls, target_score: TargetScore, methods: Sequence[Method]) -> list[Maps]:
        """One forward pass for all the methods, and one backward pass for each rule among them."""
        readers = cast(Sequence[TappedMethod], methods)
        taps = [method.tap(target_score.classifier) for method in readers]
        layers = sorted({tap for tap in taps if tap is not None})
        rules: list[RectifierRule] = sorted({method.rule for method in readers if method.rule is not None})
        what = " and ".join(method.title for method in methods) if len(methods) < 3 else "the gradient methods"

        def run(part: slice) -> list[Maps]:
            pixels = target_score.images.pixels[part]
            rows = torch.arange(len(target_score.images))[part]
            tapped = target_score.tapped(pixels, rows, rules=rules, layers=layers)
            return [method.read(tapped, target_score.classifier) for method in readers]

        parts = list(batched(run, len(target_score.images), size=target_score.batch_size, what=what))
        return [_joined(of_one) for of_one in zip(*parts, strict=True)]


def _joined(parts: Sequence[Maps]) -> Maps:
    coarse = [part.coarse for part in parts if part.coarse is not None]
    return Maps(torch.cat([part.values for part in parts]), _concatenated(coarse))


def _concatenated(parts: Sequence[Tensor]) -> Tensor | None:
    return torch.cat(list(parts)) if parts else None
