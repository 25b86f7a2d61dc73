"""How long large image sets take to open, against another version of this repository, in turn and in ratios.

python -m benchmarks.listing ../other-checkout
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROUNDS = 3
MEASURE = """
import json, resource, sys, time
from interp import images
# The processor's time, with the system's: others run on the machine too.
began = time.process_time()
photos = images.load(sys.argv[1])
seconds = time.process_time() - began
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps([seconds, len(photos), len(photos.annotated), peak]))
"""


def main(other: Path | None) -> None:
    """Make each set and print how long both versions take to open it; the least of three rounds."""
    here = Path(__file__).resolve().parents[1]
    trees = {"now": here} if other is None else {"now": here, "before": other.resolve()}
    print("| set | pictures | marked | now, s | before, s | ratio | MB now |\n|---|---|---|---|---|---|---|")
    for title, make in SETS.items():
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "set"
            make(folder)
            found: dict[str, list[tuple[float, int, int, float]]] = {name: [] for name in trees}
            for _ in range(ROUNDS):
                for name, tree in trees.items():
                    found[name].append(_measured(tree, folder))
        best = {name: min(rounds) for name, rounds in found.items()}
        seconds, pictures, marked, memory = best["now"]
        before = best.get("before", (float("nan"),))[0]
        print(
            f"| {title} | {pictures:,} | {marked:,} | {seconds:.2f} | {before:.2f} | {seconds / before:.2f} "
            f"| {memory:.0f} |",
            flush=True,
        )


def _measured(tree: Path, folder: Path) -> tuple[float, int, int, float]:
    given = [sys.executable, "-c", MEASURE, str(folder)]
    run = subprocess.run(given, cwd=tree, env={"PYTHONPATH": str(tree)}, capture_output=True, text=True, check=True)
    seconds, pictures, marked, memory = json.loads(run.stdout.splitlines()[-1])
    return seconds, pictures, marked, memory


def _wide(folder: Path) -> None:
    for number in range(1000):
        (folder / f"class-{number:04d}").mkdir(parents=True)
        for i in range(100):
            (folder / f"class-{number:04d}" / f"{number}-{i:03d}.jpg").touch()


def _deep(folder: Path) -> None:
    place = folder
    for level in range(100):
        place = place / f"level-{level}"
        place.mkdir(parents=True)
        for i in range(200):
            (place / f"{level}-{i:03d}.jpg").touch()


def _flat(folder: Path) -> None:
    folder.mkdir()
    for i in range(50_000):
        (folder / f"{i:06d}.jpg").touch()


def _indexed(folder: Path) -> None:
    _wide(folder)
    rows = (f"{path.relative_to(folder).as_posix()},{path.parent.name}\n" for path in sorted(folder.rglob("*.jpg")))
    (folder / "index.csv").write_text("file,label\n" + "".join(rows))


def _coco(folder: Path) -> None:
    _flat(folder)
    images = [{"id": i, "file_name": f"{i:06d}.jpg", "width": 64, "height": 48} for i in range(50_000)]
    marks = [{"id": i, "image_id": i, "category_id": 1 + i % 3, "bbox": [1, 1, 20, 20]} for i in range(50_000)]
    kinds = [{"id": i + 1, "name": name} for i, name in enumerate("abc")]
    document = {"images": images, "annotations": marks, "categories": kinds}
    (folder / "marks.coco.json").write_text(json.dumps(document))


def _voc(folder: Path) -> None:
    (folder / "JPEGImages").mkdir(parents=True)
    (folder / "Annotations").mkdir()
    for i in range(10_000):
        (folder / "JPEGImages" / f"{i:06d}.jpg").touch()
        box = "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox>"
        text = f"<annotation><filename>{i:06d}.jpg</filename><object><name>cat</name>{box}</object></annotation>"
        (folder / "Annotations" / f"{i:06d}.xml").write_text(text)


SETS: dict[str, Callable[[Path], None]] = {
    "1,000 folders": _wide,
    "100 folders in one another": _deep,
    "one folder": _flat,
    "1,000 folders and an index": _indexed,
    "one folder and a COCO file": _coco,
    "Pascal VOC": _voc,
}

if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
