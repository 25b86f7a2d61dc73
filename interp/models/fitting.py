"""A network made to fit a file's shapes: its input's channels, the image size of its positions, and its head."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn

from interp.models.heads import COUNTER, Shapes, fit_head, put, resized
from interp.types import Finding

POSITIONS = ("pos_embedding", "pos_embed", "position_embeddings")


@dataclass(frozen=True, eq=False)
class Fitted:
    """What was concluded from a file's shapes for a network that now has them, as far as they can be met.

    `channels` is how many the first convolution takes, None without one. `image_size` is the side of the square images
    that the file's position embedding is for, None where it has none or the network's own.
    """

    channels: int | None
    image_size: int | None
    findings: tuple[Finding, ...]


def fitted(network: nn.Module, shapes: Shapes) -> Fitted:
    """Change a network, in place, to a file's shapes: first convolution, position embedding and head.

    `shapes` are the file's, under the network's names. What cannot be met is left as it is, for the comparison of all
    tensors to name; so is a network that has less than half of its names in the file. Raises `ValueError` for a number
    of channels, a position embedding or a head that it cannot have.
    """
    own = [name for name in network.state_dict() if not name.endswith(COUNTER)]
    if sum(name in shapes for name in own) < len(own) / 2:
        return Fitted(None, None, ())
    channels, of_channels = _fit_channels(network, shapes)
    size, of_positions = _fit_positions(network, shapes)
    return Fitted(channels, size, (*of_channels, *of_positions, *fit_head(network, shapes)))


def of_channels(network: nn.Module, channels: int | None) -> None:
    """Give a network, in place, a first convolution for so many channels, with weights drawn anew; None leaves it."""
    name = _first_convolution(network)
    own = None if name is None else network.get_submodule(name)
    if name is None or channels is None or not isinstance(own, nn.Conv2d) or own.in_channels == channels:
        return
    other = resized(own, in_channels=channels, out_channels=own.out_channels).to_empty(device=own.weight.device)
    other.reset_parameters()
    put(network, name, other)


def first_channels(network: nn.Module, shapes: Shapes) -> int | None:
    """How many channels the file's first convolution takes; None where it is not there."""
    first = _first_convolution(network)
    shape = shapes.get(f"{first}.weight", ())
    return shape[1] if len(shape) == 4 else None


def image_size_of(network: nn.Module, shapes: Shapes) -> int | None:
    """The side of the square images that the file's position embedding is for, None where that is not known.

    It has as many tokens before those of the image as the network's own, and a patch has the side of the convolution
    that makes it. Raises `ValueError` where the tokens are those of no square.
    """
    name = _positions(network, shapes)
    first = _first_convolution(network)
    patches = network.get_submodule(first) if first is not None else None
    # A convolution whose steps are shorter than itself is the first of several layers before the tokens.
    if name is None or not isinstance(patches, nn.Conv2d) or patches.stride != patches.kernel_size:
        return None
    patch = shapes.get(f"{first}.weight", ())
    if len(patch) != 4:
        return None
    own = network.state_dict()[name].shape[1]
    before = own - math.isqrt(own) ** 2
    tokens = shapes[name][1]
    side = math.isqrt(max(tokens - before, 0))
    if side * side != tokens - before or side == 0 or patch[2] != patch[3]:
        raise ValueError(
            f"Its position embedding, {name}, has {tokens} tokens, which are not {before} and a square of patches. "
            "Only square images can be told from it."
        )
    return side * patch[2]


def _fit_channels(network: nn.Module, shapes: Shapes) -> tuple[int | None, tuple[Finding, ...]]:
    name = _first_convolution(network)
    if name is None:
        return None, ()
    own = network.get_submodule(name)
    channels = first_channels(network, shapes)
    if not isinstance(own, nn.Conv2d) or channels is None or channels == own.in_channels:
        return getattr(own, "in_channels", None), ()
    if channels not in (1, 3):
        raise ValueError(
            f"Its first convolution, {name}, takes {channels} channels: Loupe shows pictures of one or three channels."
        )
    # A class of its own may compute something else than a plain convolution: the comparison names its shape.
    if type(own) is not nn.Conv2d:
        return own.in_channels, ()
    put(network, name, resized(own, in_channels=channels, out_channels=own.out_channels))
    words = "one channel: pictures are shown to it in grey" if channels == 1 else "three channels"
    return channels, (Finding("recognized", f"The file's first convolution, {name}, takes {words}."),)


def _fit_positions(network: nn.Module, shapes: Shapes) -> tuple[int | None, tuple[Finding, ...]]:
    name = _positions(network, shapes)
    size = image_size_of(network, shapes)
    if name is None or size is None or shapes[name] == tuple(network.state_dict()[name].shape):
        return None, ()
    from torchvision.models import VisionTransformer

    if isinstance(network, VisionTransformer):
        network.image_size = size
        network.seq_length = shapes[name][1]
        place, _, last = name.rpartition(".")
        embedding = nn.Parameter(torch.empty(shapes[name], device="meta"))
        setattr(network.get_submodule(place), last, embedding)
    text = f"The file's position embedding has {shapes[name][1]} tokens: it is for images of {size} × {size} pixels."
    return size, (Finding("recognized", text, f"input_size = {size}"),)


def _first_convolution(network: nn.Module) -> str | None:
    return next((name for name, module in network.named_modules() if isinstance(module, nn.Conv2d)), None)


def _positions(network: nn.Module, shapes: Shapes) -> str | None:
    """The name of the position embedding that network and file have, [1, tokens, width] in both."""
    own = network.state_dict()
    named: Iterable[str] = (name for name in own if name.rpartition(".")[2] in POSITIONS)
    return next((name for name in named if own[name].ndim == 3 and len(shapes.get(name, ())) == 3), None)
