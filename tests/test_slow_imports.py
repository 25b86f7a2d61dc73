"""What only one view needs is imported when that view is drawn: no page waits for the libraries of another."""

from __future__ import annotations

import ast
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
import sys
from interp import images, models
models.available()
next(models.predict(models.load("scenes-honest"), images.load("scenes")))
"""


@pytest.mark.parametrize("page", PAGES)
def test_a_page_imports_no_library_that_only_some_view_needs(page: str) -> None:
    imports = [
        one for one in ast.parse((ROOT / page).read_text()).body if isinstance(one, (ast.Import, ast.ImportFrom))
    ]
    program = "\n".join((*map(ast.unparse, imports), FIRST))
    found = subprocess.run(
        [sys.executable, "-c", f"{program}\nprint(*sys.modules)"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = set(found.stdout.split())
    assert "torch" in loaded and loaded & SLOW == set()
