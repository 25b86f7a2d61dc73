"""Labels in a notation: JSON, Python's, and the form of YAML in which lists of classes are written."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interp.text_files import shown
from interp.types import Finding

# Python's own reader of notation takes a hundred times the text's memory.
LARGEST_NOTATION = 2 << 20
WORDNET_ID = re.compile(r"n\d{8}")

Pairs = list[tuple[object, object]]


@dataclass(frozen=True)
class Labels:
    """Labels in class order, the WordNet ids that stood beside them, if any, and how the file was understood."""

    names: tuple[str, ...]
    wordnet_ids: tuple[str, ...] | None = None
    findings: tuple[Finding, ...] = ()


def of_json(text: str, where: str) -> Any:
    """What JSON holds: a list, or pairs of key and value. Raises `ValueError` that names the file."""
    try:
        return json.loads(text, object_pairs_hook=list[tuple[object, object]]) if text else []
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{where} is not valid JSON: {error}.") from None


def of_python_or_json(text: str, where: str) -> Any:
    """What a list or table in Python's notation, or JSON, holds; nothing in it is run. Raises `ValueError`."""
    try:
        return json.loads(text, object_pairs_hook=list[tuple[object, object]])
    except (ValueError, RecursionError):
        pass
    problem = "it begins like a list or table of Python or JSON, and is neither"
    if len(text) > LARGEST_NOTATION:
        raise ValueError(f"{where}: {problem} of readable size. Give one label a line.")
    try:
        tree = ast.parse(text, mode="eval").body
        if isinstance(tree, ast.Dict):
            entries = zip(tree.keys, tree.values, strict=True)
            return [(ast.literal_eval(key), ast.literal_eval(one)) for key, one in entries if key is not None]
        return ast.literal_eval(tree)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        raise ValueError(f"{where}: {problem}. Give one label a line, or mend its brackets and quotes.") from None


def of_notation(read: Any, where: str) -> Labels:
    """The labels in a list, or in pairs of index and label, either way round. Raises `ValueError`."""
    if isinstance(read, tuple):
        read = list(read)
    if isinstance(read, list) and read and all(_is_object(one) for one in read):
        read = [_entry(dict(one), where) for one in read]
    if isinstance(read, list) and read and all(isinstance(one, tuple) and len(one) == 2 for one in read):
        inner = {key: value for key, value in read if isinstance(key, str)}
        for key in ("names", "id2label", "idx_to_class", "labels", "classes", "class_to_idx", "label2id", "categories"):
            if isinstance(inner.get(key), list):
                return of_notation(inner[key], where)
        read, findings = numbered(_forwards(read), where)
    else:
        findings = ()
    return _with_ids(read, where, findings)


def _is_object(read: Any) -> bool:
    pairs = isinstance(read, list) and bool(read) and all(isinstance(one, tuple) and len(one) == 2 for one in read)
    return pairs or isinstance(read, dict)


def _entry(one: dict[Any, Any], where: str) -> tuple[object, object]:
    """The index and label in one of a list of objects, such as COCO's categories."""
    index = next((one[key] for key in ("id", "index", "class_id") if key in one), None)
    label = next((one[key] for key in ("name", "label", "class") if key in one), None)
    if index is None or label is None:
        raise ValueError(f"{where} holds a list of tables: each must have 'id' and 'name'.")
    return index, label


def _with_ids(read: Any, where: str, findings: tuple[Finding, ...]) -> Labels:
    """Labels that stand alone, or as `[WordNet id, label]`."""
    ids: list[str] = []
    names: list[str] = []
    for one in read if isinstance(read, list) else [None]:
        parts = list(one) if isinstance(one, list | tuple) else []
        if parts and all(isinstance(part, str) for part in parts):
            ids += [parts[0]] if len(parts) > 1 and WORDNET_ID.fullmatch(parts[0]) else []
            one = parts[-1]
        if not isinstance(one, str):
            raise ValueError(f"{where} holds no labels: it must be a list of names, or a table of index and name.")
        names.append(one.strip())
    return Labels(tuple(names), tuple(ids) if ids and len(ids) == len(names) else None, findings)


def _forwards(pairs: Pairs) -> Pairs:
    """Pairs of index and label, where they may stand the other way round."""
    whole = all(isinstance(one, int) and not isinstance(one, bool) for _, one in pairs)
    # YAML's numbers are text here: `bee: 0` is backwards, and `0: 1` is not.
    backwards = whole or (all(_is_number(one) for _, one in pairs) and not all(_is_number(one) for one, _ in pairs))
    return [(index, label) for label, index in pairs] if backwards else pairs


def _is_number(value: object) -> bool:
    """Whether a value is a whole number, or one in quotes, as keys of JSON are."""
    text = isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,9}\s*", value) is not None
    return text or (isinstance(value, int) and not isinstance(value, bool))


def numbered(pairs: Pairs, where: str) -> tuple[list[object], tuple[Finding, ...]]:
    """Labels in the order of their numbers, which go from 0 on, or from 1 on.

    Raises `ValueError` for numbers with gaps, or a number of two labels.
    """
    count = len(pairs)
    by_index: dict[object, object] = {}
    for index, label in pairs:
        number = int(index) if isinstance(index, str) and re.fullmatch(r"\s*[0-9]{1,9}\s*", index) else index
        by_index[number if isinstance(number, int) else str(number)] = label
    start = 1 if set(by_index) == set(range(1, count + 1)) else 0
    if set(by_index) != set(range(start, start + count)):
        raise ValueError(f"{where} must number its {count} labels from 0 to {count - 1}, each once.")
    shift = (Finding("guessed", f"{Path(where).name} counts from 1: its label 1 is the first class."),) if start else ()
    return [by_index[index] for index in range(start, start + count)], shift


def of_yaml(text: str, where: str) -> Any:
    """The entries of `names:`, or of the whole file where nothing is called so: a list, or pairs of index and label.

    Only the form in which lists of classes are written is read. Raises `ValueError` that names the line.
    """
    lines = [re.sub(r"(^|\s)#.*$", "", line).rstrip() for line in text.split("\n")]
    lines = [line for line in lines if line.strip() and line.strip() not in ("---", "...")]
    start = next((row for row, line in enumerate(lines) if line.startswith("names:")), None)
    if start is None:
        return _yaml_block(lines, where)
    rest = lines[start].removeprefix("names:").strip()
    # A list may stand as far left as its key.
    block = []
    for line in lines[start + 1 :]:
        if not rest and not line.startswith((" ", "\t", "- ")):
            break
        block.append(line)
    return _yaml_flow([rest, *block], where) if rest else _yaml_block(block, where)


def _yaml_block(lines: Sequence[str], where: str) -> Any:
    items: list[object] = []
    for line in lines:
        entry = line.strip()
        pair = re.fullmatch(r"""("[^"]*"|'[^']*'|[^\s:'"]+)\s*:\s+(.+)""", entry)
        if entry.startswith("- "):
            items.append(_scalar(entry[2:], where))
        elif pair is not None:
            items.append((_scalar(pair[1], where), _scalar(pair[2], where)))
        else:
            raise _no_yaml(where, entry)
    if len({type(item) for item in items}) > 1:
        raise _no_yaml(where, lines[0])
    return items


def _yaml_flow(lines: Sequence[str], where: str) -> Any:
    closing = {"[": "]", "{": "}"}.get(lines[0][0])
    end = next((row for row, line in enumerate(lines) if closing and line.endswith(closing)), None)
    if end is None:
        raise _no_yaml(where, lines[0])
    text = " ".join(line.strip() for line in lines[: end + 1])
    items: list[object] = []
    for entry in _parts(text[1:-1]):
        if text[0] == "[":
            items.append(_scalar(entry, where))
            continue
        pair = re.fullmatch(r"""("[^"]*"|'[^']*'|[^:'"]+)\s*:\s*(.+)""", entry.strip())
        if pair is None:
            raise _no_yaml(where, entry)
        items.append((_scalar(pair[1], where), _scalar(pair[2], where)))
    return items


def _parts(text: str) -> list[str]:
    """What stands between commas, those in quotes passed over; a comma may stand at the end."""
    found: list[str] = []
    quote, start = "", 0
    for place, character in enumerate(text):
        begins = not text[start:place].rpartition(":")[2].strip()
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'" and begins:
            quote = character
        elif character == ",":
            found.append(text[start:place])
            start = place + 1
    rest = text[start:]
    return [*found, rest] if rest.strip() else found


def _scalar(text: str, where: str) -> str:
    entry = text.strip()
    if entry[:1] == "'" and entry[-1] == entry[0] and len(entry) > 1:
        return entry[1:-1].replace("''", "'")
    if entry[:1] == '"' and entry[-1] == entry[0] and len(entry) > 1:
        return str(of_json(entry, where))
    if not entry or entry[0] in "[{&*!|>%@`\"'":
        raise _no_yaml(where, entry)
    return entry


def _no_yaml(where: str, entry: str) -> ValueError:
    return ValueError(
        f"{where}: its YAML cannot be read at {shown(entry)!r}. Write names: with a list, or with lines such as "
        "0: bee below it, or give a text file with one label a line."
    )
