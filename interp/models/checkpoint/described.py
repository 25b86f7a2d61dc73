"""What a file of weights says about its classes: their names, and whether several can be true at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np

from interp.models.checkpoint.stand_ins import NumpyArray, NumpyScalar, StandIn, items
from interp.models.heads import Shapes

LABELS = (
    "class_to_idx", "idx_to_class", "classes", "class_names", "label_names", "id2label", "label2id", "labels", "names",
    "CLASSES", "categories",
)  # fmt: skip
SETTINGS = (
    "hyper_parameters", "args", "config", "cfg", "hparams", "opt", "options", "params", "meta", "pretrained_cfg",
)  # fmt: skip
SIGMOID_LOSSES = ("BCEWithLogitsLoss", "MultiLabelSoftMarginLoss", "binary_cross_entropy_with_logits")
MOST_LABELS = 100_000
LONGEST_LABEL = 1_000
LARGEST_CONFIG = 16 << 20
DEEPEST = 3


def labels(content: object) -> tuple[tuple[str, ...], str] | None:
    """The labels in class order, and the name under which they stand; None where there are none."""
    for settings in _settings(content):
        for name in LABELS:
            found = _in_order(settings.get(name))
            if found is not None:
                return found, name
    return None


def outputs(content: object, shapes: Shapes) -> tuple[Literal["sigmoid"], str] | None:
    """Whether each class has its own sigmoid, and what says so; None where nothing does."""
    weighted = next((name for name in shapes if name.rpartition(".")[2] == "pos_weight"), None)
    if weighted is not None:
        return "sigmoid", weighted
    for settings in _settings(content):
        if _plain(settings.get("problem_type")) == "multi_label_classification":
            return "sigmoid", "problem_type"
        for name, value in settings.items():
            # A loss stands there as an object, or as its class or function.
            kind = value if isinstance(value, type) else type(value)
            if issubclass(kind, StandIn) and kind.path.rpartition(".")[2] in SIGMOID_LOSSES:
                return "sigmoid", str(name)
    return None


def config_beside(path: Path) -> object:
    """The content of a Hugging Face `config.json` beside a file; None where there is none that can be read."""
    config = path.parent / "config.json"
    try:
        if not config.is_file() or config.stat().st_size > LARGEST_CONFIG:
            return None
        return json.loads(config.read_text(encoding="utf-8-sig"))
    # A file that is no JSON, or nested too deeply, is no config: it only stands beside the weights.
    except (OSError, ValueError, RecursionError):
        return None


def _settings(content: object) -> Iterator[dict]:
    """The mappings that can describe a network: the content itself, then what it calls settings, a few deep."""
    pending = [(content, 0)]
    seen = set()
    while pending:
        one, depth = pending.pop(0)
        mapping = one.attributes if isinstance(one, StandIn) else one
        if not isinstance(mapping, dict) or id(mapping) in seen:
            continue
        seen.add(id(mapping))
        mapping = dict(items(mapping))
        yield mapping
        if depth < DEEPEST:
            pending += [(mapping[name], depth + 1) for name in SETTINGS if name in mapping]
            # OmegaConf keeps the values of a mapping in its `_content`, each in a node of its own.
            if isinstance(mapping.get("_content"), dict):
                pending.append((mapping["_content"], depth + 1))


def _in_order(given: object) -> tuple[str, ...] | None:
    """Labels from a list, an index of labels, or the indices of labels; None where it is none of these."""
    given = _plain(given)
    if isinstance(given, dict) and 0 < len(given) <= MOST_LABELS:
        pairs = [(_plain(name), _plain(value)) for name, value in items(given)]
        ways = ({_index(name): value for name, value in pairs}, {_index(value): name for name, value in pairs})
        by_index = next((way for way in ways if set(way) == set(range(len(pairs)))), None)
        if by_index is None:
            return None
        given = [by_index[index] for index in range(len(pairs))]
    if not isinstance(given, list | tuple) or isinstance(given, StandIn) or not 0 < len(given) <= MOST_LABELS:
        return None
    names = [_plain(one) for one in given]
    if not all(isinstance(name, str) and 0 < len(name.strip()) <= LONGEST_LABEL for name in names):
        return None
    # The names that Hugging Face gives classes without names.
    if all(name == f"LABEL_{index}" for index, name in enumerate(names)):
        return None
    return tuple(name.strip() for name in names)  # pyright: ignore[reportAttributeAccessIssue]


def _index(given: object) -> int | None:
    if isinstance(given, str) and given.isascii() and given.isdecimal() and len(given) <= 9:
        return int(given)
    return given if type(given) is int else None


def _plain(given: object) -> object:
    """A value without what NumPy or OmegaConf wraps around it."""
    if isinstance(given, NumpyScalar):
        return given.value
    if isinstance(given, NumpyArray):
        values = given.value
        return values.tolist() if isinstance(values, np.ndarray) and values.ndim == 1 else None
    if isinstance(given, StandIn):
        attributes = given.attributes
        return attributes.get("_content", attributes.get("_val", given))
    return given
