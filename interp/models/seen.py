"""What a network sees of a picture: in colour or in grey, how it is fitted and normalized."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn

from interp.models import probes
from interp.models.recipe import Recipe
from interp.types import Finding


def for_channels(recipe: Recipe, network: nn.Module) -> Recipe:
    """The recipe for pictures in colour or in grey, whichever the network's first convolution takes."""
    takes = recipe.channels or _taken(recipe, network)
    said: list[Finding] = []
    mean, std = recipe.mean, recipe.std
    if takes == 1:
        said.append(Finding("recognized" if recipe.channels else "guessed", _GREY, "channels = 1"))
        if len(mean) == 3:
            mean, std = (sum(mean) / 3,), (sum(std) / 3,)
            if set(recipe.mean) != {0.0} or set(recipe.std) != {1.0}:
                text = "Grey is normalized with the average of the three colours' mean and std."
                said.append(Finding("guessed", text, f"mean = [{mean[0]:.4g}]  and  std = [{std[0]:.4g}]"))
    elif len(mean) == 1:
        mean, std = mean * 3, std * 3
        said.append(Finding("guessed", "One mean and one std were given: they are taken for all three colours."))
    preprocessing = replace(recipe.preprocessing, channels=takes)
    return replace(
        recipe, mean=mean, std=std, preprocessing=preprocessing, channels=takes, findings=(*recipe.findings, *said)
    )


def _taken(recipe: Recipe, network: nn.Module) -> int:
    """How many channels the network takes: what its first convolution says, or else what it runs on."""
    first = next((part.in_channels for part in network.modules() if isinstance(part, nn.Conv2d)), None)
    if first in (1, 3):
        return first
    usual = len(recipe.mean)
    for channels in (usual, 4 - usual):
        probe = probes.noise(replace(recipe.preprocessing, channels=channels), probes.COUNT)
        try:
            with torch.no_grad():
                network.eval()(probe)
            return channels
        # A person's own network can raise anything, and end the process.
        except (Exception, SystemExit):
            continue
    if first is not None:
        raise ValueError(
            f"{recipe.name}: its first convolution takes {first} channels, and a picture has three (RGB) or one "
            "(grey): give a network for pictures."
        )
    return usual


_GREY = "It sees pictures in grey: 0.299 red + 0.587 green + 0.114 blue."


def fitted(recipe: Recipe) -> tuple[Finding, ...]:
    """How a picture is fitted and normalized."""
    said = f"A picture is {recipe.preprocessing.description}."
    fitted = Finding("recognized", said, "input_size = 224  and  resize = 256")
    if set(recipe.mean) == {0.0} and set(recipe.std) == {1.0}:
        plain = "Its pixels go in as numbers from 0 to 1, for no mean and std were given."
        return fitted, Finding("guessed", plain, "mean = [0.485, 0.456, 0.406]  and  std = [0.229, 0.224, 0.225]")
    mean, std = (", ".join(f"{one:.4g}" for one in numbers) for numbers in (recipe.mean, recipe.std))
    return fitted, Finding(
        "recognized", f"Then mean {mean} is taken off its pixels (0 to 1), and std {std} divides them."
    )
