"""One way in for every computation that a page asks for: looked up in memory, then on disk, else computed once.

    call = cache.call(attribution.attribute, classifier, batch, targets, method)
    heatmaps = cache.get(call)                          # waits
    job = cache.Visitor().ask("maps", call)             # does not

Values are handed out uncopied and are shared between visitors: take them as immutable.
"""

from cache.jobs import Cancelled, Job, Progress
from cache.kept import Kept, moment
from cache.keys import Call, call, key
from cache.store import trouble
from cache.visitors import Visitor, forget, get

__all__ = [
    "Call",
    "Cancelled",
    "Job",
    "Kept",
    "Progress",
    "Visitor",
    "call",
    "forget",
    "get",
    "key",
    "moment",
    "trouble",
]
