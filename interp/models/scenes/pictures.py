"""Scenes as arrays to train and to measure on, drawn by several processes."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from interp.images.scenes import Scene, draw
from interp.images.scenes.scene import SIZE

Plan = Callable[[int], Scene]
ScenePixels = UInt8[np.ndarray, "n 3 112 112"]
BLOCK = 50


def drawn(plan: Plan, indices: range, processes: int | None = None) -> ScenePixels:
    """The pictures of `plan(index)` for these indices, in their order, whatever the number of processes.

    `plan` must be a module's function, or a `functools.partial` of one, so that it can be sent to a process.
    """
    workers = processes or os.cpu_count() or 1
    blocks = [indices[start : start + BLOCK] for start in range(0, len(indices), BLOCK)]
    if workers == 1 or len(blocks) < 2:
        return _block(plan, indices)
    # A fork of a process in which torch has started threads may hang.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return np.concatenate(list(pool.map(partial(_block, plan), blocks)))


def _block(plan: Plan, indices: range) -> ScenePixels:
    pixels = np.empty((len(indices), 3, SIZE, SIZE), np.uint8)
    for place, index in enumerate(indices):
        pixels[place] = draw(plan(index)).pixels.transpose(2, 0, 1)
    return pixels


def as_floats(pixels: UInt8[np.ndarray, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
    """Bytes as numbers in [0, 1]."""
    return torch.from_numpy(pixels).float().div_(255)
