"""Whether a method's rules cover the operations of a network, found out by running it once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from interp.batches import out_of_memory
from interp.passes import operations
from interp.passes.operations import Operation
from interp.passes.rest import equal
from interp.types import Classifier

SHOWN = 3

_found: WeakKeyDictionary[nn.Module, _Probe] = WeakKeyDictionary()


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
    if not rectifiers_of(classifier):
        raise ValueError(
            f"{classifier.name} has no rectifiers (ReLU, GELU, SiLU, ...), so there is nothing that {method} could do "
            "otherwise than Gradient: take that."
        )


def operations_of(classifier: Classifier) -> frozenset[Operation]:
    """What the network does with the pixels, on its way to the logits: every operation once; one forward pass, once.

    What works in place is told as the operation that does the same out of place; comparisons that make a mask count.
    """
    return _probe(classifier).met


def rectifiers_of(classifier: Classifier) -> frozenset[Operation]:
    """Those of its operations that `rectifiers.Rectifiers` gives a rule, the larger of a signal and a constant too."""
    return _probe(classifier).rectifiers


def works_in_place(classifier: Classifier) -> bool:
    """Whether the network writes over anything on the way; found by the same pass."""
    return _probe(classifier).in_place


def require_deterministic(classifier: Classifier, method: str) -> None:
    """Raise `ValueError` where two plain passes give different logits; one more pass, once for each classifier."""
    probe = _probe(classifier)
    with classifier.lock:
        if "nothing" not in probe.compared:
            probe.compared["nothing"] = _random(classifier, probe.logits)
        reason = probe.compared["nothing"]
    if reason is not None:
        raise ValueError(f"{method} compares passes, which cannot be done with {classifier.name}: {reason}")


def require_same_logits(classifier: Classifier, rules: str, run: Callable[[Tensor], Tensor], method: str) -> None:
    """Raise `ValueError` where a pass with rules gives other logits than a plain one, for it explains another function.

    `run` gives the logits of the network's own input under the rules of that name. One such pass on a picture of noise,
    once for each classifier and set of rules, with the same random numbers as the plain one. Residuals cannot tell:
    they are taken from the same pass.
    """
    probe = _probe(classifier)
    with classifier.lock:
        if rules not in probe.compared:
            probe.compared[rules] = _difference(classifier, probe, run)
        reason = probe.compared[rules]
    if reason is not None:
        raise ValueError(f"{method} cannot explain {classifier.name}: {reason}")


def _random(classifier: Classifier, known: Tensor) -> str | None:
    """That plain passes give other logits each time; None where they do not. One pass more where one is not as known.

    What is known may be from before the weights were changed.
    """
    once = _plain(classifier, 1)
    if _same(once, known):
        return None
    again = _plain(classifier, 2)
    if _same(again, once):
        return None
    return (
        f"it gives other logits each time that it runs (they differ by {_gap(again, once)}). Switch off what is random "
        "in it, such as dropout with training=True, or choose a method of one pass."
    )


def _difference(classifier: Classifier, probe: _Probe, run: Callable[[Tensor], Tensor]) -> str | None:
    """Why passes with rules do not serve; None where the logits are the same."""
    try:
        with torch.inference_mode(False), torch.enable_grad(), _seeded(classifier, 0):
            found = run(_noise(classifier)).detach()
    except (RuntimeError, TypeError, AttributeError, LookupError) as error:
        # The plain pass went well, so whatever fails here is the rules'.
        if isinstance(error, RuntimeError) and out_of_memory(error):
            raise
        reason = str(error).partition("\n")[0]
        return f"its rules do not work there ({reason}). Choose a method that perturbs the picture."
    if _same(found, probe.logits):
        return None
    expected = _plain(classifier, 0)
    if _same(found, expected):
        return None
    return _random(classifier, expected) or (
        f"with the method's rules the logits are off by {_gap(found, expected)}, where the largest is "
        f"{float(expected.abs().max()):.2g}, so another function would be explained. Choose a method that reads plain "
        "gradients or perturbs the picture."
    )


def _plain(classifier: Classifier, seed: int) -> Tensor:
    """The logits of the noise by a plain pass."""
    with torch.inference_mode(False), torch.no_grad(), _seeded(classifier, seed):
        return classifier.module.get_submodule("network")(_noise(classifier))


@contextmanager
def _seeded(classifier: Classifier, seed: int) -> Iterator[None]:
    """Torch's random numbers begin anew, and go on afterwards as if nothing had been drawn."""
    with torch.random.fork_rng([classifier.device] if classifier.device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


def _same(found: Tensor, expected: Tensor) -> bool:
    """Whether logits are the same but for rounding; those that are not finite are said so by whoever scores them."""
    return found.shape == expected.shape and (not bool(expected.isfinite().all()) or equal(found, expected))


def _gap(found: Tensor, expected: Tensor) -> str:
    return f"{float((found - expected).abs().max()):.2g}" if found.shape == expected.shape else "their number"


@dataclass(frozen=True, eq=False)
class _Probe:
    """What one plain pass found: the operations, whether anything is written over, the logits; and what was compared.

    `compared` holds, for each name of rules, why they do not serve; None where they do.
    """

    met: frozenset[Operation]
    rectifiers: frozenset[Operation]
    in_place: bool
    logits: Tensor
    compared: dict[str, str | None] = field(default_factory=dict)


def _probe(classifier: Classifier) -> _Probe:
    module = classifier.module
    with classifier.lock:
        if module not in _found:
            recorder = _Recorder()
            with torch.inference_mode(False), torch.enable_grad(), _seeded(classifier, 0):
                pixels = _noise(classifier)
                with recorder:
                    logits = module.get_submodule("network")(pixels).detach()
            _found[module] = _Probe(frozenset(recorder.met), frozenset(recorder.rectifiers), recorder.in_place, logits)
        return _found[module]


def _noise(classifier: Classifier) -> Tensor:
    """A picture of seeded noise as the network sees it, for which a gradient can be asked."""
    pixels = torch.rand((1, classifier.channels, *classifier.input_size), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        seen = classifier.module.get_submodule("normalize")(pixels.to(classifier.device))
    # A copy, for the network may write over what it is given.
    return seen.detach().requires_grad_().clone()


class _Recorder(TorchFunctionMode):
    """Keeps every operation whose result depends on a tensor that needs a gradient, and notes what is written over."""

    def __init__(self) -> None:
        super().__init__()
        self.met: set[Operation] = set()
        self.rectifiers: set[Operation] = set()
        self.in_place = False

    def __torch_function__(
        self, func: Operation, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        target = operations.first_tensor(args, kwargs or {})
        version = _version(target)
        call = operations.OperationCall.of(func, args, kwargs)
        if operations.rectifies(call):
            self.rectifiers.add(call.operation)
        before = call
        if call.written is not None and call.operation in operations.SELECTIONS:
            before = replace(call, arguments=(call.written.clone(), *call.arguments[1:]))
        result = func(*args, **(kwargs or {}))
        if operations.rectified_by_hand(before, result) is not None:
            self.rectifiers.add(torch.relu)
        written = _version(target) != version
        self.in_place |= written
        first = result[0] if isinstance(result, list | tuple) and result else result
        # What is written into a part of a tensor has no result.
        first = target if first is None and written else first
        if isinstance(first, Tensor):
            masks = call.operation in operations.COMPARISONS and first.numel() > 1 and _of_signals(call)
            if masks or (first.is_floating_point() and first.requires_grad):
                self.met.add(_noted(func, call))
        return result


def _noted(func: Operation, call: operations.OperationCall) -> Operation:
    """The operation that a rule has to know; one that no rule knows, where what is done depends on the picture."""
    if func is Tensor.__setitem__ and _has_tensor(call.arguments[1]):
        return Tensor.index_put_
    if call.raised_to_signal:
        return Tensor.__rpow__
    return Tensor.where if call.bounded_by_signals else call.operation


def _of_signals(call: operations.OperationCall) -> bool:
    return any(isinstance(one, Tensor) and one.requires_grad for one in (*call.arguments, *call.keywords.values()))


def _has_tensor(index: Any) -> bool:
    return any(isinstance(one, Tensor) for one in (index if isinstance(index, tuple) else (index,)))


def _version(value: Any) -> int:
    """Goes up each time that something is written into a tensor."""
    return value._version if isinstance(value, Tensor) and not value.is_inference() else 0
