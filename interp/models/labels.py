"""Class labels: read from a file, and an image set's labels matched to a classifier's classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from interp import label_files
from interp.images import ImageSet
from interp.label_notation import Labels
from interp.models import label_names
from interp.types import Classifier

MatchedBy = Literal["index", "wordnet id", "name"]


@dataclass(frozen=True)
class LabelMatch:
    """An image set's labels as a classifier's classes.

    `indices` has one entry for each label, None where there is no label or no class for it. `unmatched` are the
    distinct labels without a class, and `by` says what they were matched by. `negation` is the label that was taken for
    the class 'not X' of a classifier that was given only one label. `remarks` say in sentences what was concluded, and
    may be otherwise; `start` is what labels that are numbers were counted from.
    """

    indices: tuple[int | None, ...]
    unmatched: tuple[str, ...]
    by: MatchedBy | Literal["nothing"]
    negation: str | None = None
    remarks: tuple[str, ...] = ()
    start: int = 0


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


def match_set(classifier: Classifier, photos: ImageSet, *, start: int | None = None) -> LabelMatch:
    """The labels of an image set as the classifier's classes: of the forms the set has, the one that matches most.

    `start` says what labels that are numbers count from, 0 or 1; None leaves it to the set (`counts_from`), and where
    that does not say, finds it out, see `match_labels`. A form that says another class of some images is spoken of in
    `remarks`.
    """
    start = photos.counts_from if start is None else start
    forms = {form: match_labels(labels, classifier, start=start) for form, labels in photos.label_forms.items()}
    matches = [*forms.values(), match_labels(photos.labels, classifier, start=start)]
    best = max(matches, key=lambda match: sum(index is not None for index in match.indices))
    others = {form: _disagreeing(best, match) for form, match in forms.items() if match is not best}
    said = [
        f"By {form!r} {count:,} images of the set are of another class than by what was taken."
        for form, count in others.items()
        if count
    ]
    return replace(best, remarks=(*best.remarks, *said)) if said else best


def _disagreeing(one: LabelMatch, other: LabelMatch) -> int:
    pairs = zip(one.indices, other.indices, strict=True)
    return sum(first is not None and second is not None and first != second for first, second in pairs)


def match_labels(labels: Sequence[str | None], classifier: Classifier, *, start: int | None = None) -> LabelMatch:
    """Find the class of each label: by WordNet id, by name or by index, whichever matches most of the distinct labels.

    Names are compared as written, then without regard to case, underscores, hyphens, spaces and how accents are
    written; of names with commas any synonym serves. A name that two classes share matches none. Where all labels have
    a WordNet id or a number before their names ('n02085620-Chihuahua', '001.Black_footed_Albatross'), the id counts,
    or the name alone. Where the classes are X and 'not X', and the labels are X and one other, that other is 'not X'.
    Indices count from 0, from 1 where they are 1 to the number of classes, or from `start`; they serve only where each
    is one of a class. What was concluded so is in `remarks`.
    Raises `ValueError` for a `start` other than 0 and 1.
    """
    if start not in (None, 0, 1):
        raise ValueError(f"Labels cannot count from {start}: give 0 or 1.")
    distinct = list(dict.fromkeys(label for label in labels if label is not None))
    by_name, bare = label_names.by_name(distinct, classifier)
    by_index, begin, numbered = label_names.by_index(distinct, classifier, start)
    by_id, longer = label_names.by_id(distinct, classifier)
    found: dict[MatchedBy, dict[str, int]] = {"wordnet id": by_id, "name": by_name, "index": by_index}
    by = max(found, key=lambda way: len(found[way]))
    negation = _negation(distinct, found[by], classifier)
    if negation is not None:
        found[by][negation] = 0
    indices = tuple(None if label is None else found[by].get(label) for label in labels)
    unmatched = tuple(label for label in distinct if label not in found[by])
    # Numbers that were not taken are spoken of only where some are left.
    of_numbers = by_index if by == "index" else [one for one in unmatched if label_names.number(one) is not None]
    remarks = [
        *([numbered] if numbered is not None and of_numbers else []),
        *(["Ids and numbers before the names were passed over."] if by == "name" and bare else []),
        *(["Labels that begin with a WordNet id were matched by it."] if by == "wordnet id" and longer else []),
        *label_names.joined(found[by], classifier.labels),
    ]
    way = by if found[by] else "nothing"
    return LabelMatch(indices, unmatched, way, negation, tuple(remarks), begin if way == "index" else 0)


def _negation(distinct: Sequence[str], found: Mapping[str, int], classifier: Classifier) -> str | None:
    negated = len(classifier.labels) == 2 and classifier.labels[0] == f"not {classifier.labels[1]}"
    others = [label for label in distinct if label not in found]
    return others[0] if negated and len(distinct) == 2 and len(others) == 1 and 1 in found.values() else None
