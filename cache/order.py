"""The order of work in one queue: whose job gets the next step.

Everybody soon sees something, then what is soon done goes first: equal jobs end one after the other, where turns to the
end would let all of them end at the end. Nobody starves, since a tenth of the time is for whoever has waited longest.
"""

from __future__ import annotations

import itertools
import math
from collections import OrderedDict
from collections.abc import Callable
from time import monotonic

from cache.jobs import Job

SOON = 0.3
"""Seconds: what is measured to be done in less is finished before anything else is begun."""
PATIENCE = 5.0
"""Seconds that a job waits for a step before it counts as old."""
SHARE = 0.1
"""The part of the time that goes to the job that has waited longest, however long it will take."""


class Turns:
    """The jobs of one queue, by the visitors who wait for them; of one visitor's own the newest comes first.

    Of these a step goes, in this order: to the one that has waited longest, if it is old and such steps have had less
    than their `SHARE`; in turn to those that were asked last by a visitor and have shown nothing yet; to what is done
    `SOON`; to what will be done first, by `Job.remaining` and by how much of it is done.
    """

    def __init__(self) -> None:
        self._turns: OrderedDict[object, list[Job]] = OrderedDict()
        self._fresh: dict[object, Job] = {}
        self._served: dict[Job, float] = {}
        self._old_since: float | None = None
        self._next_old = -math.inf

    def __len__(self) -> int:
        """How many visitors wait."""
        return len(self._turns)

    def add(self, visitor: object, job: Job) -> None:
        """Put a job at the head of a visitor's own jobs."""
        jobs = self._turns.setdefault(visitor, [])
        if job not in jobs:
            jobs.append(job)
            self._fresh[visitor] = job
            self._served.setdefault(job, monotonic())

    def drop(self, visitor: object, job: Job) -> None:
        """Take a job out of a visitor's own."""
        jobs = self._turns.get(visitor, [])
        if job in jobs:
            jobs.remove(job)
        if self._fresh.get(visitor) is job:
            del self._fresh[visitor]
        if not jobs:
            self._turns.pop(visitor, None)
        if not any(job in jobs for jobs in self._turns.values()):
            self._served.pop(job, None)

    def take(self) -> Job:
        """The job that gets the next step, which must be over before this is called again. There must be one."""
        now = monotonic()
        if self._old_since is not None:
            # In time and not in steps, as one step of a job may last as long as a hundred of others.
            self._next_old = now + (now - self._old_since) * (1 / SHARE - 1)
        newest = list(dict.fromkeys(jobs[-1] for jobs in self._turns.values()))
        oldest = min(newest, key=self._served.__getitem__)
        due = now >= max(self._next_old, self._served[oldest] + PATIENCE)
        job = oldest if due else min(newest, key=self._ranks())
        self._old_since = now if due else None
        self._served[job] = now
        for visitor in [visitor for visitor, jobs in self._turns.items() if jobs[-1] is job]:
            self._turns.move_to_end(visitor)
            self._fresh.pop(visitor, None)
        return job

    def expected(self) -> list[Job]:
        """The jobs in the order in which they will be done, as far as it can be told now."""
        rank = self._ranks()
        turns = itertools.zip_longest(*(reversed(jobs) for jobs in self._turns.values()))
        return [job for turn in turns for job in sorted((job for job in turn if job is not None), key=rank)]

    def _ranks(self) -> Callable[[Job], tuple[int, float]]:
        """What gives each job its place: less comes first, and equals in turn."""
        fresh = set(self._fresh.values())

        def rank(job: Job) -> tuple[int, float]:
            if job in fresh and not job.partial:
                return (0, 0.0)
            left = job.remaining
            if left is None:
                # All that is known is what it has taken: it will take as long again.
                return (2, job.worked)
            # A pace measured early is but a guess: by it alone, equal jobs would overtake each other half done.
            return (1 if left <= SOON else 2, left * (1 - job.share))

        return rank
