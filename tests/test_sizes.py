"""A module has one subject, and fits on a few screens; so does a function; a page reads from top to bottom."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MODULE, FUNCTION, PAGE = 300, 60, 100
SOURCES = [ROOT / "app.py", ROOT / "precompute.py"] + sorted(
    path for folder in ("interp", "cache", "pages") for path in (ROOT / folder).rglob("*.py")
)


def too_long(text: str, module: int = MODULE) -> list[str]:
    """What is longer than it should be, with its number of lines."""
    functions = [one for one in ast.walk(ast.parse(text)) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    lengths = {one.name: (one.end_lineno or 0) - one.lineno + 1 for one in functions}
    found = [f"{name}: {length}" for name, length in lengths.items() if length > FUNCTION]
    lines = len(text.splitlines())
    return found + ([f"the module: {lines}"] if lines > module else [])


def test_modules_and_functions_are_short() -> None:
    assert len(SOURCES) > 500
    pages = {path for path in SOURCES if path.parent.name == "pages" or path.name == "app.py"}
    found = {
        str(path.relative_to(ROOT)): too_long(path.read_text(), PAGE if path in pages else MODULE) for path in SOURCES
    }
    assert {path: what for path, what in found.items() if what} == {}


def test_what_is_too_long_is_seen() -> None:
    long = "def long():\n" + "    pass\n" * FUNCTION
    assert too_long(long) == [f"long: {FUNCTION + 1}"] and not too_long("def short():\n    pass\n")
    assert too_long("x = 1\n" * 101, PAGE) == ["the module: 101"]
