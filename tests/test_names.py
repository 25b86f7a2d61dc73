"""A name of a type says whose it is: none is defined in two places, so that nobody takes one for the other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Defined twice all the same, each with its reason.
ALLOWED = {"Layer": "scripts outside call the objective `feature_visualization.Layer`; a layer is `interp.types.Layer`"}


def types(text: str) -> Iterator[str]:
    """The public classes and aliases of types that a module defines; type variables are each module's own."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign) and isinstance(
            node.value, ast.Subscript | ast.BinOp | ast.Name | ast.Attribute
        ):
            yield from (one.id for one in node.targets if isinstance(one, ast.Name))


def twice(texts: Mapping[str, str]) -> dict[str, list[str]]:
    """The types that several modules define, with these modules; constants and private names are none."""
    places: dict[str, list[str]] = {}
    for module, text in texts.items():
        for name in types(text):
            if re.fullmatch(r"[A-Z]\w*[a-z]\w*", name):
                places.setdefault(name, []).append(module)
    return {name: modules for name, modules in places.items() if len(modules) > 1}


def test_no_type_is_defined_twice() -> None:
    paths = [path for folder in ("interp", "cache", "pages") for path in sorted((ROOT / folder).rglob("*.py"))]
    assert len(paths) > 100
    found = twice({str(path.relative_to(ROOT)): path.read_text() for path in paths})
    assert {name: modules for name, modules in found.items() if name not in ALLOWED} == {}
    assert ALLOWED.keys() <= found.keys(), "a name that is allowed twice is defined once: take it from the list"


def test_a_second_definition_is_seen() -> None:
    shape, alias = "class Shape:\n    pass\n", "Shape = Box | Polygon\nSIDE = 64\nItem = TypeVar('Item')\n"
    assert twice({"a": shape, "b": alias, "c": alias}) == {"Shape": ["a", "b", "c"]}
    assert not twice({"a": shape, "b": "def f():\n    class Shape:\n        pass\n"})
