"""One pass over an image set: read, run, collect, keep, resume, report.

    class Brightness(SetPass[str, Bright]): ...                      # what is computed of a batch, and how it is kept
    steps = set_pass.once(Brightness(), classifier, photos, ("mean",))               # all at once
    steps = set_pass.by_chunks(Brightness(), classifier, photos, ("mean",), kept=kept)     # kept, and resumed

Both are generators: they yield what there is so far, so that other work may go first, and return the whole.

What is to run elsewhere is `of_chunk(work, classifier, chunk, items)`. Whoever runs it holds the classifier and the
set; the work, its items, a chunk's positions and context go there, and values come back: all of these can be pickled.
What collects values gives a value of the same kind, so parts may be put together in any grouping (`merged`).
"""

from interp.set_pass.rows import Collected, Growing, merged
from interp.set_pass.running import ItemStore, by_chunks, chunks, kept_parts, of_chunk, once, returned
from interp.set_pass.work import Chunk, Collecting, Positions, SetPass, chosen_positions, evenly, spread

__all__ = [
    "Chunk",
    "Collected",
    "Collecting",
    "Growing",
    "ItemStore",
    "Positions",
    "SetPass",
    "by_chunks",
    "chosen_positions",
    "chunks",
    "evenly",
    "kept_parts",
    "merged",
    "of_chunk",
    "once",
    "returned",
    "spread",
]
