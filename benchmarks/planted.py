"""Which attribution methods put a planted cue first: on the classifier that goes by it, and on the honest one.

    python -m benchmarks.planted [--count 10]

For each method the share of pictures (of the cue's class, not learned from) whose map is denser on the cue than on the
object; see `interp.evaluation.cue_first`.
"""

from __future__ import annotations

import argparse

from interp import attribution, evaluation, models
from interp.images.scenes import REASONS, Reason

TOLD: tuple[Reason, ...] = ("tag", "background", "companion")


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=evaluation.planted.COUNT)
    count = parser.parse_args().count
    methods = [method() for method in attribution.METHODS.values()]
    columns: list[dict[str, evaluation.CueFirst]] = []
    heads = []
    for reason in TOLD:
        for name in (f"scenes-{REASONS[reason].letter}", "scenes-honest"):
            classifier = models.load(name, device="cpu")
            found = evaluation.cue_first(classifier, reason, methods, count=count)
            columns.append({one.name: one for one in found})
            heads.append(f"{reason}, {name.removeprefix('scenes-')}")
            print(f"({heads[-1]} done)", flush=True)
    print(f"| method | {' | '.join(heads)} |\n|---{'|---' * len(heads)}|")
    for title in attribution.METHODS:
        print(f"| {title} | {' | '.join(f'{column[title].share:.0%}' for column in columns)} |")


if __name__ == "__main__":
    main()
