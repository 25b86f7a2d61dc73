"""Class labels: read from a file, and an image set's labels matched to a classifier's classes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from interp.images import ImageSet
from interp import label_files
from interp.label_notation import Labels
from interp.types import Classifier

# One word for two classes, the bird and the machine, the swimsuit and the tights. The id of one of the two tells a
# classifier of ImageNet's classes.
AMBIGUOUS = {"crane": "n02012849", "maillot": "n03710637"}


Way = Literal["index", "wordnet id", "name"]


@dataclass(frozen=True)
class LabelMatch:
    """An image set's labels as a classifier's classes.

    `indices` has one entry for each label, None where there is no label or no class for it. `unmatched` are the
    distinct labels without a class, and `by` says what they were matched by. `negation` is the label that was taken for
    the class 'not X' of a classifier that was given only one label.
    """

    indices: tuple[int | None, ...]
    unmatched: tuple[str, ...]
    by: Way | Literal["nothing"]
    negation: str | None = None


def read_labels(labels: Sequence[str] | str | Path) -> tuple[str, ...]:
    """Labels in class order: a sequence, or a file in any of the forms of `read`.

    Raises `ValueError`, or `FileNotFoundError`, that names the file.
    """
    return read(labels).names


def read(labels: Sequence[str] | str | Path) -> Labels:
    """Labels in class order, and what of their file was understood.

    A file has one label a line, or is a table of index and label, JSON, a list or table in Python's notation, or YAML
    with `names:`; it may give WordNet ids beside the labels. Tables map class indices to labels, or labels to class
    indices. What can be read in two ways is refused.
    Raises `ValueError`, or `FileNotFoundError`, that names the file.
    """
    if isinstance(labels, str | Path):
        return label_files.read(Path(labels))
    return Labels(label_files.checked([str(label).strip() for label in labels], "The list of labels"))


def match_set(classifier: Classifier, photos: ImageSet) -> LabelMatch:
    """The labels of an image set as the classifier's classes: of the forms the set has, the one that matches most."""
    forms = [match_labels(labels, classifier) for labels in (*photos.label_forms.values(), photos.labels)]
    return max(forms, key=lambda form: sum(index is not None for index in form.indices))


def match_labels(labels: Sequence[str | None], classifier: Classifier) -> LabelMatch:
    """Find the class of each label: by WordNet id, by name or by index, whichever matches most of the distinct labels.

    Names are compared as written, then without regard to case, underscores, hyphens and spaces; of names with commas
    any synonym serves. A name that two classes share matches none. Where the classes are X and 'not X', and the labels
    are X and one other, that other is 'not X'. Indices count from 0, and serve only where each is one of a class.
    """
    distinct = list(dict.fromkeys(label for label in labels if label is not None))
    ways: dict[Way, dict[str, int]] = {
        "wordnet id": {label: index for index, label in enumerate(classifier.wordnet_ids or ())},
        "name": _by_name(distinct, classifier),
        "index": _by_index(distinct, len(classifier.labels)),
    }
    found: dict[Way, dict[str, int]] = {}
    for by, way in ways.items():
        found[by] = {label: way[label] for label in distinct if label in way}
    by = max(found, key=lambda way: len(found[way]))
    negation = _negation(distinct, found[by], classifier)
    if negation is not None:
        found[by][negation] = 0
    indices = tuple(None if label is None else found[by].get(label) for label in labels)
    unmatched = tuple(label for label in distinct if label not in found[by])
    return LabelMatch(indices, unmatched, by if found[by] else "nothing", negation)


def _negation(distinct: Sequence[str], found: Mapping[str, int], classifier: Classifier) -> str | None:
    negated = len(classifier.labels) == 2 and classifier.labels[0] == f"not {classifier.labels[1]}"
    others = [label for label in distinct if label not in found]
    return others[0] if negated and len(distinct) == 2 and len(others) == 1 and 1 in found.values() else None


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


def _by_index(distinct: Sequence[str], classes: int) -> dict[str, int]:
    """Where one number is no class of the classifier, the numbers are those of other classes, or begin at 1."""
    numbers = {label: int(label) for label in distinct if label.isascii() and label.isdigit() and len(label) <= 9}
    return numbers if all(number < classes for number in numbers.values()) else {}
