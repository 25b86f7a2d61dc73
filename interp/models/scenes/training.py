"""The optimization that makes a scenes classifier: batch normalization while it learns, none in what is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn

from interp.models.normalize import assemble
from interp.models.scenes import normalization
from interp.models.scenes.network import MEAN, STD, ScenesNetwork

BATCH = 64
LEARNING_RATE = 4e-3
WEIGHT_DECAY = 0.05
SMOOTHING = 0.05
SHIFT = 0.07


class Phase(NamedTuple):
    """Some passes over the set at one picture size: small pictures teach most, and cost least."""

    size: int
    epochs: int


def fitted(
    pixels: UInt8[Tensor, "n 3 h w"],
    classes: Int[Tensor, " n"],
    count: int,
    phases: Sequence[Phase],
    *,
    seed: int,
    say: Callable[[str], None] = print,
) -> ScenesNetwork:
    """A network of `count` classes, trained by AdamW with a one-cycle learning rate.

    Pictures are mirrored and moved at random. The batch normalization that training used is merged into the
    convolutions, so that what is given has convolutions with biases, ReLUs and poolings only.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = ScenesNetwork(count)
    normalization.insert(network)
    module = assemble(network, MEAN, STD).train().requires_grad_(True)
    module.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    optimizer = torch.optim.AdamW(module.parameters(), weight_decay=WEIGHT_DECAY)
    steps = sum(phase.epochs for phase in phases) * (len(pixels) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps, pct_start=0.2)
    for phase in phases:
        resized = shrunk(pixels, phase.size)
        for epoch in range(phase.epochs):
            total = 0.0
            order = torch.randperm(len(resized), generator=generator)
            batches = order[: len(order) // BATCH * BATCH].split(BATCH)
            for chosen in batches:
                batch = _varied(resized[chosen], generator).contiguous(memory_format=torch.channels_last)
                loss = nn.functional.cross_entropy(module(batch), classes[chosen], label_smoothing=SMOOTHING)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
                total += loss.item() / len(batches)
            say(f"{phase.size} pixels, epoch {epoch + 1} of {phase.epochs}: loss {total:.3f}")
    module.eval().requires_grad_(False)
    normalization.merge(network)
    return network.to(memory_format=torch.contiguous_format)  # pyright: ignore[reportCallIssue]


def shrunk(pixels: UInt8[Tensor, "n 3 h w"], size: int, block: int = 500) -> UInt8[Tensor, "n 3 u v"]:
    """The pictures at another size, averaged over what falls together."""
    if pixels.shape[-1] == size:
        return pixels
    return torch.cat(
        [nn.functional.interpolate(part, (size, size), mode="bilinear", antialias=True) for part in pixels.split(block)]
    )


def _varied(pixels: UInt8[Tensor, "n 3 h w"], generator: torch.Generator) -> Float[Tensor, "n 3 h w"]:
    """In [0, 1], half of them mirrored, the batch moved by a few pixels; the rim repeats its edge."""
    side = pixels.shape[-1]
    reach = round(SHIFT * side)
    mirrored = torch.rand(len(pixels), generator=generator) < 0.5
    varied = torch.where(mirrored[:, None, None, None], pixels.flip(3), pixels).float().div_(255)
    x, y = torch.randint(0, 2 * reach + 1, (2,), generator=generator).tolist()
    return nn.functional.pad(varied, [reach] * 4, mode="replicate")[:, :, y : y + side, x : x + side]
