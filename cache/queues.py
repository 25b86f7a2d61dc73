"""One queue and one worker thread for each device; jobs are taken step by step, in the order of `cache.order`."""

from __future__ import annotations

import logging
import math
import threading
import time
import traceback
from enum import StrEnum
from typing import Any

import torch

from cache import prepared, store
from cache.jobs import Cancelled, Job
from cache.keys import Call
from cache.memory import MISSING, Memory
from cache.order import Turns
from interp import cores, settings
from interp.batches import out_of_memory


class Queue(StrEnum):
    """The queues beside those of devices, for work that needs no classifier to run: none waits for another's steps."""

    FIGURES = "figures"
    """What is drawn: the numbers of figures, and pictures for them."""
    LISTS = "lists"
    """Looking things up in a whole set, as its names, labels and counts: a page cannot be drawn without."""
    READING = "reading"
    """Pictures and annotations from files."""
    SETS = "images"
    """Opening image sets: a large one takes longer than any picture."""
    PROJECTIONS = "projections"
    """Maps of an image set, which take seconds to minutes on the processor."""


SMALL = frozenset((Queue.FIGURES, Queue.LISTS, Queue.READING, Queue.SETS))
"""Their threads compute on one core each, so that those which compute much have the cores."""
LINGERING, LOOKING = 0.5, 60.0
"""Seconds without work after which a worker's thread ends, and after which it looks if what is expected may be done."""
# Who asks: a visitor and one of the visitor's slots.
Asker = tuple[object, object]

memory = Memory()
_log = logging.getLogger("loupe")
# One lock for all queues and the table of jobs: it is held for microseconds, and a job may be in two visitors' hands.
changed = threading.Condition(threading.RLock())
_unfinished: dict[str, Job] = {}
_askers: dict[Job, set[Asker]] = {}
# Who would like to have it done when nobody asks for anything.
_hopers: dict[Job, set[Asker]] = {}
_queues: dict[str, Worker] = {}
_asked = 0.0


def enter(asker: Asker, call: Call, *, disk: bool, device: str, expected: bool = False) -> Job:
    """The job for a call: done already where the value is in memory or on disk, else the one for its key.

    What is `expected` only is done while nobody has asked for anything for a while; once it is asked for, it is as any.
    """
    global _asked
    if not expected:
        _asked = time.monotonic()
    found: Any = MISSING
    disk = disk and not call.passing
    if disk and call.key not in _unfinished and memory.get(call.key) is MISSING:
        # Read here and not by the worker: what is on disk must not stand in line behind somebody's long step.
        found = prepared.kept(call)
        if found is not MISSING:
            memory.put(call.key, found)
    with changed:
        job = _unfinished.get(call.key)
        if job is None:
            found = memory.get(call.key) if found is MISSING else found
            if found is not MISSING:
                if disk:
                    prepared.note(call, found)
                return Job.found(call, *found, device=device)
            job = _unfinished[call.key] = Job(call, device=device, disk=disk, ahead=ahead)
            _askers[job], _hopers[job] = set(), set()
        job.disk |= disk
        if not expected and not _askers[job]:
            for visitor, _ in _hopers[job]:
                queue(job.device).drop(visitor, job)
        (_hopers if expected else _askers)[job].add(asker)
        queue(job.device).add(asker[0], job)
        return job


def leave(asker: Asker, job: Job) -> None:
    """Wait for a job no longer; the last who leaves ends it."""
    with changed:
        askers, hopers = _askers.get(job, set()), _hopers.get(job, set())
        askers.discard(asker)
        hopers.discard(asker)
        if not any(visitor is asker[0] for visitor, _ in (*askers, *hopers)):
            queue(job.device).drop(asker[0], job)
        if askers or job not in _askers:
            return
        for visitor, _ in hopers:
            queue(job.device).drop(visitor, job)
            queue(job.device).add(visitor, job)
        if not hopers:
            # Out of the table first, so that whoever asks from now on gets a job of their own.
            _forget(job)
            queue(job.device).abandon(job)


def queue(device: str) -> Worker:
    """The queue of a device, made when first asked for."""
    with changed:
        return _queues.setdefault(device, Worker(device, small=device in SMALL))


def unfinished() -> int:
    """How many jobs somebody waits for."""
    with changed:
        return sum(bool(askers) for askers in _askers.values())


def rest_left() -> float:
    """In how many seconds what is expected may be worked on, if nobody asks for anything before; never is infinity."""
    wanted = settings.number("LOUPE_AHEAD_SECONDS")
    if not wanted or unfinished():
        return math.inf
    return max(0.0, _asked + wanted - time.monotonic())


def ahead(job: Job) -> int:
    """How many jobs come before this one in its queue."""
    with changed:
        order = queue(job.device).order()
    return order.index(job) if job in order else 0


class Worker:
    """The jobs of one device, and the thread that runs them; it computes on several cores, unless `small`.

    After each step the worker asks anew whose turn it is, so that nobody's long work holds up the others' small
    questions. The thread ends when there has been nothing to do for a while, and its helpers with it (`interp.cores`).
    """

    def __init__(self, device: str, *, small: bool = False) -> None:
        self._device = device
        self._small = small
        self._turns = Turns()
        # What nobody waits for, but is likely to be asked next.
        self._later = Turns()
        self._closing: list[Job] = []
        self._running: Job | None = None
        self._thread: threading.Thread | None = None

    @property
    def mine(self) -> bool:
        """Whether the calling thread is this queue's worker."""
        return threading.current_thread() is self._thread

    def add(self, visitor: object, job: Job) -> None:
        """Put a job at the head of a visitor's own jobs."""
        with changed:
            (self._turns if _askers.get(job) else self._later).add(visitor, job)
            self._wake()

    def _wake(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=f"loupe {self._device}", daemon=True)
            self._thread.start()
        changed.notify_all()

    def drop(self, visitor: object, job: Job) -> None:
        """Take a job out of a visitor's own."""
        self._turns.drop(visitor, job)
        self._later.drop(visitor, job)

    def abandon(self, job: Job) -> None:
        """End a job that nobody waits for: at once where it waits, at its next step where it runs."""
        with changed:
            job.abandon()
            if job.state == "waiting":
                job.settle("cancelled")
            elif job is not self._running:
                # Its generator belongs to the worker's thread, which may hold locks in it.
                self._closing.append(job)
                self._wake()

    def order(self) -> list[Job]:
        """The jobs as the worker will first come to them."""
        first = [self._running] if self._running is not None else []
        return list(dict.fromkeys([*first, *self._turns.expected()]))

    def _work(self) -> None:
        if not self._small:
            cores.use_all()
        while self._turn():
            pass

    def _turn(self) -> bool:
        """Close what is to be closed and do one step; gives whether there is to be another."""
        with changed:
            while not self._closing and self._next() is None:
                if not changed.wait(self._patience()) and not self._later and not self._closing and not self._turns:
                    self._thread = None
                    return False
            closing, self._closing = self._closing, []
            turns = self._next()
            job = self._running = None if turns is None else turns.take().begin()
        for one in closing:
            _close(one)
        if job is not None:
            self._advance(job)
        return True

    def _next(self) -> Turns | None:
        """Whose jobs get the next step: those that somebody waits for, else, after a rest, those that are expected."""
        if self._turns:
            return self._turns
        return self._later if self._later and rest_left() <= 0 else None

    def _patience(self) -> float:
        """After how many seconds to look again."""
        return min(LOOKING, max(0.01, rest_left())) if self._later else LINGERING

    def _advance(self, job: Job) -> None:
        error: Exception | None = None
        over = True
        try:
            over = job.advance()
            if over:
                _keep(job)
        except Exception as raised:
            error = _explained(raised, job)
        except BaseException as raised:
            # Also SystemExit: one job must not end the worker of all.
            if job.abandoned and isinstance(raised, Cancelled):
                job.settle("cancelled")
            error = RuntimeError(f"{job.call.title} ended with {raised!r}.")
        if over:
            self._end(job, error)
            return
        with changed:
            self._running = None
            if job.abandoned:
                self._closing.append(job)

    def _end(self, job: Job, error: Exception | None) -> None:
        with changed:
            self._running = None
            for visitor in {visitor for visitor, _ in (*_askers.get(job, ()), *_hopers.get(job, ()))}:
                self.drop(visitor, job)
            _forget(job)
            if error is None:
                job.settle("done", value=job.result)
            else:
                job.settle("failed", error=error)


def _forget(job: Job) -> None:
    global _asked
    _hopers.pop(job, None)
    if _askers.pop(job, None):
        _asked = time.monotonic()
    # Other queues may now go on with what is expected.
    changed.notify_all()
    if _unfinished.get(job.key) is job:
        del _unfinished[job.key]


def _keep(job: Job) -> None:
    if job.disk:
        store.default().keep(job.key, (job.result, job.remarks), job.call.title)
        prepared.note(job.call, (job.result, job.remarks))
    memory.put(job.key, (job.result, job.remarks))


def _close(job: Job) -> None:
    try:
        job.close()
    except BaseException:
        _log.exception("%s raised while it was cancelled", job.call.title)
    job.settle("cancelled")


def _explained(error: Exception, job: Job) -> Exception:
    if isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and out_of_memory(error)):
        # The frames hold the tensors that filled the memory.
        traceback.clear_frames(error.__traceback__)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        short = MemoryError(
            f"{job.device} has too little memory for {job.call.title}. "
            "Choose a smaller model, fewer images or another device, or close other programs that use it."
        )
        short.__cause__ = error
        return short
    if not isinstance(error, ValueError | FileNotFoundError):
        _log.error("%s failed", job.call.title, exc_info=error)
    return error
