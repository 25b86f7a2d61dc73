"""What is known about a classifier before it is built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from torch import nn

from interp.types import Finding, Outputs, Preprocessing

Weights = Path | Literal["random"]


def same_name(name: str) -> str:
    """The name of a tensor as it is."""
    return name


@dataclass(frozen=True)
class Recipe:
    """How to build a classifier: its network, where its weights are, how its input and outputs are to be read.

    `build` gives the network, untrained, with so many classes where it can choose; where `on_meta` is true it may run
    under the meta device, so that nothing is allocated before the weights are checked. `weights` are a file, or
    "random" for a seeded initialization; None has `published` fetch them. `key` names the state dict of a file that
    holds several. `rename` gives a tensor's name in the network from its name in the file. `code` is the file that
    defines the network where no library does: a part of the fingerprint. `labels`, `outputs`, `channels` and `layer`
    (the default layer) are None where nobody has said them: they are found out from the network.
    """

    name: str
    architecture: str
    build: Callable[[int], nn.Module]
    preprocessing: Preprocessing
    mean: tuple[float, ...]
    std: tuple[float, ...]
    labels: tuple[str, ...] | None
    weights: Weights | None
    published: Callable[[], Path] | None = None
    wordnet_ids: tuple[str, ...] | None = None
    rename: Callable[[str], str] = same_name
    on_meta: bool = True
    code: Path | None = None
    findings: tuple[Finding, ...] = ()
    outputs: Outputs | None = None
    channels: int | None = None
    layer: str | None = None
    key: str | None = None
