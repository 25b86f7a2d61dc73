"""What only one view needs is imported when that view is drawn: no page waits for the libraries of another."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("app.py", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "pages").glob("*.py")))
SLOW = {
    *("umap", "numba", "pynndescent", "openTSNE", "sklearn", "skimage", "scipy.sparse", "scipy.fft", "scipy.stats"),
    *("torchvision", "torch._dynamo", "torch._inductor", "sympy", "timm", "captum", "lime", "shap", "matplotlib"),
    *("plotly.express", "huggingface_hub", "pillow_heif", "pydicom"),
}
# What the sidebar of each page lists, and what the first page shows of the first images.
FIRST = """
from interp import images, models
models.available()
next(models.predict(models.load("scenes-honest"), images.load("scenes")))
"""
# What every page needs is imported once; then a copy of the process imports what a page does, and tells its modules.
PROGRAM = """
import json, os, sys, traceback
import streamlit
from interp import images, models

found = {"": sorted(sys.modules)}
for name, imports in json.load(sys.stdin).items():
    reading, writing = os.pipe()
    if not os.fork():
        told = ["failed"]
        try:
            exec(imports, {})
            told = sorted(sys.modules)
        except BaseException:
            traceback.print_exc()
        with os.fdopen(writing, "w") as end:
            end.write(" ".join(told))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as end:
        found[name] = end.read().split()
    os.wait()
print(json.dumps(found))
"""


def imports(page: str) -> str:
    found = [one for one in ast.parse((ROOT / page).read_text()).body if isinstance(one, (ast.Import, ast.ImportFrom))]
    return "\n".join(map(ast.unparse, found))


@pytest.fixture(scope="module")
def loaded() -> dict[str, set[str]]:
    """The names of the modules that a process has which has imported a page; of `""`, what all pages begin with."""
    given = {page: imports(page) for page in PAGES} | {"first": FIRST, "wrong": "import scipy.stats"}
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, input=json.dumps(given), capture_output=True, text=True, check=True
    )
    return {page: set(names) for page, names in json.loads(told.stdout).items()}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_imports_no_library_that_only_some_view_needs(loaded: dict[str, set[str]], page: str) -> None:
    assert "torch" in loaded[page] and loaded[page] & SLOW == set()
    # The page itself was imported, in this copy: its parts are there, and were not before.
    assert {name for name in loaded[page] - loaded[""] if name.startswith("pages.parts")}


def test_a_first_result_needs_no_such_library(loaded: dict[str, set[str]]) -> None:
    assert "torch" in loaded["first"] and loaded["first"] & SLOW == set()


def test_a_slow_library_is_found_in_the_one_that_imports_it(loaded: dict[str, set[str]]) -> None:
    assert "scipy.stats" in loaded["wrong"] and loaded[""] & SLOW == set()
