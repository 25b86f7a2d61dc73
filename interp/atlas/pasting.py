"""A patch pasted into a corner of all images of a set, and how many are then taken for something else."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor
from torch.nn.functional import interpolate

from interp.images import ImageSet, Problem
from interp.images.picture_bytes import pixels_of
from interp.models.inputs import Input, PicturePass, positions_of
from interp.set_pass import Positions, by_chunks, returned
from interp.set_pass.running import ItemStore
from interp.types import Classifier, Fingerprinted, Images

Corner = Literal["top left", "top right", "bottom left", "bottom right"]
CORNERS: tuple[Corner, ...] = get_args(Corner)
NOISES = 3


@dataclass(frozen=True, eq=False)
class PastedPatch(Fingerprinted):
    """A square picture in a corner, over a `share` of the shorter side of what the classifier sees.

    Without `pixels` nothing is pasted. Raises `ValueError` for a share of nothing or more than all, and a corner that
    there is not.
    """

    pixels: UInt8[np.ndarray, "h w 3"] | None = field(repr=False)
    share: float | int = 0.3
    corner: Corner = "bottom right"

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise ValueError(f"A patch over a share of {self.share} is not possible: take more than 0, up to 1.")
        if self.corner not in CORNERS:
            raise ValueError(f"There is no corner {self.corner!r}: take one of {', '.join(CORNERS)}.")

    def side(self, size: tuple[int, int]) -> int:
        """How many pixels wide it is in a picture of that height and width."""
        return max(1, round(float(self.share) * min(size)))

    def onto(self, classifier: Classifier, pixels: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """The images with the patch in its corner."""
        if self.pixels is None:
            return pixels
        height, width = pixels.shape[2:]
        side = self.side((height, width))
        own = pixels_of(self.pixels, classifier.channels)[None].to(pixels)
        resized = interpolate(own, size=(side, side), mode="bilinear", antialias=True, align_corners=False)
        changed = pixels.clone()
        rows = slice(0, side) if self.corner.startswith("top") else slice(height - side, height)
        columns = slice(0, side) if self.corner.endswith("left") else slice(width - side, width)
        changed[:, :, rows, columns] = resized.clamp(0, 1)
        return changed


def noise(share: float | int, corner: Corner, side: int, seed: int = 0) -> PastedPatch:
    """A patch of independent uniform noise in each pixel and colour, `side` pixels wide."""
    random = np.random.default_rng(seed)
    return PastedPatch(random.integers(0, 256, (side, side, 3), np.uint8), share, corner)


@dataclass(frozen=True, eq=False)
class PastedRows(Fingerprinted):
    """What n images are taken for with a patch: `positions` in the set, and the classifier's logits."""

    positions: Int[np.ndarray, " n"]
    logits: Float[np.ndarray, "n c"]
    problems: tuple[Problem, ...] = ()

    @property
    def predicted(self) -> Int[np.ndarray, " n"]:
        """The class with the largest logit."""
        return self.logits.argmax(axis=1)


@dataclass(frozen=True)
class PastingPass(PicturePass[PastedPatch, PastedRows]):
    """The logits of each image with each patch: a forward pass for each."""

    first: int = 64

    what = "Pasting patches"

    def checked(self, classifier: Classifier, items: Sequence[PastedPatch]) -> tuple[PastedPatch, ...]:
        """The patches. Raises `ValueError` for a classifier without classes."""
        classifier.require_head("Whether a patch changes what an image is taken for")
        return tuple(items)

    def values(
        self, classifier: Classifier, items: Sequence[PastedPatch], context: None, images: Images, read: Sequence[Input]
    ) -> Sequence[PastedRows]:
        """The rows of some images for each patch."""
        positions = positions_of(read).astype(np.int64)
        found = []
        for one in items:
            with classifier.lock, torch.no_grad():
                logits = classifier.module(one.onto(classifier, images.pixels))
            found.append(PastedRows(positions, logits.float().cpu().numpy()))
        return found

    def blank(self, classifier: Classifier, item: PastedPatch, problems: tuple[Problem, ...] = ()) -> PastedRows:
        """The rows of no image."""
        return PastedRows(np.zeros(0, np.int64), np.zeros((0, len(classifier.labels)), np.float32), problems)


@dataclass(frozen=True)
class PatchEffect:
    """What a patch does to a set: shares of images, in [0, 1], and how many images each is of.

    `changed` is of all images those that are taken for another class than without the patch. `to_target` is of the
    `others`, which were not taken for the target before, those that are with it; nan without a target or others.
    """

    images: int
    changed: float
    others: int
    to_target: float


@dataclass(frozen=True, eq=False)
class PatchTrial(Fingerprinted):
    """The effect of each patch, in order, and of noise of the same size, the mean of several."""

    effects: tuple[PatchEffect, ...]
    noise: PatchEffect
    problems: tuple[Problem, ...] = ()


def trying(
    classifier: Classifier,
    photos: ImageSet,
    patches: Sequence[PastedPatch],
    target: int | None = None,
    positions: Positions = None,
    *,
    seed: int = 0,
    kept: ItemStore | None = None,
) -> Generator[PatchTrial, None, PatchTrial]:
    """Paste patches of one size into all images (Carter et al. 2019), beside noise; yields what has been seen so far.

    A forward pass for each image, patch, three patches of noise, and none. Raises `ValueError` for no patches, patches
    of different sizes or corners, and a target that is no class.
    """
    if not patches or len({(one.share, one.corner) for one in patches}) > 1:
        raise ValueError("Give one patch or more, all of one size and in one corner, so that noise compares with all.")
    if target is not None:
        classifier.targets(target, 1)
    share, corner = patches[0].share, patches[0].corner
    side = patches[0].side(classifier.input_size)
    noises = [noise(share, corner, side, seed + number) for number in range(NOISES)]
    items = (PastedPatch(None), *patches, *noises)
    with closing(by_chunks(PastingPass(), classifier, photos, items, positions, kept=kept)) as steps:
        while True:
            try:
                found = next(steps)
            except StopIteration as stop:
                found = stop.value
                break
            if len(found[0].positions):
                yield _trial(found, target)
    if not len(found[0].positions):
        raise ValueError(f"No image of {photos.name} could be read, so nothing was pasted.")
    return _trial(found, target)


def tried(
    classifier: Classifier,
    photos: ImageSet,
    patches: Sequence[PastedPatch],
    target: int | None = None,
    positions: Positions = None,
    *,
    seed: int = 0,
) -> PatchTrial:
    """What `trying` gives in the end. Raises `ValueError` as that does."""
    return returned(trying(classifier, photos, patches, target, positions, seed=seed))


def _trial(found: Sequence[PastedRows], target: int | None) -> PatchTrial:
    before, *rows = found
    effects = [_effect(before, one, target) for one in rows]
    own, noises = effects[:-NOISES], effects[-NOISES:]
    of_noise = PatchEffect(
        noises[0].images,
        float(np.mean([one.changed for one in noises])),
        noises[0].others,
        float(np.mean([one.to_target for one in noises])),
    )
    return PatchTrial(tuple(own), of_noise, before.problems)


def _effect(before: PastedRows, after: PastedRows, target: int | None) -> PatchEffect:
    was, now = before.predicted, after.predicted
    others = was != target if target is not None else np.zeros(len(was), bool)
    to_target = float((now[others] == target).mean()) if others.any() else float("nan")
    return PatchEffect(len(was), float((was != now).mean()), int(others.sum()), to_target)
