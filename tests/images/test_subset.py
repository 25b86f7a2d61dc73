"""Some images of a set as a set of their own: all that is known of them stays with them."""

import numpy as np
import pytest
from PIL import Image

from interp import images
from interp.images.annotation import Annotation, Mark
from interp.images.decoding import DecodedImage
from interp.images.image_set import Concept, ImageSet
from interp.images.shapes import Box


def letters(**options) -> ImageSet:
    return ImageSet(
        name="letters",
        description="",
        fingerprint="f",
        names=["a", "b", "c", "d"],
        read=lambda i: DecodedImage(Image.new("RGB", (4, 4), (i, i, i))),
        label_forms={"wnid": (None, "n1", None, None), "label": ("one", "two", None, "four")},
        groups=["x", None, "y", "x"],
        **options,
    )


MARKED = Annotation((Mark((Box(0.0, 0.0, 4.0, 4.0),)),), (4, 4))


def test_what_is_known_stays_with_the_images() -> None:
    some = images.subset(letters(annotations={1: MARKED, 2: MARKED}), [3, 1])
    assert some.names == ("d", "b") and some.labels == ("four", "n1") and some.groups == ("x", None)
    assert some.label_forms == {"wnid": (None, "n1"), "label": ("four", "two")}
    assert some.annotated == {1}
    assert some[0].mask is None and some[1].mask is not None and some[1].mask.all()
    assert [sample.image.getpixel((0, 0))[0] for sample in some] == [3, 1]


def test_concepts_stay_with_the_images() -> None:
    def concepts(i: int) -> tuple[Concept, ...]:
        return (Concept("shape", f"shape {i}", np.full((4, 4), i == 2)),)

    some = images.subset(letters(concepts=concepts), np.array([2, 0]))
    assert [sample.concepts[0].name for sample in some] == ["shape 2", "shape 0"]
    assert some.annotated == {0, 1} and some[0].mask.all() and not some[1].mask.any()


def test_a_part_of_a_part() -> None:
    some = images.subset(images.subset(letters(), [3, 2, 0]), [2, 1])
    assert some.names == ("a", "c") and some[1].image.getpixel((0, 0))[0] == 2


def test_the_fingerprint_follows_from_set_and_positions() -> None:
    first = images.subset(letters(), [0, 1]).fingerprint
    assert images.subset(letters(), (0, 1)).fingerprint == first
    assert images.subset(letters(), [1, 0]).fingerprint != first
    assert images.subset(images.subset(letters(), [0, 1, 2]), [0, 1]).fingerprint != first


@pytest.mark.parametrize(("positions", "message"), [([4], "Image 4 does not"), ([-1], "Image -1"), ([1, 1], "twice")])
def test_impossible_positions_are_refused(positions: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        images.subset(letters(), positions)
