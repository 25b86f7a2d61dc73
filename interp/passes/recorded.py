"""The calls of one pass of a network, and which result each of them was given: its way, as it went for one picture.

Unlike a trace of torch.fx this follows any code, and a result stays what it was where a later call writes over it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.weak import WeakIdKeyDictionary

from interp.models import hooks
from interp.types import Classifier, Images


@dataclass(frozen=True, eq=False)
class CallResult:
    """A tensor that came of a call; the picture where there is none. `number` counts all results of the pass.

    `arguments` and `keywords` are those of the call, with results in the place of tensors that depend on the picture.
    `output` is its place among the tensors that the call gave. `modules` are those whose output it is, and `layers`
    those of them that the classifier lists.
    """

    number: int
    shape: tuple[int, ...]
    operation: Callable[..., Any] | None = None
    arguments: tuple[Any, ...] = ()
    keywords: dict[str, Any] = field(default_factory=dict)
    output: int = 0
    modules: list[str] = field(default_factory=list)
    layers: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What the operation is called, in place or not: '' for the picture."""
        name = getattr(self.operation, "__name__", type(self.operation).__name__) if self.operation else ""
        name = name.removeprefix("__").removesuffix("__")
        name = name[1:] if name in ("iadd", "radd", "isub", "imul", "rmul", "itruediv") else name
        return name.rstrip("_")

    def argument(self, place: int, name: str, default: Any = None) -> Any:
        """An argument of the call, however it was given."""
        return self.arguments[place] if len(self.arguments) > place else self.keywords.get(name, default)

    @property
    def given(self) -> list[CallResult]:
        """The results that the call was given."""
        leaves = tree_leaves((self.arguments, self.keywords), is_leaf=lambda one: isinstance(one, CallResult))
        return [one for one in leaves if isinstance(one, CallResult)]


@dataclass(frozen=True, eq=False)
class RecordedPass:
    """What each layer gave, and the values that were wanted, by their numbers."""

    of_layer: dict[str, CallResult]
    values: dict[int, Tensor]


def record(classifier: Classifier, images: Images, wanted: Collection[int] = ()) -> RecordedPass:
    """Run the network, and record its calls; of results with the numbers `wanted` the values are kept, as they were.

    The same network numbers its results alike each time, where its way does not depend on the picture. Of a layer that
    runs several times the last run counts.
    """
    recording = _Recording(frozenset(wanted))
    network = classifier.module.get_submodule("network")
    observers = {name: partial(recording.name, name) for name, _ in network.named_modules() if name}
    with classifier.lock, torch.no_grad():
        pixels = classifier.module.get_submodule("normalize")(images.pixels)
        with hooks.observed(classifier, observers), _begun(recording, pixels.clone()) as begun:
            network(begun)
    listed = {one.name for one in classifier.layers}
    for name, result in recording.of_module.items():
        result.modules.append(name)
        if name in listed:
            result.layers.append(name)
    of_layer = {name: result for name, result in recording.of_module.items() if name in listed}
    return RecordedPass(of_layer, recording.values)


@contextmanager
def watched(classifier: Classifier, observers: Mapping[int, Callable[[Tensor], None]]) -> Iterator[None]:
    """Inside the `with` block each observer sees the result of its number, each time that the classifier runs.

    Numbers are those of `record`, and results those of any images. What follows may write over a result: an observer
    keeps what it derives from it.
    """
    watching = _Watching(observers)
    with hooks.normalized(classifier, watching.begin), watching:
        yield


@contextmanager
def _begun(recording: _Recording, pixels: Tensor) -> Iterator[Tensor]:
    recording.keep(pixels, CallResult(0, tuple(pixels.shape)))
    with recording:
        yield pixels


class _Recording(TorchFunctionMode):
    def __init__(self, wanted: frozenset[int]) -> None:
        super().__init__()
        self.wanted, self.count = wanted, 0
        self.values: dict[int, Tensor] = {}
        self.of_module: dict[str, CallResult] = {}
        self._results = WeakIdKeyDictionary()

    def keep(self, tensor: Tensor, result: CallResult) -> None:
        self._results[tensor] = result
        if result.number in self.wanted:
            self.see(tensor, result.number)

    def see(self, tensor: Tensor, number: int) -> None:
        self.values[number] = tensor.detach().clone()

    def name(self, module: str, output: Any) -> None:
        if isinstance(output, Tensor) and output in self._results:
            self.of_module[module] = self._results[output]

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        def told(one: Any) -> Any:
            return self._results.get(one, one) if isinstance(one, Tensor) else one

        arguments, keywords = tree_map(told, tuple(args)), tree_map(told, dict(kwargs or {}))
        output = func(*args, **(kwargs or {}))
        follows = any(isinstance(one, CallResult) for one in tree_leaves((arguments, keywords)))
        if not follows:
            return output
        # Writing into a part of a tensor gives nothing back.
        written = args[0] if getattr(func, "__name__", "") == "__setitem__" else output
        for place, one in enumerate(leaf for leaf in tree_leaves(written) if isinstance(leaf, Tensor)):
            self.count += 1
            self.keep(one, CallResult(self.count, tuple(one.shape), func, arguments, keywords, place))
        return output


class _Watching(TorchFunctionMode):
    """Counts results as `_Recording` does, and keeps nothing else of them."""

    def __init__(self, observers: Mapping[int, Callable[[Tensor], None]]) -> None:
        super().__init__()
        self.observers, self.count = observers, 0
        self._results = WeakIdKeyDictionary()

    def begin(self, pixels: Tensor) -> None:
        self._results.clear()
        self._take(pixels, 0)

    def _take(self, tensor: Tensor, number: int) -> None:
        self.count = number
        self._results[tensor] = True
        if number in self.observers:
            self.observers[number](tensor)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        if any(one in self._results for one in _tensors((args, kwargs))):
            written = args[0] if getattr(func, "__name__", "") == "__setitem__" else output
            for one in _tensors(written):
                self._take(one, self.count + 1)
        return output


def _tensors(values: Any) -> Iterator[Tensor]:
    if isinstance(values, Tensor):
        yield values
    elif isinstance(values, tuple | list | dict):
        for one in values.values() if isinstance(values, dict) else values:
            yield from _tensors(one)
