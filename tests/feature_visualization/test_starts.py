"""Means of images, as the classifier sees them."""

import pytest
import torch
from PIL import Image

from interp.feature_visualization import FromPictures, Noise, mean_image, mean_images
from interp.images import ImageSet, UnreadableImage
from interp.images.decoding import DecodedImage
from interp.types import Classifier


def plain(broken: int | None = None) -> ImageSet:
    def read(position: int) -> DecodedImage:
        if position == broken:
            raise UnreadableImage("a", "torn")
        return DecodedImage(Image.new("RGB", (20, 30), (51 * position, 0, 255)))

    return ImageSet(name="plain", description="", fingerprint="plain", names=list("abcd"), read=read)


def test_the_mean_is_taken_pixel_by_pixel(tiny: Classifier) -> None:
    found = mean_image(tiny, plain(), [1, 3])
    assert torch.allclose(found, torch.tensor([0.4, 0.0, 1.0])[None, :, None, None].expand(1, 3, 16, 16))


def test_what_cannot_be_read_is_left_out(tiny: Classifier) -> None:
    assert torch.allclose(mean_image(tiny, plain(broken=3), [1, 3])[0, 0], torch.full((16, 16), 0.2))
    with pytest.raises(ValueError, match="plain"):
        mean_image(tiny, plain(broken=3), [3])


def test_given_pictures_are_one_for_all_or_one_each() -> None:
    pixels = torch.rand(2, 3, 4, 4)
    assert torch.equal(FromPictures(pixels).each(2, 2), pixels[[0, 0, 1, 1]])
    assert torch.equal(FromPictures(pixels[:1]).each(3, 1), pixels[[0, 0, 0]])
    with pytest.raises(ValueError, match="2 pictures to begin with for 3"):
        FromPictures(pixels).each(3, 1)
    with pytest.raises(ValueError, match="deviation of -1"):
        Noise(-1.0)


def test_the_mean_of_a_class_comes_beside_that_of_the_set(tiny: Classifier) -> None:
    whole, own = mean_images(tiny, plain(), [1, 3])
    assert torch.allclose(whole, mean_image(tiny, plain())) and torch.allclose(own, mean_image(tiny, plain(), [1, 3]))
    assert len(mean_images(tiny, plain(), [])) == 1
