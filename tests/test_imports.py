"""Imports go one way through the house, and the library knows nothing of Streamlit."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# Each may import those before it, and those beside it in the same row.
ORDER = [
    {
        "interp.types",
        "interp.progress",
        "interp.batches",
        "interp.text_files",
        "interp.settings",
        "interp.least_recent",
    },
    {"interp.label_notation", "interp.label_files"},
    {"interp.images", "interp.own_code"},
    {"interp.set_pass"},
    {"interp.models"},
    {"interp.attribution", "interp.embedding", "interp.channels", "interp.feature_visualization"},
    {"interp.evaluation", "interp.shared_interest"},
    {"interp.figures"},
    {"cache"},
    {"precompute"},
    {"pages", "app"},
]


def level(module: str) -> int | None:
    for row, names in enumerate(ORDER):
        if any(module == name or module.startswith(name + ".") for name in names):
            return row
    return None


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return found


def sources() -> list[Path]:
    folders = sorted(path for folder in ("interp", "cache", "pages") for path in (ROOT / folder).rglob("*.py"))
    return [*folders, ROOT / "app.py", ROOT / "precompute.py"]


def against_the_stream(module: str, found: set[str]) -> set[str]:
    here = level(module)
    return {
        other for other in found if here is not None and level(other) is not None and (level(other) or 0) > here
    } | {other for other in found if module.split(".")[0] in ("interp", "cache") and other.startswith("streamlit")}


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_with_the_stream(path: Path) -> None:
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    assert not against_the_stream(module, imported(path))


def test_the_cache_knows_nothing_of_its_users() -> None:
    for path in sorted((ROOT / "cache").glob("*.py")):
        parts = {name.split(".")[1] for name in imported(path) if name.startswith("interp.")}
        assert parts <= {"types", "progress", "settings", "batches", "least_recent"}, path.name


def test_an_import_against_the_stream_is_seen() -> None:
    assert against_the_stream("interp.models.loading", {"interp.attribution.cams", "numpy"})
    assert against_the_stream("interp.figures.style", {"streamlit"})
    assert not against_the_stream("interp.figures.style", {"interp.types", "numpy"})
