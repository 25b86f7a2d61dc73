"""While tests run, shapes and types of `interp` are checked: else what they say of annotations would be nothing."""

from __future__ import annotations

import jaxtyping
import pytest
import torch

from interp.passes.grids import on_grid
from interp.types import Images


def test_shapes_and_types_are_checked_unless_a_test_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(jaxtyping.TypeCheckError):
        Images(torch.zeros(1), ("one axis",))  # pyright: ignore[reportArgumentType]
    with pytest.raises(jaxtyping.TypeCheckError):
        on_grid(torch.zeros(1, 2, 3, 4), "a layer")  # pyright: ignore[reportArgumentType]
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    assert Images(torch.zeros(1), ("one axis",)).names == ("one axis",)  # pyright: ignore[reportArgumentType]
