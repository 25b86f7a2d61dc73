"""Sets of small pictures with labels, made when they are read."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from interp.images import ImageSet, UnreadableImage
from interp.images.decoding import DecodedImage
from interp.models.inputs import attempt
from interp.types import Classifier


def pictures(
    classifier: Classifier, labels: Sequence[str | None], *, broken: Collection[int] = (), name: str = "pictures"
) -> ImageSet:
    """Smooth noise, of the size that the classifier sees, one picture for each label."""
    height, width = classifier.input_size

    def read(position: int) -> DecodedImage:
        if position in broken:
            raise UnreadableImage(f"{position}.png", "the file is damaged")
        rng = np.random.default_rng(position)
        coarse = Image.fromarray(rng.integers(0, 255, (4, 4, 3), np.uint8)).resize((width, height))
        noise = rng.normal(0, 30, (height, width, 3))
        return DecodedImage(Image.fromarray((np.asarray(coarse) + noise).clip(0, 255).astype(np.uint8)))

    return ImageSet(
        name=name,
        description="",
        fingerprint=f"{name} {labels} {broken}",
        names=[f"{one}.png" for one in range(len(labels))],
        read=read,
        label_forms={"label": tuple(labels)},
    )


def pixels_of(classifier: Classifier, photos: ImageSet) -> Tensor:
    """What the classifier sees of all."""
    found = [attempt(classifier, photos, position).pixels for position in range(len(photos))]
    return torch.stack([one for one in found if one is not None])
