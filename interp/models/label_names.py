"""What a label says: its words, the number or WordNet id that it begins with, and the class index that it is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from interp.text_files import composed
from interp.types import Classifier

# One word for two classes, the bird and the machine, the swimsuit and the tights. The id of one of the two tells a
# classifier of ImageNet's classes.
AMBIGUOUS = {"crane": "n02012849", "maillot": "n03710637"}
# 'n02085620-Chihuahua', 'n01440764 tench', or the id alone.
_WITH_ID = re.compile(r"(n\d{8})(?:[\s._,:-]+(\S.*))?")
# '001.Black_footed_Albatross', '12_robin'; not '4x4', '1.5 l' or '2-3'.
_WITH_NUMBER = re.compile(r"(\d{1,6})(?:\s*[._:)-]\s*|\s+)([^\W\d_].*)")
_WHOLE = re.compile(r"\s*([0-9]{1,9})(?:\.0*)?\s*")


def number(label: str) -> int | None:
    """The whole number that a label is, as '7', '007' or '7.0'; None for all others."""
    found = _WHOLE.fullmatch(label)
    return int(found[1]) if found else None


def wordnet_id(label: str) -> str | None:
    """The WordNet id that a label is, or begins with."""
    found = _WITH_ID.fullmatch(label.strip())
    return found[1] if found else None


def words(label: str) -> str:
    """A label without regard to case, to underscores, hyphens and spaces, and to how its accents are written."""
    plain = composed(composed(label).casefold()).replace("_", " ").replace("-", " ")
    return ", ".join(" ".join(part.split()) for part in plain.split(","))


def synonyms(label: str) -> list[str]:
    """The whole label, then each of its parts between commas, as words."""
    whole = words(label)
    return list(dict.fromkeys([whole, *(part for part in whole.split(", ") if part)]))


def of_classes(classifier: Classifier) -> tuple[str, ...] | None:
    """The WordNet ids of the classes: the classifier's, or those that all its labels begin with."""
    if classifier.wordnet_ids is not None:
        return classifier.wordnet_ids
    found = [wordnet_id(label) for label in classifier.labels]
    known = tuple(one for one in found if one is not None)
    return known if len(set(known)) == len(found) else None


def by_id(distinct: Sequence[str], classifier: Classifier) -> tuple[dict[str, int], bool]:
    """The class of each label that is the WordNet id of one, or begins with it, and whether some only begin with it."""
    classes = {one: index for index, one in enumerate(of_classes(classifier) or ())}
    # An id need not be one of WordNet's form for a classifier to have it.
    found = {label: label if label in classes else wordnet_id(label) for label in distinct}
    known = {label: classes[one] for label, one in found.items() if one is not None and one in classes}
    return known, any(label not in classes for label in known)


def by_name(distinct: Sequence[str], classifier: Classifier) -> tuple[dict[str, int], bool]:
    """The class of each label by its name, and whether a number or id before a name was passed over for that.

    Names are compared as written, then as words; of names with commas any synonym serves. A name that two classes share
    matches none. Numbers before names are passed over where all labels of the set, or all classes, have one each.
    """
    found = _as_written(distinct, classifier.labels, classifier.wordnet_ids)
    bare_labels, bare_classes = _without_prefix(distinct), _without_prefix(classifier.labels)
    if len(found) == len(distinct) or not (bare_labels or bare_classes):
        return found, False
    classes = [bare_classes.get(label, label) for label in classifier.labels]
    again = _as_written([bare_labels.get(label, label) for label in distinct], classes, of_classes(classifier))
    more = {label: again[bare] for label in distinct if (bare := bare_labels.get(label, label)) in again}
    return {**more, **found}, bool(more.keys() - found.keys())


def _without_prefix(labels: Sequence[str]) -> dict[str, str]:
    """The name behind the id or number that each of these labels has; empty where one has none, or names then agree."""
    for form in (_WITH_ID, _WITH_NUMBER):
        found = {label: match for label in labels if (match := form.fullmatch(label.strip())) and match[2]}
        named = {words(match[2]) for match in found.values()}
        numbers = {match[1] for match in found.values()}
        if found and len(found) == len(labels) == len(named) == len(numbers):
            return {label: match[2] for label, match in found.items()}
    return {}


def _as_written(distinct: Sequence[str], labels: Sequence[str], ids: Sequence[str] | None) -> dict[str, int]:
    ambiguous = {name for name, one in AMBIGUOUS.items() if one in (ids or ())}
    exact = _unique([(composed(label), index) for index, label in enumerate(labels)])
    plain = _unique([(name, index) for index, label in enumerate(labels) for name in synonyms(label)])
    found = {}
    for label in distinct:
        names = [name for name in synonyms(label) if name not in ambiguous]
        written = exact.get(composed(label)) if names else None
        classes = {plain[name] for name in names if name in plain} if written is None else {written}
        if len(classes) == 1:
            found[label] = classes.pop()
    return found


def _unique(pairs: Sequence[tuple[str, int]]) -> dict[str, int]:
    count = Counter(name for name, _ in set(pairs))
    return {name: index for name, index in pairs if count[name] == 1}


def by_index(
    distinct: Sequence[str], classifier: Classifier, start: int | None
) -> tuple[dict[str, int], int, str | None]:
    """The class of each label that is a number, what the numbers count from, and what is to be said of that.

    From 0; from 1 where the number of classes is among them and 0 is not; from `start` where it is given. Where one is
    no class then, the numbers are those of other classes, and none is taken.
    """
    numbers = {label: value for label in distinct if (value := number(label)) is not None}
    count = len(classifier.labels)
    if not numbers:
        return {}, start or 0, None
    called = [value for label in classifier.labels if (value := number(label)) is not None]
    if len(called) == count:
        classes = _unique([(str(value), index) for index, value in enumerate(called)])
        named = {label: classes[str(value)] for label, value in numbers.items() if str(value) in classes}
        return named, 0, "The classes are called by numbers: a label that is a number is the name of its class."
    least, most = min(numbers.values()), max(numbers.values())
    begin = start if start is not None else 1 if least > 0 and most == count else 0
    if least < begin or most - begin >= count:
        remark = (
            f"The labels are numbers from {least} to {most}, and the classifier's {count} classes count from {begin} "
            f"to {count - 1 + begin}: they are the numbers of other classes, and none was taken."
        )
        return {}, begin, remark
    found = {label: value - begin for label, value in numbers.items()}
    return found, begin, _counted(least, most, begin, start, classifier.labels)


def _counted(least: int, most: int, begin: int, start: int | None, labels: Sequence[str]) -> str | None:
    shown = f"{least} is {labels[least - begin]!r}, and {most} is {labels[most - begin]!r}"
    if start is not None:
        return f"The labels are numbers, counted from {begin} as was set: {shown}."
    if begin == 1:
        return (
            f"The labels are numbers from {least} to {most} for {len(labels)} classes, without 0: they were counted "
            f"from 1, so that {shown}."
        )
    if least == 0:
        return None
    return (
        f"The labels are numbers from {least} to {most} for {len(labels)} classes; neither 0 nor {len(labels)} is "
        f"among them, so that it is open what they count from. They were counted from 0: {shown}. If they count from "
        f"1, {least} is {labels[least - 1]!r}: set it so."
    )


def joined(found: Mapping[str, int], labels: Sequence[str]) -> list[str]:
    """What is to be said of labels that are not the same words, and of one class."""
    by_class: dict[int, dict[object, str]] = {}
    for label, index in found.items():
        value = number(label)
        by_class.setdefault(index, {}).setdefault(words(label) if value is None else value, label)
    return [
        f"{' and '.join(map(repr, several.values()))} were both taken for the class {labels[index]!r}."
        for index, several in by_class.items()
        if len(several) > 1
    ]
