"""How long work tells whoever waits: steps done, remarks, and the chance to stop it.

A function in `interp` reports; who listens is the caller's business (a job of `cache`, a notebook, nobody).
A listener stops the work by raising from the report.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol, TypeVar, runtime_checkable

T = TypeVar("T")


@runtime_checkable
class Listener(Protocol):
    """Whoever wants to know how the work goes."""

    def step(self, done: int, total: int, what: str) -> None:
        """Hear that `done` of `total` steps of `what` are finished (total 0: not known). May raise to stop the work."""

    def remark(self, text: str) -> None:
        """Hear something that the reader of the result should know, such as a batch that had to be halved."""


_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


def report(done: int, total: int, what: str) -> None:
    """Say that `done` of `total` steps of `what` are finished; does nothing where nobody listens."""
    listener = _listener.get()
    if listener is not None:
        listener.step(done, total, what)


def remark(text: str) -> None:
    """Say something that the reader of the result should know; does nothing where nobody listens."""
    listener = _listener.get()
    if listener is not None:
        listener.remark(text)


def steps(items: Sequence[T], what: str) -> Iterator[T]:
    """The items one by one, reporting before each and after the last."""
    for done, item in enumerate(items):
        report(done, len(items), what)
        yield item
    report(len(items), len(items), what)


@dataclass
class _Part:
    """A listener to one part of a longer work, who passes on how far the whole is.

    With a name for all of it, it never goes back, whatever the part consists of.
    """

    listener: Listener
    start: int
    length: int
    total: int
    what: str | None
    furthest: int = 0

    def step(self, done: int, total: int, what: str) -> None:
        share = done * self.length // total if total else 0
        if self.what:
            self.furthest = share = max(share, self.furthest)
        self.listener.step(self.start + share, self.total, self.what or what)

    def remark(self, text: str) -> None:
        self.listener.remark(text)


@contextmanager
def within(start: int, length: int, total: int, what: str | None = None) -> Iterator[None]:
    """What is reported inside the `with` block counts as `length` of `total` steps, of which `start` are done.

    `what` names all these steps; None leaves each the name that it is reported with.
    """
    listener = _listener.get()
    if listener is None:
        yield
        return
    with listening(_Part(listener, start, length, total, what)):
        yield


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Everything reported inside the `with` block, in this thread, goes to the listener."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
