"""Who asks: a visitor keeps what was last asked in each slot, and lets go of what is asked no more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from cache import queues
from cache.jobs import Job
from cache.keys import Call
from cache.keys import call as called
from cache.queues import Queue
from interp import settings


class Slot(NamedTuple):
    """A place for one job of a visitor: on a page ("" for all pages), in a view of it ("" for all its views)."""

    page: str
    view: str
    name: str


class Visitor:
    """One browser session, or one script: its slots, each with the job that it last asked for there."""

    def __init__(self) -> None:
        self._slots: dict[Slot | str, Job] = {}
        self._closed = False

    def ask(self, slot: Slot | str, call: Call, disk: bool = True, device: str | None = None) -> Job:
        """The job for a call, at once; what this visitor asked before in the slot, with another key, is released.

        The same key gives the same job, except after a failure that was heard of: then it is computed again.
        `disk` says whether the result may be kept on disk, where nothing is kept of a classifier that gives other
        numbers each time that it runs. `device` names the queue; None is the device of the first
        classifier among the arguments, else "cpu". Raises `ValueError` for a visitor that was closed.
        """
        with queues.changed:
            before = self._slots.get(slot)
        if before is not None and before.key == call.key and before.state != "cancelled" and not before.heard:
            return before
        asker = (self, slot)
        job = queues.enter(asker, call, disk=disk, device=device or device_of(call))
        with queues.changed:
            if self._closed:
                queues.leave(asker, job)
                raise ValueError("This visitor was closed, so nobody would wait for the result: make a new Visitor.")
            before = self._slots.get(slot)
            self._slots[slot] = job
            if before is not None and before is not job:
                queues.leave(asker, before)
        return job

    def expect(self, slot: Slot | str, call: Call, disk: bool = True, device: str | None = None) -> None:
        """Have done what is likely to be asked next, while nobody asks for anything; let go of by `release` as all is.

        Its function must be a generator: work stops at a yield when somebody asks.
        """
        with queues.changed:
            before = self._slots.get(slot)
            if self._closed or (before is not None and before.key == call.key):
                return
        if not settings.number("LOUPE_AHEAD_SECONDS"):
            return
        job = queues.enter((self, slot), call, disk=disk, device=device or device_of(call), expected=True)
        with queues.changed:
            before = self._slots.get(slot)
            self._slots[slot] = job
            if before is not None and before is not job:
                queues.leave((self, slot), before)

    def release(self, slot: Slot | str) -> None:
        """Wait no longer for what was asked in a slot; a slot without a job is let be."""
        with queues.changed:
            job = self._slots.pop(slot, None)
            if job is not None:
                queues.leave((self, slot), job)

    @property
    def slots(self) -> dict[Slot | str, Job]:
        """The job of each slot."""
        with queues.changed:
            return dict(self._slots)

    def close(self) -> None:
        """Release every slot, for good."""
        with queues.changed:
            self._closed = True
            for slot in list(self._slots):
                self.release(slot)


@dataclass(frozen=True)
class Scope:
    """Where a visitor asks: on a page, in one of its views; "" is all of them.

    The ways to ask say what kind of work it is, and so in which queue it stands and whether its result is kept on disk.
    Each takes a function and its arguments, or a `Call`, and gives the job, in the slot of this name.
    """

    visitor: Visitor
    page: str = ""
    view: str = ""

    @property
    def shared(self) -> Scope:
        """The scope of what all pages use."""
        return Scope(self.visitor)

    def at(self, view: str) -> Scope:
        """A view of this page."""
        return replace(self, view=view)

    def enter(self) -> Scope:
        """Let go of what the visitor has asked for on other pages and, in a view, in other views; gives this scope."""
        for slot in self.visitor.slots:
            if isinstance(slot, Slot) and not self._beside(slot):
                self.visitor.release(slot)
        return self

    def _beside(self, slot: Slot) -> bool:
        return slot.page in ("", self.page) and (not slot.page or not self.view or slot.view in ("", self.view))

    def compute(self, slot: str, function: Callable[..., Any] | Call, /, *arguments: Any, **keywords: Any) -> Job:
        """Something that the classifier has to run for; kept on disk."""
        return self.ask(slot, _call(function, arguments, keywords))

    def gather(self, slot: str, function: Callable[..., Any] | Call, /, *arguments: Any, **keywords: Any) -> Job:
        """As `compute`, where the parts are kept one by one, or the whole is soon computed anew: not kept on disk."""
        return self.ask(slot, _call(function, arguments, keywords), disk=False)

    def read(self, slot: str, function: Callable[..., Any] | Call, /, *arguments: Any, **keywords: Any) -> Job:
        """Something from a few files; not kept on disk."""
        return self.ask(slot, _call(function, arguments, keywords), disk=False, queue=Queue.READING)

    def survey(self, slot: str, function: Callable[..., Any] | Call, /, *arguments: Any, **keywords: Any) -> Job:
        """Something for which the files of a whole set are read; kept on disk."""
        return self.ask(slot, _call(function, arguments, keywords), queue=Queue.READING)

    def draw(self, slot: str, function: Callable[..., Any] | Call, /, *arguments: Any, **keywords: Any) -> Job:
        """Something for a figure out of what is in memory; not kept on disk."""
        return self.ask(slot, _call(function, arguments, keywords), disk=False, queue=Queue.FIGURES)

    def look_up(self, slot: str, function: Callable[..., Any] | Call, /, *arguments: Any, **keywords: Any) -> Job:
        """Something that only has to be found; not kept on disk."""
        return self.ask(slot, _call(function, arguments, keywords), disk=False, queue=Queue.LISTS)

    def ask(self, slot: str, call: Call, *, disk: bool = True, queue: str | None = None) -> Job:
        """The job of a call, as `Visitor.ask` gives it, for work of no kind that has a name of its own."""
        return self.visitor.ask(Slot(self.page, self.view, slot), call, disk=disk, device=queue)

    def expect(self, slot: str, function: Callable[..., Any] | Call, /, *arguments: Any, **keywords: Any) -> None:
        """As `gather`, for what is likely to be asked next: done while nobody asks for anything (`Visitor.expect`)."""
        self.visitor.expect(
            Slot(self.page, self.view, f"{slot}, ahead"), _call(function, arguments, keywords), disk=False
        )

    def release(self, slot: str) -> None:
        """Wait no longer for what was asked in a slot."""
        self.visitor.release(Slot(self.page, self.view, slot))


def _call(function: Callable[..., Any] | Call, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Call:
    return function if isinstance(function, Call) else called(function, *arguments, **keywords)


def figure(function: Callable[..., Any], /, *arguments: Any, **keywords: Any) -> Any:
    """What a function gives for a figure that cannot be drawn without: kept in memory; waits. As `get` else."""
    return get(called(function, *arguments, **keywords), disk=False, device=Queue.FIGURES)


def lookup(function: Callable[..., Any], /, *arguments: Any, **keywords: Any) -> Any:
    """What a function finds that a page cannot be drawn without: kept in memory; waits. As `get` else."""
    return get(called(function, *arguments, **keywords), disk=False, device=Queue.LISTS)


def get(call: Call, disk: bool = True, device: str | None = None) -> Any:
    """The value of a call, from memory, from disk, or computed; waits for it.

    Raises the function's own error. Raises `RuntimeError` inside a job of the same device, which would wait for
    itself.
    """
    device = device or device_of(call)
    if queues.queue(device).mine:
        raise RuntimeError(
            f"A job on {device} would wait for itself: call {call.title} directly, not through the cache."
        )
    visitor = Visitor()
    try:
        job = visitor.ask("", call, disk=disk, device=device)
        job.wait()
        return job.value
    finally:
        visitor.close()


def forget() -> None:
    """Drop what is kept in memory; what is on disk stays."""
    queues.memory.clear()


def device_of(call: Call) -> str:
    """The device of the first classifier among the arguments or their fields, else the processor."""
    for one in call.classifiers[:1]:
        # "cuda" and "cuda:0" are one device, which must have one queue.
        return str(one.device) if one.device.index else one.device.type
    return "cpu"
