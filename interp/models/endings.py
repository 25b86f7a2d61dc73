"""The last step of a network: whether it makes probabilities, and how it is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

EndingStep = Literal["softmax", "log-softmax", "sigmoid"]

_STEPS: dict[Callable[..., Any], EndingStep] = {
    **dict.fromkeys((functional.softmax, torch.softmax, Tensor.softmax, torch.special.softmax), "softmax"),
    **dict.fromkeys(
        (functional.log_softmax, torch.log_softmax, Tensor.log_softmax, torch.special.log_softmax), "log-softmax"
    ),
    **dict.fromkeys(
        (functional.sigmoid, torch.sigmoid, Tensor.sigmoid, Tensor.sigmoid_, torch.special.expit), "sigmoid"
    ),
}
_LOGARITHMS = frozenset({torch.log, Tensor.log})
_REARRANGEMENTS = frozenset(
    {
        torch.flatten, Tensor.flatten, Tensor.view, Tensor.reshape, torch.reshape, torch.squeeze, Tensor.squeeze,
        Tensor.float, Tensor.to, Tensor.contiguous,
    }
)  # fmt: skip


@dataclass(frozen=True)
class Ending:
    """The step from scores to probabilities that a network ends in.

    `calls` are the numbers of the calls, among those of `_STEPS` and logarithms in a forward pass, that make it up;
    `module` names the module that makes it, where that is all that the module does.
    """

    step: EndingStep
    calls: frozenset[int]
    module: str | None


class Endings(TorchFunctionMode):
    """Within it, a forward pass is watched for the steps that may be its last."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self._network = network
        self._count = 0
        self._met: dict[int, tuple[EndingStep, frozenset[int]]] = {}
        self._made: list[tuple[str, tuple[EndingStep, frozenset[int]] | None]] = []
        # An id is only good as long as its tensor lives.
        self._alive: list[Tensor] = []

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = self._met.get(id(args[0])) if args else None
        result = func(*args, **(kwargs or {}))
        found: tuple[EndingStep, frozenset[int]] | None = None
        if func in _STEPS:
            found = (_STEPS[func], frozenset([self._count]))
        elif func in _LOGARITHMS and given is not None and given[0] == "softmax":
            found = ("log-softmax", given[1] | {self._count})
        elif func in _REARRANGEMENTS:
            found = given
        self._count += func in _STEPS or func in _LOGARITHMS
        if found is not None and isinstance(result, Tensor):
            self._met[id(result)] = found
            self._alive.append(result)
        return result

    def ending(self, output: Tensor) -> Ending | None:
        """The last step of the forward pass that gave this; None where it is none of those known."""
        found = self._met.get(id(output))
        if found is None:
            return None
        made = [name for name, one in self._made if one == found]
        runs = [name for name, _ in self._made if name in made]
        return Ending(*found, module=made[0] if len(runs) == 1 and len(found[1]) == 1 else None)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Inside the `with` block forward passes are watched, modules of such steps too."""
        parts = [
            (name, part)
            for name, part in self._network.named_modules()
            if name and isinstance(part, nn.Softmax | nn.LogSoftmax | nn.Sigmoid)
        ]
        handles = [part.register_forward_hook(self._keeper(name)) for name, part in parts]
        try:
            with self:
                yield
        finally:
            for handle in handles:
                handle.remove()

    def _keeper(self, name: str) -> Callable[[nn.Module, Any, Tensor], None]:
        return lambda part, inputs, output: self._made.append((name, self._met.get(id(output))))


class Without(TorchFunctionMode):
    """Within it, the calls of an ending give what they are given."""

    def __init__(self, calls: frozenset[int]) -> None:
        super().__init__()
        self._calls = calls
        self._count = 0

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func in _STEPS or func in _LOGARITHMS:
            self._count += 1
            if self._count - 1 in self._calls:
                return args[0] if args else (kwargs or {})["input"]
        return func(*args, **(kwargs or {}))
