"""Shared Interest over sets: how fast, what the scenes show of classifiers whose reason is known, and photographs.

    python -m benchmarks.interest [speed] [memory] [scoring] [rerun] [lesson] [boxes] [--weights FILE]
                                  [--photographs FOLDER] [--pictures FOLDER]

speed: 600 scenes with Grad-CAM from an empty store through the queue, as the page asks for them: until the first scores
are there, until all are, and again by another rule and by a whole ladder of rules, out of what was kept.
memory: the peak of a fresh process that scores 150 and 1,500 scenes by Gradient, whose maps are kept whole.
scoring: 10,000 maps of 224 × 224 with as many annotations, by each rule (1,000 made-up ones, ten times).
rerun: what a page computes of 10,000 scored images each time that it is drawn.
lesson: the share of each case for the honest classifier and each with a planted reason, on the same scenes.
boxes: the 18 photographs with boxes and the published SqueezeNet, image by image; `--pictures` draws them.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch.nn.functional import interpolate

import cache
from benchmarks.lessons import lesson
from interp import images, models, set_pass, shared_interest
from interp.attribution import GradCam, InputXGradient
from interp.figures import style
from interp.images import ImageSet
from interp.models import inputs
from interp.shared_interest import Area, Counts, Deviations, Explanation, Percentile, Scored, Scoring
from interp.types import Classifier

SHARED = Path(__file__).resolve().parents[2] / "shared/imagenet"
MAPS, SIDE = 10_000, 224


def speed() -> None:
    """From an empty store, and again out of what was kept."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LOUPE_CACHE"] = folder
        classifier, photos = models.load("scenes-honest"), images.load("scenes")
        explanation, visitor, work = Explanation(GradCam()), cache.Visitor(), shared_interest.ExplanationPass()

        def asked(gathering: Callable) -> cache.Call:
            reading = (set_pass.by_chunks, work, classifier, photos, (explanation,))
            return cache.call(*reading, kept=cache.CachedItems(), collecting=gathering)

        begun, first = time.perf_counter(), 0.0
        job = visitor.ask("scores", asked(Scoring()), disk=False)
        while not job.wait(0.005):
            if not first and job.partial and len(job.partial[-1][0]):
                first = time.perf_counter() - begun
        print(f"| first {work.first} scores | {first:.2f} |")
        print(f"| all {len(job.value[0])} scores | {time.perf_counter() - begun:.1f} |")
        ladder = shared_interest.Ladder(shared_interest.ladder(Deviations()))
        for title, gathering in (
            ("by another rule", Scoring(Percentile(80))),
            (f"by {len(ladder.rules)} rules", ladder),
        ):
            begun = time.perf_counter()
            cache.get(asked(gathering), disk=False)
            print(f"| again {title} | {time.perf_counter() - begun:.2f} |")
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
        print(f"| kept on disk, MB | {size / 1e6:.1f} |")


def memory() -> None:
    """The peak of a fresh process, for a few images and for many."""
    for count in (150, 1500):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-c", _PEAK, str(count)]
            found = subprocess.run(command, env=os.environ | {"LOUPE_CACHE": folder}, capture_output=True, text=True)
            print(f"| {count:,} scenes | {int(found.stdout) / 1024:.0f} |")


_PEAK = """
import resource, sys
import cache
from interp import images, models, set_pass, shared_interest as si
from interp.attribution import Gradient
photos = images.load(f"scenes:{sys.argv[1]}")
explanations = (si.Explanation(Gradient()),)
asked = (si.ExplanationPass(), models.load("scenes-honest"), photos, explanations)
call = cache.call(set_pass.by_chunks, *asked, kept=cache.CachedItems(), collecting=si.Scoring())
assert len(cache.get(call, disk=False)[0]) == len(photos)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def scoring() -> None:
    """Binarizing and counting alone."""
    rng = np.random.default_rng(0)
    coarse = torch.from_numpy(rng.random((MAPS // 10, 1, 14, 14), np.float32))
    maps = interpolate(coarse, size=(SIDE, SIDE), mode="bilinear")[:, 0].numpy()
    annotations = np.zeros(maps.shape, bool)
    for one in annotations:
        top, left = rng.integers(0, SIDE - 90, 2)
        one[top : top + rng.integers(30, 90), left : left + rng.integers(30, 90)] = True
    for rule in (Deviations(), Percentile(90), Area(0.1), Area()):
        begun = time.perf_counter()
        for _ in range(10):
            shared_interest.overlap(annotations, shared_interest.binarize(maps, rule, annotation=annotations))
        print(f"| scores by {rule} | {time.perf_counter() - begun:.2f} |")
    begun = time.perf_counter()
    for _ in range(10):
        shared_interest.saliency_coverage(annotations, maps)
    print(f"| continuous saliency coverage | {time.perf_counter() - begun:.2f} |")


def rerun() -> None:
    """What is computed of many scored images for one drawing."""
    rng = np.random.default_rng(0)
    shared = rng.integers(0, 500, MAPS)
    others = [shared + rng.integers(0, 500, MAPS) for _ in range(2)]
    labels, predicted = (rng.integers(0, 10, MAPS).astype(np.int32) for _ in range(2))
    scored = Scored(
        Explanation(GradCam()),
        Scoring(),
        "made up",
        np.arange(MAPS, dtype=np.int32),
        predicted,
        rng.random(MAPS),
        labels,
        Counts(*others, shared),
        rng.random(MAPS),
        MAPS,
    )
    from interp.figures import interest

    names = [str(index) for index in range(10)]
    photos = images.load(f"scenes:{MAPS}")
    works = {
        "cases": scored.cases,
        "stability": lambda: shared_interest.stability(scored),
        "by class": lambda: shared_interest.by_class(scored),
        "confusion": lambda: interest.confusion_map(shared_interest.confusion(scored), names),
        "histogram": lambda: interest.histogram(scored, "iou"),
        "counts by threshold": lambda: interest.count_chart(shared_interest.counts_by_threshold(scored, "high")),
        "table for the CSV": lambda: shared_interest.table(scored, photos, names),
        "two ways compared": lambda: interest.sankey(shared_interest.compared((scored, scored))),
    }
    for title, work in works.items():
        work()
        begun = time.perf_counter()
        work()
        print(f"| {title} | {1000 * (time.perf_counter() - begun):.1f} |")


def boxes(weights: Path, photographs: Path, pictures: Path | None) -> None:
    """A row for each photograph with boxes, by Grad-CAM and by Input × Gradient."""
    classifier = models.load("squeezenet1_1", weights=weights)
    photos = images.load(photographs, annotations=photographs / "boxes.coco.json")
    positions = shared_interest.annotated(photos)
    ways = ((GradCam(), Scoring()), (GradCam(), Scoring(Area())), (InputXGradient(), Scoring(evidence="any")))
    first, equal, fine = (
        shared_interest.score(classifier, photos, Explanation(method), scoring=scoring) for method, scoring in ways
    )
    columns = ["photograph", "predicted", "annotated", "IoU", "GTC", "SC", "continuous", "case"]
    columns += ["IoU, equal area", "IoU, I×G", "SC, I×G"]
    print(_row(columns), _row(["---"] * len(columns)), sep="\n")
    for row, position in enumerate(first.positions.tolist()):
        said = classifier.labels[first.predicted[row]] + ("" if first.correct[row] else " ✗")
        scores = [f"{first.score(name)[row]:.2f}" for name in shared_interest.SCORES]
        others = (equal.overlap.iou, fine.overlap.iou, fine.overlap.saliency_coverage)
        about = [photos.names[position], said, f"{first.overlap.annotated[row] / SIDE**2:.0%}"]
        case = shared_interest.CASES[first.cases()[row]]
        print(_row([*about, *scores, case, *(f"{values[row]:.2f}" for values in others)]))
    if pictures is not None:
        draw(classifier, photos, positions.tolist(), pictures)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def draw(classifier: Classifier, photos: ImageSet, positions: Sequence[int], folder: Path) -> None:
    """A sheet of the photographs: annotation in yellow, what is salient by mean + 1 deviation in vermilion."""
    steps = set_pass.once(shared_interest.ExplanationPass(), classifier, photos, (Explanation(GradCam()),), positions)
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            [found] = stop.value
            break
    salient = Scoring().salient(found.maps, found.annotations)
    sheet = Image.new("RGB", (6 * (SIDE + 4), 3 * (SIDE + 18)), "white")
    for row, position in enumerate(found.positions.tolist()):
        pixels = inputs.read(classifier, photos, [position]).pixels[0].permute(1, 2, 0).numpy()
        heat = np.array([255, 75, 31]) / 255
        pixels = np.where(salient[row][..., None], 0.45 * pixels + 0.55 * heat, pixels)
        mask = found.annotations[row]
        inner = mask[1:-1, 1:-1] & mask[:-2, 1:-1] & mask[2:, 1:-1] & mask[1:-1, :-2] & mask[1:-1, 2:]
        edge = mask & ~np.pad(inner, 1)
        pixels[edge] = [int(style.OUTLINE_COLOR[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        left, top = row % 6 * (SIDE + 4), row // 6 * (SIDE + 18)
        sheet.paste(Image.fromarray((pixels * 255).astype(np.uint8)), (left, top + 14))
        ImageDraw.Draw(sheet).text((left + 2, top + 1), f"{row}: {photos.names[position][:34]}", fill="black")
    folder.mkdir(parents=True, exist_ok=True)
    sheet.save(folder / "boxes.png")


def main(arguments: Sequence[str] | None = None) -> None:
    """From the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.interest", description=__doc__.split("\n")[0])
    parser.add_argument("what", nargs="*", default=["speed", "memory", "scoring", "rerun", "lesson", "boxes"])
    parser.add_argument("--weights", type=Path, default=SHARED / "squeezenet1_1-imagenet.safetensors")
    parser.add_argument("--photographs", type=Path, default=SHARED)
    parser.add_argument("--pictures", type=Path)
    given = parser.parse_args(arguments)
    works: dict[str, tuple[str, Callable[[], None]]] = {
        "speed": ("| 600 scenes, Grad-CAM | seconds |\n|---|---|", speed),
        "memory": ("| scored | peak, MB |\n|---|---|", memory),
        "scoring": (f"| {MAPS:,} maps of {SIDE} × {SIDE} | seconds |\n|---|---|", scoring),
        "rerun": (f"| {MAPS:,} scored images | ms |\n|---|---|", rerun),
        "lesson": ("", lesson),
        "boxes": ("", lambda: boxes(given.weights, given.photographs, given.pictures)),
    }
    for name in given.what:
        head, work = works[name]
        print(f"\n### {name}\n\n{head}".rstrip())
        work()


if __name__ == "__main__":
    main()
