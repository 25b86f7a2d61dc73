"""Visitors and what they wait for: equal questions are computed once, and stop when nobody waits any more."""

from __future__ import annotations

import itertools
import threading
from typing import Any

from cache import store
from cache.jobs import Job, Queue, State
from cache.keys import Call
from cache.memory import MISSING, Memory
from interp.types import Classifier

_lock = threading.RLock()
_active: dict[str, Job] = {}
_queues: dict[str, Queue] = {}
_memory = Memory()
_order = itertools.count()


class Visitor:
    """Somebody who waits: a browser session, or a script. What is asked in a slot takes the place of what was."""

    def __init__(self) -> None:
        self._slots: dict[str, Job] = {}

    @property
    def slots(self) -> tuple[str, ...]:
        """The slots in use."""
        return tuple(self._slots)

    def ask(self, slot: str, call: Call, *, disk: bool = True, device: str | None = None) -> Job:
        """The job for a call, at once: the running one where anybody asked the same, or one that is done already.

        What this visitor asked before in the slot is released. A job of the slot that has failed stays, with its
        error, until it is released: a page that is drawn again does not fail again. `disk` says whether the result is
        kept on disk, too. `device` names the queue; None is that of the first classifier among the arguments, or cpu.
        """
        mine = self._slots.get(slot)
        if mine is not None and mine.key == call.key and mine.state != "cancelled":
            return mine
        job = _ask(self, call, disk, device)
        self.release(slot)
        self._slots[slot] = job
        return job

    def release(self, slot: str) -> None:
        """No longer wait for what was asked in a slot; nothing happens where nothing was."""
        job = self._slots.pop(slot, None)
        if job is not None and job not in self._slots.values():
            _release(self, job)

    def forget(self, job: Job) -> None:
        """Release the slots of a job, so that asking again computes again."""
        for slot in [slot for slot, one in self._slots.items() if one is job]:
            self.release(slot)

    def close(self) -> None:
        """No longer wait for anything."""
        for slot in self.slots:
            self.release(slot)


def get(call: Call, *, disk: bool = True, device: str | None = None) -> Any:
    """The value of a call; waits for it, and raises what the function raised."""
    found = _memory.get(call.key)
    if found is not MISSING:
        return found
    visitor = Visitor()
    try:
        job = visitor.ask("get", call, disk=disk, device=device)
        job.wait()
        return job.value
    finally:
        visitor.close()


def forget() -> None:
    """Empty the memory; what is on disk stays."""
    _memory.clear()


def _ask(visitor: Visitor, call: Call, disk: bool, device: str | None) -> Job:
    job = _known(visitor, call)
    if job is not None:
        return job
    # Reading takes a while, so it happens here, in the visitor's own thread, and without the lock.
    value = store.default().get(call.key) if disk else MISSING
    with _lock:
        job = _known(visitor, call)
        if job is not None:
            return job
        if value is not MISSING:
            _memory.put(call.key, value)
            return Job.finished(call, value)
        job = Job(call, disk=disk)
        job.asked[visitor] = next(_order)
        _active[call.key] = job
        name = device or _device(call)
        if name not in _queues:
            _queues[name] = Queue(name, _settle)
        _queues[name].add(job)
        return job


def _known(visitor: Visitor, call: Call) -> Job | None:
    with _lock:
        value = _memory.get(call.key)
        if value is not MISSING:
            return Job.finished(call, value)
        job = _active.get(call.key)
        if job is None:
            return None
        job.asked[visitor] = next(_order)
        return job


def _release(visitor: Visitor, job: Job) -> None:
    with _lock:
        job.asked.pop(visitor, None)
        # It is about to stop: whoever asks from now on needs a new one.
        if not job.asked and _active.get(job.key) is job:
            del _active[job.key]


def _settle(job: Job, state: State, value: Any) -> None:
    """Keep a result, in the worker's thread; a store that cannot be written to costs a remark, not the result."""
    with _lock:
        if state == "done":
            _memory.put(job.key, value)
        if _active.get(job.key) is job:
            del _active[job.key]
    if state == "done" and job.disk:
        try:
            store.default().put(job.key, value, job.call.title)
        except OSError as error:
            job.remark(f"The result could not be kept on disk: {error}.")


def _device(call: Call) -> str:
    for argument in (*call.arguments, *call.keywords.values()):
        if isinstance(argument, Classifier):
            return str(argument.device)
    return "cpu"
