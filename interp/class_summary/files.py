"""A class summary as a file: one .npz of plain arrays, which any NumPy reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import numpy as np

from interp.class_summary import array_files
from interp.class_summary.predicted import ClassesBy
from interp.class_summary.summary import ClassSummary, Influences
from interp.images import Problem

KIND = "class summary"

FORMAT = 2
"""What is written; what is read may be older. The first format did not say by what images were counted: by labels."""

LARGEST = 2**31
"""So many bytes a summary has at most: a small file may unpack to more than there is memory."""


def save(summary: ClassSummary, path: Path) -> None:
    """Write a summary to a file, which is there as a whole or not at all. Raises `OSError` where it cannot be."""
    array_files.write(path, arrays_of(summary))


def arrays_of(summary: ClassSummary) -> dict[str, np.ndarray]:
    """The arrays of a summary's file, by their names.

    `about` is JSON: `format`, and the summary's texts. Of layer number l `counts_l` is A (classes × channels). Of the
    pair that it begins, class c has the numbers `numbers_l` from `starts_l[c]` to `starts_l[c + 1]`, at places
    i · the upper layer's channels + j, of which `gaps_l` has each less the one before it in its class; others are 0.
    """
    arrays: dict[str, np.ndarray] = {"about": array_files.told(_about(summary)), "images": summary.images}
    for number, layer in enumerate(summary.layers):
        arrays[f"counts_{number}"] = summary.counts[layer]
    for number, own in enumerate(summary.influences.values()):
        arrays |= {f"{name}_{number}": getattr(own, name) for name in ("starts", "gaps", "numbers")}
    return arrays


def load(path: Path) -> ClassSummary:
    """Read what `save` wrote. Raises `ValueError` for another file, or a damaged one, and `OSError` for none."""
    return unpacked(path.read_bytes(), str(path))


def unpacked(content: bytes, name: str) -> ClassSummary:
    """The summary that a file of this name holds. Raises `ValueError` for another file, or a damaged one."""
    return array_files.read(content, name, KIND, _summary, newest=FORMAT, largest=LARGEST)


def _about(summary: ClassSummary) -> dict[str, Any]:
    return {
        "kind": KIND,
        "format": FORMAT,
        "classifier": summary.classifier,
        "labels": summary.labels,
        "layers": summary.layers,
        "share": summary.share,
        "by": summary.by,
        "left_out": list(summary.left_out.values()),
        "unlabelled": summary.unlabelled,
        "problems": [[one.name, one.reason] for one in summary.problems],
    }


def _summary(about: dict[str, Any], arrays: dict[str, np.ndarray]) -> ClassSummary:
    """The summary, if its arrays fit together. Raises `ValueError` where they do not."""
    labels, layers = tuple(about["labels"]), tuple(about["layers"])
    counts = {layer: arrays[f"counts_{number}"] for number, layer in enumerate(layers)}
    widths = [one.shape[1] for one in counts.values()]
    fits = arrays["images"].shape == (len(labels),) and all(len(one) == len(labels) for one in counts.values())
    influences = {}
    for number, pair in enumerate(zip(layers, layers[1:], strict=False)):
        starts, gaps, numbers = (arrays[f"{name}_{number}"] for name in ("starts", "gaps", "numbers"))
        shape = (len(labels), widths[number], widths[number + 1])
        fits &= starts.shape == (len(labels) + 1,) and starts[0] == 0 and (np.diff(starts) >= 0).all()
        fits &= gaps.shape == numbers.shape == (starts[-1],) and bool((gaps >= 0).all())
        ends = [gaps[first:last].sum(dtype=np.int64) for first, last in zip(starts, starts[1:], strict=False)]
        fits &= max(ends, default=0) < shape[1] * shape[2]
        influences[pair] = Influences(shape, starts, gaps, numbers)
    if not fits:
        raise ValueError("its tables do not fit together")
    left_out = {pair: tuple(one) for pair, one in zip(influences, about["left_out"], strict=True)}
    problems = tuple(Problem(name, reason) for name, reason in about["problems"])
    classifier, share, unlabelled = str(about["classifier"]), float(about["share"]), int(about["unlabelled"])
    by = about.get("by", "labels")
    if by not in get_args(ClassesBy):
        raise ValueError(f"its images were counted by {by!r}")
    return ClassSummary(
        classifier, labels, layers, share, arrays["images"], counts, influences, left_out, unlabelled, problems, by
    )
