"""Weights of our own as safetensors, with what was measured of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

FIGURES = "figures"


def save(path: Path, state: Mapping[str, Tensor], figures: Mapping[str, float]) -> None:
    """Write a safetensors file that also carries what was measured; the same arguments give the same bytes."""
    from safetensors.torch import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    plain = {name: tensor.cpu().contiguous() for name, tensor in state.items()}
    # One note for all figures: safetensors writes several in an order of its own, another one each time.
    save_file(plain, path, metadata={FIGURES: json.dumps(dict(figures))})


def figures(path: Path) -> dict[str, float]:
    """What was measured of the weights in a file that `save` has written."""
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        return json.loads((file.metadata() or {}).get(FIGURES, "{}"))
