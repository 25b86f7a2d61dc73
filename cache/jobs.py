"""A job: one computation that somebody waits for, with its progress, what is ready of it, and how it ended."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any, Literal

import torch

from cache.keys import Call
from interp import progress

State = Literal["waiting", "running", "done", "failed", "cancelled"]


class Cancelled(BaseException):
    """Nobody waits any more. Raised from the work's progress report.

    No `Exception`, so that no `except Exception` on the way holds it up.
    """


@dataclass(frozen=True)
class Progress:
    """How far a job is: `done` of `total` steps of `what` (total 0: not known).

    `seconds_left` are those of its own work, at the pace so far; while others have their turn they do not pass.
    """

    done: int = 0
    total: int = 0
    what: str = ""
    seconds_left: float | None = None


class Job:
    """One computation, shared by all who ask for its key.

    Its value is handed out uncopied to everybody: take it as immutable.
    """

    def __init__(self, call: Call, *, device: str, disk: bool, ahead: Callable[[Job], int]) -> None:
        self.call = call
        self.key = call.key
        self.device = device
        self.disk = disk
        self._ahead = ahead
        self._state: State = "waiting"
        self._over = threading.Event()
        self._abandoned = False
        self._asked = monotonic()
        self._steps: Generator[Any, None, Any] | None = None
        self._gradients = True
        self._value: Any = None
        self._error: Exception | None = None
        self._heard = False
        self._yielded: list[Any] = []
        self._partial: list[Any] = []
        self._remarks: list[str] = []
        self._progress = Progress()
        self._pace: tuple[float, int] | None = None
        self._reported = 0.0
        self._worked = 0.0
        self._resumed: float | None = None

    @classmethod
    def found(cls, call: Call, value: Any, remarks: tuple[str, ...], *, device: str) -> Job:
        """A job that is done already, its value found in memory or on disk."""
        job = cls(call, device=device, disk=False, ahead=lambda job: 0)
        job._remarks.extend(remarks)
        job.settle("done", value=value)
        return job

    @property
    def state(self) -> State:
        """Where the job stands."""
        return self._state

    @property
    def value(self) -> Any:
        """The result. Raises the function's own error where it failed, `RuntimeError` where there is no result."""
        if self._state == "done":
            return self._value
        if self._error is not None:
            self._heard = True
            raise self._error
        raise RuntimeError(f"{self.call.title} has no result: the job is {self._state}.")

    @property
    def error(self) -> Exception | None:
        """Why the job failed."""
        return self._error

    @property
    def heard(self) -> bool:
        """Whether the job failed and somebody has heard of it, by `wait` or `value`.

        A page that was drawn again because of the failure asks once more, and must hear of it instead of starting the
        same work over; whoever asks after that wants another try.
        """
        return self._heard

    @property
    def partial(self) -> tuple[Any, ...]:
        """What the function has yielded so far, without what it yields again; empty where the value was found."""
        return tuple(self._partial)

    @property
    def parts(self) -> tuple[Any, ...]:
        """Of a function that yields the parts of its result: those that are there, all of them once it is done."""
        return tuple(self._value) if self._state == "done" else self.partial

    def latest(self, nothing: Any = None) -> Any:
        """Of a function that yields what it has so far: the newest, or `nothing`; the result once it is done."""
        if self._state == "done":
            return self._value
        return self._partial[-1] if self._partial else nothing

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the reader of the result should know."""
        return tuple(self._remarks)

    @property
    def progress(self) -> Progress:
        """How far the job is."""
        now, pace = self._progress, self._pace
        measured = pace is not None and now.done > pace[1]
        return replace(now, seconds_left=self.remaining if measured else None)

    @property
    def age(self) -> float:
        """The seconds since it was first asked for."""
        return monotonic() - self._asked

    @property
    def worked(self) -> float:
        """The seconds that the job's own steps have taken so far."""
        resumed = self._resumed
        return self._worked + (0.0 if resumed is None else monotonic() - resumed)

    @property
    def remaining(self) -> float | None:
        """The seconds that the job's steps will still take at the pace so far; None where it does not say how many.

        Before the second report the time since the first one counts as that of one step.
        """
        now, pace = self._progress, self._pace
        if pace is None or not now.total:
            return None
        since, already = pace
        worked = self.worked
        each = (max(worked, self._reported) - since) if now.done == already else (self._reported - since)
        left = each / max(now.done - already, 1) * (now.total - now.done)
        return max(0.0, left - (worked - self._reported))

    @property
    def share(self) -> float:
        """How much of the job is done, from 0 to 1; 0 where it does not say."""
        now = self._progress
        return min(now.done / now.total, 1.0) if now.total else 0.0

    @property
    def ahead(self) -> int:
        """How many jobs are before it in its device's queue, also after its first steps, while others have theirs."""
        return 0 if self._over.is_set() or self._resumed is not None else self._ahead(self)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the job is over, or so many seconds; gives whether it is over."""
        over = self._over.wait(timeout)
        self._heard |= self._state == "failed"
        return over

    def step(self, done: int, total: int, what: str) -> None:
        """Hear how far the work is. Raises `Cancelled` where nobody waits for it any more."""
        if self._abandoned:
            raise Cancelled
        now, before = self.worked, self._progress
        if self._pace is None or (what, total) != (before.what, before.total) or done < before.done:
            self._pace = (now, done)
        self._progress, self._reported = Progress(done, total, what), now

    def remark(self, text: str) -> None:
        """Hear something that the reader of the result should know; said twice it is kept once."""
        if text not in self._remarks:
            self._remarks.append(text)

    def begin(self) -> Job:
        """Take the job as running."""
        self._state = "running"
        return self

    def advance(self) -> bool:
        """Do the next step, up to the function's next yield, or all of a plain function; gives whether it is over.

        Raises `Cancelled` where nobody waits any more, else what the function raises.
        Between two steps other jobs run in the same thread, so each keeps its own switch for gradients.
        """
        if self._abandoned:
            raise Cancelled
        self._resumed = monotonic()
        try:
            with progress.listening(self), torch.set_grad_enabled(self._gradients):
                over = self._advance()
                self._gradients = torch.is_grad_enabled()
        finally:
            self._worked, self._resumed = self.worked, None
        return over

    def _advance(self) -> bool:
        if self._steps is None:
            result = self.call()
            if not isinstance(result, Generator):
                self._value = result
                return True
            self._steps = result
        try:
            self._yielded.append(next(self._steps))
        except StopIteration as stop:
            self._value = tuple(self._yielded) if stop.value is None else stop.value
            return True
        # What is yielded again only lets others have their turn: nobody needs to look at it anew.
        if not self._partial or self._yielded[-1] is not self._partial[-1]:
            self._partial.append(self._yielded[-1])
        return False

    @property
    def result(self) -> Any:
        """What `advance` has found when it was over, whoever may still wait for it."""
        return self._value

    @property
    def abandoned(self) -> bool:
        """Whether nobody waits for the job any more."""
        return self._abandoned

    def abandon(self) -> None:
        """Note that nobody waits any more: what runs of the job stops at its next step."""
        self._abandoned = True

    def close(self) -> None:
        """End a generator that was begun, so that its `finally`s run. Belongs to the thread that ran its steps."""
        if self._steps is not None:
            with torch.set_grad_enabled(self._gradients):
                self._steps.close()

    def settle(self, state: State, *, value: Any = None, error: Exception | None = None) -> None:
        """End the job, once; who waits for it goes on."""
        if not self._over.is_set():
            self._value, self._error, self._state = value, error, state
            self._over.set()
