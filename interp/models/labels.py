"""Class labels: read from a file, and an image set's labels matched to a classifier's classes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from interp.images import ImageSet
from interp.types import Classifier

LARGEST = 16 << 20
# One word for two classes, the bird and the machine, the swimsuit and the tights. The id of one of the two tells a
# classifier of ImageNet's classes.
AMBIGUOUS = {"crane": "n02012849", "maillot": "n03710637"}


Way = Literal["index", "wordnet id", "name"]


@dataclass(frozen=True)
class LabelMatch:
    """An image set's labels as a classifier's classes.

    `indices` has one entry for each label, None where there is no label or no class for it. `unmatched` are the
    distinct labels without a class, and `by` says what they were matched by.
    """

    indices: tuple[int | None, ...]
    unmatched: tuple[str, ...]
    by: Way | Literal["nothing"]


def read_labels(labels: Sequence[str] | str | Path) -> tuple[str, ...]:
    """Labels in class order: a sequence, a text file with one a line, or a JSON list or object.

    A JSON object maps class indices to labels (also to `[wordnet id, label]`), or labels to class indices.
    Raises `ValueError`, or `FileNotFoundError`, that names the file.
    """
    if not isinstance(labels, str | Path):
        return _checked([str(label).strip() for label in labels], "The list of labels")
    path = Path(labels)
    if not path.is_file():
        raise FileNotFoundError(f"There is no file of labels at {path}.")
    if path.stat().st_size > LARGEST:
        raise ValueError(f"{path} is too large for a file of labels: give a text file with one label a line.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not text in UTF-8: give a text file with one label a line, or JSON.") from None
    if path.suffix.lower() == ".json":
        return _checked(_from_json(text, path), str(path))
    return _checked([line.strip() for line in text.rstrip().splitlines()], str(path))


def match_set(classifier: Classifier, photos: ImageSet) -> LabelMatch:
    """The labels of an image set as the classifier's classes: of the forms the set has, the one that matches most."""
    forms = [match_labels(labels, classifier) for labels in (*photos.label_forms.values(), photos.labels)]
    return max(forms, key=lambda form: sum(index is not None for index in form.indices))


def match_labels(labels: Sequence[str | None], classifier: Classifier) -> LabelMatch:
    """Find the class of each label: by WordNet id, by name or by index, whichever matches most of the distinct labels.

    Names are compared as written, then without regard to case, underscores, hyphens and spaces; of names with commas
    any synonym serves. A name that two classes share matches none.
    """
    distinct = list(dict.fromkeys(label for label in labels if label is not None))
    ways: dict[Way, dict[str, int]] = {
        "wordnet id": {label: index for index, label in enumerate(classifier.wordnet_ids or ())},
        "name": _by_name(distinct, classifier),
        "index": {label: int(label) for label in distinct if _is_index(label, len(classifier.labels))},
    }
    found: dict[Way, dict[str, int]] = {}
    for by, way in ways.items():
        found[by] = {label: way[label] for label in distinct if label in way}
    by = max(found, key=lambda way: len(found[way]))
    indices = tuple(None if label is None else found[by].get(label) for label in labels)
    unmatched = tuple(label for label in distinct if label not in found[by])
    return LabelMatch(indices, unmatched, by if found[by] else "nothing")


def _by_name(distinct: Sequence[str], classifier: Classifier) -> dict[str, int]:
    ambiguous = {name for name, wordnet_id in AMBIGUOUS.items() if wordnet_id in (classifier.wordnet_ids or ())}
    exact = _unique([(label, index) for index, label in enumerate(classifier.labels)])
    plain = _unique([(name, index) for index, label in enumerate(classifier.labels) for name in _synonyms(label)])
    found = {}
    for label in distinct:
        names = [name for name in _synonyms(label) if name not in ambiguous]
        classes = {exact[label]} if label in exact and names else {plain[name] for name in names if name in plain}
        if len(classes) == 1:
            found[label] = classes.pop()
    return found


def _synonyms(label: str) -> list[str]:
    """The whole label, then each of its parts between commas, without case, underscores and hyphens."""
    plain = [" ".join(part.casefold().replace("_", " ").replace("-", " ").split()) for part in label.split(",")]
    return list(dict.fromkeys([", ".join(plain), *(part for part in plain if part)]))


def _unique(pairs: Sequence[tuple[str, int]]) -> dict[str, int]:
    count = Counter(name for name, _ in set(pairs))
    return {name: index for name, index in pairs if count[name] == 1}


def _is_index(label: str, classes: int) -> bool:
    return label.isascii() and label.isdigit() and len(label) <= 9 and int(label) < classes


def _from_json(text: str, path: Path) -> list[str]:
    try:
        read = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"{path} is not valid JSON: {error}.") from None
    if isinstance(read, Mapping):
        read = _in_order(read, path)
    if not isinstance(read, list) or not all(isinstance(label, str) for label in read):
        raise ValueError(f"{path} holds no labels: it must be a JSON list of names, or an object of index and name.")
    return [str(label).strip() for label in read]


def _in_order(read: Mapping[str, object], path: Path) -> list[object]:
    if read and all(isinstance(index, int) for index in read.values()):
        by_index: dict[object, object] = {index: label for label, index in read.items()}
    else:
        by_index = {int(index) if index.isdecimal() else index: label for index, label in read.items()}
    if set(by_index) != set(range(len(read))):
        raise ValueError(f"{path} must number its {len(read)} labels from 0 to {len(read) - 1}, each once.")
    ordered = [by_index[index] for index in range(len(read))]
    return [label[-1] if isinstance(label, list) and label else label for label in ordered]


def _checked(labels: Sequence[str], where: str) -> tuple[str, ...]:
    if not labels:
        raise ValueError(f"{where} is empty: it must hold one label for each class.")
    if "" in labels:
        raise ValueError(f"{where} has an empty label in place {labels.index('') + 1}: give each class a name.")
    return tuple(labels)
