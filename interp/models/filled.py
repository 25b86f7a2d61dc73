"""A network with its weights in it, its head and its input as the file of weights has them."""

from __future__ import annotations

import threading
from dataclasses import replace

import torch
from torch import nn

from interp.models import checkpoint
from interp.models.fitting import of_channels
from interp.models.heads import absent, put
from interp.models.recipe import Recipe
from interp.types import Finding

SEED = 0
# How many classes a network is built with where nobody has said it, until its weights tell.
USUAL = 1000
_seeding = threading.Lock()


def filled(recipe: Recipe) -> tuple[nn.Module, Recipe, bool]:
    """The network with its weights, the recipe with what the weights' file says, and whether it has a head.

    Raises `ValueError` or `FileNotFoundError` that names the file, and what it lacks.
    """
    if recipe.weights == "random":
        # The seed is of all threads.
        with _seeding, torch.random.fork_rng(devices=[]):
            torch.manual_seed(SEED)
            network = recipe.build(_classes(recipe), recipe.preprocessing.crop)
            of_channels(network, recipe.channels)
            return network, recipe, True
    path = recipe.weights
    if path is None:
        if recipe.published is None:
            raise ValueError(f"{recipe.name} has no published weights: give a file of weights.")
        path = recipe.published()
    opened = checkpoint.open(path, recipe.key)
    network = _unfilled(recipe)
    fitted = opened.fit(network, recipe.rename)
    head = absent(network, opened.match(network, recipe.rename).shapes)
    if head is not None:
        put(network, head, nn.Identity())
    said = [*opened.findings, *fitted.findings, *opened.fill(network, recipe.rename)]
    if head is not None:
        said.append(_without(head))
    recipe = replace(
        recipe,
        labels=opened.labels if recipe.labels is None else recipe.labels,
        outputs=recipe.outputs or opened.outputs,
        channels=recipe.channels or (fitted.channels if fitted.channels in (1, 3) else None),
        findings=(*recipe.findings, *said),
    )
    if fitted.image_size is not None:
        recipe = _of_size(recipe, fitted.image_size)
    return network, recipe, head is None


def _without(head: str) -> Finding:
    said = (
        f"The weights have no head ({head}): the network gives features, and no classes. Features, the embedding "
        "explorer and feature visualization run on it; what needs a class says so."
    )
    return Finding("warning", said)


def _of_size(recipe: Recipe, side: int) -> Recipe:
    """The recipe for the size of images that the weights are for."""
    shape = recipe.preprocessing
    resize = None if shape.resize is None else round(shape.resize * side / min(shape.crop))
    return replace(recipe, preprocessing=replace(shape, crop=(side, side), resize=resize))


def _unfilled(recipe: Recipe) -> nn.Module:
    """The network without weights, on the meta device where it can be built there."""
    build = lambda: recipe.build(_classes(recipe), recipe.preprocessing.crop)  # noqa: E731
    if not recipe.on_meta:
        return build()
    try:
        with torch.device("meta"):
            return build()
    except NotImplementedError:
        # RegNet computes its widths with tensors, which the meta device cannot.
        return build()


def _classes(recipe: Recipe) -> int:
    """How many classes the network is built with, as far as that is known; the weights' file has the last word."""
    return USUAL if recipe.labels is None else len(recipe.labels)
