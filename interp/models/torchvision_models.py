"""torchvision's classification models: architectures, published weights, their preprocessing and labels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from torch import nn

from interp.models.download import checkpoint_path, fetch
from interp.models.recipe import Recipe, Weights
from interp.types import Finding, Preprocessing

WORDNET_IDS = Path(__file__).parent / "imagenet_wordnet_ids.txt"
AUXILIARY = {"googlenet", "inception_v3"}


def names() -> tuple[str, ...]:
    """The classification models of the installed torchvision."""
    # Imported here, so that `python -m interp.models.torchvision_names` runs the module once.
    from interp.models.torchvision_names import published

    return tuple(published())


def size_note(name: str) -> str:
    """Whether the published weights are on this machine already, or how large the download would be."""
    from interp.models.torchvision_names import published

    weights = published()[name]
    if checkpoint_path(weights.file).is_file():
        return ""
    return f"Downloaded on first use ({weights.megabytes:,.0f} MB)."


@cache
def imagenet_wordnet_ids() -> tuple[str, ...]:
    """The WordNet ids of ImageNet's 1,000 classes, in class order (which is their own order)."""
    return tuple(WORDNET_IDS.read_text(encoding="ascii").split())


def recipe(
    architecture: str,
    weights: Weights | None,
    labels: tuple[str, ...] | None,
    arguments: Mapping[str, Any] = MappingProxyType({}),
) -> Recipe:
    """How to build one of torchvision's models, with as many classes as there are labels.

    Without `weights` they are the default published ones. Preprocessing is that of the published weights which have
    the file's name, else of the default ones. Labels are ImageNet's where none are given. `arguments` go to
    `torchvision.models.get_model`.
    Raises `ValueError` for published weights with labels of another number than they have.
    """
    published = _published(architecture, weights)
    # Weights of features alone name no classes.
    categories = tuple(published.meta["categories"] or ())
    if weights is None and labels is not None and len(labels) != len(categories):
        raise ValueError(
            f"The published weights of {architecture} have {len(categories)} classes, and {len(labels or ())} labels "
            "were given: give one label for each class, or weights of your own."
        )
    transforms = published.transforms()
    mean, std = _normalization(architecture, transforms)
    return Recipe(
        name=f"{architecture} (random weights)" if weights == "random" else architecture,
        architecture=architecture,
        build=lambda classes, size: _build(architecture, classes, size, dict(arguments)),
        preprocessing=Preprocessing(
            _pair(transforms.crop_size), transforms.resize_size[0], transforms.interpolation.value
        ),
        mean=mean,
        std=std,
        labels=labels,
        weights=weights,
        published_labels=categories or None,
        published=lambda: fetch(published.url),
        wordnet_ids=imagenet_wordnet_ids() if labels in (None, categories) and len(categories) == 1000 else None,
        rename=_renamed,
        origin=lambda: f"{sorted(arguments.items())}" if arguments else "",
        outputs="softmax" if weights is None else None,
        findings=(Finding("recognized", f"torchvision's published weights {published}."),) if weights is None else (),
    )


@cache
def imagenet_labels() -> tuple[str, ...]:
    """The names of ImageNet's 1,000 classes, in class order."""
    return tuple(_default("resnet50").meta["categories"])


def _default(architecture: str):
    from torchvision import models

    return models.get_model_weights(architecture)["DEFAULT"]


def _published(architecture: str, weights: Weights | None):
    """The published weights that have the file's name; the default ones where none have."""
    from torchvision import models

    if isinstance(weights, Path):
        for published in models.get_model_weights(architecture):
            if checkpoint_path(published.url).name == weights.name:
                return published
    return _default(architecture)


def _build(architecture: str, classes: int, size: tuple[int, int], arguments: dict[str, Any]) -> nn.Module:
    from torchvision import models

    given: dict[str, Any] = {"num_classes": classes}
    if architecture.startswith("vit_"):
        if size[0] != size[1]:
            raise ValueError(f"{architecture} takes square images: give one number, input_size = {max(size)}.")
        given["image_size"] = size[0]
    if architecture.startswith("maxvit"):
        given["input_size"] = size
    if architecture in AUXILIARY:
        # The auxiliary heads serve training only, and transform_input is part of our normalization.
        given |= {"aux_logits": False, "transform_input": False, "init_weights": False}
    try:
        return models.get_model(architecture, weights=None, **(given | arguments))
    except TypeError as error:
        raise ValueError(f"torchvision could not build {architecture} with {given | arguments}: {error}") from error


def _normalization(architecture: str, transforms) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and std of the published weights.

    GoogLeNet and Inception v3 undo ImageNet's normalization inside (`transform_input`) and apply mean and std 0.5, as
    their weights come from TensorFlow: the two steps together are the second alone.
    """
    if architecture in AUXILIARY:
        return (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)
    return tuple(transforms.mean), tuple(transforms.std)


def _renamed(name: str) -> str:
    """A tensor's name today, where old published files have another (DenseNet's dots, the transformers' MLPs)."""
    name = re.sub(r"(denselayer\d+\.(?:norm|relu|conv))\.([12])\.", r"\1\2.", name)
    return re.sub(r"\.mlp\.linear_([12])\.", lambda found: f".mlp.{3 * (int(found[1]) - 1)}.", name)


def _pair(size: list[int]) -> tuple[int, int]:
    return (size[0], size[-1])
