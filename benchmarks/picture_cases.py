"""What people bring: every set of pictures and marks of a folder of cases, opened and read in a process of its own.

python -m benchmarks.picture_cases ../shared/cases
"""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

# What each case gave at commit 6fa28f3, as `cases/LOG.md` has it; then what is right: labels in the pictures' order,
# marked pixels of a picture, words that must be said, pictures that cannot be read, or the classes of the labels.
Right = dict[str, Any]
BEE = ("bee", "moth", "wasp")
RIGHT: dict[str, tuple[str, Right]] = {
    "70": (
        "12 bits stored in 16 black, no word; AVIF, HEIC, JP2 'not a picture'",
        {
            "said": ("12 bits stored in 16", "SVG drawing", "NumPy array", "no-extension.jpg"),
            "unread": {"hounsfield.tif", "int32neg.tif", "scan.dcm", "truncated.jpg"},
        },
    ),
    "71": ("works", {"marks": {"moth/0002.jpg": 900, "bee/0000.jpg": None}, "said": ("3 pictures are called so",)}),
    "72": ("Käfer twice", {"distinct": 5}),
    "73": ("works", {"classes": {str(number): number for number in range(12)}}),
    "74": (
        "all classes off by one, 10 unmatched",
        {"classes": {str(number): number - 1 for number in range(1, 11)}, "said": ("counted from 1",)},
    ),
    "75": ("works", {"labels": BEE[:1] + BEE[1:] + BEE, "groups": ("train",) * 3 + ("val",) * 3}),
    "77": ("works", {"labels": BEE}),
    "78": ("refused", {"labels": BEE, "said": ("semicolons",)}),
    "79": ("refused", {"labels": BEE, "said": ("tabs",)}),
    "80": ("refused: not UTF-8", {"labels": ("Käfer", "moth", "wasp"), "said": ("Windows-1252",)}),
    "82": ("refused", {"labels": ("bee", "moth", None), "marks": {"a.jpg": 1600, "b.jpg": 1600, "c.jpg": None}}),
    "84": ("works", {"labels": ("goldfish, Carassius auratus", "tench, Tinca tinca", "crane")}),
    "85": ("absolute path not found", {"labels": BEE, "said": ("by the end of the path",)}),
    "88": ("works", {"labels": ("bee", "wasp", "moth"), "said": ("in several rows",)}),
    "90": ("1e20: bare _LinAlgError", {"projected": True}),
    "101": ("works", {"marks": {"a.jpg": 2000, "b.jpg": 2000}}),
    "102": ("works", {"marks": {"a.jpg": 3600, "b.jpg": 800}}),
    "104": ("works", {"labels": ("bee", "moth"), "marks": {"a.jpg": 2000, "b.jpg": 2000}}),
    "106": ("marks not found, label 'train'", {"labels": ("bee", None), "marks": {"train/a.jpg": 2000}}),
    "108": ("marks not found, unlabelled", {"labels": ("bee", None), "marks": {"1a2b-a.jpg": 2000}}),
    "110": (
        "both pictures lost on every page",
        {"labels": ("bee", "moth"), "marks": {"a.jpg": None, "b.jpg": 2000}, "said": ("was scaled", "90 × 120 pixels")},
    ),
    "111": ("one mask of both", {"labels": ("moth", None), "marks": {"a.jpg": 3300, "b.jpg": None}}),
    "112": ("works", {"marks": {"a.jpg": 2000, "b.jpg": None}, "said": ("annotation 2",)}),
    "113": ("works", {"marks": {"a.jpg": 2000}}),
    "120": (
        "works",
        {"marks": {"a.jpg": 2091, "b.jpg": 2132, "c.jpg": 2091, "d.jpg": 2091, "e.jpg": 10800}},
    ),
    "121": ("works", {"labels": ("bee", None), "marks": {"a.jpg": 2091, "b.jpg": None}}),
    "122": ("refused, said", {"marks": {"a.jpg": None}, "said": ("declares a document type",)}),
    "123": ("ignored without a word", {"labels": ("bee", "moth"), "marks": {"a.jpg": 2000, "b.jpg": 2000}}),
    "125": ("masks shown as pictures", {"labels": (None, None), "marks": {"a.jpg": 2000, "b.jpg": 2000}}),
    "126": (
        "trimap marks 10,800 of 10,800; JPEG masks ignored",
        {"marks": {"a.jpg": 2000, "b.jpg": 2000, "c.jpg": 2000}, "said": ("1, 2 and 3, without 0",)},
    ),
    "127": ("works", {"labels": ("moth", "bee"), "marks": {"image1.jpg": 2000, "image1.png": 2000}}),
    "130": ("9,600 pixels where the bee has 400", {"labels": ("bee",), "marks": {"bee/a.jpg": 400}}),
}


def main(folder: Path) -> None:
    """Print a table of all cases in the folder."""
    idle = _measured(None)["mb"]
    print("| case | before | now | as it should be | s | MB above idle |\n|---|---|---|---|---|---|")
    for case in sorted(folder.iterdir(), key=lambda one: int(re.sub(r"\D.*", "", one.name) or 0)):
        number = case.name.partition("-")[0]
        if number not in RIGHT or not case.is_dir():
            continue
        before, right = RIGHT[number]
        found = _measured(case)
        wrong = list(_wrong(found, right))
        print(
            f"| {case.name} | {before} | {_now(found)} | {'yes' if not wrong else '**no**: ' + '; '.join(wrong)} "
            f"| {found['seconds']:.1f} | {max(found['mb'] - idle, 0):.0f} |",
            flush=True,
        )


def _now(found: dict) -> str:
    if "error" in found:
        return found["error"][:160]
    if "projected" in found:
        return "; ".join(f"{name}: {said}" for name, said in found["projected"].items())
    marked = [count for count in found["marks"].values() if count is not None]
    labels = ", ".join(dict.fromkeys(filter(None, found["labels"]))) or "no labels"
    shown = labels if len(labels) < 60 else f"{labels[:57]}…"
    marks = f"; {', '.join(f'{count:,}' for count in marked[:5])} pixels marked" if marked else ""
    return f"{found['read']} of {len(found['labels'])} pictures read; {shown}{marks}"


def _wrong(found: dict, right: Right) -> Any:
    if "error" in found:
        yield "cannot be opened"
        return
    if "projected" in right:
        bare = [name for name, said in found["projected"].items() if said.startswith("!")]
        yield from bare
        return
    if "labels" in right and tuple(found["labels"]) != right["labels"]:
        yield f"labels {found['labels']}"
    if "groups" in right and tuple(found["groups"]) != right["groups"]:
        yield f"groups {found['groups']}"
    if "distinct" in right and len(set(found["labels"])) != right["distinct"]:
        yield f"{len(set(found['labels']))} different labels"
    for name, count in right.get("marks", {}).items():
        if found["marks"].get(name) != count:
            yield f"{name}: {found['marks'].get(name)} pixels marked, and {count} are right"
    if "unread" in right and set(found["unread"]) != right["unread"]:
        yield f"unread are {found['unread']}"
    if "classes" in right and found["classes"] != right["classes"]:
        yield f"classes {found['classes']}"
    yield from (f"{words!r} is not said" for words in right.get("said", ()) if words not in found["said"])


def _measured(case: Path | None) -> dict:
    given = [sys.executable, "-m", "benchmarks.picture_cases", "--one", *([str(case)] if case else [])]
    return json.loads(subprocess.run(given, capture_output=True, text=True, check=True).stdout.splitlines()[-1])


def _one(case: str | None) -> None:
    from interp import images  # The process that measures imports what an idle one has.

    began = time.perf_counter()
    found: dict[str, Any] = {}
    if case is not None:
        try:
            found = _projected(Path(case)) if (Path(case) / "f.npz").exists() else _opened(images.load(case))
        except (ValueError, OSError) as error:
            found = {"error": str(error)}
    found["seconds"] = time.perf_counter() - began
    found["mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(found))


def _opened(photos: Any) -> dict[str, Any]:
    from interp import images, models

    marks: dict[str, int | None] = {}
    said, unread = [one.reason + one.name for one in photos.problems], []
    for place, name in enumerate(photos.names):
        try:
            sample = photos[place]
        except images.UnreadableImage as error:
            unread.append(name)
            said.append(str(error))
            continue
        marks[name] = None if sample.mask is None else int(sample.mask.sum())
        said += [*sample.remarks, sample.unmarked or ""]
    account = photos.account
    said += [one.text for one in account.findings] + [one.reason for one in account.unused]
    numbers = [label for label in photos.labels if label is not None and label.isdigit()]
    classes: dict[str, int | None] = {}
    if numbers:
        classifier: Any = SimpleNamespace(labels=tuple(f"k{i}" for i in range(len(set(numbers)))), wordnet_ids=None)
        match = models.match_labels(photos.labels, classifier)
        classes = dict(zip(numbers, match.indices, strict=True))
        said += match.remarks
    return {
        "labels": photos.labels,
        "groups": photos.groups,
        "marks": marks,
        "read": len(photos) - len(unread),
        "unread": unread,
        "classes": classes,
        "said": "\n".join(said),
    }


def _projected(case: Path) -> dict[str, Any]:
    import numpy as np

    from interp import embedding

    said = {}
    with np.load(case / "f.npz") as arrays:
        for name in arrays.files:
            try:
                points = embedding.project(arrays[name], embedding.PCA()).points
                said[name] = "arranged" if np.isfinite(points).all() else "!points that are not finite"
            except ValueError as error:
                said[name] = str(error)[:60]
            except Exception as error:  # What is looked for: an error that is no sentence.
                said[name] = f"!{type(error).__name__}"
    return {"projected": said}


if __name__ == "__main__":
    if sys.argv[1] == "--one":
        _one(sys.argv[2] if len(sys.argv) > 2 else None)
    else:
        main(Path(sys.argv[1]).resolve())
