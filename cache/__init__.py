"""One way in for every computation that a page asks for: looked up in memory, then on disk, else computed once.

    call = cache.call(attribution.attribute, classifier, batch, targets, method)
    heatmaps = cache.get(call)                          # waits
    job = cache.Visitor().ask("maps", call)             # does not
    scope = cache.Scope(visitor, "Saliency comparison")  # a page's way to ask: by the kind of work
    job = scope.read("image", inputs.read, classifier, photos, (3,))

Values are handed out uncopied and are shared between visitors: take them as immutable.
"""

from cache import prepared
from cache.jobs import Cancelled, Job, Progress
from cache.kept import CachedItems, moment
from cache.keys import Call, call, key
from cache.queues import Queue
from cache.store import trouble
from cache.visitors import Scope, Slot, Visitor, figure, forget, get, lookup

__all__ = [
    "Call",
    "Cancelled",
    "Job",
    "CachedItems",
    "Progress",
    "Queue",
    "Scope",
    "Slot",
    "Visitor",
    "call",
    "figure",
    "forget",
    "get",
    "key",
    "lookup",
    "moment",
    "prepared",
    "trouble",
]
