"""Waiting for a job: what is ready is drawn, progress is shown, and nobody sees a traceback."""

from __future__ import annotations

from typing import Any

import streamlit as st
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_run_context import ThreadState

import cache
from pages.parts.kit.text import parted, plain

# Most results of a small model come within this time, and a page that waits for them does not flicker.
PATIENCE = 0.25
# A browser begins to count anew at each other interval, so there are few.
INTERVALS = (0.4, 0.6, 0.9, 1.3, 2.0, 3.0, 4.0)
_WITHOUT = "waiting.without"


@st.cache_resource(scope="session", on_release=lambda visitor: visitor.close(), show_spinner=False)
def visitor() -> cache.Visitor:
    """Give whoever looks at this browser tab a place in the queues; closing the tab ends what runs for it."""
    return cache.Visitor()


def begin() -> None:
    """Forget which jobs the last drawing of the page went without; called once a drawing."""
    st.session_state[_WITHOUT] = set()


def there(job: cache.Job, patience: float = 0.0) -> bool:
    """Whether the job's value is there, for a part of the page that goes without it where it is not.

    Should `settled` find it there later in the same drawing, the page is drawn again, with it everywhere.
    """
    job.wait(patience)
    done = job.state == "done"
    if not done:
        st.session_state.setdefault(_WITHOUT, set()).add(job.key)
    return done


def settled(job: cache.Job) -> bool:
    """Whether the job's value is there. If not, its progress, or what went wrong, is drawn where this is called."""
    job.wait(PATIENCE)
    if job.state == "failed":
        said, code = parted(str(job.error))
        st.error(plain(said, limit=1000), icon=":material/error:")
        if code:
            st.code(code, language="python", wrap_lines=True)
        if not isinstance(job.error, ValueError | FileNotFoundError | MemoryError):
            st.button("Try again", key=f"again-{job.key}")
        return False
    if job.state != "done":
        st.fragment(_watch, run_every=_every(job))(job, len(job.partial))
        return False
    if job.key in st.session_state.get(_WITHOUT, ()):
        st.rerun()
    for remark in job.remarks:
        st.caption(f":material/info: {plain(remark)}")
    return True


def value(job: cache.Job) -> Any:
    """The job's value; while it is not there, the page ends here, with progress drawn, and goes on by itself."""
    if not settled(job):
        st.stop()
    return job.value


def interval(waited: float, ahead: int, left: float | None) -> float:
    """The seconds until a page that has waited so long asks again how its job is.

    A short job is seen at once. Of a long one, and of one that others are `ahead` of, there is news more seldom; but
    whose job is at work, with a known time `left`, asks when that is over.
    """
    wanted = max(waited / 10, ahead / 10)
    if left is not None and not ahead:
        wanted = min(wanted, left)
    return max(one for one in INTERVALS if one <= max(wanted, INTERVALS[0]))


def _every(job: cache.Job) -> float:
    return interval(job.age, job.ahead, job.progress.seconds_left)


def _watch(job: cache.Job, seen: int) -> None:
    # Drawing again at each new part would redo the page a hundred times for a large set; by halves it is a few times.
    if job.state in ("done", "failed", "cancelled") or len(job.partial) > 1.5 * seen:
        st.rerun()
    _run_every(_every(job))
    progress, ahead = job.progress, job.ahead
    if job.state == "waiting":
        st.progress(0.0, text="Waiting for the device" + (f": {ahead} before this." if ahead else "."))
        return
    left = "" if progress.seconds_left is None else f", about {duration(progress.seconds_left)} left"
    count = f" {progress.done:,} of {progress.total:,}" if progress.total else ""
    turn = f", {ahead} before this" if ahead else ""
    st.progress(job.share, text=f"{plain(progress.what) or 'Working'}{count}{left}{turn}")


def _run_every(seconds: float) -> None:
    """Have the fragment that is being run run again every so many seconds.

    `st.fragment` settles this when the page is drawn, and a page that waits is not.
    """
    context = get_script_run_ctx()
    if context is None or not context.fragment_ids_this_run:
        return
    message = ForwardMsg()
    message.auto_rerun.fragment_id, message.auto_rerun.interval = ThreadState.get().fragment_id or "", seconds
    context.enqueue(message)


def duration(seconds: float) -> str:
    """Seconds, or from a minute and a half on minutes, in words."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
