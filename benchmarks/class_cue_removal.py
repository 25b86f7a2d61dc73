"""What becomes of a class without the channels of its graph that follow the planted cue, layer by layer.

    python -m benchmarks.class_cue_removal [--draws 20]

For scenes A to D on their own test sets, and on the sets where the cue is in all other classes' pictures: the vertices
of the class's graph (as the lesson draws it) that follow the cue, those of a layer zeroed together; the share of the
class's pictures that are recognized, and of the other classes' with the cue, before and without them; and beside as
many random channels, matched in mean activation.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from functools import lru_cache

import numpy as np

from interp import models
from interp.class_summary import GraphSettings, cue_graphs
from interp.images.scenes import REASONS, sets
from interp.set_pass import returned
from interp.units.cues import classifier_of, removing
from pages.parts.class_summary.asking import KEPT

HEADS = (
    *("classifier", "layer", "follow", "class: before", "without", "random, mean", "more in so many of random sets"),
    *("others with the cue: before", "without", "random, mean"),
)


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=20)
    given = parser.parse_args()
    # To draw a scene takes longer than a forward pass.
    sets.draw = lru_cache(maxsize=1024)(sets.draw)
    print(f"| {' | '.join(HEADS)} |\n|{'---|' * len(HEADS)}")
    for reason in REASONS:
        classifier = models.load(classifier_of(reason), device="cpu")
        own, honest = returned(cue_graphs(classifier, reason, GraphSettings(share=KEPT)))
        some: dict[str, list[int]] = defaultdict(list)
        for (layer, channel), *_ in own.following:
            some[layer].append(channel)
        for layer, channels in some.items():
            gone = returned(removing(classifier, reason, layer, channels, draws=given.draws))
            assert gone.own is not None and gone.moved is not None
            before, after, random = gone.own.before, gone.own.after, gone.own.random
            target, moved = gone.target, gone.moved
            cells = [REASONS[reason].letter.upper(), layer, len(channels), f"{before[target]:.0%}"]
            cells += [f"**{after[target]:.0%}**", f"{random[:, target].mean():.0%}"]
            cells += [f"{(random[:, target] > after[target]).mean():.0%}", f"{moved.whole.accuracy:.0%}"]
            cells += [
                f"**{moved.without.accuracy:.0%}**",
                f"{np.mean([one.accuracy for one in moved.without_drawn]):.0%}",
            ]
            print(f"| {' | '.join(map(str, cells))} |", flush=True)
        counts = [(len(each.following), len(each.judged.graph.vertices)) for each in (own, honest)]
        print(f"<!-- {reason}: follow, of vertices: {counts[0]}; honest {counts[1]} -->", flush=True)


if __name__ == "__main__":
    main()
