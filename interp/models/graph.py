"""The network as a graph of single operations, so that each can be run, replaced, or left out on its own."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import fx, nn


class _Tracer(fx.Tracer):
    """Opens every module except those of torch.nn and the ones that are to stay whole."""

    def __init__(self, whole: frozenset[str]) -> None:
        super().__init__()
        self.whole = whole
        self.thread = threading.get_ident()

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return module_qualified_name in self.whole or super().is_leaf_module(m, module_qualified_name)

    # While it traces, torch.fx stands in for every module's call and attributes, in all threads of the process: those
    # of the others go on as if it were not there.
    def call_module(self, m: nn.Module, forward: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        if threading.get_ident() != self.thread:
            return forward(*args, **kwargs)
        return super().call_module(m, forward, args, kwargs)

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
        if threading.get_ident() != self.thread:
            return attr_val
        return super().getattr(attr, attr_val, parameter_proxy_cache)


_tracing = threading.Lock()
_CONTAINERS = (dict, list, set)
_OF_TORCH = ("_modules", "_parameters", "_buffers")


@contextmanager
def _unchanged(network: nn.Module) -> Iterator[None]:
    """Put back what a network keeps of the stand-ins that a trace runs it on, as LeViT does of its biases."""
    kept = []
    for part in network.modules():
        own = {name: value for name, value in part.__dict__.items() if name not in _OF_TORCH}
        kept.append((part, own, {name: copy.copy(value) for name, value in own.items() if type(value) in _CONTAINERS}))
    try:
        yield
    finally:
        for part, own, contents in kept:
            for name in set(part.__dict__) - set(own) - set(_OF_TORCH):
                # The graph refers to these: tensors that the network's code makes on its way.
                if not name.startswith("_tensor_constant"):
                    del part.__dict__[name]
            part.__dict__.update(own)
            for name, content in contents.items():
                container = own[name]
                container.clear()
                container.extend(content) if isinstance(container, list) else container.update(content)


def traced(network: nn.Module, *, whole: frozenset[str] = frozenset(), what: str = "This method") -> fx.GraphModule:
    """The operations of a network, in order, on the network's own parameters; nothing is copied.

    The modules named in `whole` stay one operation each, whatever is inside. A module that runs several times is an
    operation each time. Raises `ValueError` for a network whose way depends on what it sees; `what` names who asked.
    """
    try:
        with _tracing, _unchanged(network):
            graph = _Tracer(whole).trace(network)
    except Exception as error:  # tracing runs the network's own code on stand-ins, which may fail in any way
        raise ValueError(
            f"{what} needs the single operations of the network, and torch.fx cannot trace {type(network).__name__}: "
            f"{str(error).splitlines()[0] if str(error) else type(error).__name__}"
        ) from None
    return fx.GraphModule(network, graph)
