"""How a picture becomes a classifier's input: to the last pixel as torchvision's transforms do."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as transforms

from interp.types import Preprocessing

# Height and width: square, lying, standing, of odd proportions, smaller than the crop on one side or both.
SIZES = ((40, 40), (37, 91), (91, 37), (33, 34), (20, 90), (11, 7), (32, 32))
WAYS = (((24, 24), 28), ((25, 24), 31), ((24, 24), None), ((33, 21), None), ((40, 40), 33), ((41, 20), 30))


def torchvisions(image: Image.Image, crop: tuple[int, int], resize: int | None, interpolation: str) -> torch.Tensor:
    size = list(crop) if resize is None else resize
    resized = transforms.resize(image, size, InterpolationMode(interpolation))
    return transforms.pil_to_tensor(transforms.center_crop(resized, list(crop)))


@pytest.mark.parametrize(("crop", "resize"), WAYS)
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic"])
def test_pixels_are_torchvisions(crop: tuple[int, int], resize: int | None, interpolation: str) -> None:
    rng = np.random.default_rng(0)
    for height, width in SIZES:
        image = Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8))
        for channels, mode in ((3, "RGB"), (1, "L")):
            found = Preprocessing(crop, resize, interpolation, channels).pixels(image)
            expected = torchvisions(image.convert(mode), crop, resize, interpolation).float() / 255
            assert torch.equal(found, expected) and found.stride() == expected.stride()


@pytest.mark.parametrize(("crop", "resize"), WAYS)
def test_annotations_are_torchvisions(crop: tuple[int, int], resize: int | None) -> None:
    rng = np.random.default_rng(1)
    for height, width in SIZES:
        mask = rng.random((height, width)) < 0.5
        expected = torchvisions(Image.fromarray(mask.astype(np.uint8) * 255), crop, resize, "bilinear")[0] >= 128
        assert torch.equal(Preprocessing(crop, resize).annotation(mask), expected)
