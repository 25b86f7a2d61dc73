from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image

from interp.images.decoding import DecodedImage
from interp.images.image_set import ImageSet


def three(**options) -> ImageSet:
    read = []

    def picture(i: int) -> DecodedImage:
        read.append(i)
        return DecodedImage(Image.new("RGB", (4, 4), (i, i, i)))

    photos = ImageSet(name="three", description="", fingerprint="f", names=["a", "b", "c"], read=picture, **options)
    photos.read_positions = read
    return photos


def test_it_is_a_sequence_that_reads_only_what_is_asked_for() -> None:
    photos = three()
    assert isinstance(photos, Sequence) and len(photos) == 3 and photos.names == ("a", "b", "c")
    assert photos.read_positions == []
    assert photos[1].name == "b" and photos.read_positions == [1]
    assert photos[-1].name == "c" and photos[np.int64(0)].name == "a"
    assert [sample.name for sample in photos[1:]] == ["b", "c"]
    assert [sample.image.getpixel((0, 0))[0] for sample in photos] == [0, 1, 2]


@pytest.mark.parametrize("index", [3, -4, 10**9])
def test_beyond_the_end_is_an_index_error(index: int) -> None:
    with pytest.raises(IndexError, match=f"Image {index} does not exist: three has 3, numbered from 0"):
        three()[index]


def test_the_wordnet_id_comes_before_the_name_before_the_index() -> None:
    forms = {"class_index": ("0", "1", "2"), "label": ("tench", None, None), "wnid": (None, "n01440764", None)}
    photos = three(label_forms=forms)
    assert photos.labels == ("tench", "n01440764", "2")
    assert photos.label_forms["class_index"] == ("0", "1", "2")
    assert three().labels == (None, None, None) == three().groups
