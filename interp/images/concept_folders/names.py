"""Lists of concepts' names by their numbers: tables, lines, JSON."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from interp.images import files
from interp.images.class_maps import NO_THING
from interp.images.problems import printable, same_name

LARGEST = 20_000_000
NUMBER = frozenset("number index idx id value code pixel class_id label_id".split()) | {"pixel value"}
NAME = frozenset("name names class label object concept".split()) | {"class name"}
_NUMBERED = re.compile(r"\s*(\d+)\s*(?:[:;,=\t]|\s)\s*(\S.*)")


def read(path: Path) -> dict[int, str]:
    """The names in a file by number; colours, where it has columns r, g, b, are 65536·red + 256·green + blue.

    A table needs a column of numbers (`number`, `index`, `Idx`, ...) and one of names; lines are '12 tree' or '12:
    tree', or a name each, numbered from 1, from 0 where the first is the background. JSON is a list (so numbered), or
    an object from numbers to names, or from names to numbers. Raises `ValueError` that names the file.
    """
    content = files.content(path, limit=LARGEST)
    name = printable(path.name)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    try:
        found = _of_json(text) if path.suffix.lower() == ".json" else of_lines(text.splitlines())
    except (ValueError, TypeError, AttributeError, RecursionError, csv.Error):
        found = {}
    if not found:
        raise ValueError(
            f"{name}: no names were found in it. Give a line for each, such as '12 tree', a table with the columns "
            "'number' and 'name', or a name a line, of which the first is number 1."
        )
    return found


def of_lines(lines: Sequence[str]) -> dict[int, str]:
    """The names in the lines of a text."""
    lines = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        return {}
    if found := _of_table(lines):
        return found
    numbered = [_NUMBERED.fullmatch(line) for line in lines]
    if all(numbered):
        return {int(one[1]): one[2].strip() for one in numbered if one}
    return in_order([line.strip() for line in lines])


def in_order(names: Sequence[str]) -> dict[int, str]:
    """Names one after the other: from 1, or from 0 where the first is of the background."""
    first = 0 if names and is_none(names[0]) else 1
    return {first + place: name for place, name in enumerate(names)}


def is_none(name: str) -> bool:
    """Whether a name says that nothing is labelled."""
    return same_name(name.strip("_-")) in NO_THING


def first_synonyms(names: Mapping[int, str]) -> dict[int, str]:
    """The names up to their first comma or semicolon, where that is still different for each."""
    first = {number: re.split("[,;]", name)[0].strip() for number, name in names.items()}
    counts = Counter(first.values())
    return {number: first[number] if counts[first[number]] == 1 else name for number, name in names.items()}


def _of_table(lines: Sequence[str]) -> dict[int, str]:
    for delimiter in ("\t", ",", ";"):
        header, *rows = list(csv.reader(lines, delimiter=delimiter))
        columns = [one.strip().lower() for one in header]
        names = next((place for place, one in enumerate(columns) if one in NAME), None)
        # Broden's categories have both 'code', their own number, and 'number', that of the masks.
        order = sorted(
            (place for place, one in enumerate(columns) if one in NUMBER), key=lambda i: columns[i] == "code"
        )
        colour = [columns.index(one) for one in ("r", "g", "b")] if {"r", "g", "b"} <= set(columns) else []
        if names is None or not (order or colour):
            continue
        found = {}
        for row in rows:
            if len(row) <= max([names, *order[:1], *colour]):
                continue
            values = [int(row[one]) for one in colour or order[:1]]
            found[values[0] if len(values) == 1 else 65536 * values[0] + 256 * values[1] + values[2]] = row[
                names
            ].strip()
        return found
    return {}


def _of_json(text: str) -> dict[int, str]:
    document: Any = json.loads(text)
    if isinstance(document, list):
        return in_order([str(one) for one in document])
    if all(isinstance(one, str) for one in document.values()):
        return {int(number): name for number, name in document.items()}
    return {int(number): name for name, number in document.items()}
