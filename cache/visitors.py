"""Who asks: a visitor keeps what was last asked in each slot, and lets go of what is asked no more."""

from __future__ import annotations

from typing import Any

from cache import queues
from cache.jobs import Job
from cache.keys import Call


class Visitor:
    """One browser session, or one script: its slots, each with the job that it last asked for there."""

    def __init__(self) -> None:
        self._slots: dict[str, Job] = {}
        self._closed = False

    def ask(self, slot: str, call: Call, disk: bool = True, device: str | None = None) -> Job:
        """The job for a call, at once; what this visitor asked before in the slot, with another key, is released.

        The same key gives the same job, except after a failure that was heard of: then it is computed again.
        `disk` says whether the result may be kept on disk, where nothing is kept of a classifier that gives other
        numbers each time that it runs. `device` names the queue; None is the device of the first
        classifier among the arguments, else "cpu". Raises `ValueError` for a visitor that was closed.
        """
        with queues.changed:
            before = self._slots.get(slot)
        if before is not None and before.key == call.key and before.state != "cancelled" and not before.told:
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

    def release(self, slot: str) -> None:
        """Wait no longer for what was asked in a slot; a slot without a job is let be."""
        with queues.changed:
            job = self._slots.pop(slot, None)
            if job is not None:
                queues.leave((self, slot), job)

    @property
    def slots(self) -> dict[str, Job]:
        """The job of each slot."""
        with queues.changed:
            return dict(self._slots)

    def close(self) -> None:
        """Release every slot, for good."""
        with queues.changed:
            self._closed = True
            for slot in list(self._slots):
                self.release(slot)


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
