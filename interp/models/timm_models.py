"""timm's architectures, by name, where timm is installed: their weights, preprocessing and labels."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, cast

from torch import nn

from interp.models import torchvision_models
from interp.models.download import WeightsUnavailable
from interp.models.fingerprint import versions
from interp.models.recipe import Recipe, Weights
from interp.types import Finding, Preprocessing

PREFIX = "timm/"
INSTALL = 'install timm beside the app: ".venv/bin/pip install timm"'


def recipe(
    architecture: str,
    weights: Weights | None,
    labels: tuple[str, ...] | None,
    arguments: Mapping[str, Any] = MappingProxyType({}),
) -> Recipe:
    """How to build one of timm's models: `architecture` is its name there, without "timm/".

    Without `weights` they are its published ones, fetched on first use. Preprocessing is that of its configuration.
    `arguments` go to `timm.create_model`. Raises `ValueError` where timm is not installed, or has no such model.
    """
    timm = _timm()
    name, _, tag = architecture.partition(".")
    known = timm.list_models()
    if name not in known:
        near = difflib.get_close_matches(name, known, 3)
        meant = f" Did you mean {', '.join(near)}?" if near else ""
        raise ValueError(f"timm {timm.__version__} has no model {architecture!r}.{meant}")
    configuration = timm.models.get_pretrained_cfg(architecture, allow_unregistered=False)
    if configuration is None:
        raise ValueError(f"timm {timm.__version__} has no weights {tag!r} of {name}. Leave out what follows the dot.")
    settings = timm.data.resolve_data_config({}, pretrained_cfg=configuration.to_dict())
    crop = tuple(settings["input_size"][1:])
    imagenet = configuration.num_classes == 1000
    return Recipe(
        name=f"{PREFIX}{architecture}" + (" (random weights)" if weights == "random" else ""),
        architecture=f"{PREFIX}{architecture}",
        build=lambda classes, size: _build(timm, name, classes, None if size == crop else size, dict(arguments)),
        preprocessing=Preprocessing(crop, _resize(settings, crop), _interpolation(settings["interpolation"])),
        mean=tuple(settings["mean"]),
        std=tuple(settings["std"]),
        labels=labels,
        weights=weights,
        published=lambda: _fetched(architecture, configuration),
        published_labels=torchvision_models.imagenet_labels() if imagenet else None,
        wordnet_ids=torchvision_models.imagenet_wordnet_ids() if imagenet else None,
        on_meta=False,
        origin=lambda: f"{versions('timm')} {sorted(arguments.items())}",
        findings=(Finding("recognized", f"The network is {name} of timm {timm.__version__}."),),
    )


def _timm() -> Any:
    try:
        import timm
        import timm.data
        import timm.models
    except ImportError:
        raise ValueError(
            f"timm is not installed, and its architectures are not to be had without: {INSTALL}."
        ) from None
    return timm


def _build(timm: Any, name: str, classes: int, size: tuple[int, int] | None, arguments: dict[str, Any]) -> nn.Module:
    given = {"num_classes": classes, **arguments}
    try:
        if size is not None and "img_size" not in arguments:
            return timm.create_model(name, img_size=size, **given)
    except TypeError:
        # Networks of convolutions take images of any size, and do not ask for it.
        pass
    try:
        return timm.create_model(name, **given)
    # A library's network can raise anything for arguments that it does not know.
    except Exception as error:
        raise ValueError(f"timm could not build {name} with {given}: {type(error).__name__}: {error}") from error


def _resize(settings: dict[str, Any], crop: tuple[int, ...]) -> int | None:
    """The shorter side before the central crop, as timm's own evaluation has it; None where it squashes."""
    if settings["crop_mode"] == "squash":
        return None
    return math.floor(min(crop) / settings["crop_pct"])


def _interpolation(name: str) -> Literal["nearest", "bilinear", "bicubic"]:
    return cast(Literal["nearest", "bilinear", "bicubic"], name if name in ("nearest", "bilinear") else "bicubic")


def _fetched(architecture: str, configuration: Any) -> Path:
    """The published weights, from where timm says that they are."""
    from huggingface_hub import hf_hub_download

    from interp.models.download import fetch

    try:
        if configuration.hf_hub_id:
            return Path(hf_hub_download(configuration.hf_hub_id, "model.safetensors"))
    # The hub's client raises errors of many kinds.
    except Exception as error:
        raise WeightsUnavailable(
            f"The weights of {PREFIX}{architecture} could not be fetched ({type(error).__name__}: {error}). Give a "
            "file: weights = ..., or connect this machine to the network."
        ) from None
    if not configuration.url:
        raise ValueError(f'timm has no published weights of {architecture}: give a file, or weights = "random".')
    return fetch(configuration.url)
