"""Whether verdicts help: how often each method's maps get which, and whether supported maps point at the true reason.

    python -m benchmarks.verdicts [--count 10] [--photographs 20] [--keep measured.jsonl]

On scenes the truth is known: for the honest classifier it is the object, for A to C the planted cue, and for D the
object too, whose paint is the cue. Photographs need ../shared/imagenet; their truth is not known. Everything measured
is kept, a line for each map, in the file that `--keep` names; where that is there already, it is only read.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool
from PIL import Image
from torch import Tensor

from interp import attribution, evaluation, models
from interp.attribution import GradCam, Gradient, GuidedBackprop, InputXGradient, IntegratedGradients, LayerCam, Lrp
from interp.evaluation.planted import density
from interp.images.scenes import CLASSES, REASONS, Reason, Rendering, Scene, draw, honest, planted
from interp.images.scenes.concepts import concepts
from interp.types import Classifier, Images

SEED = 41
SHARED = Path(__file__).resolve().parents[2] / "shared" / "imagenet"
# Ten steps, and no costly methods on photographs: each map is made eleven times again.
OF_PHOTOGRAPHS = (Gradient(), IntegratedGradients(steps=10), GuidedBackprop(), Lrp(), GradCam(), attribution.Random())
OF_SCENES = (*OF_PHOTOGRAPHS, InputXGradient(), LayerCam(), attribution.Occlusion())
LEVELS: tuple[evaluation.VerdictLevel, ...] = ("supported", "mixed", "not supported", "unknown")
Record = dict[str, Any]


def scenes(reason: Reason | None, count: int) -> list[tuple[Scene, str]]:
    """Scenes of the cue's class with their cue, or honest ones of all classes; and each one's label."""
    if reason is None:
        return [(honest(SEED, index), CLASSES[index % len(CLASSES)]) for index in range(count)]
    label = REASONS[reason].label
    return [(planted(reason, SEED, CLASSES.index(label) + len(CLASSES) * index), label) for index in range(count)]


def truths(
    classifier: Classifier, drawings: Sequence[Rendering], labels: Sequence[str], reason: Reason | None
) -> tuple[Bool[Tensor, "n h w"], Bool[Tensor, "n h w"]]:
    """Where the true reason is, and what rivals it: the object where a cue is the reason, else all the rest."""
    found = [
        {one.category: one.mask for one in concepts(drawing.segments, drawing.legend, label, reason)}
        for drawing, label in zip(drawings, labels, strict=True)
    ]
    if reason is None or reason == "texture":
        objects = classifier.prepare_annotations([masks["shape"] for masks in found])
        return objects, ~objects
    cues = classifier.prepare_annotations([masks["cue"] for masks in found])
    return cues, classifier.prepare_annotations([masks["shape"] & ~masks["cue"] for masks in found])


def of_scenes(name: str, reason: Reason | None, count: int) -> Iterator[Record]:
    """What is measured of every method's maps on one classifier's scenes."""
    classifier = models.load(name, device="cpu")
    plans = scenes(reason, count)
    drawings = [draw(scene) for scene, _ in plans]
    labels = [label for _, label in plans]
    batch = classifier.prepare([Image.fromarray(drawing.pixels) for drawing in drawings])
    targets = [CLASSES.index(label) for label in labels]
    truth, rival = truths(classifier, drawings, labels, reason)

    def pointed(values: Tensor) -> list[bool]:
        positive = values.clamp(min=0)
        return (density(positive, truth) > density(positive, rival)).tolist()

    yield from judged(name, classifier, batch, targets, OF_SCENES, truth, pointed)


def of_photographs(count: int) -> Iterator[Record]:
    """What is measured on photographs, for the class that the classifier predicts."""
    weights = SHARED / "squeezenet1_1-imagenet.safetensors"
    classifier = models.load("squeezenet1_1", weights=str(weights), device="cpu")
    paths = sorted((SHARED / "images").iterdir())[:: max(1, 200 // count)][:count]
    for path in paths:
        batch = classifier.prepare([Image.open(path)], [path.name])
        best = classifier.logits(batch).argmax(dim=1).tolist()
        yield from judged("photographs", classifier, batch, best, OF_PHOTOGRAPHS, None, None)


def judged(
    where: str,
    classifier: Classifier,
    batch: Images,
    targets: list[int],
    methods: Sequence[attribution.Method],
    truth: Bool[Tensor, "n h w"] | None,
    pointed: Callable[[Tensor], list[bool]] | None,
) -> Iterator[Record]:
    """A record for each map."""
    results = list(attribution.compare(classifier, batch, targets, methods))
    *_, last = evaluation.judgements(classifier, batch, targets, results, annotations=truth)
    for (method, heatmaps), one in zip(results, last, strict=True):
        first = [None] * len(batch) if pointed is None else pointed(heatmaps.values)
        for name, evidence, dense in zip(batch.names, one.evidence, first, strict=True):
            yield {
                "where": where,
                "method": method.title,
                "image": name,
                "first": dense,
                "evidence": asdict(evidence),
            }


def measured(count: int, photographs: int) -> Iterator[Record]:
    """All records, the quick ones first."""
    reasons: dict[str, Reason | None] = {"scenes-honest": None}
    reasons |= {f"scenes-{planted.letter}": reason for reason, planted in REASONS.items()}
    for name, reason in reasons.items():
        yield from of_scenes(name, reason, count)
    if SHARED.is_dir():
        yield from of_photographs(photographs)


def level_of(record: Record) -> evaluation.VerdictLevel:
    """The verdict on a record's map."""
    given: Record = {
        key: tuple(value) if isinstance(value, list) else value for key, value in record["evidence"].items()
    }
    return evaluation.verdict(evaluation.Evidence(**given)).level


def tables(records: Sequence[Record]) -> Iterator[str]:
    """Lines of Markdown: verdicts by method, on scenes and on photographs, and the truth by verdict."""
    for title, some in (
        ("scenes", [record for record in records if record["where"] != "photographs"]),
        ("photographs", [record for record in records if record["where"] == "photographs"]),
    ):
        yield from (f"\n| method, on {title} | " + " | ".join(LEVELS) + " |", "|---|" + "---|" * len(LEVELS))
        for method in dict.fromkeys(record["method"] for record in some):
            counted = Counter(level_of(record) for record in some if record["method"] == method)
            yield f"| {method} | " + " | ".join(str(counted[level]) for level in LEVELS) + " |"
    known = [record for record in records if record["first"] is not None and record["method"] != "Random"]
    yield from ("\n| verdict | maps | largest value on the true reason | denser there |", "|---|---|---|---|")
    for level in LEVELS:
        of_level = [record for record in known if level_of(record) == level]
        if of_level:
            yield f"| {level} | {len(of_level)} | {_share(of_level, _hit)} | {_share(of_level, _first)} |"
    yield from ("\n| classifier | " + " | ".join(f"{level}: denser there" for level in LEVELS) + " |",)
    yield "|---|" + "---|" * len(LEVELS)
    for where in dict.fromkeys(record["where"] for record in known):
        cells = [[one for one in known if one["where"] == where and level_of(one) == level] for level in LEVELS]
        yield f"| {where} | " + " | ".join(_share(cell, _first) if cell else "–" for cell in cells) + " |"


def _hit(record: Record) -> bool:
    return bool(record["evidence"]["pointing"])


def _first(record: Record) -> bool:
    return bool(record["first"])


def _share(records: Sequence[Record], holds: Callable[[Record], bool]) -> str:
    return f"{sum(map(holds, records))} of {len(records)}"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--photographs", type=int, default=20)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.keep is not None and given.keep.is_file():
        records = [json.loads(line) for line in given.keep.read_text().splitlines()]
    else:
        records = []
        for record in measured(given.count, given.photographs):
            records.append(record)
            if given.keep is not None:
                with given.keep.open("a") as file:
                    file.write(json.dumps(record) + "\n")
    print("\n".join(tables(records)))


if __name__ == "__main__":
    main()
