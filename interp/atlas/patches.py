"""The real patches behind cells: what lies in an image around the position of a sample."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, UInt8
from torch import Tensor
from torch.nn.functional import interpolate

from interp import progress
from interp.atlas.sampling import SamplePlaces
from interp.images import ImageSet
from interp.images.picture_bytes import bytes_of
from interp.models import inputs
from interp.passes.receptive_fields import ReceptiveFields, receptive_fields
from interp.types import Classifier

SIDE = 64
AT_ONCE = 16
POSITIONS = 3
"""A patch is as wide as so many positions at least: a single one says too little."""
SHARE = 0.5
"""Of the receptive field: what lies further out hardly counts (Luo et al. 2016)."""


@dataclass(frozen=True)
class PatchWindows:
    """Which square of what the classifier sees belongs to each position of a layer's grid: `side` pixels wide."""

    fields: ReceptiveFields
    side: int

    @classmethod
    def of(cls, classifier: Classifier, layer: str) -> PatchWindows:
        """Half the receptive field of a position in the middle, but three positions at least."""
        fields = receptive_fields(classifier, layer)
        rows, columns = len(fields.rows), len(fields.columns)
        top, left, bottom, right = fields.box(rows // 2, columns // 2)
        step = max(fields.size[0] / rows, fields.size[1] / columns)
        own = SHARE * max(bottom - top, right - left) if fields.bounded else 0.0
        return cls(fields, min(round(max(POSITIONS * step, own)), *fields.size))

    def box(self, place: int) -> tuple[int, int, int, int]:
        """Top, left, bottom and right of a position's square, moved into the picture where it would leave it."""
        row, column = divmod(place, len(self.fields.columns))
        centre = self.fields.centres_y[row], self.fields.centres_x[column]
        top, left = (
            int(min(max(0, round(at - self.side / 2)), size - self.side))
            for at, size in zip(centre, self.fields.size, strict=True)
        )
        return top, left, top + self.side, left + self.side


def patches(
    classifier: Classifier, photos: ImageSet, samples: SamplePlaces, rows: Sequence[int], side: int = SIDE
) -> Generator[UInt8[np.ndarray, "m s s 3"], None, UInt8[np.ndarray, "m s s 3"]]:
    """The patches of these samples, `side` pixels wide, yielded as they fill in; grey where there is none (row -1).

    Each image is read once. A file that can no longer be read leaves grey and a remark.
    """
    windows = PatchWindows.of(classifier, samples.layer)
    found = np.full((len(rows), side, side, 3), 128, np.uint8)
    wanted: dict[int, list[int]] = {}
    for number, row in enumerate(rows):
        if row >= 0:
            wanted.setdefault(int(samples.images[row]), []).append(number)
    missing = 0
    for done, (image, numbers) in enumerate(wanted.items()):
        progress.report(done, len(wanted), "Cutting patches")
        pixels = inputs.attempt(classifier, photos, image).pixels
        missing += pixels is None
        if pixels is not None:
            for number in numbers:
                found[number] = _cut(pixels, windows.box(int(samples.places[rows[number]])), side)
        if done % AT_ONCE == AT_ONCE - 1:
            yield found.copy()
    if missing:
        progress.remark(f"{missing:,} images can no longer be read, so their patches are grey.")
    yield found
    return found


def _cut(pixels: Float[Tensor, "c h w"], box: tuple[int, int, int, int], side: int) -> UInt8[np.ndarray, "s s 3"]:
    top, left, bottom, right = box
    part = pixels[:, top:bottom, left:right]
    if part.shape[0] == 1:
        part = part.expand(3, -1, -1)
    resized = interpolate(part[None], size=(side, side), mode="bilinear", antialias=True, align_corners=False)[0]
    return bytes_of(resized.clamp(0, 1))


def level_patches(
    classifier: Classifier, photos: ImageSet, samples: SamplePlaces, nearest: Sequence[Int[np.ndarray, " _"]]
) -> Generator[tuple[UInt8[np.ndarray, "_ s s 3"], ...], None, tuple[UInt8[np.ndarray, "_ s s 3"], ...]]:
    """The patch of one sample for each cell of each level, as `patches` cuts them, all in one reading of the images."""
    ends = np.cumsum([len(one) for one in nearest])[:-1]
    steps = patches(classifier, photos, samples, np.concatenate(list(nearest)).tolist())
    while True:
        try:
            found = next(steps)
        except StopIteration as stop:
            return tuple(np.split(stop.value, ends))
        yield tuple(np.split(found, ends))
