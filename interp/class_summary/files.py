"""A class summary as a file: one .npz of plain arrays, which any NumPy reads."""

from __future__ import annotations

import json
import os
import secrets
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from interp.class_summary.summary import ClassSummary, Influences
from interp.images import Problem

FORMAT = 1
"""What is written; what is read may be older."""

_DAMAGED = (
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
)


def save(summary: ClassSummary, path: Path) -> None:
    """Write a summary to a file, which is there as a whole or not at all. Raises `OSError` where it cannot be.

    `about` is JSON: `format`, and the summary's texts. Of layer number l `counts_l` is A (classes × channels). Of the
    pair that it begins, class c has the numbers `numbers_l` from `starts_l[c]` to `starts_l[c + 1]`, at places
    i · the upper layer's channels + j, of which `gaps_l` has each less the one before it in its class; others are 0.
    """
    arrays: dict[str, np.ndarray] = {"about": np.array(json.dumps(_about(summary))), "images": summary.images}
    for number, layer in enumerate(summary.layers):
        arrays[f"counts_{number}"] = summary.counts[layer]
    for number, own in enumerate(summary.influences.values()):
        arrays |= {f"{name}_{number}": getattr(own, name) for name in ("starts", "gaps", "numbers")}
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def load(path: Path) -> ClassSummary:
    """Read what `save` wrote. Raises `ValueError` for another file, or a damaged one, and `OSError` for none."""
    if not zipfile.is_zipfile(path):
        if path.stat().st_size and path.read_bytes()[:2] == b"PK":
            raise ValueError(_damaged(path, "its end is missing"))
        raise ValueError(f"{path} is no class summary: those are .npz files, which this is not.")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            if "about" not in arrays.files:
                raise ValueError(f"{path} is no class summary: it says nothing about itself.")
            about = json.loads(str(arrays["about"]))
            if about.get("kind") != "class summary":
                raise ValueError(f"{path} is no class summary: it says that it is {about.get('kind')!r}.")
            if about["format"] > FORMAT:
                raise ValueError(
                    f"{path} was written by a newer Loupe, in format {about['format']}, and this one reads up to "
                    f"{FORMAT}: update it, or write the file again with this one."
                )
            found = _summary(about, {name: arrays[name] for name in arrays.files})
    except ValueError as error:
        raise (error if str(error).startswith(str(path)) else ValueError(_damaged(path, str(error)))) from error
    except _DAMAGED as error:
        raise ValueError(_damaged(path, str(error))) from error
    return found


def _about(summary: ClassSummary) -> dict[str, Any]:
    return {
        "kind": "class summary",
        "format": FORMAT,
        "classifier": summary.classifier,
        "labels": summary.labels,
        "layers": summary.layers,
        "share": summary.share,
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
    return ClassSummary(
        classifier, labels, layers, share, arrays["images"], counts, influences, left_out, unlabelled, problems
    )


def _damaged(path: Path, why: str) -> str:
    return f"{path} is a class summary that is damaged ({why}): copy or make it again."
