"""Whether a method's rules cover the operations of a network, found out by running it once."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from interp.attribution import operations
from interp.attribution.operations import Operation
from interp.types import Classifier

SHOWN = 3

_found: WeakKeyDictionary[nn.Module, frozenset[Operation]] = WeakKeyDictionary()


def require_supported(classifier: Classifier, supported: frozenset[Operation], method: str) -> None:
    """Raise `ValueError` that names the operations between pixels and logits which are not among the supported."""
    missing = sorted(operations.name_of(one) for one in operations_of(classifier) - supported)
    if missing:
        names = ", ".join(missing[:SHOWN]) + (", ..." if len(missing) > SHOWN else "")
        raise ValueError(
            f"{method} has no rule for what {classifier.name} does in {names}. Choose a method that reads gradients "
            "or perturbs the picture."
        )


def require_rectifiers(classifier: Classifier, method: str) -> None:
    """Raise `ValueError` where the network has no rectifiers."""
    if not operations_of(classifier) & operations.RECTIFIERS:
        raise ValueError(
            f"{classifier.name} has no rectifiers (ReLU, GELU, SiLU, ...), so there is nothing that {method} could do "
            "otherwise than Gradient: take that."
        )


def operations_of(classifier: Classifier) -> frozenset[Operation]:
    """What the network does with the pixels, on its way to the logits: every operation once; one forward pass, once."""
    module = classifier.module
    with classifier.lock:
        if module not in _found:
            recorder = _Recorder()
            pixels = torch.full((1, 3, *classifier.input_size), 0.5, device=classifier.device).requires_grad_()
            with torch.inference_mode(False), torch.enable_grad(), recorder:
                module.get_submodule("network")(pixels)
            _found[module] = frozenset(recorder.met)
        return _found[module]


class _Recorder(TorchFunctionMode):
    """Keeps every operation whose result depends on a tensor that needs a gradient."""

    def __init__(self) -> None:
        super().__init__()
        self.met: set[Operation] = set()

    def __torch_function__(
        self, func: Operation, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        first = result[0] if isinstance(result, list | tuple) and result else result
        if isinstance(first, Tensor) and first.is_floating_point() and first.requires_grad:
            self.met.add(func)
        return result
