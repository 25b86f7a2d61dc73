"""What the documents say of the repository is so: their links lead somewhere, and what they name exists."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
IMPORT = re.compile(r"^\s*from ([\w.]+) import (\([^)]*\)|.+)$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
SPAN = re.compile(r"`([^`\n]+)`")
DOTTED = re.compile(r"([a-z_]\w*(?:\.\w+)+)(?:\(.*)?")
FILE = re.compile(r"[\w.-]+(?:/[\w.-]+)*/?")
# Where a name that is not written in full may begin.
WITHIN = ("", "interp.", "pages.parts.", "pages.parts.kit.", "pages.parts.frame.")
FOLDERS = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith((".", "_"))}
PLACEHOLDER = re.compile(r"\b[A-Z]{3,}\b")


def anchors(text: str) -> set[str]:
    """What a link may name in a page: its headings, as GitHub writes them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken(text: str, folder: Path) -> list[str]:
    """The relative links that lead to no file, or to no heading of it."""
    found = []
    for link in LINK.findall(FENCE.sub("", text)):
        if "://" in link:
            continue
        place, _, heading = link.partition("#")
        target = folder / place if place else None
        there = text if target is None else target.read_text() if target.suffix == ".md" and target.is_file() else ""
        if (target is not None and not target.exists()) or (heading and heading not in anchors(there)):
            found.append(link)
    return found


def ours(first: str) -> bool:
    """Whether a dotted name that begins so is one of ours."""
    return first in MODULES


MODULES = {"interp", "cache", "pages", "precompute", "app", "tests", "benchmarks"} | {
    name
    for folder in ("interp", "pages/parts", "pages/parts/kit", "pages/parts/frame")
    for _, name, _ in pkgutil.iter_modules([str(ROOT / folder)])
}


def exists(dotted: str) -> bool:
    return any(_resolves(f"{start}{dotted}") for start in WITHIN)


def _resolves(dotted: str) -> bool:
    parts = dotted.split(".")
    for count in range(len(parts), 0, -1):
        name = ".".join(parts[:count])
        try:
            one = importlib.import_module(name)
        except ModuleNotFoundError:
            continue
        for part in parts[count:]:
            if not hasattr(one, part):
                return part in getattr(one, "__dataclass_fields__", {}) or part in getattr(one, "__annotations__", {})
            one = getattr(one, part)
        return True
    return False


def unknown(text: str) -> list[str]:
    """What stands in code font, looks like a file or a name of ours, and is none."""
    found = []
    for span in SPAN.findall(FENCE.sub("", text)):
        if PLACEHOLDER.search(span):
            continue
        dotted = DOTTED.fullmatch(span)
        path = FILE.fullmatch(span) and (
            "/" in span and span.split("/")[0] in FOLDERS or span.endswith(".py") and span != "__init__.py"
        )
        if path and not (ROOT / span).exists():
            found.append(span)
        elif not path and dotted and ours(dotted[1].split(".")[0]) and not exists(dotted[1]):
            found.append(span)
    return found


def created(text: str) -> set[str]:
    """The modules that examples are to be written to, which their first line names."""
    return {
        code.split("\n")[0].removeprefix("# ").partition(".py")[0].replace("/", ".") for _, code in FENCE.findall(text)
    }


def imported(text: str) -> Iterator[str]:
    """What the examples in Python import of ours; what an example makes itself is left out."""
    for language, code in FENCE.findall(text):
        for module, names in IMPORT.findall(code) if language == "python" else ():
            for name in names.strip("()").split(","):
                whole = f"{module}.{name.split(' as ')[0].strip()}"
                if ours(module.split(".")[0]) and not {module, whole} & created(text):
                    yield whole


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    assert broken(page.read_text(), page.parent) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_is_named_exists(page: Path) -> None:
    assert unknown(page.read_text()) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_import_what_exists(page: Path) -> None:
    assert [name for name in imported(page.read_text()) if not exists(name)] == []


def test_what_is_wrong_is_seen() -> None:
    assert broken("[a](nowhere.md) [b](#gone) [c](README.md#loupe) [d](https://x.y)\n# Here\n[e](#here)", ROOT) == [
        "nowhere.md",
        "#gone",
    ]
    example = "```python\n# cache/new.py\nfrom cache import Queue\nfrom cache.new import x\nimport numpy\n```\n"
    text = "`interp/nothing.py` `waiting.unheard` `cache.Scope.read` `attribution.GradCam(layer=None)` `interp/images/`"
    assert unknown(text) == ["interp/nothing.py", "waiting.unheard"]
    assert list(imported(example)) == ["cache.Queue"]
