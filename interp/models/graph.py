"""The network as a graph of single operations, so that each can be run, replaced, or left out on its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
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


def traced(network: nn.Module, *, whole: frozenset[str] = frozenset(), what: str = "This method") -> fx.GraphModule:
    """The operations of a network, in order, on the network's own parameters; nothing is copied.

    The modules named in `whole` stay one operation each, whatever is inside. A module that runs several times is an
    operation each time. Raises `ValueError` for a network whose way depends on what it sees; `what` names who asked.
    """
    try:
        with _tracing:
            graph = _Tracer(whole).trace(network)
    except Exception as error:  # tracing runs the network's own code on stand-ins, which may fail in any way
        raise ValueError(
            f"{what} needs the single operations of the network, and torch.fx cannot trace {type(network).__name__}: "
            f"{str(error).splitlines()[0] if str(error) else type(error).__name__}"
        ) from None
    return fx.GraphModule(network, graph)
