"""Jobs and the queues that run them: one worker for each device, in steps, fairly between visitors.

A function that gives a generator is run a step at a time, and between two steps the worker may turn to another
visitor's job: so a hundred thousand predictions do not hold up thirty other visitors' small questions. What a
generator has yielded so far can be read while it runs.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from types import GeneratorType
from typing import Any, Literal

from cache.keys import Call
from interp import progress
from interp.batches import out_of_memory

State = Literal["waiting", "running", "done", "failed", "cancelled"]


class Cancelled(BaseException):
    """Ends work that nobody waits for. No `Exception`, so that nothing in between takes it for a failure."""


@dataclass(frozen=True)
class Progress:
    """How far a job is: `done` of `total` steps (0: not known) of `what`, and the seconds left at the pace so far."""

    done: int
    total: int
    what: str
    seconds_left: float | None


class Job:
    """A computation that somebody waits for; how it stands may be read at any time.

    `disk` says whether its result is kept on disk, too.
    """

    def __init__(self, call: Call, *, disk: bool) -> None:
        self.call = call
        self.disk = disk
        self.state: State = "waiting"
        self.partial: tuple[Any, ...] = ()
        self.remarks: tuple[str, ...] = ()
        self.error: BaseException | None = None
        self.queue: Queue | None = None
        # When each visitor asked, by visitor: guarded by the lock of `cache.visitors`.
        self.asked: dict[Hashable, int] = {}
        self._value: Any = None
        self._over = threading.Event()
        self._progress = Progress(0, 0, "", None)
        self._phase = ("", time.monotonic())
        self._generator: GeneratorType[Any, None, Any] | None = None

    @classmethod
    def finished(cls, call: Call, value: Any) -> Job:
        """A job for a result that was there already."""
        job = cls(call, disk=False)
        job._end("done", value=value)
        return job

    @property
    def key(self) -> str:
        """The key of the result."""
        return self.call.key

    @property
    def value(self) -> Any:
        """The result of a job that is done; raises what a failed one raised, and `RuntimeError` for any other."""
        if self.error is not None:
            raise self.error
        if self.state != "done":
            raise RuntimeError(f"{self.call.title} is {self.state}: wait for it first.")
        return self._value

    @property
    def progress(self) -> Progress:
        """How far the work is."""
        return self._progress

    @property
    def ahead(self) -> int:
        """How many other jobs share its queue."""
        return 0 if self.queue is None or self._over.is_set() else max(0, len(self.queue) - 1)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the job is over, at most so many seconds; gives whether it is."""
        return self._over.wait(timeout)

    def step(self, done: int, total: int, what: str) -> None:
        """Hear from the work how far it is; where nobody waits for it any more, stop it."""
        if not self.asked:
            raise Cancelled
        now = time.monotonic()
        if self._phase[0] != what:
            self._phase = (what, now)
        left = (now - self._phase[1]) * (total - done) / done if 0 < done <= total else None
        self._progress = Progress(done, total, what, left)

    def remark(self, text: str) -> None:
        """Hear from the work something that the result's reader should know."""
        if text not in self.remarks:
            self.remarks = (*self.remarks, text)

    def advance(self) -> Any:
        """Do one step of the work, in the worker's thread; raises `StopIteration` with the value when it is over."""
        with progress.listening(self):
            if not self.asked:
                raise Cancelled
            if self._generator is None:
                self.state = "running"
                result = self.call()
                if not isinstance(result, GeneratorType):
                    raise StopIteration(result)
                self._generator = result
            try:
                self.partial = (*self.partial, next(self._generator))
            except StopIteration as stop:
                raise StopIteration(self.partial if stop.value is None else stop.value) from None

    def close(self) -> None:
        """End a generator where it stands, so that it cleans up; whatever it raises then is of no use to anybody."""
        generator, self._generator = self._generator, None
        if generator is not None:
            with progress.listening(self):
                try:
                    generator.close()
                except BaseException as error:  # noqa: B036 (the worker must live on)
                    self.remark(f"While it was stopped: {error}")

    def _end(self, state: State, *, value: Any = None, error: BaseException | None = None) -> None:
        self._value, self.error, self.state = value, error, state
        self._over.set()


class Queue:
    """The jobs of one device and the thread that runs them."""

    def __init__(self, device: str, settle: Callable[[Job, State, Any], None]) -> None:
        self._settle = settle
        self._jobs: list[Job] = []
        self._served: dict[Hashable, int] = {}
        self._turn = itertools.count(1)
        self._changed = threading.Condition()
        threading.Thread(target=self._work, name=f"loupe {device}", daemon=True).start()

    def __len__(self) -> int:
        return len(self._jobs)

    def add(self, job: Job) -> None:
        """Take a job in."""
        job.queue = self
        with self._changed:
            self._jobs.append(job)
            self._changed.notify()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._jobs:
                    self._served.clear()
                    self._changed.wait()
                job = self._next()
            self._step(job)

    def _next(self) -> Job:
        """The newest job of the visitor who was served longest ago; one that nobody waits for comes first, to end."""
        by_visitor: dict[Hashable, tuple[int, Job]] = {}
        for job in self._jobs:
            asked = dict(job.asked)
            if not asked:
                return job
            for visitor, when in asked.items():
                by_visitor[visitor] = max(by_visitor.get(visitor, (-1, job)), (when, job), key=lambda one: one[0])
        visitor = min(by_visitor, key=lambda one: self._served.get(one, 0))
        self._served[visitor] = next(self._turn)
        return by_visitor[visitor][1]

    def _step(self, job: Job) -> None:
        try:
            job.advance()
        except StopIteration as stop:
            self._end(job, "done", value=stop.value)
        except Cancelled:
            job.close()
            self._end(job, "cancelled", error=Cancelled())
        except BaseException as error:  # noqa: B036 (one job's failure must not end the worker of all)
            job.close()
            self._end(job, "failed", error=_told(error))

    def _end(self, job: Job, state: State, *, value: Any = None, error: BaseException | None = None) -> None:
        with self._changed:
            self._jobs.remove(job)
        self._settle(job, state, value)
        job._end(state, value=value, error=error)


def _told(error: BaseException) -> BaseException:
    """The error as its reader should see it."""
    if isinstance(error, RuntimeError) and out_of_memory(error):
        return MemoryError(
            "The device has too little memory for this, even for a single image. Choose a smaller model or layer, or "
            "close other programs that use the device."
        )
    return error
