"""A model that forgets: in which order its layers lose what they have learned, and how they begin anew."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from interp.types import Classifier

# As few stages as show where a map begins to change, and as many as one waits for: each costs what the map costs.
FEWEST, MOST = 6, 12


def forgotten(
    classifier: Classifier, planned: Sequence[tuple[str, tuple[str, ...]]], seed: int
) -> Iterator[tuple[str, Classifier]]:
    """For each of the `stages`, its name and a classifier that has forgotten all from there to the logits.

    The given classifier is not touched. All share the weights that are the same in them, so that all stages together
    take as much memory as one more model.
    """
    before = classifier
    for number, (layer, owners) in enumerate(planned):
        before = _with_own_weights(before, owners)
        reinitialize(before.module.get_submodule("network"), owners, seed + number)
        fingerprint = f"{classifier.fingerprint}-randomized-{seed}-{layer}"
        yield layer, replace(before, fingerprint=fingerprint)


def _with_own_weights(classifier: Classifier, owners: Sequence[str]) -> Classifier:
    """The same classifier with a lock of its own, and with weights of its own in the named modules."""
    network = classifier.module.get_submodule("network")
    own = {id(tensor) for owner in owners for tensor in _tensors(network.get_submodule(owner), recurse=False)}
    # What the copy is told to have copied already it takes as it is.
    shared = {id(tensor): tensor for tensor in _tensors(classifier.module, recurse=True) if id(tensor) not in own}
    # Under the lock, for hooks that another thread has set would be copied too.
    with classifier.lock:
        return replace(classifier, module=copy.deepcopy(classifier.module, shared), lock=threading.RLock())


def _tensors(module: nn.Module, *, recurse: bool) -> list[Tensor]:
    return [*module.parameters(recurse=recurse), *module.buffers(recurse=recurse)]


def stages(classifier: Classifier) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What is re-initialized in turn, from the logits down: each stage's name and the modules that hold its weights.

    Modules are in the order of one forward pass, those that take no part in it are left out. They are gathered under
    the outermost blocks that make at least 6 stages and of which none holds more than half; neighbours are put
    together where that makes more than 12, except for the layer of the logits, which stands alone. A stage bears the
    name of its block that runs first: with the stage done, all from there to the logits is re-initialized.
    """
    owners = _executed(classifier)[::-1]
    deepest = max(owner.count(".") for owner in owners) + 1
    gathered = (_gathered(owners, depth) for depth in range(1, deepest + 1))
    even = (
        blocks
        for blocks in gathered
        if len(blocks) >= FEWEST and 2 * max(len(held) for held in blocks.values()) <= len(owners)
    )
    (logits, of_logits), *others = next(even, _gathered(owners, deepest)).items()
    size = -(-len(others) // (MOST - 1)) if len(others) >= MOST else 1
    joined = [others[start : start + size] for start in range(0, len(others), size)]
    return (
        (logits, tuple(of_logits)),
        *((block[-1][0], tuple(owner for _, held in block for owner in held)) for block in joined),
    )


def _gathered(owners: Sequence[str], depth: int) -> dict[str, list[str]]:
    """The modules under the blocks at this depth of the network, in order."""
    blocks: dict[str, list[str]] = {}
    for owner in owners:
        # The network itself may hold weights, as a vision transformer does its class token; its own name is empty.
        blocks.setdefault(".".join(owner.split(".")[:depth]) or "(network)", []).append(owner)
    return blocks


def reinitialize(network: nn.Module, owners: Sequence[str], seed: int) -> None:
    """Draw the weights that the named modules hold anew, in place; the same seed gives the same weights.

    A module begins anew as its `reset_parameters` begins it, so that running statistics of batch normalization, which
    are learned too, go back to mean 0 and variance 1. Weights whose module has no such method are drawn from a normal
    of their own mean and deviation.
    """
    # Drawn on the processor, so that every device forgets alike.
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        for owner in owners:
            module = network.get_submodule(owner)
            reset = getattr(module, "reset_parameters", None)
            if callable(reset) and not any(module.children()):
                fresh = copy.deepcopy(module).cpu()
                fresh.reset_parameters()  # pyright: ignore[reportCallIssue]
                module.load_state_dict(fresh.state_dict())
                continue
            for weight in module.parameters(recurse=False):
                plain = weight.float()
                drawn = torch.randn(weight.shape) * plain.std(correction=0).cpu() + plain.mean().cpu()
                weight.copy_(drawn.to(weight))


def _executed(classifier: Classifier) -> list[str]:
    """The modules whose own weights a forward pass uses, in the order of their last use."""
    network = classifier.module.get_submodule("network")
    owner_of = {
        id(weight): owner for owner, module in network.named_modules() for weight in module.parameters(recurse=False)
    }
    pixels = torch.full((1, classifier.channels, *classifier.input_size), 0.5, device=classifier.device)
    watch = _Watch(set(owner_of))
    with classifier.lock, torch.no_grad(), watch:
        classifier.module(pixels)
    if not watch.used:
        raise ValueError(f"{classifier.name} has no weights that could be re-initialized.")
    last = {owner_of[weight]: place for place, weight in enumerate(watch.used)}
    return sorted(last, key=lambda owner: last[owner])


class _Watch(TorchFunctionMode):
    """Notes which of the known weights the operations are given, in order."""

    def __init__(self, known: set[int]) -> None:
        super().__init__()
        self.known = known
        self.used: list[int] = []

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        self._note((args, tuple((kwargs or {}).values())))
        return func(*args, **(kwargs or {}))

    def _note(self, value: Any) -> None:
        if isinstance(value, tuple | list):
            for part in value:
                self._note(part)
        elif id(value) in self.known:
            self.used.append(id(value))
