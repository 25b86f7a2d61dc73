"""A digest of everything that a classifier computes with."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Sequence

import torch
from torch import nn

from interp.models.recipe import Recipe


def fingerprint(module: nn.Module, recipe: Recipe, *, also: Sequence[str | bool] = ()) -> str:
    """SHA-256 over architecture, names, shapes, types and all bytes of the weights, preprocessing and labels.

    The weights include the normalization's mean and std. Of own code all files count that it imports from its folder,
    and the versions of the packages that it imports: the network must have run before. `also` is what else tells two
    classifiers apart. Device and memory layout make no difference.
    """
    shape = recipe.preprocessing
    described = [recipe.architecture, recipe.origin(), shape.crop, shape.resize, shape.interpolation, shape.channels]
    digest = hashlib.sha256(json.dumps([*described, recipe.labels, *also]).encode())
    for name, tensor in module.state_dict().items():
        digest.update(json.dumps([name, list(tensor.shape), str(tensor.dtype)]).encode())
        digest.update(tensor.cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def versions(*packages: str) -> str:
    """The versions of packages that a network is built by, for a recipe's `origin`."""
    return json.dumps({package: importlib.metadata.version(package) for package in packages})
