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


def nothing() -> None:
    """Code of a library needs no rehearsal."""


def no_origin() -> str:
    """What a library's name says already."""
    return ""


@dataclass(frozen=True)
class Recipe:
    """How to build a classifier: its network, where its weights are, how its input and outputs are to be read.

    `build` gives the network, untrained, with so many classes and for images of that size where it can choose; where
    `on_meta` is true it may run under the meta device, so that nothing is allocated before the weights are checked.
    `weights` are a file, or "random" for a seeded initialization; None has `published` fetch them. `rename` gives a
    tensor's name in the network from its name in the file. `code` is the file that defines the network where no library
    does; `rehearse` tries it in a process of its own, to be called before `build`, and raises `ValueError`. `origin` is
    a digest of what the network was built from, for the fingerprint: to be called once it has run, since only then all
    that it imports is known.

    `labels`, `outputs`, `channels`, `key` (of the state dict in the file of weights) and `layer` (the default one) are
    what whoever describes the classifier has said, None where nothing; `published_labels` are those of the published
    weights, with their `wordnet_ids`. `findings` is what was understood.
    """

    name: str
    architecture: str
    build: Callable[[int, tuple[int, int]], nn.Module]
    preprocessing: Preprocessing
    mean: tuple[float, ...]
    std: tuple[float, ...]
    labels: tuple[str, ...] | None
    weights: Weights | None
    published: Callable[[], Path] | None = None
    published_labels: tuple[str, ...] | None = None
    wordnet_ids: tuple[str, ...] | None = None
    rename: Callable[[str], str] = same_name
    on_meta: bool = True
    code: Path | None = None
    rehearse: Callable[[], None] = nothing
    origin: Callable[[], str] = no_origin
    findings: tuple[Finding, ...] = ()
    outputs: Outputs | None = None
    channels: int | None = None
    layer: str | None = None
    key: str | None = None
