"""Which classification models torchvision has, without importing it, which takes as long as importing torch.

    python -m interp.models.torchvision_names      # writes the table anew, from the torchvision that is installed

Under another version than the table's torchvision itself is asked.
"""

from __future__ import annotations

import importlib.metadata
from functools import cache
from pathlib import Path
from typing import NamedTuple

TABLE = Path(__file__).with_name("torchvision_names.tsv")


class Published(NamedTuple):
    """The default weights of an architecture: the name of their file, and its size in MB."""

    file: str
    megabytes: float


@cache
def published() -> dict[str, Published]:
    """The architectures by name, in torchvision's order."""
    first, *rows = TABLE.read_text(encoding="ascii").splitlines()
    if first != _version():
        return installed()
    cells = (row.split("\t") for row in rows)
    return {name: Published(file, float(megabytes)) for name, file, megabytes in cells}


def installed() -> dict[str, Published]:
    """The same from torchvision itself."""
    from torchvision import models

    found = {}
    for name in models.list_models(module=models):
        weights = models.get_model_weights(name)["DEFAULT"]
        found[name] = Published(weights.url.rpartition("/")[2], weights.meta["_file_size"])
    return found


def _version() -> str:
    # Wheels of an index of torch's own add '+cpu' or '+cu130'.
    return importlib.metadata.version("torchvision").partition("+")[0]


if __name__ == "__main__":
    lines = (f"{name}\t{one.file}\t{one.megabytes}" for name, one in installed().items())
    TABLE.write_text("\n".join((_version(), *lines)) + "\n", encoding="ascii")
