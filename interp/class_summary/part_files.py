"""A part of a class summary as a file, for the machine that puts all parts together."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import numpy as np

from interp.class_summary import array_files
from interp.class_summary.joints import ELSEWHERE, Joint, Wiring
from interp.class_summary.marks import SHARES
from interp.class_summary.parts import SummaryPart, only_counts, only_numbers
from interp.class_summary.predicted import ClassesBy
from interp.images import Problem

KIND = "part of a class summary"
FORMAT = 1

LARGEST = 2**34
"""So many bytes a part has at most: what is counted between layers takes more room than a summary, which has paths."""

_TEXTS = ("number", "of", "classifier", "model", "photos", "pictures", "labels", "layers", "share", "by", "read")


def save(part: SummaryPart, path: Path) -> None:
    """Write a part to a file, which is there as a whole or not at all. Raises `OSError` where it cannot be."""
    array_files.write(path, arrays_of(part))


def arrays_of(part: SummaryPart) -> dict[str, np.ndarray]:
    """The arrays of a part's file, by their names.

    `about` is JSON: `format`, and the part's texts and numbers. Of layer number l `counts_l` is A (shares × classes ×
    channels). Of the pair that it begins, `gaps_l` has the keys of `InputMarks`, each less the one before it, with
    their `numbers_l`; of its joint number j `joints_l_j` and `channels_l_j` are the candidates.
    """
    about: dict[str, Any] = {"kind": KIND, "format": FORMAT} | {name: getattr(part, name) for name in _TEXTS}
    about["problems"] = [[one.name, one.reason] for one in part.problems]
    about["wirings"] = [
        {"left_out": one.left_out, "joints": [[joint.name, joint.width] for joint in one.joints]}
        for one in part.wirings
    ]
    arrays = {"about": array_files.told(about), "images": part.marks[0].images}
    for number, one in enumerate(part.marks):
        arrays[f"counts_{number}"] = one.counts
    for number, (inputs, wires) in enumerate(zip(part.inputs, part.wirings, strict=True)):
        arrays[f"gaps_{number}"] = array_files.smallest(np.diff(inputs.keys, prepend=0))
        arrays[f"numbers_{number}"] = array_files.smallest(inputs.numbers)
        for place, joint in enumerate(wires.joints):
            arrays |= {f"joints_{number}_{place}": joint.joints, f"channels_{number}_{place}": joint.channels}
    return arrays


def load(path: Path) -> SummaryPart:
    """Read what `save` wrote. Raises `ValueError` for another file, or a damaged one, and `OSError` for none."""
    return array_files.read(path.read_bytes(), str(path), KIND, _part, newest=FORMAT, largest=LARGEST)


def _part(about: dict[str, Any], arrays: dict[str, np.ndarray]) -> SummaryPart:
    """The part, if its arrays fit together. Raises `ValueError` where they do not."""
    texts = {name: about[name] for name in _TEXTS}
    labels, layers = tuple(texts.pop("labels")), tuple(texts.pop("layers"))
    fits = texts["share"] in SHARES and texts["by"] in get_args(ClassesBy) and 1 <= texts["number"] <= texts["of"]
    images = arrays["images"]
    marks = tuple(only_counts(layer, arrays[f"counts_{number}"], images) for number, layer in enumerate(layers))
    fits &= images.shape == (len(labels),) and images.dtype == np.int64 and len(layers) > 1
    fits &= all(one.counts.shape[:2] == (len(SHARES), len(labels)) for one in marks)
    wirings, inputs = [], []
    for number, (below, above) in enumerate(zip(marks, marks[1:], strict=False)):
        wires = _wiring(about["wirings"][number], arrays, number, below.layer, above.layer)
        fits &= [wires.joints[place].width for place in (0, -1)] == [one.counts.shape[2] for one in (below, above)]
        keys = np.cumsum(arrays[f"gaps_{number}"], dtype=np.int64)
        numbers, rows = arrays[f"numbers_{number}"].astype(np.int64), int(wires.starts[-1])
        fits &= keys.shape == numbers.shape and bool((np.diff(keys) > 0).all())
        fits &= not len(keys) or 0 <= keys[0] <= keys[-1] < len(labels) * rows << 16
        fits &= _have_candidates(wires, keys)
        wirings.append(wires)
        inputs.append(only_numbers(rows, keys, numbers))
    if not fits:
        raise ValueError("its tables do not fit together")
    problems = tuple(Problem(name, reason) for name, reason in about["problems"])
    return SummaryPart(
        **texts,
        labels=labels,
        layers=layers,
        marks=marks,
        inputs=tuple(inputs),
        wirings=tuple(wirings),
        problems=problems,
    )


def _wiring(about: dict[str, Any], arrays: dict[str, np.ndarray], number: int, below: str, above: str) -> Wiring:
    joints: list[Joint] = []
    for place, (name, width) in enumerate(about["joints"]):
        of, channels = (arrays[f"{one}_{number}_{place}"].astype(np.int64) for one in ("joints", "channels"))
        widths = np.array([*(one.width for one in joints), 0])
        # Candidates from elsewhere have any channel.
        inside = (of == ELSEWHERE) | ((channels >= 0) & (channels < widths[of]))
        if of.shape != channels.shape or (of < ELSEWHERE).any() or (of >= place).any() or not inside.all():
            raise ValueError("a joint reads what is not before it")
        joints.append(Joint(name, width, (), of, channels))
    return Wiring(below, above, tuple(joints), tuple(about["left_out"]))


def _have_candidates(wires: Wiring, keys: np.ndarray) -> bool:
    """Whether each key is of a candidate that its joint has."""
    rows, candidates = (keys >> 16) % int(wires.starts[-1]), keys & 0xFFFF
    each = np.repeat([len(joint.joints) for joint in wires.joints[1:]], [joint.width for joint in wires.joints[1:]])
    return bool((candidates < each[rows]).all())
