"""The network after a layer, with what it needs besides the layer's activation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, fx

from interp.batches import out_of_memory
from interp.passes import splitting

T = TypeVar("T")

TOLERANCE = {"cpu": 1e-4}
"""How far resumed logits may be off, as a share of the largest: sums are taken in another order in larger batches."""

TOLERANCE_ELSEWHERE = 1e-2
"""The same on other devices, where numbers may be rounded to the ten bits of TensorFloat-32 before they are summed."""


@dataclass(frozen=True, eq=False)
class Rest:
    """The network after a layer, and what it needs besides the layer's activation, for `images` images.

    `written` holds the numbers of the inputs (0 the variants, then the kept values) on which it works in place.
    """

    after: fx.GraphModule
    kept: list[Any]
    by_image: tuple[bool, ...]
    images: int
    written: frozenset[int]

    @classmethod
    def tried(
        cls,
        split: splitting.Split,
        kept: list[Any],
        images: int,
        agrees: Callable[[Callable[[Tensor, Tensor], Tensor]], bool],
    ) -> Rest | None:
        """The rest, where `agrees` finds that running it gives the right logits, else None."""
        every = frozenset(range(len(kept) + 1))
        careful = cls(split.after, kept, split.by_image, images, every)
        written: set[int] = set()

        def watched(variants: Tensor, rows: Tensor) -> Tensor:
            inputs = careful._inputs(variants, rows)
            versions = [_version(value) for value in inputs]
            logits = split.after.forward(*inputs)
            written.update(i for i, value in enumerate(inputs) if _version(value) != versions[i])
            return logits

        if not agrees(watched):
            return None
        return cls(split.after, kept, split.by_image, images, frozenset(written))

    def logits(self, variants: Tensor, rows: Tensor) -> Tensor:
        """The logits of the variants of these images."""
        return self.after.forward(*self._inputs(variants, rows))

    def _inputs(self, variants: Tensor, rows: Tensor) -> list[Any]:
        values = [variants, *(self._of(value, rows, by) for value, by in zip(self.kept, self.by_image, strict=True))]
        return [
            value.clone() if i in self.written and isinstance(value, Tensor) else value
            for i, value in enumerate(values)
        ]

    def _of(self, value: Any, rows: Tensor, by_image: bool) -> Any:
        """A kept value for the images of these rows."""
        if not by_image or not isinstance(value, Tensor):
            return value
        return value.expand(len(rows), *value.shape[1:]) if self.images == 1 else value[rows]


def equal(found: Tensor, expected: Tensor) -> bool:
    """Whether two results are the same but for the order in which sums were taken."""
    tolerance = TOLERANCE.get(expected.device.type, TOLERANCE_ELSEWHERE)
    return float((found - expected).abs().max()) <= tolerance * float(expected.abs().max())


def _version(value: Any) -> int:
    """Goes up each time that something is written into a tensor."""
    return value._version if isinstance(value, Tensor) else 0


def tried(run: Callable[[], T]) -> T | None:
    """What it gives, None where it fails, as code made from a trace of any network may. Want of memory is raised."""
    try:
        return run()
    except Exception as error:
        if isinstance(error, RuntimeError) and out_of_memory(error):
            raise
        return None


@contextmanager
def without_gradients() -> Iterator[None]:
    """No gradients, and tensors that count what is written into them, whatever mode the caller computes in."""
    with torch.inference_mode(False), torch.no_grad():
        yield
