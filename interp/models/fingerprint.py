"""A digest of everything that a classifier computes with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

import torch
from torch import nn

from interp.models.recipe import Recipe


def fingerprint(module: nn.Module, recipe: Recipe, *, also: Sequence[str | bool] = ()) -> str:
    """SHA-256 over architecture, names, shapes, types and all bytes of the weights, preprocessing and labels.

    The weights include the normalization's mean and std; `also` is what else tells two classifiers apart. Device and
    memory layout make no difference.
    """
    shape = recipe.preprocessing
    code = recipe.code.read_text(encoding="utf-8") if recipe.code else ""
    described = [recipe.architecture, code, shape.crop, shape.resize, shape.interpolation, shape.channels]
    digest = hashlib.sha256(json.dumps([*described, recipe.labels, *also]).encode())
    for name, tensor in module.state_dict().items():
        digest.update(json.dumps([name, list(tensor.shape), str(tensor.dtype)]).encode())
        digest.update(tensor.cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()
