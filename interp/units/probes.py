"""Which colours, lightness and stripes each unit of a layer prefers: its answers to pictures that we make."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from interp.batches import as_many, batched
from interp.models import hooks
from interp.passes.grids import on_grid
from interp.set_pass import returned
from interp.types import Classifier, Fingerprinted
from interp.units.looks import HUES, ORIENTATIONS, across, hue_directions, wavelengths

PHASES = 4
REACH = math.sqrt(6) / 4
"""How far colours of equal mean go from grey: as far as all hues can, in RGB from 0 to 1."""
AT_ONCE = 16


@dataclass(frozen=True, eq=False)
class Preference(Fingerprinted):
    """What each of k units prefers of some probes: which (an angle, or a place), how selectively, and its best answer.

    `selectivity` is 0 where all answers are alike and at most 1; `best` is the largest answer above that to plain grey,
    0 where none is above it (then `which` and `selectivity` are 0, too).
    """

    which: Float[np.ndarray, " k"]
    selectivity: Float[np.ndarray, " k"]
    best: Float[np.ndarray, " k"]


@dataclass(frozen=True, eq=False)
class Tuning(Fingerprinted):
    """The answers of k units, at the middle of the layer's map, to probes that fill the picture.

    `plain` is that to mid-grey; `hues` to `looks.HUES`, colours of one mean (0.5) and one distance from grey, for a
    network that sees colours; `greys` to black and white; `gratings` to stripes from black to white, `wavelengths`
    pixels apart (w), in each direction of `looks.ORIENTATIONS` (o), the largest over four phases.
    """

    layer: str
    wavelengths: tuple[int, ...]
    plain: Float[np.ndarray, " k"]
    hues: Float[np.ndarray, "k hues"]
    greys: Float[np.ndarray, "k 2"]
    gratings: Float[np.ndarray, "k w o"]

    def hue(self) -> Preference:
        """The hue in degrees; selectivity is |Σ r exp(iθ)| / Σ r, r an answer above that to grey, else 0.

        A rectified linear unit of one colour has about 0.79, one that answers to all hues alike 0.
        """
        return _circular(self._above(self.hues), np.arange(len(HUES)) * (360 / len(HUES)), 360.0)

    def lightness(self) -> Preference:
        """Dark (0) or light (1); selectivity is |a − b| / (a + b), of the answers above that to grey."""
        above = self._above(self.greys)
        total = above.sum(axis=1)
        apart = np.abs(above[:, 1] - above[:, 0])
        return Preference(above.argmax(axis=1).astype(float), _share(apart, total), above.max(axis=1))

    def orientation(self) -> Preference:
        """The direction of stripes in degrees, at the best spacing; selectivity is |Σ r exp(2iθ)| / Σ r.

        A rectified derivative has about 1/3, for its answers fall with the cosine.
        """
        above = self._above(self.gratings)
        if not above.shape[1]:
            nothing = np.zeros(len(above))
            return Preference(nothing, nothing, nothing)
        best = above[np.arange(len(above)), above.max(axis=2).argmax(axis=1)]
        return _circular(best, np.array(ORIENTATIONS), 180.0)

    def spacing(self) -> Preference:
        """Which of `wavelengths` is best in any direction; selectivity is (1 − mean / largest) · w / (w − 1)."""
        above = self._above(self.gratings)
        count = above.shape[1]
        if count < 2:
            nothing = np.zeros(len(above))
            return Preference(nothing, nothing, above.max(axis=(1, 2), initial=0.0))
        each = above.max(axis=2)
        best = each.max(axis=1)
        flat = _share(each.mean(axis=1), best)
        selectivity = np.where(best > 0, (1 - flat) * count / (count - 1), 0.0)
        return Preference(each.argmax(axis=1).astype(float), selectivity, best)

    def _above(self, answers: Float[np.ndarray, "k ..."]) -> Float[np.ndarray, "k ..."]:
        plain = self.plain.reshape(-1, *[1] * (answers.ndim - 1))
        return np.maximum(0.0, answers.astype(np.float64) - plain)


def probe(classifier: Classifier, layer: str | None = None) -> Tuning:
    """The answers of all units of a layer to all probes: one forward pass for each. As `probing`."""
    return returned(probing(classifier, layer))


def probing(classifier: Classifier, layer: str | None = None) -> Generator[None, None, Tuning]:
    """As `probe`, yielding after each batch. Raises `ValueError` for a layer that there is not."""
    place = classifier.layer(layer)
    pictures, spacings = probes(classifier.input_size, classifier.channels)
    answers = []

    def run(part: slice) -> Float[Tensor, "n k"]:
        with torch.no_grad(), hooks.activations(classifier, [place.name]) as taken:
            classifier.module(pictures[part].to(classifier.device))
        maps = on_grid(taken[place.name], place)
        return maps[:, :, maps.shape[2] // 2, maps.shape[3] // 2].float().cpu()

    size = as_many(AT_ONCE, classifier.input_size)
    for some in batched(run, len(pictures), size=size, what="Showing probes"):
        answers.append(some)
        yield
    found = torch.cat(answers).T.numpy()
    hues = len(HUES) if classifier.channels == 3 else 0
    stripes = found[:, 3 + hues :].reshape(len(found), len(spacings), len(ORIENTATIONS), PHASES)
    return Tuning(
        place.name,
        spacings,
        found[:, 0].copy(),
        found[:, 3 : 3 + hues].copy(),
        found[:, 1:3].copy(),
        stripes.max(axis=3),
    )


def probes(size: tuple[int, int], channels: int) -> tuple[Float[Tensor, "n c h w"], tuple[int, ...]]:
    """All probes, in [0, 1], and the spacings of the stripes: grey, black, white, hues, then stripes."""
    spacings = wavelengths(size)
    plain = torch.tensor([0.5, 0.0, 1.0])[:, None].expand(3, channels)
    colours = 0.5 + REACH * hue_directions() if channels == 3 else plain[:0]
    fields = torch.cat([plain, colours])[:, :, None, None].expand(-1, -1, *size)
    rows, columns = torch.meshgrid(torch.arange(size[0]).float(), torch.arange(size[1]).float(), indexing="ij")
    stripes = [
        0.5 + 0.5 * (2 * math.pi * (across(orientation, rows, columns) / spacing + phase / PHASES)).cos()
        for spacing in spacings
        for orientation in ORIENTATIONS
        for phase in range(PHASES)
    ]
    if not stripes:
        return fields.contiguous(), spacings
    grey = torch.stack(stripes)[:, None].expand(-1, channels, -1, -1)
    return torch.cat([fields, grey]).clamp(0, 1), spacings


def nearest(angle: float, count: int, turn: float) -> int:
    """Which of `count` angles that divide a turn evenly, from 0 on, is nearest."""
    return round(angle / turn * count) % count


def _circular(above: Float[np.ndarray, "k n"], degrees: Float[np.ndarray, " n"], turn: float) -> Preference:
    if not above.shape[1]:
        nothing = np.zeros(len(above))
        return Preference(nothing, nothing, nothing)
    sums = above @ np.exp(2j * np.pi * degrees / turn)
    which = np.angle(sums) / (2 * np.pi) * turn % turn
    best = above.max(axis=1)
    return Preference(np.where(best > 0, which, 0.0), _share(np.abs(sums), above.sum(axis=1)), best)


def _share(part: Float[np.ndarray, " k"], whole: Float[np.ndarray, " k"]) -> Float[np.ndarray, " k"]:
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)
