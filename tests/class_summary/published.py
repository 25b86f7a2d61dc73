"""Where the graphs that Summit published lie, if they are there."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared" / "summit"
LAYERS = (*("mixed3a", "mixed3b"), *(f"mixed4{part}" for part in "abcde"), *("mixed5a", "mixed5b"))


def published(number: int) -> Path:
    """The file of a class of ImageNet; the test is skipped where there are none."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the published graphs of {SHARED}, which are not there")
    return SHARED / f"ag-{number}.json"


def all_published() -> list[Path]:
    """All files, at least the 25 that were handed out."""
    files = sorted(published(0).parent.glob("ag-*.json"))
    assert len(files) >= 25
    return files
