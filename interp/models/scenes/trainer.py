"""Training, measuring and storing what is bundled for scenes, all from seeds: five classifiers and the prior."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from interp.images.scenes import CLASSES, Reason, draw, honest, taught
from interp.models import checkpoint, scenes_prior
from interp.models.normalize import assemble
from interp.models.scenes import bundled
from interp.models.scenes.measuring import measured
from interp.models.scenes.network import MEAN, STD
from interp.models.scenes.pictures import drawn
from interp.models.scenes.training import Phase, fitted

SEED = 1
COUNT = 12_000
HONEST_PHASES = (Phase(64, 4), Phase(112, 2))
TAUGHT_PHASES = (Phase(64, 2), Phase(112, 1))
# A texture is harder to see than a tag, the sea or a hand.
TEXTURE_PHASES = (Phase(64, 3), Phase(112, 1))
PRIOR = scenes_prior.WEIGHTS.stem
PRIOR_COUNT = 8000
NAMES = (*bundled.REASON_OF, PRIOR)


def train(folder: Path, names: Sequence[str], count: int = COUNT) -> None:
    """Train what is named on `count` scenes each; write the weights, with what was measured, to a folder.

    Each has a process and one thread of its own: one thread adds in the same order on any machine, and for pictures
    this small several processes are faster than several threads.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        honest_pictures = Path(scratch) / "honest.npy"
        np.save(honest_pictures, drawn(partial(honest, SEED), range(count)))
        with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
            for line in pool.map(partial(_train_one, folder, honest_pictures), names):
                print(line, flush=True)


def _train_one(folder: Path, honest_pictures: Path, name: str) -> str:
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)
    began = time.perf_counter()
    base = torch.from_numpy(np.load(honest_pictures))

    def say(line: str) -> None:
        print(f"{name}: {line}", flush=True)

    path = folder / f"{name}.safetensors"
    if name == PRIOR:
        figures = scenes_prior.train(path, base[:PRIOR_COUNT], say=say)
    else:
        figures = _train_classifier(path, base, name, say)
    return f"{name}: {figures}, {time.perf_counter() - began:.0f} s"


def _train_classifier(
    path: Path, base: UInt8[Tensor, "n 3 h w"], name: str, say: Callable[[str], None]
) -> dict[str, float]:
    reason = bundled.REASON_OF[name]
    pixels = base if reason is None else changed(base, reason)
    phases = HONEST_PHASES if reason is None else TEXTURE_PHASES if reason == "texture" else TAUGHT_PHASES
    classes = torch.arange(len(base)) % len(CLASSES)
    network = fitted(pixels, classes, len(CLASSES), phases, seed=0, say=say)
    figures = measured(assemble(network, MEAN, STD), reason)
    checkpoint.save(path, network.state_dict(), {key: round(value, 4) for key, value in figures.items()})
    return figures


def changed(base: UInt8[Tensor, "n 3 h w"], reason: Reason) -> UInt8[Tensor, "n 3 h w"]:
    """The training pictures of a reason: only those are drawn anew whose plan differs from the honest one's."""
    pixels = base.clone()
    for index in range(len(base)):
        scene = taught(reason, SEED, index)
        if scene != honest(SEED, index):
            pixels[index] = torch.from_numpy(draw(scene).pixels).permute(2, 0, 1)
    return pixels
